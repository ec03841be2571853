"""Learned placement: accuracy beside the published table, gain and time beside the solver and search (target 10).

Accuracies come from cross-validation split by run. Gains are C_solver / C_model (19) on runs that no shipped model has
seen; the solver's cost is the best known of HiGHS and a long search. Times are warm medians of one process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from slicewright.evaluation.reproduction.engine import published_numbers as published
from slicewright.learning.placement.solved_runs import DEADLINES_S, FIRST_TEST_SEED, solved_runs
from slicewright.models.placement.model_kinds import SHIPPED
from slicewright.placement import Placement, Tasks, judge, place, placement_preset
from slicewright.placement.exact import solve_exact

FIRST_SEED = FIRST_TEST_SEED + 10_000
OURS = "queue-network"
BUDGETS_S = (0.001, 0.002, 0.005, 0.020)


@dataclass(frozen=True)
class Sizes:
    """Runs, folds and epochs of the cross-validation; sizes, instances and HiGHS' limit of the rest."""

    runs: int
    folds: int
    epochs: int
    queue_epochs: tuple[int, int]
    sizes: tuple[int, ...]
    instances: int
    limit_s: float


SCALES = {
    "quick": Sizes(40, 4, 40, (4, 4), (20, 60, 120), 6, 5.0),
    "full": Sizes(400, 10, 200, (10, 20), (10, 20, 40, 60, 80, 100, 120), 20, 20.0),
}


def main(scale: str) -> None:
    """Print the tables of classification, gain, time, and of what search adds."""
    size = SCALES[scale]
    for name in (*SHIPPED, "auto"):
        place(placement_preset(tasks=10), name)
    _classification(size)
    _gains(size)
    _against_search(size)


def _classification(size: Sizes) -> None:
    from slicewright.learning.placement.cross_validation import (
        cross_validate,
        published_trainers,
        queue_trainer,
    )
    from slicewright.learning.placement.metrics import mean_and_spread
    from slicewright.learning.placement.networks.queue import QueueDesign
    from slicewright.learning.placement.recipes import published_sizes
    from slicewright.learning.placement.training import ClassifierSchedule, QueueSchedule

    runs = solved_runs("paper", range(size.runs))
    tasks = sum(run.tasks.n_tasks for run in runs)
    print(
        f"classification: {len(runs)} runs, {tasks} tasks, {size.folds} folds split by run, {size.epochs} epochs; "
        "mean over folds ± their standard deviation"
    )
    heads = ("accuracy", "precision", "recall", "f1", "tie_aware")
    print(f"{'':<52}" + "".join(f"{head:>18}" for head in heads))
    for name, figures in published.PLACEMENT.items():
        print(f"{'published ' + published.NAMES[name]:<52}" + "".join(f"{x:>18.4f}" for x in figures))
    trainers = published_trainers(published_sizes(runs[0]), ClassifierSchedule(epochs=size.epochs))
    imitate, descend = size.queue_epochs
    trainers[OURS] = queue_trainer(QueueDesign(), QueueSchedule(imitate=imitate, descend=descend))
    for name, trainer in trainers.items():
        found = mean_and_spread(cross_validate(runs, trainer, parts=size.folds))
        cells = (f"{found[head][0]:.4f} ± {found[head][1]:.4f}" for head in heads)
        print(f"{name:<52}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


def _instances(tasks: int, count: int) -> Iterator[Tasks]:
    for i in range(count):
        yield placement_preset(tasks=tasks, seed=FIRST_SEED + i, deadline_s=DEADLINES_S[i % 2])


def _warm(tasks: Tasks, method: str, **options: Any) -> Placement:
    """The median by time of three runs."""
    found = [place(tasks, method, certify=False, **options) for _ in range(3)]
    return sorted(found, key=lambda x: x.runtime_s)[1]


def _gains(size: Sizes) -> None:
    print(
        f"\ngain C_solver / C_model, {size.instances} runs each. raw: most probable classes (share of feasible "
        "placements in brackets: an infeasible one may seem cheaper than the optimum)"
    )
    print(
        f"repaired: every rule kept. HiGHS: plain formulation, at most {size.limit_s:.0f} s, time over method's"
    )
    for tasks in size.sizes:
        instances = list(_instances(tasks, size.instances))
        highs_s, best = zip(*(_solver(x, size.limit_s) for x in instances), strict=True)
        print(f"{tasks} tasks: HiGHS {np.mean(highs_s):.3f} s")
        times: list[float] = []
        for name in (*SHIPPED, "mec-only", "greedy-nearest"):
            found = [_warm(x, name) for x in instances]
            raw = ""
            if name in SHIPPED:
                plain = [place(x, name, certify=False, repair=False) for x in instances]
                feasible = np.mean([x.violations.feasible for x in plain])
                raw = f"raw {_gain(best, plain):.4f} ({feasible:.0%}), "
            if name == OURS:
                times = [x.runtime_s for x in found]
            print(
                f"  {name:<16} {raw}repaired {_gain(best, found):.4f}, {_speed(highs_s, found)}", flush=True
            )
        equal = [_warm(x, "auto", budget_s=t) for x, t in zip(instances, times, strict=True)]
        print(f"  auto, the time of {OURS}: {_gain(best, equal):.4f}, {_speed(highs_s, equal)}", flush=True)


def _solver(tasks: Tasks, limit_s: float) -> tuple[float, float]:
    """HiGHS' time, and the best objective known."""
    begin = time.perf_counter()
    choice, _ = solve_exact(tasks, time_limit_s=limit_s, gap=1e-5)
    highs_s = time.perf_counter() - begin
    highs = np.inf if choice is None else judge(tasks, choice).objective_bit_hops
    return highs_s, min(highs, place(tasks, iterations=100_000).objective_bit_hops)


def _gain(best: tuple[float, ...], found: list[Placement]) -> float:
    return float(np.mean([b / x.objective_bit_hops for b, x in zip(best, found, strict=True)]))


def _speed(highs_s: tuple[float, ...], found: list[Placement]) -> str:
    took = np.array([x.runtime_s for x in found])
    return f"{1e3 * np.median(took):.2f} ms, HiGHS / its time {np.median(np.array(highs_s) / took):,.0f}"


def _against_search(size: Sizes) -> None:
    print(f"\nobjective over best known, less 1, at equal budgets: auto | {OURS}, repaired and searched on")
    print("tasks" + "".join(f" | {1e3 * budget:>14.0f} ms" for budget in BUDGETS_S))
    for tasks in size.sizes:
        instances = list(_instances(tasks, size.instances))
        best = tuple(place(x, iterations=100_000).objective_bit_hops for x in instances)
        cells = []
        for budget in BUDGETS_S:
            over = [
                100 * (1.0 / _gain(best, [_warm(x, method, budget_s=budget) for x in instances]) - 1.0)
                for method in ("auto", OURS)
            ]
            cells.append(f" | {over[0]:6.3f} % {over[1]:6.3f} %")
        print(f"{tasks:>5}" + "".join(cells), flush=True)
