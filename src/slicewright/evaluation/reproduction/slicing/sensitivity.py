"""Slicing: how our choices where the publication is silent could change what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, protocol, table
from slicewright.evaluation.reproduction.engine.statistics import estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.costs import training_s
from slicewright.evaluation.reproduction.slicing.methods import classical_plans, optima, scenarios
from slicewright.evaluation.reproduction.slicing.models import prepare
from slicewright.evaluation.reproduction.slicing.nested_scenarios import PRINTED_RATE
from slicewright.evaluation.reproduction.slicing.points import measured_point

DEVICES = 25
VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "as chosen (1-5 cycle/bit, 0.1-0.3 /s, -174 dBm/Hz, node queue)": {},
        "2-10 cycle/bit": {"cycles_per_bit": (2.0, 10.0)},
        "arrivals 0.2-0.6 /s": {"arrival_rate_hz": (0.2, 0.6)},
        "noise -154 dBm/Hz": {"noise_dbm_hz": -154.0},
        "queue of the device only": {"queueing": "device"},
    }
)
PRINTED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"physical rate (model page 1.1)": {}, "rate as printed: B log2(1 + d P / N0)": {PRINTED_RATE: True}}
)
MODELS = ("deepsets-s", "own", "bipartite", "bipartite-decoded")
BASELINES = ("best-response", "erap", "prap")


def _measure(shop: Workshop) -> Measured:
    return _rows(shop, VARIANTS)


def _measure_printed(shop: Workshop) -> Measured:
    return _rows(shop, PRINTED)


def _rows(shop: Workshop, variants: Mapping[str, Mapping[str, Any]]) -> Measured:
    rows: list[list[str | float | None]] = []
    facts: dict[str, Any] = {}
    prepare(shop, list(variants.values()))
    for name, overrides in variants.items():
        shop.report(name)
        best = optima(shop, DEVICES, overrides)
        point = measured_point(shop, DEVICES, overrides)
        response = classical_plans(shop, "best-response", scenarios(shop, DEVICES, overrides))
        ratio = {m: point.series[m].ratio() for m in (*MODELS, "erap", "prap")}
        ratio["best-response"] = estimate([b.cost_s / p.cost_s for b, p in zip(best, response, strict=True)])
        away = estimate([100 * float((~p.decisions.local).mean()) for p in best])
        cells = [f"{estimate([p.cost_s for p in best]).mean:.1f}", f"{away.mean:.0f}"]
        shown = [ratio[m] for m in (*MODELS, *BASELINES)]
        rows.append([name, *cells, *(f"{r.mean:.3f} ± {r.half:.3f}" for r in shown)])
        facts[name] = {m: r.mean for m, r in ratio.items()} | {"offloaded": away.mean}
    columns = [
        "choice", "optimum, s", "offloaded, %", "DeepSets-S, argmax", "DeepSets-S, own shares", "bipartite, argmax",
        "bipartite, decoded",        "best response", "ERAP", "PRAP",
    ]  # fmt: skip
    notes = [
        f"Cost ratio C_OS / C_m at {DEVICES} devices, 3 access points; 0 where a task never completes. DeepSets-S is "
        "trained anew for every row; bipartite is one network for all."
    ]
    scale = shop.scale
    done = protocol(
        runs=scale.runs, labels=scale.serving_labels, epochs=scale.serving_epochs, seeds=scale.seeds
    )
    return {"table": table(columns, rows), "facts": facts, "protocol": done, "notes": notes}


def _judge(data: Measured) -> Verdict:
    rows = data["facts"]
    above = {name: r["deepsets-s"] > max(r["erap"], r["prap"]) for name, r in rows.items()}
    first, *others = above.values()
    same = all(x == first for x in others)
    low, high = (f(r["deepsets-s"] for r in rows.values()) for f in (min, max))
    response = float(np.mean([r["best-response"] for r in rows.values()]))
    leads = [r["best-response"] >= max(r["deepsets-s"], r["erap"], r["prap"]) for r in rows.values()]
    return Verdict(
        "finding",
        f"cost ratio of DeepSets-S {low:.3f} to {high:.3f} over the variants; best response {response:.3f} on "
        "average",
        f"DeepSets-S beats ERAP and PRAP in {sum(above.values())} of {len(above)} variants: it "
        + ("does not depend" if same else "depends")
        + " on these choices. Best response is above every baseline and DeepSets-S in "
        + f"{sum(leads)} of {len(rows)} variants.",
    )


def _judge_printed(data: Measured) -> Verdict:
    physical, printed = (data["facts"][name] for name in PRINTED)
    beats = [
        "beats" if r["deepsets-s"] > max(r["erap"], r["prap"]) else "does not beat"
        for r in (physical, printed)
    ]
    return Verdict(
        "finding",
        f"with the printed rate {printed['offloaded']:.0f} % of devices offload at the optimum instead of "
        f"{physical['offloaded']:.0f} %; cost ratio of DeepSets-S {printed['deepsets-s']:.3f} instead of "
        f"{physical['deepsets-s']:.3f}",
        f"DeepSets-S {beats[0]} both baselines with the physical rate and {beats[1]} them with the printed one. "
        f"Best response has {physical['best-response']:.3f} and {printed['best-response']:.3f}.",
    )


ITEMS = (
    Item(
        "sensitivity",
        "Sensitivity: cycles per bit, arrival rate, noise, queueing",
        "Cycles per bit and arrival rates are not given; the printed rate leaves the bandwidth out of the noise.",
        _measure,
        _judge,
        lambda s: training_s(s, len(VARIANTS) - 1) + len(VARIANTS) * s.runs * (0.1 + 0.01 * s.seeds),
        revision=2,
    ),
    Item(
        "printed-rate",
        "Sensitivity: the rate as printed",
        "R = B log(1 + distance P / N0): it grows with the distance, and the bandwidth is not in the noise.",
        _measure_printed,
        _judge_printed,
        lambda s: training_s(s, 2) + len(PRINTED) * s.runs * (0.1 + 0.01 * s.seeds),
        trained=True,
        least="quick",
    ),
)
