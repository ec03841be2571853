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
CELL = 16


@dataclass(frozen=True)
class Sizes:
    """How much to run: instances per regime and size, the time limit of the exact method, and of the best known.

    Sizes are numbers of tasks; ``OWN`` is the regime's own.
    """

    instances: int
    sizes: tuple[int, ...]
    exact_s: float
    long_s: float


OWN = 0
SCALES = {"quick": Sizes(2, (OWN,), 2.0, 4.0), "full": Sizes(5, (20, OWN, 200), 20.0, 20.0)}


@dataclass(frozen=True)
class Run:
    """One instance: objectives by column, bounds by column, the time of the exact method, what ``auto`` proved."""

    objective: dict[str, float]
    bound: dict[str, float]
    exact_s: float
    rejected: int
    proven: bool

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
    """Print one line per regime and size."""
    size = SCALES[scale]
    place(placement_preset(tasks=10))
    others = [name for name in placement_methods() if name not in WITH_BUDGET]
    print(
        f"{size.instances} instances; mean (worst) % above the best known of all, bounds % below it; "
        f"exact: {size.exact_s:.0f} s at most; proven: by auto with the last budget"
    )
    groups = [
        "auto " + " ".join(f"{_label(b):>{CELL}}" for b in BUDGETS_S),
        "bound " + " ".join(f"{_label(b):>7}" for b in BUDGETS_S) + "  proven",
        f"exact {'plan':>{CELL}} {'bound':>7} {'time':>7}",
        " ".join(f"{name[:15]:>15}" for name in others),
    ]
    print(f"{'regime':>12} {'tasks':>5} {'rejected':>8} | " + " | ".join(groups))
    for name, regime in PLACEMENT_REGIMES.items():
        for tasks in size.sizes:
            asked: dict[str, object] = {} if tasks == OWN else {"tasks": tasks}
            if tasks == regime.parameters.get("tasks", 60):
                continue
            problems = [
                placement_preset(f"regime/{name}", seed=FIRST_SEED + i, **asked)
                for i in range(size.instances)
            ]
            runs = [_measure(problem, size, others) for problem in problems]
            print(_line(name, problems[0].n_tasks, runs, others), flush=True)


def smoke() -> None:
    """One small instance."""
    others = [name for name in placement_methods() if name not in WITH_BUDGET]
    problem = placement_preset("regime/paper", seed=FIRST_SEED, tasks=8)
    print(_line("paper", 8, [_measure(problem, Sizes(1, (8,), 0.2, 0.1), others)], others))


def _label(budget_s: float) -> str:
    return f"{budget_s:.0f} s" if budget_s >= 1.0 else f"{1e3 * budget_s:.0f} ms"


def _measure(tasks: Tasks, size: Sizes, others: list[str]) -> Run:
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
        proven=made[_label(BUDGETS_S[-1])].status == "optimal",
    )


def _line(name: str, tasks: int, runs: list[Run], others: list[str]) -> str:
    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    def cell(column: str) -> str:
        above = [run.above(column) for run in runs]
        return f"{f'{mean(above):.3f} ({max(above):.2f})':>{CELL}}"

    budgets = [_label(b) for b in BUDGETS_S]
    proven = sum(run.proven for run in runs)
    parts = [
        f"{name:>12} {tasks:>5} {mean([run.rejected for run in runs]):>8.1f}",
        "     " + " ".join(cell(b) for b in budgets),
        "      "
        + " ".join(f"{mean([run.below(b) for run in runs]):>7.3f}" for b in budgets)
        + f"  {f'{proven}/{len(runs)}':>6}",
        f"      {cell('exact')} {mean([run.below('exact') for run in runs]):>7.3f} "
        f"{mean([run.exact_s for run in runs]):>5.2f} s",
        " ".join(f"{mean([run.above(o) for run in runs]):>15.2f}" for o in others),
    ]
    return " | ".join(parts)
