"""Targets 2 and 3: what search alone reaches as time goes by, per regime and queueing variant, without any proof."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import slicewright as sw
from benchmarks.regimes import test_set
from slicewright.network.regimes import REGIMES
from slicewright.slicing import Plan, iterated_search

BUDGETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
LARGE = 30  # devices: these have a mean of their own, since small networks are done in a millisecond


def main(scale: str) -> None:
    """Print a row per regime and queueing variant: mean gap to the best of all runs, %, (large networks alone)."""
    count, seeds, long_s = (20, 3, 1.0) if scale == "full" else (4, 1, 0.2)
    print(f"mean gap of search to the best of all runs and of {long_s:g} s, % (from {LARGE} devices on)")
    print("  ".join(["queueing, regime  ", *(f"{budget * 1e3:>15g} ms" for budget in BUDGETS_S)]))
    for queueing in ("node", "device"):
        for regime in REGIMES:
            print(_row(regime, queueing, test_set(regime, queueing, count), seeds, long_s), flush=True)


def smoke() -> None:
    """One small scenario."""
    print(_row("paper", "node", [sw.preset("regime/paper", devices=LARGE)], 1, 0.01))


def _row(regime: str, queueing: str, scenarios: Sequence[sw.Scenario], seeds: int, long_s: float) -> str:
    gaps = []
    for scenario in scenarios:
        costs = np.array([[_cost(scenario, budget, seed) for budget in BUDGETS_S] for seed in range(seeds)])
        best = min(float(costs.min()), _cost(scenario, long_s, seeds))
        gaps.append(100.0 * (costs.mean(axis=0) / best - 1.0))
    everybody = np.mean(gaps, axis=0)
    large = [gap for gap, scenario in zip(gaps, scenarios, strict=True) if scenario.n_devices >= LARGE]
    only_large = np.mean(large, axis=0) if large else np.full(len(BUDGETS_S), np.nan)
    shown = [f"{a:8.3f} ({b:6.3f})" for a, b in zip(everybody, only_large, strict=True)]
    return "  ".join([f"{queueing:>6}, {regime:10}", *shown])


def _cost(scenario: sw.Scenario, budget_s: float, seed: int) -> float:
    return Plan(scenario, *iterated_search(scenario, budget_s=budget_s, seed=seed)).cost_s
