"""Target 10: ``auto`` placement against HiGHS on the plain formulation, from 10 to 120 tasks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from slicewright.placement import Tasks, judge, lower_bound, place, placement_preset
from slicewright.placement.exact import solve_exact

FIRST_SEED = 50_000  # never used in training
BUDGETS_S = (0.002, 0.01, 0.05)


@dataclass(frozen=True)
class Sizes:
    """How much to run: instances per size, sizes, and the time limit of HiGHS."""

    instances: int
    sizes: tuple[int, ...]
    limit_s: float


SCALES = {
    "quick": Sizes(2, (10, 30, 60, 120), 2.0),
    "full": Sizes(10, (10, 20, 30, 40, 60, 80, 100, 120), 20.0),
}


@dataclass(frozen=True)
class Row:
    """One instance: HiGHS' time, objective and gap; auto's objectives by budget; the bound and its time."""

    highs_s: float
    highs: float
    highs_gap: float
    auto: tuple[float, ...]
    auto_s: tuple[float, ...]
    exact_s: float
    exact_gap: float
    bound: float
    bound_s: float

    @property
    def best(self) -> float:
        """The best objective anybody found."""
        return min(self.highs, *self.auto)


def main(scale: str) -> None:
    """Print one line per number of tasks; all figures of a line come from the same instances and run."""
    size = SCALES[scale]
    place(placement_preset(tasks=10))
    print(f"preset paper-placement, {size.instances} instances each, HiGHS at most {size.limit_s:.0f} s")
    print(
        "objectives over HiGHS' (below 1: better), HiGHS' time over theirs (above 1: faster), bound below best known"
    )
    heads = "".join(f" | auto {1e3 * b:>4.0f} ms: obj/HiGHS  HiGHS/time" for b in BUDGETS_S)
    print(f"tasks | HiGHS time   gap{heads} | own exact: time    gap | bound: time   below")
    for tasks in size.sizes:
        rows = [
            _measure(placement_preset(tasks=tasks, seed=FIRST_SEED + i), size.limit_s)
            for i in range(size.instances)
        ]
        print(_line(tasks, rows), flush=True)


def smoke() -> None:
    """One small instance."""
    print(_line(10, [_measure(placement_preset(tasks=10, seed=FIRST_SEED), 0.5)]))


def _measure(tasks: Tasks, limit_s: float) -> Row:
    begin = time.perf_counter()
    choice, bound = solve_exact(tasks, time_limit_s=limit_s, gap=1e-5)
    highs_s = time.perf_counter() - begin
    highs = np.inf if choice is None else judge(tasks, choice).objective_bit_hops
    runs = [place(tasks, budget_s=budget, certify=False) for budget in BUDGETS_S]
    exact = place(tasks, "exact", budget_s=limit_s)
    begin = time.perf_counter()
    lower = lower_bound(tasks)
    return Row(
        highs_s=highs_s,
        highs=highs,
        highs_gap=max(0.0, highs / bound - 1.0),
        auto=tuple(run.objective_bit_hops for run in runs),
        auto_s=tuple(run.runtime_s for run in runs),
        exact_s=exact.runtime_s,
        exact_gap=exact.gap,
        bound=lower,
        bound_s=time.perf_counter() - begin,
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _line(tasks: int, rows: list[Row]) -> str:
    parts = [
        f"{tasks:>5} | {_mean(r.highs_s for r in rows):>8.3f} s {100 * _mean(r.highs_gap for r in rows):>5.2f} %"
    ]
    for b in range(len(BUDGETS_S)):
        ratio = _mean(r.auto[b] / r.highs for r in rows)
        faster = _mean(r.highs_s / r.auto_s[b] for r in rows)
        parts.append(f"{ratio:>22.5f} {faster:>11.0f}")
    parts.append(f"{_mean(r.exact_s for r in rows):>15.3f} s {100 * _mean(r.exact_gap for r in rows):.3f} %")
    below = 100 * _mean(1.0 - r.bound / r.best for r in rows)
    parts.append(f"{1e3 * _mean(r.bound_s for r in rows):>8.1f} ms {below:>8.3f} %")
    return " | ".join(parts)
