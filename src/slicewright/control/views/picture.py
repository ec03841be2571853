"""One consistent look at the orchestrator's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from slicewright.control.decision.settlement import assemble
from slicewright.control.sharing.allocation import Allocation, allocate
from slicewright.control.state.grants import Grant
from slicewright.control.state.reasons import Reason
from slicewright.control.state.situation import Situation, devices_as_granted
from slicewright.control.state.state import OrchestratorState
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import (
    RadioSplit,
    split_radio,
)

View = Literal["granted", "desired"]


@dataclass(frozen=True, eq=False)
class Picture:
    """One consistent look at the state.

    Attributes:
        state: the state.
        view: ``granted``: what managers are known to hold. ``desired``: what they are to end up with.
    """

    state: OrchestratorState
    view: View = "granted"

    @cached_property
    def situation(self) -> Situation:
        """All devices in the network now, as the slices that serve them know them."""
        now = self.state.situation()
        return Situation(now.network, devices_as_granted(self.state.devices, self.grants.values()))

    @cached_property
    def grants(self) -> Mapping[str, Grant]:
        """Slice to grant."""
        accounts = self.state.accounts
        return {
            name: account.held if self.view == "granted" else account.target
            for name, account in accounts.items()
        }

    @cached_property
    def allocations(self) -> Mapping[str, Allocation]:
        """Slice to intra-slice shares: as the manager reported for the grant in view, else by the closed form."""
        return {name: self._allocation(name, grant) for name, grant in self.grants.items()}

    def _allocation(self, name: str, grant: Grant) -> Allocation:
        known = self.state.shares_reported.get(name)
        if self.view == "granted" and known is not None and known.revision == grant.revision:
            return Allocation(known.radio, known.compute, known.local)
        return allocate(grant)

    @cached_property
    def plan(self) -> Plan | None:
        """The plan that this amounts to; None without devices."""
        method = "none" if self.state.last is None else self.state.last.method
        made = assemble(self.situation, self.grants, self.allocations, method)
        if made is None or self.state.last is None:
            return made
        return made.with_(runtime_s=self.state.last.duration_s)

    @cached_property
    def split(self) -> RadioSplit | None:
        """Requested, quantised and realised inter-slice shares."""
        return None if self.plan is None else split_radio(self.plan.scenario, self.plan.shares)

    @cached_property
    def row(self) -> Mapping[str, int]:
        """Device to its index in the plan."""
        return self.situation.row

    def reason(self, device: str) -> Reason | None:
        """Why a device is local in this view; None if it is offloaded."""
        seated = self.state.places.get(device)
        if self.plan is not None and device in self.row and not self.plan.decisions.local[self.row[device]]:
            return None
        if seated is not None:
            return self.allocations[seated.slice].local.get(device, Reason.MOVING)
        return self.state.reasons.get(device, Reason.WAITING)
