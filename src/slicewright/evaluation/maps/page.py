"""The empty page of a map, with headline and keys; its size follows the shape of the area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from slicewright.drawing.palette import INK, LOCAL_COLOUR, PAPER, SOFT, slice_colour, slice_marker
from slicewright.evaluation.maps.captions import shortened
from slicewright.evaluation.maps.network_view import NetworkView, extent
from slicewright.evaluation.maps.positions import Positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_WIDTH, _LEAST_HEIGHT, _MOST_HEIGHT = 15.0, 7.6, 10.4
_LEFT, _MAP_WIDTH, _PANELS_LEFT, _RIGHT = 0.75, 8.3, 9.85, 14.8
_HEAD, _FOOT = 1.05, 1.15
_LYING_NAMES = 0.45
"""Inches that names beside lying bars need of their panel; the rest of them stands left of it."""
DPI = 130
_MOST_SLICE_KEYS, _MOST_LETTERS = 10, 14
_KEYS_PER_ROW, _SHORT_KEYS_PER_ROW, _SHORT_KEY = 6, 10, 8  # a key of at most 8 letters is short


def new_page(positions: Positions, panel_heights: Sequence[float]) -> tuple[Figure, Axes, list[Axes]]:
    """A page with axes for the network on the left, and under each other on the right axes of relative heights.

    All measures are in inches from the upper left corner, so that type keeps its size whatever the page's height.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    low, high = extent(positions)
    ratio = 0.8 if positions.schematic else float((high - low)[1] / (high - low)[0])
    height = float(np.clip(_HEAD + _MAP_WIDTH * ratio + _FOOT, _LEAST_HEIGHT, _MOST_HEIGHT))
    figure = Figure(figsize=(_WIDTH, height), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)

    def axes_at(left: float, top: float, width: float, tall: float) -> Axes:
        return figure.add_axes((left / _WIDTH, 1 - (top + tall) / height, width / _WIDTH, tall / height))

    network = axes_at(_LEFT, _HEAD, _MAP_WIDTH, height - _HEAD - _FOOT)
    gap = 0.86
    room = height - _HEAD - _FOOT - gap * (len(panel_heights) - 1)
    panels, top = [], _HEAD + 0.12
    for share in panel_heights:
        tall = room * share / sum(panel_heights)
        panels.append(axes_at(_PANELS_LEFT, top, _RIGHT - _PANELS_LEFT, tall))
        top += tall + gap
    return figure, network, panels


def leave_room_for_names(*panels: Axes) -> None:
    """Move the left edge of panels to the right, for names beside lying bars."""
    for axes in panels:
        box, shift = axes.get_position(), _LYING_NAMES / _WIDTH
        axes.set_position((box.x0 + shift, box.y0, box.width - shift, box.height))


def halve(figure: Figure, axes: Axes, gap: float = 0.25) -> tuple[Axes, Axes]:
    """Two panels side by side in the place of one."""
    box, space = axes.get_position(), gap / _WIDTH
    width = (box.width - space) / 2
    axes.set_position((box.x0, box.y0, width, box.height))
    return axes, figure.add_axes((box.x0 + width + space, box.y0, width, box.height))


def headline(figure: Figure, first: str, second: str) -> None:
    """Two lines over the page."""
    height = figure.get_figheight()
    figure.text(
        _LEFT / _WIDTH, 1 - 0.36 / height, first, fontsize=16, fontweight="bold", color=INK, va="center"
    )
    figure.text(_LEFT / _WIDTH, 1 - 0.70 / height, second, fontsize=11, color=SOFT, va="center")


def keys(figure: Figure, network: Axes, rows: Sequence[Sequence[Line2D]]) -> None:
    """What markers and colours mean, in rows under the network. Call when the network's box is final."""
    below = -0.33 / (network.get_position().height * figure.get_figheight())
    step = below * 0.75
    for k, row in enumerate(rows):
        legend = network.legend(
            handles=row, loc="upper center", bbox_to_anchor=(0.5, below + k * step), ncols=len(row), fontsize=9.5,
            frameon=False, labelcolor=INK, handletextpad=0.4, columnspacing=1.8, borderpad=0, borderaxespad=0,
        )  # fmt: skip
        network.add_artist(legend)


def slice_keys(view: NetworkView, last: str | None = "computes locally") -> list[list[Line2D]]:
    """Rows of keys: one per slice as far as they fit, and one for devices without a slice."""
    row = [
        key("o" if view.dense else slice_marker(n), slice_colour(n), PAPER, 7, shortened(name, _MOST_LETTERS))
        for n, name in enumerate(view.slices[:_MOST_SLICE_KEYS])
    ]
    if len(row) < len(view.slices):
        row.append(key("", PAPER, PAPER, 0, f"and {len(view.slices) - len(row)} more"))
    if last is not None:
        face, edge = (LOCAL_COLOUR, PAPER) if view.dense else (PAPER, LOCAL_COLOUR)
        row.append(key("o", face, edge, 7, last))
    longest = max(len(str(entry.get_label())) for entry in row)
    per_row = _SHORT_KEYS_PER_ROW if longest <= _SHORT_KEY else _KEYS_PER_ROW
    return [row[k : k + per_row] for k in range(0, len(row), per_row)]


def key(marker: str, face: str, edge: str, size: float, label: str) -> Line2D:
    """One entry of a legend."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="", marker=marker, markerfacecolor=face, markeredgecolor=edge, markersize=size, label=label
    )  # fmt: skip


def place_keys(view: NetworkView, access_point: str, node: str) -> list[Line2D]:
    """What the marks of access points and nodes mean, and whether all of them are there."""
    shown = view.shown_access_points.size
    if shown < len(view.access_points):
        access_point = f"{access_point.split(',')[0]}, the {shown} busiest of {len(view.access_points):,}"
    things = [key("^", INK, PAPER, 10, access_point)]
    if view.positions.node is not None:
        server = "MEC server"
        if view.shown_nodes.size < len(view.nodes):
            server += f"; the {view.shown_nodes.size} busiest of {len(view.nodes):,} nodes"
        things += [key("s", PAPER, INK, 8, node), key("s", PAPER, INK, 12, server)]
    return things


def cell_key(most: int) -> Line2D:
    """What a disc of a density map is."""
    return key("o", PAPER, SOFT, 9, f"devices nearby, the fullest disc {most:,}")
