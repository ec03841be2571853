"""A label: one solved instance, with everything that is known about how it was solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from slicewright.labels.splits import UNSOLVED, split_of
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares

LabelStatus = Literal["optimal", "feasible", "infeasible", "failed"]


@dataclass(frozen=True, eq=False)
class Solution:
    """What a method of labelling returns.

    Attributes:
        decisions: who goes where.
        shares: who gets how much.
        bound_s: s, a proven lower bound on the cost of every feasible plan, 0 if none.
        solver: who solved it, with its version, e.g. ``scip 10.0``.
    """

    decisions: Decisions
    shares: Shares
    bound_s: float
    solver: str


@dataclass(frozen=True, eq=False)
class Label:
    """One instance and its answer.

    Attributes:
        seed: the instance within its recipe.
        status: ``optimal`` (gap proven at 1e-4), ``feasible``, ``infeasible`` (the method broke a rule), or ``failed``.
        method: of labelling.
        scenario, solution: None if the instance failed.
        cost_s, bound_s: s, of the solution.
        gap: cost / bound - 1; None without a bound.
        time_s: s of wall time to solve, without making the instance.
        residuals: of 13a..13g.
        reason: why it failed.
    """

    seed: int
    status: LabelStatus
    method: str
    scenario: Scenario | None = None
    solution: Solution | None = None
    cost_s: float | None = None
    bound_s: float | None = None
    gap: float | None = None
    time_s: float | None = None
    residuals: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def solved(self) -> bool:
        """Whether there is a feasible plan to learn from."""
        return self.status in ("optimal", "feasible")

    @property
    def split(self) -> str:
        """``train``, ``validation`` or ``test`` by the seed; ``unsolved`` without a feasible plan."""
        return split_of(self.seed) if self.solved else UNSOLVED
