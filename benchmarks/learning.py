"""Targets 4, 8 and 9: learned models against search at equal time, as published, raw, and on networks never seen.

Needs the extra ``train`` (cross-validation trains models). The figures of shipped models come from their ONNX files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import resources

import numpy as np

import slicewright as sw
from benchmarks._footprint import print_footprints
from benchmarks._published import Protocol, print_cross_validation
from benchmarks._what_pays import print_decodings, print_losses
from benchmarks.planner import best_known, test_set
from slicewright.network.importers.eua import import_eua
from slicewright.policies.slicing import default_budget_s
from tests.shared import MELBOURNE

BUDGETS_MS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
MULTIPLES = (1, 3, 10, 30)
TRAINABLE = ("deepsets-s", "deepsets", "set-transformer-2", "set-transformer-4", "bipartite")
MODELS = tuple(
    m for m in TRAINABLE if (resources.files("slicewright.models") / "weights" / f"{m}.json").is_file()
)
"""Those that the package ships; the others are trained by ``slicewright train slicing``."""


def main(scale: str) -> None:
    """Print all tables."""
    full = scale == "full"
    scenarios = test_set(200 if full else 60)
    best = best_known(scenarios, 5000)
    print_raw(scenarios, best)
    print_decodings(scenarios, best)
    print_curve(scenarios, best, MODELS if full else ("deepsets-s", "bipartite"))
    print_unseen_networks(20 if full else 6)
    print_large((50, 200, 1000, 5000), 10) if full else print_large((200,), 3)
    print_footprints(MODELS)
    print_losses(10_000 if full else 400, epochs=8 if full else 4)
    print_cross_validation(Protocol(5000, 10, 15, 32) if full else Protocol(300, 3, 6))


def print_raw(scenarios: Sequence[sw.Scenario], best: np.ndarray) -> None:
    """Target 9: networks decoded and repaired, without any search."""
    print(f"\ndecoded and repaired, no search; {len(scenarios)} scenarios of paper-slicing, 5-50 devices")
    print(f"{'method':24s} {'local/offload':>13s} {'decision':>9s} {'gap mean':>9s} {'p95':>8s} {'ms':>7s}")
    labels = [sw.plan(s, rounds=5000, seed=1).decisions for s in scenarios]
    for name in (*(f"{m}-raw" for m in MODELS), "greedy", "local"):
        same, exact, costs, times = [], [], [], []
        for scenario, label in zip(scenarios, labels, strict=True):
            plan = sw.plan(scenario, method=name, rounds=0)
            _refuse_stand_in(plan)
            mine = plan.decisions
            same.append(mine.local == label.local)
            parts = [getattr(mine, k) == getattr(label, k) for k in ("access_point", "node", "slice")]
            exact.append(np.all(parts, axis=0))
            costs.append(plan.cost_s)
            times.append(plan.runtime_s)
        gap = 100 * (np.array(costs) / best - 1)
        print(
            f"{name:24s} {np.concatenate(same).mean():13.4f} {np.concatenate(exact).mean():9.4f} {gap.mean():8.3f}% "
            f"{np.quantile(gap, 0.95):7.3f}% {1e3 * np.median(times):7.2f}"
        )
    print(
        "target 9: local/offload 0.97, mean gap 1 % for the best shipped network; published 0.8824, 3.8-6.1 %"
    )


def print_curve(scenarios: Sequence[sw.Scenario], best: np.ndarray, models: Sequence[str]) -> None:
    """Target 4: gap at equal time, the whole call from scenario to shares; [part] answered by the network."""
    print(
        "\nmean (p95) gap to the best known, %, at equal time [part of scenarios where the network was asked]"
    )
    print(f"{'method':20s}" + "".join(f"{f'{b:g} ms':>24s}" for b in BUDGETS_MS))
    for method in ("auto", "best-response", *models):
        cells = []
        for budget in BUDGETS_MS:
            plans = [sw.plan(s, method=method, budget_s=budget / 1e3) for s in scenarios]
            gap = 100 * (np.array([p.cost_s for p in plans]) / best - 1)
            asked = np.mean([not any(note.startswith("search alone") for note in p.notes) for p in plans])
            share = f" [{asked:.2f}]" if method in models else ""
            cells.append(f"{gap.mean():.4f} ({np.quantile(gap, 0.95):.3f}){share}")
        print(f"{method:20s}" + "".join(f"{cell:>24s}" for cell in cells))


def print_unseen_networks(count: int) -> None:
    """One network, many others: how far the raw gap grows, beside search without any network."""
    families: dict[str, Callable[[int], sw.Scenario]] = {
        "paper-slicing, 3 devices": lambda k: sw.preset("paper-slicing", devices=3, seed=k),
        "paper-slicing, 30 devices": lambda k: sw.preset("paper-slicing", devices=30, seed=k),
        "paper-slicing, 300 devices": lambda k: sw.preset("paper-slicing", devices=300, seed=k),
        "6 access points, 18 nodes": lambda k: sw.preset(
            "paper-slicing", devices=60, seed=k, access_points=6, coins=17
        ),
        "queueing device": lambda k: sw.preset("paper-slicing", devices=30, seed=k, queueing="device"),
        "dense-urban, 100 devices": lambda k: sw.preset("dense-urban", devices=100, seed=k),
        "heavy load (8-16 cycle/bit)": lambda k: sw.preset(
            "paper-slicing", devices=40, seed=k, cycles_per_bit=(8, 16), local_capacity_hz=(2e8, 2e8)
        ),
    }  # fmt: skip
    if MELBOURNE.is_dir():
        families["Melbourne, its real sites"] = lambda k: import_eua(MELBOURNE, seed=k)
    print("\nbipartite on networks never seen: mean gap to 3,000 rounds of search, %; time of the call, ms")
    print(
        "start: search from the network's answer, 0 rounds; same time: search alone; cold: search alone, 0 rounds"
    )
    heads = ("raw", "ms", "start", "ms", "same time", "cold", "ms")
    print(f"{'network':30s}" + "".join(f" {head:>9s}" for head in heads) + "  note")
    for name, make in families.items():
        rows, note = [], ""
        for k in range(2_000_000, 2_000_000 + count):
            scenario = make(k)
            raw = sw.plan(scenario, method="bipartite-raw", rounds=0)
            _refuse_stand_in(raw)
            start = sw.plan(scenario, method="bipartite", rounds=0)
            alone = sw.plan(scenario, budget_s=start.runtime_s)
            cold = sw.plan(scenario, rounds=0)
            plans = (raw, start, alone, cold)
            known = min(p.cost_s for p in (*plans, sw.plan(scenario, rounds=3000)))
            times = [1e3 * p.runtime_s for p in (raw, start, cold)]
            rows.append([100 * (p.cost_s / known - 1) for p in plans] + times)
            note = raw.notes[0] if raw.notes else ""
        gaps = np.mean(rows, axis=0)
        cells = [f"{gaps[k]:.3f}%" if k < 4 else f"{gaps[k]:.2f}" for k in (0, 4, 1, 5, 2, 3, 6)]
        print(f"{name:30s}" + "".join(f" {cell:>9s}" for cell in cells) + f"  {note}")


def _grown(devices: int, seed: int) -> sw.Scenario:
    return sw.preset(
        "paper-slicing",
        devices=devices,
        seed=seed,
        access_points=max(3, devices // 30),
        coins=max(8, devices // 15),
        area_m=500 * max(1.0, devices / 50) ** 0.5,
    )


def print_large(sizes: Sequence[int], count: int) -> None:
    """Where a learned start pays: larger networks, at one to thirty times the default budget, whole calls."""
    networks: dict[str, Callable[[int], sw.Scenario]] = {
        f"paper-slicing grown, {devices} devices": partial(_grown, devices) for devices in sizes
    }
    if MELBOURNE.is_dir():
        networks["Melbourne, 816 users"] = lambda k: import_eua(MELBOURNE, seed=k)
    print(
        "\nmean gap to the best of the row, %: search alone / from the network's start [part where it wins]"
    )
    print(f"{'network':34s}" + "".join(f"{f'{m} x default budget':>26s}" for m in MULTIPLES))
    for name, make in networks.items():
        alone, learned = np.empty((count, len(MULTIPLES))), np.empty((count, len(MULTIPLES)))
        for k in range(count):
            scenario = make(3_000_000 + k)
            for b, multiple in enumerate(MULTIPLES):
                budget_s = multiple * default_budget_s(scenario)
                alone[k, b] = sw.plan(scenario, budget_s=budget_s).cost_s
                learned[k, b] = sw.plan(scenario, method="bipartite", budget_s=budget_s).cost_s
        best = np.minimum(alone, learned).min(axis=1, keepdims=True)
        gaps = [(100 * (costs / best - 1)).mean(axis=0) for costs in (alone, learned)]
        wins = (learned < alone * (1 - 1e-9)).mean(axis=0)
        cells = [f"{x:.4f} / {y:.4f} [{w:.2f}]" for x, y, w in zip(*gaps, wins, strict=True)]
        print(f"{name:34s}" + "".join(f"{cell:>26s}" for cell in cells))


def _refuse_stand_in(plan: sw.Plan) -> None:
    """A figure of a network must not be one of the search that stood in for it."""
    for note in plan.notes:
        if note.startswith("search alone"):
            raise RuntimeError(f"{plan.method} did not run: {note}")
