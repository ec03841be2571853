"""Placement, Figure 8: network usage against the number of tasks, from the placements of Figure 5."""

from __future__ import annotations

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.networks import LABELS


def _measure_usage(shop: Workshop) -> Measured:
    measured = shop.data_of("fig5")
    notes = [
        "Table: sums over all points and runs, mean over seeds. Rejected tasks are counted in, at ten times "
        "the longest "
        "way.",
        measured["notes"][0],
    ]
    return {
        "panels": measured["facts"]["usage"], "table": measured["facts"]["usage_table"], "facts": {}, "notes": notes,
        "protocol": measured["protocol"],
    }  # fmt: skip


def _judge_usage(data: Measured) -> Verdict:
    tight, relaxed = ({c["label"]: np.array(c["mean"]) for c in p["curves"]} for p in data["panels"][:2])
    grows = [bool((np.diff(x) > 0).all()) for x in (*tight.values(), *relaxed.values())]
    lower = [label for label in tight if relaxed[label].mean() < tight[label].mean()]
    gnn = LABELS["gnn"]
    change = 100 * (relaxed[gnn].mean() / tight[gnn].mean() - 1)
    return Verdict(
        holds([*grows, *(label in lower for label in tight)]),
        f"{gnn} {tight[gnn][0]:.2g} to {tight[gnn][-1]:.2g} Gbit hops; {change:+.1f} % with relaxed deadlines",
        f"Usage grows with the tasks for {sum(grows)} of {len(grows)} methods and deadlines, and is lower with relaxed "
        f"deadlines for {len(lower)} of {len(tight)} methods.",
    )


ITEMS = (
    Item(
        "fig8",
        "Figure 8: network usage against the number of tasks",
        "Usage grows with the requests and is lower when deadlines are relaxed to 50-150 ms.",
        _measure_usage,
        _judge_usage,
        lambda s: 0.1,
        uses=("fig5",),
        revision=2,
    ),
)
