"""The exact method as a policy: a proven optimum, or the best plan and its gap when time runs out."""

from __future__ import annotations

from dataclasses import dataclass

from slicewright.judging import OPTIMAL_GAP
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.policy import Answer, Limit
from slicewright.slicing.exact import solve_exact
from slicewright.slicing.exact.solve import MOST_PARTS


@dataclass(frozen=True)
class ExactPolicy:
    """Column generation with branch and bound; with ``rounds`` the limit is on parts of the search tree.

    Attributes:
        default_budget_s: s, time limit where the user sets none; keeps it out of comparisons that do not name it.
    """

    name: str = "exact"
    summary: str = "proven optimum to 1e-4, or the best plan found and its gap after 60 s"
    default_budget_s: float = 60.0

    def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
        """Solve within the limit."""
        parts = MOST_PARTS if limit.rounds is None else max(1, limit.rounds)
        answer = solve_exact(scenario, budget_s=limit.budget_s, most_parts=parts, seed=seed)
        notes: tuple[str, ...] = ()
        if answer.gap > OPTIMAL_GAP:
            notes = (f"stopped at its limit; the plan is within {answer.gap:.2%} of the optimum",)
        return Answer(answer.decisions, proven_bound_s=answer.bound_s, notes=notes, prices=answer.prices)


EXACT = ExactPolicy()
