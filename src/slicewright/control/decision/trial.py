"""How a method on trial has done beside the active one."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Trial:
    """How a canary has done beside the active method.

    Attributes:
        method: name. decisions: how many it was shown. failures: no answer, or one that the judge rejected.
        cost_ratio: mean of its cost over the active method's, 1 without decisions.
        worst_cost_ratio: the largest of them.
        slowest_s: s, its longest decision.
        remark: what it said of its last answer, such as that its model could not be asked.
    """

    method: str
    decisions: int = 0
    failures: int = 0
    cost_ratio: float = 1.0
    worst_cost_ratio: float = 1.0
    slowest_s: float = 0.0
    remark: str = ""

    def after(self, ratio: float | None, duration_s: float, remark: str = "") -> Trial:
        """One more decision; ``ratio`` is None for a failure."""
        count, answered = self.decisions + 1, self.decisions - self.failures
        slowest = max(self.slowest_s, duration_s)
        if ratio is None:
            failures = self.failures + 1
            return replace(self, decisions=count, failures=failures, slowest_s=slowest, remark=remark)
        mean = (self.cost_ratio * answered + ratio) / (answered + 1)
        worst = max(self.worst_cost_ratio, ratio) if answered else ratio
        return Trial(self.method, count, self.failures, mean, worst, slowest, remark)
