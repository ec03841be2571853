"""Placement, Figure 8: network usage against the number of tasks, from the placements of Figure 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import Measured, curve, panel, table
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.models import DEADLINES
from slicewright.evaluation.reproduction.placement.networks import LABELS
from slicewright.evaluation.reproduction.placement.run_values import Values, curves_of, over_runs

TIGHT, RELAXED = DEADLINES
PUBLISHED = ("gnn", "mlp", "dt")
"""Models whose usage the publication shows."""


def usage_panels(axis: Sequence[int], usage: Mapping[str, Values]) -> list[Measured]:
    """The GNN's usage with either deadlines, and how much more than our search the models use with each.

    Models differ by a few percent, which absolute curves cannot show.

    Args:
        axis: numbers of tasks.
        usage: by deadlines, Gbit hops.
    """
    gnn = [
        curve(f"{LABELS['gnn']}, deadlines {title}", style, axis, over_runs(usage[title]["gnn"]))
        for title, style in ((TIGHT, "tight"), (RELAXED, "relaxed"))
    ]
    shown = [name for name in usage[TIGHT] if name not in ("mec-only", "auto")]
    return [
        panel("GNN as published", "tasks", "network usage in Gbit hops", gnn),
        *(
            panel(
                f"deadlines {title}, relative", "tasks", "usage above our search's in %",
                curves_of(axis, _above_search(values), shown), apart=True,
            )
            for title, values in usage.items()
        ),
    ]  # fmt: skip


def _above_search(usage: Values) -> Values:
    """How much more than our search every method uses, run by run, in percent."""
    base = [np.mean(np.array(seeds), axis=0) for seeds in usage["auto"]]
    return {
        m: [
            [(100 * (np.array(seed) / base[k] - 1)).tolist() for seed in seeds]
            for k, seeds in enumerate(points)
        ]
        for m, points in usage.items()
    }


def usage_table(usage: Mapping[str, Values]) -> Measured:
    """Sums over all points and runs, of the mean over seeds."""
    rows: list[list[str | float | None]] = []
    for name in usage[TIGHT]:
        tight, relaxed = (
            float(np.sum(np.mean(np.array(usage[title][name]), axis=1))) for title in (TIGHT, RELAXED)
        )
        rows.append([LABELS[name], tight, relaxed, round(100 * (relaxed / tight - 1), 2) + 0.0])
    return table(["method", f"{TIGHT}, Gbit hops", f"{RELAXED}, Gbit hops", "change in %"], rows)


def _measure(shop: Workshop) -> Measured:
    measured = shop.data_of("fig5")
    facts = measured["facts"]
    notes = [
        "Table: sums over all points and runs, mean over seeds. Rejected tasks are counted in, at ten times the "
        "longest way. Our search, whose gap to C_solver Figure 5 shows, is the zero of the relative panels; the "
        "publication prints no numbers to this figure.",
        measured["notes"][0],
    ]
    return {
        "panels": facts["usage"], "table": facts["usage_table"], "facts": {"usage": facts["usage_mean"]},
        "notes": notes, "protocol": measured["protocol"],
    }  # fmt: skip


def _judge(data: Measured) -> Verdict:
    usage = {title: {m: np.array(x) for m, x in of.items()} for title, of in data["facts"]["usage"].items()}
    grows = [bool((np.diff(usage[title][m]) > 0).all()) for title in DEADLINES for m in PUBLISHED]
    lower = [bool(usage[RELAXED][m].sum() < usage[TIGHT][m].sum()) for m in PUBLISHED]
    gnn = usage[TIGHT]["gnn"]
    change = 100 * (usage[RELAXED]["gnn"].sum() / gnn.sum() - 1)
    every = [float(usage[RELAXED][m].sum() / usage[TIGHT][m].sum() - 1) for m in usage[TIGHT]]
    return Verdict(
        holds([*grows, *lower]),
        f"{LABELS['gnn']} {gnn[0]:.2g} to {gnn[-1]:.2g} Gbit hops; {change:+.1f} % with relaxed deadlines",
        f"Usage grows with the tasks at every step in {sum(grows)} of {len(grows)} curves of the published models, and "
        f"is lower with relaxed deadlines for {sum(lower)} of {len(lower)} of them. Over all {len(every)} methods the "
        f"change is {100 * min(every):+.1f} to {100 * max(every):+.1f} %.",
    )


ITEMS = (
    Item(
        "fig8",
        "Figure 8: network usage against the number of tasks",
        "Usage grows with the requests and is lower when deadlines are relaxed to 50-150 ms.",
        _measure,
        _judge,
        lambda s: 0.1,
        uses=("fig5",),
        revision=3,
    ),
)
