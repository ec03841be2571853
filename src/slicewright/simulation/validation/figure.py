"""The figure of the validation: six panels over the load, measured with intervals beside what is promised."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.drawing.palette import INK, SERIES_COLOURS, SOFT
from slicewright.files.pictures import write_picture
from slicewright.simulation.validation.measuring import Row
from slicewright.simulation.validation.prediction import Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_PANELS = {
    "share": "M/M/1: a queue for each share",
    "node": "One queue for each node",
    "overstated": "Node-wide term, shares enforced",
    "work": "Work that is not exponential",
    "bursts": "Arrivals in bursts",
    "uplink": "A device's own uplink queue",
}


def draw_validation(rows: Sequence[Row], path: str | Path, predictions: Sequence[Prediction] = ()) -> Path:
    """Draw measured mean times over what the model's formula promises; 1 is where it is right.

    A last panel shows the test bed beside plan and simulation, if it was measured.

    Raises:
        InvalidOptionError: the ending of the file is none of .png, .pdf and .svg.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 4 if predictions else 3
    figure = Figure(figsize=(13.0 * columns / 3.0, 8.8), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        "Measured mean time over what the formula promises, with 95 % intervals; dashed: queueing theory",
        color=INK,
        fontsize=13,
    )
    panels = figure.subplots(2, columns)
    for axes, (group, title) in zip(panels[:, :3].ravel(), _PANELS.items(), strict=True):
        _panel(axes, title, [row for row in rows if row.case.group == group])
    if predictions:
        _bed_panel(panels[0, 3], predictions)
        panels[1, 3].axis("off")
    return write_picture(figure, path)


def _bed_panel(axes: Axes, predictions: Sequence[Prediction]) -> None:
    """Measured over planned, device by device, with intervals; crosses: simulated over planned."""
    axes.set_title("The test bed, and the simulator", color=INK, fontsize=11, loc="left")
    axes.axhline(1.0, color=SOFT, linewidth=0.8)
    at = np.arange(len(predictions))
    planned = np.array([p.planned_s for p in predictions])
    measured = np.array([(p.measured_s, p.half_width_s) for p in predictions]) / planned[:, None]
    axes.errorbar(
        at, measured[:, 0], yerr=measured[:, 1], fmt="o", color=SERIES_COLOURS[0], markersize=4.5, capsize=2.5,
        label="measured in network namespaces",
    )  # fmt: skip
    simulated = np.array([p.simulated_s for p in predictions]) / planned
    axes.plot(at, simulated, "x", color=SERIES_COLOURS[4], markersize=8, label="simulated, the same tasks")
    axes.set_xticks(at, labels=[str(p.device) for p in predictions])
    axes.set_xlabel("device", color=SOFT, loc="right")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(0.0, -0.14), frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _panel(axes: Axes, title: str, rows: Sequence[Row]) -> None:
    axes.set_title(title, color=INK, fontsize=11, loc="left")
    axes.axhline(1.0, color=SOFT, linewidth=0.8)
    for k, case in enumerate(dict.fromkeys(row.case for row in rows)):
        of_case = [row for row in rows if row.case is case]
        load = np.array([row.load for row in of_case])
        formula = np.array([row.formula_s for row in of_case])
        ratio = np.array([row.mean_s for row in of_case]) / formula
        width = np.array([row.half_width_s for row in of_case]) / formula
        colour = SERIES_COLOURS[k % len(SERIES_COLOURS)]
        axes.errorbar(
            load, ratio, yerr=width, fmt="o", color=colour, markersize=4.5, capsize=2.5, label=case.name
        )
        exact = np.array([row.exact_s for row in of_case]) / formula
        if np.isfinite(exact).all():
            axes.plot(load, exact, "--", color=colour, linewidth=1.2)
    # Whole intervals are shown, as far as they are no wider than what they are about.
    ends = [(row.mean_s + side * row.half_width_s) / row.formula_s for row in rows for side in (-1.0, 1.0)]
    ratios = [row.mean_s / row.formula_s for row in rows]
    if ratios and max(ratios) > 2.5 * min(ratios):
        axes.set_yscale("log")
        low, high = max(min(ends), 0.5 * min(ratios)), max(ends)
        ticks = [t for t in _TICKS if 0.8 * low <= t <= 1.25 * high]
        axes.set_yticks(ticks, labels=[f"{t:g}" for t in ticks])
        axes.set_yticks([], minor=True)
        axes.set_ylim(min(low, 1.0) / 1.15, max(high, 1.0) * 1.15)
    elif ratios:
        reach = max(0.02, 1.08 * max(abs(end - 1.0) for end in ends))
        axes.set_ylim(1.0 - reach, 1.0 + reach)
    axes.set_xlabel("load", color=SOFT, loc="right")
    axes.set_xlim(0.0, 1.0)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(0.0, -0.14), frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
