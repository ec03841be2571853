"""A run of the test bed as a picture: every task a dot, what the model says beside what happened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from slicewright.drawing.palette import SERIES_COLOURS
from slicewright.enforcement.testbed.report import PARTS, BedReport
from slicewright.enforcement.testbed.traffic import DeviceRun
from slicewright.files.pictures import write_picture

_TITLES = {"transmit_s": "Transmission", "execute_s": "Execution", "completion_s": "Completion"}
_MEAN, _MODEL, _TASK = SERIES_COLOURS[0], SERIES_COLOURS[4], "#9EC5E8"
_ROW_INCHES, _MOST_INCHES = 0.34, 16.0


def draw_run(report: BedReport, runs: Sequence[DeviceRun], path: str | Path) -> Path:
    """Draw transmission, execution and completion times per device, side by side.

    Args:
        report: means and predictions.
        runs: the tasks behind them, in the same order.
        path: file to write; the ending says which format.

    Raises:
        InvalidOptionError: the ending is not one of .png, .pdf and .svg.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    count = len(report.devices)
    height = min(_MOST_INCHES, 1.9 + _ROW_INCHES * max(count, 3))
    figure = Figure(figsize=(10.5, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(PARTS), sharey=True)
    jitter = np.random.default_rng(0)
    for axis, part in zip(axes, PARTS, strict=True):
        for row, (device, run) in enumerate(zip(report.devices, runs, strict=True)):
            tasks = 1000 * getattr(run.measured, part)
            offset = row + jitter.uniform(-0.18, 0.18, tasks.size)
            axis.scatter(tasks, offset, s=10, color=_TASK, linewidths=0, zorder=2)
            axis.vlines(1000 * device.predicted[part], row - 0.36, row + 0.36, color=_MODEL, lw=2, zorder=3)
            axis.scatter(
                1000 * device.expected[part], row, s=60, facecolors="none", edgecolors=_MODEL, lw=1.3, zorder=4
            )  # fmt: skip
            axis.scatter(1000 * device.measured[part], row, s=16, color=_MEAN, zorder=5)
        error = report.error(part)
        note = "" if np.isnan(error) else f"\nmedian error {100 * error:.1f} %"
        axis.set_title(f"{_TITLES[part]}{note}", fontsize=10)
        axis.set_xlabel("ms")
        axis.set_xlim(left=0)
        axis.grid(axis="x", color="0.9")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(count), [_label(d.device, d.tasks) for d in report.devices], fontsize=8)
    axes[0].set_ylim(count - 0.4, -0.6)
    marks = [
        Line2D([], [], ls="", marker="o", ms=4, color=_TASK, label="one task, measured"),
        Line2D([], [], ls="", marker="o", ms=5, color=_MEAN, label="mean, measured"),
        Line2D(
            [], [], ls="", marker="o", ms=8, mfc="none", mec=_MODEL, label="the plan's shares, same tasks"
        ),
        Line2D([], [], ls="", marker="|", ms=12, mew=2, color=_MODEL, label="plan's prediction"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return write_picture(figure, path)


def _label(device: int, tasks: int) -> str:
    return f"device {device}\n{tasks} task{'s' if tasks != 1 else ''}"
