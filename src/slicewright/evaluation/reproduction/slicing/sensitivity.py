"""Slicing: how our choices where the publication is silent could change what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, table
from slicewright.evaluation.reproduction.engine.statistics import estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.methods import optima, plans, scenarios
from slicewright.evaluation.reproduction.slicing.models import prepare

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
METHODS = ("deepsets-s", "bipartite", "best-response", "erap", "prap")


def _measure(shop: Workshop) -> Measured:
    rows: list[list[str | float | None]] = []
    facts: dict[str, Any] = {}
    prepare(shop, list(VARIANTS.values()))
    for name, overrides in VARIANTS.items():
        shop.report(name)
        problems = scenarios(shop, DEVICES, overrides)
        best = optima(shop, DEVICES, overrides)
        ratio = {}
        for method in METHODS:
            made = plans(shop, method, problems, overrides)
            ratio[method] = estimate([b.cost_s / p.cost_s for b, p in zip(best, made, strict=True)])
        away = estimate([100 * float((~p.decisions.local).mean()) for p in best])
        cells = [f"{estimate([p.cost_s for p in best]).mean:.1f}", f"{away.mean:.0f}"]
        rows.append([name, *cells, *(f"{r.mean:.3f} ± {r.half:.3f}" for r in ratio.values())])
        facts[name] = {method: r.mean for method, r in ratio.items()}
    columns = [
        "choice", "optimum, s", "offloaded, %", "DeepSets-S", "bipartite, raw", "best response", "ERAP", "PRAP",
    ]  # fmt: skip
    notes = [
        f"Cost ratio C_OS / C_m at {DEVICES} devices, 3 access points. DeepSets-S is trained anew for every "
        "row; bipartite is one network for all."
    ]
    return {"table": table(columns, rows), "facts": facts, "notes": notes}


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
        "Whether DeepSets-S beats ERAP and PRAP "
        + ("does not depend" if same else "depends")
        + " on these choices. Best response is above every baseline and DeepSets-S in "
        + f"{sum(leads)} of {len(rows)} variants.",
    )


ITEMS = (
    Item(
        "sensitivity",
        "Sensitivity: cycles per bit, arrival rate, noise, queueing",
        "Cycles per bit and arrival rates are not given; the printed rate leaves the bandwidth out of the "
        "noise.",
        _measure,
        _judge,
        lambda s: 4 * s.serving_labels * (0.006 + 0.0022 * s.serving_epochs) + 5 * s.runs * 0.3,
    ),
)
