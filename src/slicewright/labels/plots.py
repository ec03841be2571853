"""The page of plots of a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.drawing.palette import SERIES_COLOURS, SOFT
from slicewright.files.pictures import write_picture
from slicewright.labels.stats import StoreStats
from slicewright.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE = SERIES_COLOURS[0]


def plot_stats(stats: StoreStats, path: str | Path, *, title: str) -> Path:
    """Draw the distributions on one page: devices, gap, gap against devices, offload share, MEC share, times.

    Raises:
        InvalidOptionError: the ending of the path is not one of .png, .pdf and .svg.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    (devices, offload, mec), (gap, against, times) = figure.subplots(2, 3)
    counts = ", ".join(f"{count} {name}" for name, count in (stats.statuses | stats.splits).items() if count)
    figure.suptitle(f"{title}\n{counts}", fontsize=11)
    _histogram(devices, stats.devices, "devices per scenario", _units(stats.devices))
    _histogram(offload, 100 * stats.offload_share, "devices that offload, %", np.linspace(0, 100, 26))
    _histogram(mec, 100 * stats.mec_share, "offloaded tasks on a MEC server, %", np.linspace(0, 100, 26))
    _histogram(gap, np.maximum(100 * stats.gap, 1e-4), "proven gap, %", np.geomspace(1e-4, 100, 37), log=True)
    _histogram(times, 1e3 * stats.time_s, "time per label, ms", _decades(1e3 * stats.time_s), log=True)
    against.scatter(
        stats.devices, np.maximum(100 * stats.gap, 1e-4), s=6, alpha=0.4, color=_BLUE, linewidths=0
    )
    against.set(xlabel="devices per scenario", ylabel="proven gap, %", yscale="log")
    against.spines[["top", "right"]].set_visible(False)
    return write_picture(figure, Path(path), dpi=130)


def _histogram(axes: Axes, values: FloatArray, label: str, edges: FloatArray, *, log: bool = False) -> None:
    axes.hist(np.clip(values, edges[0], edges[-1]), bins=edges.tolist(), color=_BLUE)
    if log:
        axes.set_xscale("log")
    axes.set(xlabel=label, ylabel="scenarios")
    axes.spines[["top", "right"]].set_visible(False)
    if values.size:
        axes.axvline(float(np.median(values)), color=SOFT, linestyle="--", linewidth=1)
        axes.set_title(f"median {np.median(values):.3g}, mean {values.mean():.3g}", fontsize=9, color=SOFT)


def _units(values: FloatArray) -> FloatArray:
    """One bin per whole number."""
    low, high = (float(values.min()), float(values.max())) if values.size else (1.0, 1.0)
    return np.arange(low - 0.5, high + 1.0)


def _decades(values: FloatArray) -> FloatArray:
    if values.size == 0:
        return np.geomspace(1, 10, 11)
    low, high = np.floor(np.log10(max(values.min(), 1e-6))), np.ceil(np.log10(max(values.max(), 1e-5)))
    return np.logspace(low, max(high, low + 1), 37)
