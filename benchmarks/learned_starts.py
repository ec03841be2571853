"""Target 7: learned starts against search at equal time in every regime, and certificates from learned prices.

A learned method decides by its network and searches on in what is left. Gaps are to the best plan known of all methods
and of a long run. ``+`` marks a method that is better than ``auto``, ``-`` one that is worse, both by more than twice
the standard error of the difference, scenario by scenario; without a mark nothing can be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

import slicewright as sw
from benchmarks.learning import MODELS
from benchmarks.regimes import test_set
from slicewright.models.slicing.learned_prices import learned_prices
from slicewright.models.slicing.session import load_model
from slicewright.network.regimes import REGIMES
from slicewright.slicing import lower_bound
from slicewright.slicing.dual_prices import DualPrices
from slicewright.types import FloatArray

BUDGETS_S = (0.002, 0.005, 0.02, 0.1)
LONG_S = 1.0
SEEDS = 2
BOUND_BUDGETS_S = (0.005, 0.01, 0.02, 0.05)
START_ROUNDS = 100
"""Of search, for the plan that a certificate is asked about."""
MANY = 40
"""Devices from which on certificates are worth a network: smaller networks' are proven in a few milliseconds."""


def main(scale: str) -> None:
    """Print the tables."""
    count = 20 if scale == "full" else 8
    print(f"decoded in 32 orders and repaired, no search: mean gap to the best known, %; {count} scenarios")
    print("queueing, regime    " + "".join(f"{name:>18}" for name in MODELS))
    for queueing in ("node", "device"):
        for regime in REGIMES:
            print(f"{queueing:>6}, {regime:10}" + _raw(test_set(regime, queueing, count)), flush=True)
    methods = ("auto", *MODELS, "best-response")
    print()
    print(
        f"mean gap to the best known, %, at {', '.join(f'{1e3 * b:g}' for b in BUDGETS_S)} ms; "
        f"{count} scenarios of 10-50 devices, {SEEDS} seeds each"
    )
    print("queueing, regime    " + "".join(f"{name:>36}" for name in methods))
    for queueing in ("node", "device"):
        for regime in REGIMES:
            print(
                f"{queueing:>6}, {regime:10}" + _decisions(test_set(regime, queueing, count), methods),
                flush=True,
            )
    print(
        f"\nproven gap of a plan, %, in {', '.join(f'{1e3 * b:g}' for b in BOUND_BUDGETS_S)} ms: as it is, and from "
        f"learned prices (the network's time counts); {MANY} and more devices"
    )
    for queueing in ("node", "device"):
        for regime in REGIMES:
            print(f"{queueing:>6}, {regime:10}" + _bounds(regime, queueing, count), flush=True)


def smoke() -> None:
    """A small network in all tables."""
    print(_raw([sw.preset("regime/paper", devices=8)]))


def _raw(scenarios: Sequence[sw.Scenario]) -> str:
    """A row of the first table."""
    best = [sw.plan(scenario, budget_s=LONG_S / 4).cost_s for scenario in scenarios]
    cells = []
    for model in MODELS:
        made = [sw.plan(scenario, method=f"{model}-raw", rounds=0).cost_s for scenario in scenarios]
        cells.append(f"{100 * (np.mean(np.array(made) / best) - 1):18.2f}")
    return "".join(cells)


def _decisions(scenarios: Sequence[sw.Scenario], methods: Sequence[str]) -> str:
    """A row of the second table."""
    costs: dict[tuple[str, float], list[FloatArray]] = {}
    best = []
    for scenario in scenarios:
        reached = sw.plan(scenario, budget_s=LONG_S).cost_s
        for budget in BUDGETS_S:
            for method in methods:
                made = [
                    sw.plan(scenario, method=method, budget_s=budget, seed=k).cost_s for k in range(SEEDS)
                ]
                costs.setdefault((method, budget), []).append(np.array(made))
                reached = min(reached, *made)
        best.append(reached)
    gaps = {key: 100 * (np.mean(values, axis=1) / np.array(best) - 1) for key, values in costs.items()}
    return "".join(
        "  " + " ".join(f"{np.mean(gaps[m, b]):7.3f}{_mark(gaps, m, b)}" for b in BUDGETS_S) for m in methods
    )


def _mark(gaps: Mapping[tuple[str, float], FloatArray], method: str, budget: float) -> str:
    """Whether a method is better or worse than ``auto``, pair by pair."""
    return _sign(gaps["auto", budget] - gaps[method, budget])


def _sign(gains: FloatArray) -> str:
    error = np.std(gains, ddof=1) / np.sqrt(gains.size)
    return "+" if np.mean(gains) > 2 * error > 0 else "-" if np.mean(gains) < -2 * error < 0 else " "


def _bounds(regime: str, queueing: str, count: int) -> str:
    """A row of the third table."""
    own, learned, saved = ({b: list[float]() for b in BOUND_BUDGETS_S} for _ in range(3))
    for seed in range(count):
        scenario = sw.preset(
            f"regime/{regime}", devices=MANY + 10 * (seed % 2), seed=3_000_000 + seed, queueing=queueing
        )
        start = sw.plan(scenario, rounds=START_ROUNDS)
        prices = learned_prices(scenario)
        asked_s = load_model("bipartite").expected_s(scenario)
        for budget in BOUND_BUDGETS_S:
            own[budget].append(_proven(start, None, budget))
            learned[budget].append(_proven(start, prices, budget - asked_s))
            saved[budget].append(own[budget][-1] - learned[budget][-1])
    cells = (
        f"{np.mean(own[b]):9.2f} {np.mean(learned[b]):7.2f}{_sign(np.array(saved[b]))}"
        for b in BOUND_BUDGETS_S
    )
    return "  ".join(cells)


def _proven(plan: sw.Plan, prices: DualPrices | None, budget_s: float) -> float:
    bound = lower_bound(plan.scenario, start=plan.decisions, prices=prices, budget_s=max(0.0, budget_s))
    return 100 * (plan.cost_s / bound - 1)
