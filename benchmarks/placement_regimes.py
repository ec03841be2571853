"""Placement in every regime: objectives above the best known, and the bounds below it, by time. Target 9 and beyond."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from slicewright.errors import SlicewrightError
from slicewright.placement import (
    PLACEMENT_REGIMES,
    Placement,
    Tasks,
    place,
    placement_methods,
    placement_preset,
)

FIRST_SEED = 60_000  # never used in training
BUDGETS_S = (0.005, 0.05, 1.0)
WITH_BUDGET = ("auto", "exact")


@dataclass(frozen=True)
class Scale:
    """How much to run: instances per regime, the time limit of the exact method, and that of the best known."""

    instances: int
    exact_s: float
    long_s: float


SCALES = {"quick": Scale(2, 2.0, 4.0), "full": Scale(5, 20.0, 20.0)}


@dataclass(frozen=True)
class Run:
    """One instance: objectives by column, bounds by column, the time of the exact method."""

    objective: dict[str, float]
    bound: dict[str, float]
    exact_s: float
    rejected: int

    @property
    def best(self) -> float:
        """The best objective anybody found."""
        return min(self.objective.values())

    def above(self, column: str) -> float:
        """By how many percent a column is above the best known."""
        return 100.0 * (self.objective.get(column, np.nan) / self.best - 1.0)

    def below(self, column: str) -> float:
        """By how many percent a bound is below the best known."""
        return 100.0 * (1.0 - self.bound[column] / self.best)


def main(scale: str) -> None:
    """Print one line per regime."""
    size = SCALES[scale]
    place(placement_preset(tasks=10))
    others = [name for name in placement_methods() if name not in WITH_BUDGET]
    budgets = [_label(b) for b in BUDGETS_S]
    limit = f"{size.exact_s:.0f} s"
    print(
        f"{size.instances} instances; % above the best known of all, bounds % below it; exact: {limit} at most"
    )
    print(
        f"{'':>12} {'tasks':>5} {'rejected':>8} | auto {'':>21} | bound of auto {'':>10} | exact {'':>16} | others"
    )
    heads = [
        " ".join(f"{b:>8}" for b in budgets),
        " ".join(f"{b:>7}" for b in budgets),
        f"{'plan':>7} {'bound':>6} {'time':>7}",
        " ".join(f"{name[:13]:>13}" for name in others),
    ]
    print(f"{'regime':>12} {'':>5} {'':>8} | " + " | ".join(heads))
    for name in PLACEMENT_REGIMES:
        problems = [placement_preset(f"regime/{name}", seed=FIRST_SEED + i) for i in range(size.instances)]
        print(
            _line(name, problems, [_measure(tasks, size, others) for tasks in problems], others), flush=True
        )


def _label(budget_s: float) -> str:
    return f"{budget_s:.0f} s" if budget_s >= 1.0 else f"{1e3 * budget_s:.0f} ms"


def _measure(tasks: Tasks, size: Scale, others: list[str]) -> Run:
    made: dict[str, Placement] = {}
    for budget in BUDGETS_S:
        made[_label(budget)] = place(tasks, budget_s=budget)
    begin = time.perf_counter()
    made["exact"] = place(tasks, "exact", budget_s=size.exact_s)
    exact_s = time.perf_counter() - begin
    made["long"] = place(tasks, budget_s=size.long_s, seed=1)
    for name in others:
        try:
            made[name] = place(tasks, name, certify=False)
        except SlicewrightError:  # a network trained on other topologies has no answer here
            continue
    made = {column: placement for column, placement in made.items() if placement.violations.feasible}
    best = min(made.values(), key=lambda placement: placement.objective_bit_hops)
    return Run(
        objective={column: placement.objective_bit_hops for column, placement in made.items()},
        bound={column: made[column].lower_bound_bit_hops for column in (*map(_label, BUDGETS_S), "exact")},
        exact_s=exact_s,
        rejected=best.rejected,
    )


def _line(name: str, problems: list[Tasks], runs: list[Run], others: list[str]) -> str:
    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    budgets = [_label(b) for b in BUDGETS_S]
    parts = [
        f"{name:>12} {problems[0].n_tasks:>5} {mean([r.rejected for r in runs]):>8.1f}",
        " ".join(f"{mean([r.above(b) for r in runs]):>8.3f}" for b in budgets),
        " ".join(f"{mean([r.below(b) for r in runs]):>7.3f}" for b in budgets),
        f"{mean([r.above('exact') for r in runs]):>7.3f} {mean([r.below('exact') for r in runs]):>6.3f} "
        f"{mean([r.exact_s for r in runs]):>5.2f} s",
        " ".join(f"{mean([r.above(o) for r in runs]):>13.2f}" for o in others),
    ]
    return " | ".join(parts)
