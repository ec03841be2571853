"""Slicing: what it takes for the optimum's share of the MEC to rise with the number of devices, as Figure 9 has it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, protocol, table
from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.methods import classical_plans, mec_share, scenarios
from slicewright.network.regimes import REGIMES

DEVICES = (5, 20, 50)
MOST_SHOWN = 8
"""Settings with the surest rise that the table shows, beside the regimes and our choice."""
AS_CHOSEN = ("node queue, 0.1-0.3 /s, MEC 1e10 as published, 1-5 cycle/bit",)
RISE_PP = 5.0
"""Percentage points from few to many devices that count as a rise; the publication prints no figures."""
AXES: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "queueing": {"node queue": {"queueing": "node"}, "device queue": {"queueing": "device"}},
        "arrivals": {
            "0.01-0.03 /s": {"arrival_rate_hz": (0.01, 0.03)},
            "0.1-0.3 /s": {},
            "0.5-1.5 /s": {"arrival_rate_hz": (0.5, 1.5)},
        },
        "MEC": {
            "MEC 3e8, slower than every COIN": {"mec_capacity_hz": (3e8, 3e8)},
            "MEC 3.3e9, divided among slices": {"mec_capacity_hz": (1e10 / 3, 1e10 / 3)},
            "MEC 1e10 as published": {},
            "MEC 2e11": {"mec_capacity_hz": (2e11, 2e11)},
        },
        "cycles": {
            "0.1-0.5 cycle/bit": {"cycles_per_bit": (0.1, 0.5)},
            "1-5 cycle/bit": {},
            "20-60 cycle/bit": {"cycles_per_bit": (20.0, 60.0)},
            "100-300 cycle/bit": {"cycles_per_bit": (100.0, 300.0)},
        },
    }
)


def settings() -> dict[str, dict[str, Any]]:
    """Every combination of the axes, and every regime with both queues."""
    out: dict[str, dict[str, Any]] = {}
    for names in product(*AXES.values()):
        parts = [AXES[axis][name] for axis, name in zip(AXES, names, strict=True)]
        out[", ".join(names)] = {k: v for part in parts for k, v in part.items()}
    for regime, (queue, override) in product(REGIMES, AXES["queueing"].items()):
        out[f"regime {regime}, {queue}"] = {**REGIMES[regime].parameters, **override}
    return out


def _measure(shop: Workshop) -> Measured:
    facts: Measured = {}
    shares: dict[str, list[Estimate]] = {}
    for name, overrides in settings().items():
        shop.report(name)
        each = [
            np.array(mec_share(classical_plans(shop, "ours", scenarios(shop, i, overrides, shop.scale.few))))
            for i in DEVICES
        ]
        rise = estimate(100 * (each[-1] - each[0]))
        shares[name] = [estimate(100 * x) for x in each]
        if np.isfinite(rise.mean):  # else nobody offloads at one end
            facts[name] = {"share": [e.mean for e in shares[name]], "rise": rise.mean, "half": rise.half}
    order = sorted(facts, key=lambda name: -_sure(facts[name]))
    order = order[:MOST_SHOWN] + [
        name for name in order[MOST_SHOWN:] if name in AS_CHOSEN or "regime" in name
    ]
    rows: list[list[str | float | None]] = [
        [name, *(f"{e.mean:.0f} ± {e.half:.0f}" for e in shares[name]),
         f"{facts[name]['rise']:+.0f} ± {facts[name]['half']:.0f}"]
        for name in order
    ]  # fmt: skip
    columns = [
        "setting", *(f"on the MEC at {i} devices, %" for i in DEVICES), "rise, percentage points",
    ]  # fmt: skip
    notes = [
        "Plans of auto with 50 rounds. Everything else as in the published setting; sorted by the rise that is "
        "sure at 90 %."
    ]
    return {
        "table": table(columns, rows), "facts": facts, "protocol": protocol(runs=shop.scale.few), "notes": notes,
    }  # fmt: skip


def _sure(fact: Mapping[str, float]) -> float:
    """Lower end of the interval of the rise."""
    return fact["rise"] - fact["half"]


def _judge(data: Measured) -> Verdict:
    facts = data["facts"]
    rising = [name for name, f in facts.items() if _sure(f) >= RISE_PP]
    best = max(facts, key=lambda name: _sure(facts[name]))
    by_queue = {
        queue: [f["rise"] for name, f in facts.items() if queue in name] for queue in AXES["queueing"]
    }
    always = [value for axis in AXES.values() for value in axis if rising and all(value in n for n in rising)]
    means = ", ".join(f"{np.mean(x):+.0f} with a {queue}" for queue, x in by_queue.items())
    return Verdict(
        "finding",
        f"a rise of {RISE_PP:g} points or more, sure at 90 %, in {len(rising)} of {len(facts)} settings; the "
        f"largest is "
        f"{facts[best]['rise']:+.0f} points ({best}: {_course(facts[best]['share'])})",
        (
            f"The published rise can be had, "
            f"{'only with: ' + ', '.join(always) if always else 'in several ways'}. "
            if rising
            else "The published rise appears nowhere in the sweep. "
        )
        + f"Averages over the sweep: {means} percentage points from {DEVICES[0]} to {DEVICES[-1]} devices.",
    )


def _course(share: list[float]) -> str:
    return " to ".join(f"{x:.0f} %" for x in share)


ITEMS = (
    Item(
        "fig9-sweep",
        "Why: what makes the MEC's share rise with the number of devices",
        "The share rises gradually in every slice configuration; queueing, arrivals and cycles per bit are not given.",
        _measure,
        _judge,
        lambda s: len(settings()) * len(DEVICES) * s.few * 0.01,
        least="quick",
    ),
)
