"""Placement over time: deadline misses from simulated delays, with and without splitting, all placement methods."""

from __future__ import annotations

import numpy as np

import slicewright as sw
from slicewright.errors import MissingExtraError, SlicewrightError
from slicewright.simulation import Churn, simulate_placement

SLOW = ("exact",)


def main(scale: str) -> None:
    """Print a row for each method and way to split."""
    runs, instances = (8, 60_000) if scale == "full" else (2, 4_000)
    print(
        f"streams that come and go, placed at every change; {instances:,} instances, {runs} problems; means"
    )
    print(
        f"  {'method':18s}{'split':14s}{'missed':>9s}{'rejected':>10s}{'late':>9s}{'delay, ms':>11s}{'planned':>9s}"
        f"{'decision, ms':>14s}"
    )
    for method in sorted(sw.placement_methods()):
        if method in SLOW and scale != "full":
            continue
        for split in ("proportional", "equal", "none"):
            try:
                rows = [_row(method, split, seed, instances) for seed in range(runs)]
            except (MissingExtraError, SlicewrightError) as error:
                print(f"  {method:18s}{split:14s}  not run: {error}")
                continue
            missed, rejected, late, delay, planned, spent = np.nanmean(np.array(rows), axis=0)
            print(
                f"  {method:18s}{split:14s}{100 * missed:7.2f} %{100 * rejected:8.2f} %{100 * late:7.2f} %"
                f"{1e3 * delay:11.2f}{1e3 * planned:9.2f}{1e3 * spent:14.2f}",
                flush=True,
            )


def smoke() -> None:
    """One method for a moment."""
    print(_row("auto", "equal", 0, 200))


def _row(method: str, split: str, seed: int, instances: int) -> tuple[float, ...]:
    tasks = sw.placement_preset("paper-placement", seed=seed).with_(split=split)
    horizon_s = 2.0 * instances / float(tasks.arrival_rate_hz.sum())
    churn = Churn(stay_s=horizon_s / 2, away_s=horizon_s / 2)
    figures = simulate_placement(
        tasks, method, churn=churn, horizon_s=horizon_s, warm_up_s=0.02 * horizon_s, budget_s=0.02, seed=seed
    ).figures
    names = ("missed", "rejected", "late", "mean_delay_s", "planned_delay_s", "decision_s")
    return tuple(figures[name] for name in names)
