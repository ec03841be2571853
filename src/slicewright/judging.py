"""What the judges of both problems say: by how much each rule is broken, and what a plan may be called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Self, TypeAlias

import numpy as np

from slicewright.types import FloatArray

Status: TypeAlias = Literal["optimal", "feasible", "infeasible"]
STATUSES: tuple[Status, ...] = ("optimal", "feasible", "infeasible")
OPTIMAL_GAP = 1e-4
"""A plan within this of a proven bound is called optimal: the tolerance to which solvers are asked to prove."""
ROUNDING = 1e-9
"""A sum of many rounded terms exceeds its true value by this part at most: so much is taken off what is proven."""
CLAIM_TOLERANCE = 1e-6
"""Claims may differ from the truth by this part: files are written with fewer digits than are computed with."""


def status_of(*, feasible: bool, gap: float) -> Status:
    """What a plan is called: ``optimal`` where its gap is proven to :data:`OPTIMAL_GAP`."""
    if not feasible:
        return "infeasible"
    return "optimal" if gap <= OPTIMAL_GAP else "feasible"


class Excess(NamedTuple):
    """By how much one rule is broken, everywhere it is asked.

    Attributes:
        rule: its name.
        amount: in the rule's own unit, of any shape; not above 0 where the rule holds.
        place: what an index of ``amount`` stands for, in words.
    """

    rule: str
    amount: FloatArray
    place: Callable[..., str]


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

    @classmethod
    def found(cls, everywhere: Iterable[Excess]) -> Self:
        """The worst of what a judge found; a rule may be asked several times, of different things."""
        residuals, worst = dict.fromkeys(cls.meaning, 0.0), {}
        for rule, amount, place in everywhere:
            if np.isnan(residuals[rule]) or not amount.size or amount.max() <= residuals[rule]:
                continue
            at = np.unravel_index(int(amount.argmax()), amount.shape)  # of what is not a number, the first
            residuals[rule] = float(amount[at])
            if not residuals[rule] <= cls.tolerance:
                worst[rule] = place(*map(int, at))
        return cls(residuals, worst)

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
