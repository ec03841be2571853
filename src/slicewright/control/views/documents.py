"""What the orchestrator shows: documents made from its state, pure and cached by their callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from slicewright.control.decision.settlement import Outcome, assemble
from slicewright.control.sharing.allocation import Allocation, allocate
from slicewright.control.slice_manager.state import Status
from slicewright.control.state.device import Device
from slicewright.control.state.grants import Book, Grant
from slicewright.control.state.reasons import SENTENCES, Reason
from slicewright.control.state.situation import Situation, as_known
from slicewright.control.state.state import State
from slicewright.slicing.evaluation import RULES
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import (
    TEST_NETWORK,
    Plmn,
    Profile,
    RadioSplit,
    rounding_effect,
    rrm_policies,
    split_radio,
)
from slicewright.types import Document

View = Literal["granted", "desired"]


@dataclass(frozen=True, eq=False)
class Picture:
    """One consistent look at the state.

    Attributes:
        state: the state.
        view: ``granted``: what managers are known to hold. ``desired``: what they are to end up with.
    """

    state: State
    view: View = "granted"

    @cached_property
    def situation(self) -> Situation:
        """All devices in the network now, as the slices that serve them know them."""
        now = self.state.situation()
        return Situation(now.network, as_known(self.state.devices, self.grants.values()))

    @cached_property
    def grants(self) -> Mapping[str, Grant]:
        """Slice to grant."""
        books = self.state.books
        return {name: book.held if self.view == "granted" else book.target for name, book in books.items()}

    @cached_property
    def allocations(self) -> Mapping[str, Allocation]:
        """Slice to intra-slice shares: as the manager reported for the grant in view, else by the closed form."""
        return {name: self._allocation(name, grant) for name, grant in self.grants.items()}

    def _allocation(self, name: str, grant: Grant) -> Allocation:
        known = self.state.shared.get(name)
        if self.view == "granted" and known is not None and known.revision == grant.revision:
            return Allocation(known.radio, known.compute, known.home)
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
        return {d.id: i for i, d in enumerate(self.situation.plannable)}

    def reason(self, device: str) -> Reason | None:
        """Why a device is local in this view; None if it is offloaded."""
        seated = self.state.places.get(device)
        if self.plan is not None and device in self.row and not self.plan.decisions.local[self.row[device]]:
            return None
        if seated is not None:
            return self.allocations[seated.slice].home.get(device, Reason.MOVING)
        return self.state.reasons.get(device, Reason.WAITING)


EMPTY_PLAN: Document = {
    "schema": "slicewright/plan/v1",
    "method": "none",
    "status": "optimal",
    "cost_s": 0.0,
    "lower_bound_s": 0.0,
    "gap": 0.0,
    "runtime_s": 0.0,
    "violations": dict.fromkeys(RULES, 0.0),
    "decisions": [],
}
"""The plan of no devices."""


def plan_document(picture: Picture) -> Document:
    """``slicewright/plan/v1``; indices follow the order of :func:`device_documents` with an index."""
    return EMPTY_PLAN if picture.plan is None else picture.plan.to_dict()


def device_document(picture: Picture, device: str) -> Document:
    """One device: where it is served, or why not."""
    found = picture.state.devices[device]
    return _device_document(found, picture.row.get(device), picture.plan, picture.reason(device))


def outcome_document(outcome: Outcome, state: State, device: str) -> Document:
    """The same, straight from the decision that has just been made."""
    index = outcome.devices.index(device) if device in outcome.devices else None
    reason = outcome.reasons.get(device)
    if device not in outcome.places and reason is None and not _offloaded(outcome.plan, index):
        reason = Reason.WAITING
    return _device_document(state.devices[device], index, outcome.plan, reason)


def is_granted(state: State, device: str) -> bool:
    """Whether the slice of an offloaded device is known to hold its seat; a local one needs nobody's leave."""
    place = state.places.get(device)
    if place is None:
        return True
    seat = state.books[place.slice].held.seats.get(device)
    return seat is not None and (seat.access_point, seat.node) == (place.access_point, place.node)


def _offloaded(plan: Plan | None, index: int | None) -> bool:
    return plan is not None and index is not None and not plan.decisions.local[index]


def _device_document(device: Device, index: int | None, plan: Plan | None, reason: Reason | None) -> Document:
    base: Document = {
        "id": device.id,
        "index": index,
        "state": "local" if reason is not None else "offloaded",
        "reason": reason,
        "explanation": None if reason is None else SENTENCES[reason],
        "access_point": None,
        "node": None,
        "slice": None,
        "completion_s": device.local_time_s,
    }
    if reason is not None or plan is None or index is None:
        return base
    d, s = plan.decisions, plan.scenario
    return {
        **base,
        "access_point": s.access_points[int(d.access_point[index])],
        "node": s.nodes[int(d.node[index])],
        "slice": s.slices[int(d.slice[index])].name,
        "completion_s": float(plan.times.completion_s[index]),
    }


def slice_documents(
    picture: Picture, statuses: Mapping[str, Status], away: Mapping[str, str]
) -> list[Document]:
    """Every slice with its account: grant, revision, manager."""
    out = []
    for name, book in picture.state.books.items():
        status = statuses.get(name)
        grant = picture.grants[name]
        out.append(
            {
                "name": name,
                "state": _slice_state(book, name, away),
                "detail": book.refusal or away.get(name, ""),
                "devices": len(grant.seats),
                "held_revision": book.held.revision,
                "sent_revision": None if book.sent is None else book.sent.revision,
                "bandwidth_share": dict(grant.bandwidth),
                "arrivals_hz": dict(grant.arrivals_hz),
                "manager": None
                if status is None
                else {
                    "instance": status.instance,
                    "applied_revision": status.applied,
                    "generation": status.generation,
                    "rule": status.rule,
                    "shares": asdict(status.sharing),
                    "sent_home": dict(status.home),
                },
            }
        )
    return out


def _slice_state(book: Book, name: str, away: Mapping[str, str]) -> str:
    if book.refusal is not None:
        return "refused"
    if name in away:
        return "away"
    return "active" if book.settled else "moving"


def node_documents(picture: Picture) -> list[Document]:
    """Every node: capacity, devices, arrivals and used share in each slice."""
    network = picture.situation.network
    out = []
    for j, name in enumerate(network.nodes):
        per_slice: Document = {}
        for n, slice_name in enumerate(network.slice_names):
            grant, shares = picture.grants.get(slice_name), picture.allocations.get(slice_name)
            here = [] if grant is None else [d for d, seat in grant.seats.items() if seat.node == name]
            used = 0.0 if shares is None else sum(shares.compute.get(d, 0.0) for d in here)
            per_slice[slice_name] = {
                "capacity_hz": float(network.node_capacity_hz[j, n]),
                "devices": len(here),
                "compute_share": min(1.0, used),
                "load": 0.0 if grant is None else _load(grant, name, here),
            }
        arrivals = sum(grant.arrivals_hz.get(name, 0.0) for grant in picture.grants.values())
        out.append(
            {"name": name, "kind": network.node_kinds[j], "arrivals_hz": arrivals, "slices": per_slice}
        )
    return out


def _load(grant: Grant, node: str, devices: list[str]) -> float:
    """Part of a node's capacity in a slice that its arrivals keep busy."""
    capacity = grant.capacity_hz.get(node, 0.0)
    work = sum(grant.seats[d].cycles * grant.seats[d].arrival_hz for d in devices)
    return work / capacity if capacity > 0 else 0.0


def radio_documents(
    picture: Picture, *, profile: Profile = "hard", plmn: Plmn = TEST_NETWORK
) -> list[Document]:
    """Every access point: RRMPolicyRatio entries, and the share requested, quantised and realised per slice."""
    if picture.plan is None or picture.split is None:
        return []
    scenario, split = picture.plan.scenario, picture.split
    effect = rounding_effect(scenario, picture.plan.decisions, picture.plan.shares, split)
    names = [d.id for d in picture.situation.plannable]
    starved = {names[int(i)] for i in effect.starved}
    out = []
    for a, point in enumerate(scenario.access_points):
        here = [names[int(i)] for i in (picture.plan.decisions.access_point == a).nonzero()[0]]
        out.append(
            {
                "access_point": point,
                "bandwidth_hz": float(scenario.bandwidth_hz[a]),
                "resource_blocks": int(split.blocks[a]),
                "devices": len(here),
                "profile": profile,
                "rRMPolicyRatio": rrm_policies(scenario.slices, split.percent[a], profile=profile, plmn=plmn),
                "shares": {
                    item.name: {
                        "requested": float(split.requested[a, n]),
                        "quantised": int(split.percent[a, n]) / 100,
                        "realised": float(split.realised[a, n]),
                    }
                    for n, item in enumerate(scenario.slices)
                },
                "starved_devices": sorted(starved.intersection(here)),
            }
        )
    return out


def attempts_document(state: State) -> list[Document]:
    """The path through the fallback chain of the last decision."""
    return [] if state.last is None else [asdict(attempt) for attempt in state.last.attempts]
