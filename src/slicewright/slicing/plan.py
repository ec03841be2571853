"""The plan: decisions and shares for one scenario, with what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any

from slicewright.files.documents import finite
from slicewright.judging import OPTIMAL_GAP, Status, status_of
from slicewright.network.scenario import Scenario
from slicewright.slicing.certificate import Certificate, certify
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.judge import RULES, Times, Violations, evaluate
from slicewright.slicing.shares import Shares
from slicewright.types import Document

SCHEMA = "slicewright/plan/v1"
DECISION_PLACES = ("access_point", "node", "slice")
DECISION_SHARES = ("bandwidth_share", "radio_share", "compute_share")
"""Fields of a decision in the file; null where a device computes locally."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Decisions and shares for one scenario. Cost, residuals and bound are worked out when first asked for.

    Attributes:
        scenario: the problem it answers.
        decisions: who goes where.
        shares: who gets how much.
        method: name of the policy that made it.
        runtime_s: s, from call to shares; the certificate's own time is not in it.
        proven_bound_s: s, a lower bound that the method proved on its way, if any.
        notes: what the method wants to say (a fallback it took, a model out of its range).
        prices: with which the certificate begins, if the method has any: its own, or those of the plan before.
    """

    scenario: Scenario
    decisions: Decisions
    shares: Shares
    method: str = "given"
    runtime_s: float = 0.0
    proven_bound_s: float | None = None
    notes: tuple[str, ...] = ()
    prices: DualPrices | None = None

    @cached_property
    def _evaluation(self) -> tuple[Times, Violations]:
        return evaluate(self.scenario, self.decisions, self.shares)

    @property
    def times(self) -> Times:
        """Transmission, execution and completion time of every device."""
        return self._evaluation[0]

    @property
    def violations(self) -> Violations:
        """Residual of each of 13a..13g."""
        return self._evaluation[1]

    @cached_property
    def cost_s(self) -> float:
        """System cost (12): sum of completion times, s; infinite if some task never completes."""
        return float(self.times.completion_s.sum())

    @cached_property
    def certificate(self) -> Certificate:
        """The lower bound and the prices it was proven at, for the next plan's certificate to begin with."""
        proven_s, feasible = self.proven_bound_s or 0.0, self.violations.feasible
        if feasible and self.cost_s <= proven_s * (1.0 + OPTIMAL_GAP):
            return Certificate(proven_s, self.prices)
        start = self.decisions if feasible else None
        found = certify(self.scenario, start=start, prices=self.prices)
        return replace(found, bound_s=max(found.bound_s, proven_s))

    @property
    def lower_bound_s(self) -> float:
        """No feasible plan for this scenario is cheaper than this, s. Computed on first use, in milliseconds."""
        return self.certificate.bound_s

    @property
    def gap(self) -> float:
        """cost / bound - 1: how far from optimal the plan can be at most."""
        return self.cost_s / self.lower_bound_s - 1.0

    @property
    def status(self) -> Status:
        """``optimal`` (gap proven at the solver's tolerance), ``feasible`` or ``infeasible``."""
        feasible = self.violations.feasible
        return status_of(feasible=feasible, gap=self.gap if feasible else inf)

    def with_(self, **changes: Any) -> Plan:
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def to_dict(self) -> Document:
        """The plan as a ``slicewright/plan/v1`` document; numbers that are not finite become null."""
        d, shares, times = self.decisions, self.shares, self.times
        local = d.local.tolist()
        decisions = []
        for i in range(d.n_devices):
            entry: Document = {"device": i, "local": local[i]}
            if local[i]:
                entry.update(dict.fromkeys((*DECISION_PLACES, *DECISION_SHARES)))
            else:
                a, j, n = int(d.access_point[i]), int(d.node[i]), int(d.slice[i])
                in_range = a < len(shares.bandwidth) and n < shares.bandwidth.shape[1]
                entry.update(access_point=a, node=j, slice=n)
                entry["bandwidth_share"] = float(shares.bandwidth[a, n]) if in_range else None
                entry["radio_share"] = float(shares.radio[i])
                entry["compute_share"] = float(shares.compute[i])
            entry["transmit_s"] = finite(times.transmit_s[i])
            entry["execute_s"] = finite(times.execute_s[i])
            entry["completion_s"] = finite(times.completion_s[i])
            decisions.append(entry)
        return {
            "schema": SCHEMA,
            "method": self.method,
            "status": self.status,
            "cost_s": finite(self.cost_s),
            "lower_bound_s": self.lower_bound_s,
            "gap": finite(self.gap),
            "runtime_s": self.runtime_s,
            "violations": {rule: finite(self.violations.residuals[rule]) for rule in RULES},
            "decisions": decisions,
            **({"notes": list(self.notes)} if self.notes else {}),
        }

    def __repr__(self) -> str:
        offloaded = int((~self.decisions.local).sum())
        return f"Plan({self.method}: cost {self.cost_s:.6g} s, {offloaded} of {self.scenario.n_devices} offloaded)"
