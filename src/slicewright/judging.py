"""What the judges of both problems say: by how much each rule is broken, and what a plan may be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Status: TypeAlias = Literal["optimal", "feasible", "infeasible"]
STATUSES: tuple[Status, ...] = ("optimal", "feasible", "infeasible")
OPTIMAL_GAP = 1e-4
"""A plan within this of a proven bound is called optimal: the tolerance to which solvers are asked to prove."""


def status_of(*, feasible: bool, gap: float) -> Status:
    """What a plan is called: ``optimal`` where its gap is proven to :data:`OPTIMAL_GAP`."""
    if not feasible:
        return "infeasible"
    return "optimal" if gap <= OPTIMAL_GAP else "feasible"


@dataclass(frozen=True)
class BrokenRules:
    """Residual of each rule: 0 where it holds, else by how much it is broken at the worst place.

    Each problem's judge names its rules in a subclass. One rule says what holds: a residual up to the ``tolerance``,
    and nothing else, so that a residual that is not a number is a broken rule.

    Attributes:
        residuals: rule to residual, in the rule's own unit.
        worst: rule to the worst place, for the broken ones.
    """

    residuals: Mapping[str, float]
    worst: Mapping[str, str]

    meaning: ClassVar[Mapping[str, str]] = {}
    units: ClassVar[Mapping[str, str]] = {}
    tolerance: ClassVar[float] = 0.0

    @property
    def feasible(self) -> bool:
        """Whether every rule holds."""
        return not self.broken

    @property
    def broken(self) -> tuple[str, ...]:
        """The rules that do not hold."""
        return tuple(rule for rule in self.meaning if not self.residuals[rule] <= self.tolerance)

    def __getitem__(self, rule: str) -> float:
        return self.residuals[rule]

    def explain(self) -> str:
        """One sentence per broken rule."""
        return "\n".join(map(self._sentence, self.broken))

    def _sentence(self, rule: str) -> str:
        amount = f"{rule} is broken by {self.residuals[rule]:.4g} {self.units[rule]}".rstrip()
        place = f" at {self.worst[rule]}" if rule in self.worst else ""
        return f"{amount}{place}: {self.meaning[rule]}"
