"""Panels of curves in the house style: Okabe and Ito's colours, a marker and a dash per method, print-sized type.

A method looks the same in every figure. Published values are grey lines; open markers are lower bounds, where a time
limit ended what they measure.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.drawing.palette import FAINT, INK, PAPER, SERIES_COLOURS, SLICE_COLOURS, SOFT
from slicewright.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, RED, SKY, _ = SERIES_COLOURS
_, _, TEAL, BROWN, VIOLET, PURPLE, _, MAGENTA = SLICE_COLOURS
STYLES: Mapping[str, tuple[str, str, str]] = {
    "os": (INK, "s", "-"),
    "deepsets-s": (BLUE, "o", "-"),
    "erap": (ORANGE, "^", "--"),
    "prap": (PINK, "v", "--"),
    "ours": (GREEN, "D", "-"),
    "bipartite": (SKY, "P", ":"),
    "best-response": (RED, "X", "-."),
    "other": (SOFT, "h", ":"),
    "gnn": (BLUE, "o", "-"),
    "gnn-own": (RED, "X", "-."),
    "mlp": (ORANGE, "^", "--"),
    "dt": (PINK, "v", "--"),
    "queue": (SKY, "P", ":"),
    "auto": (GREEN, "D", "-"),
    "mec-only": (SOFT, "h", ":"),
    "tight": (INK, "o", "-"),
    "tight-whole": (INK, "s", "--"),
    "relaxed": (ORANGE, "^", "-"),
    "relaxed-whole": (ORANGE, "v", "--"),
    "exact": (INK, "s", "-"),
    "own": (BLUE, "d", ":"),
    "deepsets": (VIOLET, "p", "--"),
    "set-transformer-2": (TEAL, "<", "-."),
    "set-transformer-4": (BROWN, ">", "-."),
    "bipartite-decoded": (SKY, "*", "-."),
    "bipartite-free": (TEAL, "*", "-"),
    "bipartite-both": (BROWN, "X", "--"),
    "deepsets-s point": (BLUE, "o", ""),
    "deepsets-s-decoded point": (BLUE, "h", ""),
    "deepsets-s-anew point": (BLUE, "^", ""),
    "set-transformer-4 point": (BROWN, ">", ""),
    "bipartite point": (SKY, "P", ""),
    "bipartite-decoded point": (SKY, "*", ""),
    "bipartite-anew point": (SKY, "X", ""),
    "best-response point": (RED, "X", ""),
    "value-1": (INK, "^", "--"),
    "value-2": (INK, "v", ":"),
    "published": (SOFT, "", "--"),
    "proven": (PURPLE, "D", "-."),
    "rule-13b": (PURPLE, "o", "-"),
    "rule-13c": (MAGENTA, "^", "--"),
    "no-shares": (SOFT, "h", ":"),
    "by-run": (BLUE, "o", ""),
    "by-task": (RED, "X", ""),
}
"""Colour, marker and dash by style name; told apart without colour by marker and dash. The first eight are methods of
slicing, the next seven of placement; then come deadlines, with tasks split or whole, readings and trainings of models
of slicing, models that stand alone as points, values of a parameter, published curves, optima
proven by us beside a solver's, broken rules, and kinds of folds."""
_PANEL_WIDTH, _PANEL_HEIGHT, _LEGEND, _DPI = 4.1, 3.3, 0.62, 120
_MOST_COLUMNS = 3
_APART = 0.28
"""Of the distance of two places on the axis: what curves that are drawn apart take up."""
FEW_TICKS = 5
"""Of a logarithmic axis that are named one by one."""
LOWER_BOUND = "open: lower bound (time limit)"
PUBLISHED_DASHES: tuple[tuple[float, ...], ...] = ((6, 2), (1, 1.5), (4, 1.5, 1, 1.5), (9, 3))
"""Of the lines of published values, in order."""


def draw(panels: Sequence[Mapping[str, Any]]) -> bytes:
    """PNG of panels side by side, three in a row, with one legend under them. The same panels give the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(_MOST_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    width, height = max(6.4, _PANEL_WIDTH * columns), _PANEL_HEIGHT * rows + _LEGEND
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    keys: dict[str, Any] = {}
    for k, each in enumerate(panels):
        axes = figure.add_subplot(rows, columns, k + 1)
        keys |= _draw_panel(axes, each)
    for label in {p["y_label"] for p in panels}:
        same = [axes for axes, p in zip(figure.axes, panels, strict=True) if p["y_label"] == label]
        low, high = zip(*(axes.get_ylim() for axes in same), strict=True)
        share = all(p.get("share", False) for p in panels if p["y_label"] == label)
        for axes in same:
            axes.set_ylim(*((-2, 102) if share else (min(low), max(high))))
    if LOWER_BOUND in keys:
        keys[LOWER_BOUND] = keys.pop(LOWER_BOUND)
    per_row = max(1, int(width / (0.075 * max(map(len, keys)) + 0.6)))
    legend_rows = -(-len(keys) // per_row)
    figure.legend(
        keys.values(), keys.keys(), loc="lower center", ncols=min(per_row, len(keys)), frameon=False, fontsize=9,
        labelcolor=INK,
    )  # fmt: skip
    figure.tight_layout(rect=(0, (0.12 + 0.2 * legend_rows) / height, 1, 1), w_pad=1.6)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def interval(panel: Mapping[str, Any], mean: FloatArray, half: FloatArray) -> FloatArray:
    """(2, n) how far intervals reach down and up: above zero on a logarithmic axis, within 0 and 100 % of a share."""
    if panel["log"]:
        return np.stack([np.minimum(half, 0.9 * np.abs(mean)), half])
    if panel.get("share", False):
        return np.stack(
            [np.minimum(half, np.maximum(mean, 0.0)), np.minimum(half, np.maximum(100.0 - mean, 0.0))]
        )
    return np.stack([half, half])


def asides(panel: Mapping[str, Any]) -> FloatArray:
    """How far beside its place every curve is drawn: nothing unless the panel asks for it."""
    count = len(panel["curves"])
    places = np.unique([x for each in panel["curves"] for x in each["x"]])
    if not panel.get("apart", False) or places.size < 2 or count < 2:
        return np.zeros(count)
    return np.linspace(-0.5, 0.5, count) * _APART * float(np.diff(places).min())


def _draw_panel(axes: Axes, panel: Mapping[str, Any]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    ticks: set[float] = set()
    for each, aside in zip(panel["curves"], asides(panel), strict=True):
        colour, marker, dash = STYLES[each["style"]]
        x, mean, half = (np.array(each[name], dtype=np.float64) for name in ("x", "mean", "half"))
        ticks |= set(x.tolist())
        x = x + aside
        keys[each["label"]] = axes.errorbar(
            x, mean, yerr=interval(panel, mean, half), color=colour, marker=marker, linestyle=dash,
            markersize=7 if each["style"] == "os" or not dash else 5,
            linewidth=1.5, elinewidth=0.9, capsize=2.5, markeredgecolor=PAPER, markeredgewidth=0.5,
        )  # fmt: skip
        if any(each.get("bounds", ())):
            open_ = np.array(each["bounds"], dtype=bool)
            axes.plot(
                x[open_], mean[open_], linestyle="", marker=marker, markersize=7, markerfacecolor=PAPER,
                markeredgecolor=colour, markeredgewidth=1.4, zorder=5,
            )  # fmt: skip
            keys[LOWER_BOUND] = axes.plot(
                [], [], linestyle="", marker="o", markersize=6, markerfacecolor=PAPER, markeredgecolor=INK
            )[0]
    for number, line in enumerate(panel.get("published", ())):
        pattern = PUBLISHED_DASHES[number % len(PUBLISHED_DASHES)]
        keys[line["label"]] = axes.axhline(
            line["value"], color=SOFT, linestyle=(0, pattern), linewidth=1.1, zorder=1
        )
    if panel["log"]:
        axes.set_yscale("log")
    if panel["log_x"]:
        axes.set_xscale("log")
        if len(ticks) <= FEW_TICKS:
            axes.set_xticks(sorted(ticks), [f"{t:,g}" for t in sorted(ticks)])
            axes.xaxis.minorticks_off()
    elif panel.get("ticks"):
        axes.set_xticks(range(len(panel["ticks"])), panel["ticks"])
        axes.set_xlim(-0.5, len(panel["ticks"]) - 0.5)
    elif len(ticks) <= 10:
        axes.set_xticks(sorted(ticks), [f"{t:g}" for t in sorted(ticks)])
    axes.set_xlabel(panel["x_label"], color=INK, fontsize=9.5)
    axes.set_ylabel(panel["y_label"], color=INK, fontsize=9.5)
    axes.set_title(panel["title"], color=INK, fontsize=10, loc="left")
    axes.grid(visible=True, color=FAINT, linewidth=0.5, which="major")
    axes.set_axisbelow(True)
    # Minor ticks have names where a logarithmic axis spans less than a decade.
    axes.tick_params(which="both", colors=SOFT, labelsize=8.5, labelcolor=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(SOFT)
    return keys
