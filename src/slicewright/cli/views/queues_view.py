"""Measured queues beside their formulas, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from slicewright.cli.options import new_table
from slicewright.files.documents import finite

if TYPE_CHECKING:
    from rich.console import Console

    from slicewright.simulation.validation import Prediction, Row

_UNIT = "mean time in a queue, in mean service times; formula: the model's"


def print_rows(console: Console, rows: Sequence[Row]) -> None:
    """A table of one block for each case."""
    console.print(_UNIT)
    console.print("'off by' is formula or theory over measured: above 0 the delay is overstated")
    heads = (
        "load",
        "tasks",
        "measured",
        "±",
        "formula",
        "off by",
        "theory",
        "off by",
        "99 % within",
        "formula",
    )
    for case in dict.fromkeys(row.case for row in rows):
        table = new_table(*heads, title=case.name)
        for row in (row for row in rows if row.case is case):
            exact = np.isfinite(row.exact_s)
            table.add_row(
                f"{row.load:g}",
                f"{row.tasks:,}",
                f"{row.mean_s:.4g}",
                f"{100 * row.half_width_s / row.mean_s:.1f} %",
                f"{row.formula_s:.4g}",
                f"{100 * row.error:+.1f} %",
                f"{row.exact_s:.4g}" if exact else "",
                f"{-100 * row.exact_error:+.1f} %" if exact else "",
                f"{row.tail_s:.4g}",
                f"{row.tail_formula_s:.4g}",
            )
        console.print(table)


def print_predictions(console: Console, predictions: Sequence[Prediction]) -> None:
    """The test bed's devices, and how far plan and simulator are from what was measured."""
    heads = ("device", "tasks", "lost", "measured, s", "±", "planned", "off by", "simulated", "off by")
    table = new_table(*heads, title="Test bed: mean completion of the very same tasks")
    for p in predictions:
        table.add_row(
            str(p.device),
            str(p.tasks),
            str(p.lost),
            f"{p.measured_s:.3f}",
            f"{100 * p.half_width_s / p.measured_s:.0f} %",
            f"{p.planned_s:.3f}",
            f"{100 * (p.planned_s / p.measured_s - 1):+.1f} %",
            f"{p.simulated_s:.3f}",
            f"{100 * (p.simulated_s / p.measured_s - 1):+.1f} %",
        )
    console.print(table)


def document(rows: Sequence[Row], predictions: Sequence[Prediction] = ()) -> dict[str, object]:
    """All rows; what theory does not know is null. The test bed's devices, if it was measured."""
    names = (
        "tasks",
        "mean_s",
        "half_width_s",
        "formula_s",
        "exact_s",
        "tail_s",
        "tail_half_width_s",
        "tail_formula_s",
    )
    return {
        "schema": "slicewright/queues/v1",
        "unit": _UNIT,
        "rows": [
            {"case": row.case.name, "load": row.load} | {name: finite(getattr(row, name)) for name in names}
            for row in rows
        ],
        **({"test_bed": [asdict(prediction) for prediction in predictions]} if predictions else {}),
    }
