"""Bars beside the map: shares of access points, utilisation of nodes, parts of the cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from slicewright.drawing.cells import busiest
from slicewright.drawing.palette import (
    BOUND_COLOUR,
    COST_COLOURS,
    FAINT,
    INK,
    PAPER,
    SOFT,
    slice_colour,
    slice_hatch,
)
from slicewright.evaluation.maps.captions import seconds, shortened
from slicewright.types import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_UPRIGHT = 26
"""Up to so many things stand side by side; of more the busiest lie under each other, by name."""
_LETTERS_UPRIGHT = 42
_MOST_LETTERS, _MOST_LETTERS_UPRIGHT, _MOST_LETTERS_LYING = 9, 7, 14


class Ranking(NamedTuple):
    """Which things a panel shows.

    Attributes:
        shown: (k,) indices: all in order of appearance, or of too many the busiest, busiest first.
        names: of those.
        others: so many more are one further bar, their mean; 0 if all are shown.
    """

    shown: IntArray
    names: Sequence[str]
    others: int

    @property
    def lying(self) -> bool:
        """Whether bars lie under each other, beside their names."""
        return self.others > 0

    def rows(self, values: FloatArray | IntArray) -> FloatArray:
        """(k, N) or (k + 1, N): what is shown of (A, N) values; the last row is the mean of the others."""
        rows = np.asarray(values[self.shown], dtype=np.float64)
        if not self.others:
            return rows
        rest = np.delete(values, self.shown, axis=0).mean(axis=0, keepdims=True)
        return np.concatenate([rows, rest])


def rank(names: Sequence[str], weight: FloatArray | IntArray) -> Ranking:
    """What to show of things that weigh so much."""
    few = weight.size <= _MOST_UPRIGHT
    shown = np.arange(weight.size) if few else busiest(weight)
    return Ranking(shown, [names[k] for k in shown], weight.size - shown.size)


def stacked_bars(axes: Axes, values: FloatArray, *, lying: bool = False, gap: float = 0.18) -> None:
    """One bar per row of (k, N) values, its parts coloured by slice."""
    place, foot = np.arange(len(values)), np.zeros(len(values))
    for n in range(values.shape[1]):
        _bars(axes, place, values[:, n], 1 - gap, foot, lying=lying, color=slice_colour(n), **_edge(n))
        foot = foot + values[:, n]


def _bars(
    axes: Axes,
    place: FloatArray | IntArray,
    values: FloatArray,
    width: float,
    foot: FloatArray | float,
    *,
    lying: bool,
    **look: Any,
) -> None:
    if lying:
        axes.barh(place, values, height=width, left=foot, **look)
    else:
        axes.bar(place, values, width=width, bottom=foot, **look)


def _edge(n: int) -> Any:
    """Bars have no rim, hatched ones a white one: the hatch takes its colour."""
    hatch = slice_hatch(n)
    return {"linewidth": 0, "hatch": hatch, "edgecolor": PAPER} if hatch else {"linewidth": 0}


def plain_bars(axes: Axes, values: FloatArray, *, lying: bool = False) -> None:
    """One grey bar per value."""
    _bars(axes, np.arange(len(values)), values, 0.72, 0.0, lying=lying, color=SOFT, linewidth=0)


def grouped_bars(axes: Axes, values: FloatArray, *, lying: bool = False) -> None:
    """Side by side, one bar per slice for every row of (k, N) values."""
    count = values.shape[1]
    width = 0.82 / count
    for n in range(count):
        place = np.arange(len(values)) + (n - (count - 1) / 2) * width
        _bars(axes, place, values[:, n], width, 0.0, lying=lying, color=slice_colour(n), **_edge(n))


def name_bars(axes: Axes, ranking: Ranking, *, names: bool = True) -> None:
    """Names under upright bars or beside lying ones; none where another panel has the same."""
    count = len(ranking.names)
    if ranking.lying:
        axes.set_ylim(count + 0.6, -0.6)
        labels = [shortened(name, _MOST_LETTERS_LYING) for name in ranking.names]
        labels.append(f"{ranking.others} more, mean")
        axes.set_yticks(range(count + 1), labels if names else [], fontsize=8, color=INK)
        return
    axes.set_xlim(-0.6, count - 0.4)
    if not names:
        axes.set_xticks([])
        return
    labels = [shortened(name, _MOST_LETTERS) for name in ranking.names]
    upright = sum(map(len, labels)) > _LETTERS_UPRIGHT
    if upright:  # the next panel's title is below
        labels = [shortened(name, _MOST_LETTERS_UPRIGHT) for name in ranking.names]
    axes.set_xticks(range(count), labels, rotation=90 if upright else 0, fontsize=8, color=INK)


def dress(
    axes: Axes, title: str, *, percent: bool = False, whole: bool = False, lying: bool = False, steps: int = 4
) -> None:
    """A title on the left, a light grid across the bars, and no box."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(title, loc="left", fontsize=10, color=INK, pad=5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.grid(axis="x" if lying else "y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    if lying:
        axes.margins(x=0.03)
    else:
        axes.margins(y=0.08)
    along = axes.xaxis if lying else axes.yaxis
    along.set_major_locator(MaxNLocator(nbins=steps, integer=whole, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))
    if percent:
        along.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:,.4g} %"))
    elif whole:
        along.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))


def cost_bar(axes: Axes, radio_s: float, nodes_s: float, devices_s: float, bound_s: float) -> None:
    """The cost as one bar of three parts, with the proven bound across it."""
    parts = (("radio", radio_s), ("nodes", nodes_s), ("devices", devices_s))
    total, left = sum(value for _, value in parts), 0.0
    for name, value in parts:
        share = f"{100 * value / total:.0f} %" if total else ""
        axes.barh(
            0, value, left=left, height=0.6, color=COST_COLOURS[name], label=f"{name} {seconds(value, 4)} ({share})",
            edgecolor=PAPER, linewidth=0.8,
        )  # fmt: skip
        left += value
    bars, _ = axes.get_legend_handles_labels()
    (bound,) = axes.plot(
        [bound_s, bound_s],
        [-0.48, 0.48],
        color=BOUND_COLOUR,
        linewidth=2.0,
        label=f"proven bound {seconds(bound_s, 4)}",
    )
    axes.set_xlim(0, 1.02 * max(total, bound_s))
    axes.set_ylim(-0.55, 0.55)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    axes.xaxis.set_major_formatter(lambda value, _: seconds(value, 6))
    axes.locator_params(axis="x", nbins=5)
    axes.set_title("cost by where the time is spent", loc="left", fontsize=10, color=INK, pad=5)
    axes.legend(
        handles=[*bars, bound],
        loc="upper left", bbox_to_anchor=(-0.01, -0.32), ncols=2, fontsize=8.5, frameon=False, handlelength=1.1,
        handleheight=0.9, columnspacing=1.6, labelcolor=INK, borderpad=0,
    )  # fmt: skip
