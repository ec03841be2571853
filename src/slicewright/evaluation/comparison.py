"""Methods side by side on the same scenarios."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.policies.slicing import plan
from slicewright.slicing.plan import Plan
from slicewright.types import FloatArray


@dataclass(frozen=True)
class Row:
    """One method's figures, means over the scenarios unless said otherwise.

    Attributes:
        method: its name.
        cost_s: s, mean system cost.
        gap: mean of cost / proven bound - 1, every method held against the best bound known for the scenario.
        largest_gap: its maximum.
        to_best: mean of cost / cheapest plan in this comparison - 1.
        offloaded: share of devices that offload.
        worst_residual: largest constraint residual over scenarios and rules.
        feasible: whether every plan was.
        runtime_s: s, mean decision time.
    """

    method: str
    cost_s: float
    gap: float
    largest_gap: float
    to_best: float
    offloaded: float
    worst_residual: float
    feasible: bool
    runtime_s: float

    def to_dict(self) -> dict[str, object]:
        """The row as a document."""
        return asdict(self)


def compare_methods(
    scenarios: Mapping[str, Scenario],
    methods: Sequence[str],
    *,
    budget_s: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
    on_step: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Run every method on every scenario under the same limits.

    Args:
        scenarios: by name.
        methods: registered names.
        budget_s, rounds, seed: as in :func:`slicewright.plan`, the same for each method.
        on_step: called after each plan, for progress.

    Raises:
        UnknownNameError: no such method.
    """
    plans: dict[str, list[Plan]] = {method: [] for method in methods}
    for scenario in scenarios.values():
        for method in methods:
            plans[method].append(plan(scenario, method=method, budget_s=budget_s, rounds=rounds, seed=seed))
            on_step()
    count = len(scenarios)
    feasible_costs = [
        [plans[m][k].cost_s for m in methods if plans[m][k].violations.feasible] for k in range(count)
    ]
    best = np.array([min(costs, default=np.inf) for costs in feasible_costs])
    bound = np.array([_best_bound([plans[m][k] for m in methods]) for k in range(count)])
    return [_row(method, plans[method], bound, best) for method in methods]


def _best_bound(plans: Sequence[Plan]) -> float:
    """The certificate depends on the scenario, not on the plan: one, from the cheapest, and what methods proved."""
    start = min(plans, key=lambda p: p.cost_s if p.violations.feasible else np.inf)
    return max([start.lower_bound_s, *(p.proven_bound_s or 0.0 for p in plans)])


def _row(method: str, plans: Sequence[Plan], bound: FloatArray, best: FloatArray) -> Row:
    costs = np.array([p.cost_s for p in plans])
    gaps = costs / bound - 1
    return Row(
        method=method,
        cost_s=float(costs.mean()),
        gap=float(gaps.mean()),
        largest_gap=float(gaps.max()),
        to_best=float((costs / best - 1).mean()),
        offloaded=float(np.mean([(~p.decisions.local).mean() for p in plans])),
        worst_residual=max(max(0.0, *p.violations.residuals.values()) for p in plans),
        feasible=all(p.violations.feasible for p in plans),
        runtime_s=float(np.mean([p.runtime_s for p in plans])),
    )
