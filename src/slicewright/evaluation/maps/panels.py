"""Bars beside the map: shares of access points, utilisation of nodes, parts of the cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.evaluation.maps.style import (
    BOUND_COLOUR,
    COST_COLOURS,
    FAINT,
    INK,
    PAPER,
    SOFT,
    shortened,
    slice_colour,
    slice_hatch,
)
from slicewright.types import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS = 150
"""Access points beyond the busiest so many have no bar of their own."""
MOST_NODES = 60
"""The same of nodes, whose bars are groups of one per slice."""
_MOST_NAMES = 26
_LETTERS_UPRIGHT = 42
_MOST_LETTERS = 9


def busiest(weight: FloatArray | IntArray, most: int = MOST_BARS) -> IntArray:
    """Indices in order of appearance if few, else of the busiest ones, busiest first."""
    if weight.size <= _MOST_NAMES:
        return np.arange(weight.size)
    return np.argsort(-weight, kind="stable")[:most]


def stacked_bars(axes: Axes, values: FloatArray | IntArray, *, gap: float = 0.18) -> None:
    """One bar per row of (k, N) values, its parts coloured by slice."""
    place, foot = np.arange(len(values)), np.zeros(len(values))
    for n in range(values.shape[1]):
        axes.bar(place, values[:, n], width=1 - gap, bottom=foot, color=slice_colour(n), **_edge(n))
        foot = foot + values[:, n]


def _edge(n: int) -> Any:
    """Bars have no rim, hatched ones a white one: the hatch takes its colour."""
    hatch = slice_hatch(n)
    return {"linewidth": 0, "hatch": hatch, "edgecolor": PAPER} if hatch else {"linewidth": 0}


def plain_bars(axes: Axes, values: FloatArray) -> None:
    """One grey bar per value."""
    axes.bar(np.arange(len(values)), values, width=0.72, color=SOFT, linewidth=0)


def grouped_bars(axes: Axes, values: FloatArray) -> None:
    """Side by side, one bar per slice for every row of (k, N) values."""
    count = values.shape[1]
    width = 0.82 / count
    for n in range(count):
        place = np.arange(len(values)) + (n - (count - 1) / 2) * width
        axes.bar(place, values[:, n], width=width, color=slice_colour(n), **_edge(n))


def name_bars(axes: Axes, names: Sequence[str], what: str, total: int, order: str = "busiest") -> None:
    """Names under the bars if they fit, else one line that says what the bars are; nothing if all are empty."""
    axes.set_xlim(-0.6, len(names) - 0.4)
    if not any(names):
        axes.set_xticks([])
        return
    if len(names) <= _MOST_NAMES:
        names = [shortened(name, _MOST_LETTERS) for name in names]
        upright = sum(map(len, names)) > _LETTERS_UPRIGHT
        axes.set_xticks(range(len(names)), names, rotation=90 if upright else 0, fontsize=8, color=INK)
        return
    shown = f"{total} {what}" if len(names) == total else f"the {len(names)} {order} of {total} {what}"
    axes.set_xticks([])
    axes.set_xlabel(f"{shown}, {order} first", fontsize=8.5, color=SOFT, labelpad=3)


def dress(axes: Axes, title: str, *, percent: bool = False, whole: bool = False) -> None:
    """A title on the left, a light grid across, and no box."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(title, loc="left", fontsize=10, color=INK, pad=5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    axes.margins(y=0.08)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=whole, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))
    if percent:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))


def cost_bar(axes: Axes, radio_s: float, nodes_s: float, devices_s: float, bound_s: float) -> None:
    """The cost as one bar of three parts, with the proven bound across it."""
    parts = (("radio", radio_s), ("nodes", nodes_s), ("devices", devices_s))
    total, left = sum(value for _, value in parts), 0.0
    for name, value in parts:
        share = f"{100 * value / total:.0f} %" if total else ""
        axes.barh(
            0, value, left=left, height=0.6, color=COST_COLOURS[name], label=f"{name} {value:.4g} s ({share})",
            edgecolor=PAPER, linewidth=0.8,
        )  # fmt: skip
        left += value
    bars, _ = axes.get_legend_handles_labels()
    (bound,) = axes.plot(
        [bound_s, bound_s],
        [-0.48, 0.48],
        color=BOUND_COLOUR,
        linewidth=2.0,
        label=f"proven bound {bound_s:.4g} s",
    )
    axes.set_xlim(0, 1.02 * max(total, bound_s))
    axes.set_ylim(-0.55, 0.55)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    axes.xaxis.set_major_formatter("{x:g} s")
    axes.locator_params(axis="x", nbins=6)
    axes.set_title("cost by where the time is spent", loc="left", fontsize=10, color=INK, pad=5)
    axes.legend(
        handles=[*bars, bound],
        loc="upper left", bbox_to_anchor=(-0.01, -0.32), ncols=2, fontsize=8.5, frameon=False, handlelength=1.1,
        handleheight=0.9, columnspacing=1.6, labelcolor=INK, borderpad=0,
    )  # fmt: skip
