"""The network itself: devices, access points, nodes and links on one pair of axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.drawing.cells import (
    BUSIEST,
    MOST_DOTS,
    MOST_PLACES,
    busiest,
    cell_radius,
    count_in_cells,
    wedges,
)
from slicewright.drawing.palette import INK, LOCAL_COLOUR, PAPER, SOFT, slice_colour, slice_marker
from slicewright.evaluation.maps.captions import Caption, boxes, place_captions
from slicewright.evaluation.maps.positions import Positions
from slicewright.types import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LABELS = 40
"""Up to so many access points and nodes all get their names, above that MEC servers and the busiest."""
_LINKS_IN_THE_WAY = 150
"""Names keep off the links of up to so many devices; more links are everywhere."""
_WIDEST_FLOW = 9.0
"""Points; so that a flow of thousands does not cover the others."""
_FEW_LINKS = 150
"""Up to so many links are drawn as strong lines."""
_CELL_POINTS = 15.0
"""Width of a density map's cells."""
_COLUMN_NAMES = ("devices", "access points", "nodes")


@dataclass(frozen=True, eq=False)
class NetworkView:
    """What to draw; from whatever plans, the arrays are all that is asked for.

    Attributes:
        access_points: A names.
        nodes: J names.
        node_kinds: J times ``coin`` or ``mec``.
        slices: N names.
        positions: places or columns.
        access_point: (I,) link of each device to an access point, -1 for none.
        node: (I,) link of each device to a node, -1 for none; drawn from its access point, in columns only.
        slice: (I,) slice that colours the device and its links, -1 for a device without one.
        ap_weight: (A,) number of users, or another size.
        node_fill: (J,) how full each node's marker is, 0 to 1, or None for no fill.
    """

    access_points: Sequence[str]
    nodes: Sequence[str]
    node_kinds: Sequence[str]
    slices: Sequence[str]
    positions: Positions
    access_point: IntArray
    node: IntArray
    slice: IntArray
    ap_weight: FloatArray
    node_fill: FloatArray | None

    @property
    def dense(self) -> bool:
        """Whether devices are too many for a dot each, and are counted in cells."""
        return len(self.slice) > MOST_DOTS

    @cached_property
    def shown_access_points(self) -> IntArray:
        """Access points that have a mark."""
        return _shown(self.ap_weight, np.arange(len(self.access_points)))

    @cached_property
    def shown_nodes(self) -> IntArray:
        """Nodes that have a mark."""
        fill = np.zeros(len(self.nodes)) if self.node_fill is None else self.node_fill
        mec = np.array([kind == "mec" for kind in self.node_kinds], dtype=np.bool_)
        return np.concatenate([_shown(fill, np.flatnonzero(~mec)), _shown(fill, np.flatnonzero(mec))])


def _shown(weight: FloatArray, of_kind: IntArray) -> IntArray:
    """Of things of one kind all if there is room, else the busiest."""
    return of_kind if of_kind.size <= MOST_PLACES else of_kind[busiest(weight[of_kind])]


def draw_network(figure: Figure, axes: Axes, view: NetworkView) -> int:
    """Draw links, devices, access points and nodes, then names where there is room.

    Returns:
        devices in the fullest cell of a density map, 0 where every device has a dot.
    """
    _frame(axes, view)
    _links(axes, view)
    most = _cells(axes, view, figure.dpi / 72.0) if view.dense else 0
    if not view.dense:
        _devices(axes, view)
    _access_points(axes, view)
    node_shift = _nodes(figure, axes, view)
    _names(axes, view, node_shift, figure.dpi / 72.0)
    return most


def device_size(count: int) -> float:
    """Area of a device's marker in points squared: smaller when there are many."""
    return float(np.clip(2400.0 / count, 11.0, 46.0))


def ap_sizes(weight: FloatArray) -> FloatArray:
    """(A,) areas of access-point markers in points squared: they grow with the weight, less when there are many."""
    most, unit = float(weight.max(initial=0.0)) or 1.0, 1.0 if weight.size <= 30 else 0.4
    return unit * (60.0 + 240.0 * np.asarray(weight, dtype=np.float64) / most)


def node_sizes(view: NetworkView) -> FloatArray:
    """(J,) areas of node markers in points squared: MEC servers are larger than COIN nodes."""
    unit = 1.0 if len(view.nodes) + len(view.access_points) <= MOST_LABELS else 0.55
    return np.array([unit * (330.0 if kind == "mec" else 130.0) for kind in view.node_kinds])


def _frame(axes: Axes, view: NetworkView) -> None:
    p = view.positions
    for side in axes.spines.values():
        side.set_visible(False)
    if p.schematic:
        axes.set_xlim(-0.22, 2.3)
        axes.set_ylim(0.0, 1.06)
        axes.set_xticks([])
        axes.set_yticks([])
        for x, name in enumerate(_COLUMN_NAMES):
            axes.text(x, 1.03, name, fontsize=11, color=SOFT, ha="center", va="center")
        return
    low, high = extent(view.positions)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal", adjustable="box", anchor="N")
    axes.set_facecolor("#F7F7F5")
    axes.grid(color=PAPER, linewidth=1.0)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    axes.xaxis.set_major_formatter("{x:g} m")
    axes.yaxis.set_major_formatter("{x:g} m")
    axes.locator_params(nbins=6)


def extent(positions: Positions) -> tuple[FloatArray, FloatArray]:
    """Lower left and upper right corner of everything that is drawn, with a margin."""
    p = positions
    everything = np.vstack([p.device, p.access_point, *([] if p.node is None else [p.node])])
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.05 * max(float((high - low).max()), 1.0)
    # A street of access points is no line: the shorter side is at least a third of the longer one.
    spare = np.maximum((high - low).max() / 3 - (high - low), 0) / 2
    return low - margin - spare, high + margin + spare


def _links(axes: Axes, view: NetworkView) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba

    p = view.positions
    linked = np.flatnonzero(view.access_point >= 0)
    if not linked.size:
        return
    width, alpha = (1.3, 0.75) if linked.size <= _FEW_LINKS else (0.8, 0.7)

    def draw(ends: FloatArray, slices: IntArray, widths: float | FloatArray) -> None:
        colours = [to_rgba(SOFT if n < 0 else slice_colour(n), alpha) for n in slices.tolist()]
        axes.add_collection(LineCollection(list(ends), colors=colours, linewidths=widths, zorder=2))

    if not view.dense:
        ends = np.stack([p.device[linked], p.access_point[view.access_point[linked]]], axis=1)
        draw(ends, view.slice[linked], width)
    if p.schematic and p.node is not None:
        hops = linked[view.node[linked] >= 0]
        keys = np.column_stack([view.access_point[hops], view.node[hops], view.slice[hops]])
        flows, count = np.unique(keys, axis=0, return_counts=True)
        ends = np.stack([p.access_point[flows[:, 0]], p.node[flows[:, 1]]], axis=1)
        # Flows of several slices between the same two points lie side by side.
        ends[:, :, 1] += (flows[:, 2:3] - (len(view.slices) - 1) / 2) * 0.004
        draw(ends, flows[:, 2], np.minimum(width * np.sqrt(count), _WIDEST_FLOW))


def _cells(axes: Axes, view: NetworkView, pixels: float) -> int:
    """Devices counted in cells: a disc each, its area by their number, cut by slice; returns the highest count."""
    from matplotlib.collections import PolyCollection

    axes.apply_aspect()
    size = _CELL_POINTS * pixels
    at = axes.transData.transform(view.positions.device)
    cells = count_in_cells(at, view.slice, slices=len(view.slices), size=size)
    total = cells.devices.sum(axis=1)
    radius, back = cell_radius(total, size), axes.transData.inverted()
    for n in range(len(view.slices) + 1):
        parts = [back.transform(part) for part in wedges(cells, n, radius)]
        colour = slice_colour(n) if n < len(view.slices) else LOCAL_COLOUR
        axes.add_collection(PolyCollection(parts, facecolors=colour, edgecolors="none", zorder=3))
    return int(total.max())


def _devices(axes: Axes, view: NetworkView) -> None:
    xy, size = view.positions.device, device_size(len(view.slice))
    local = view.slice < 0
    axes.scatter(
        xy[local, 0],
        xy[local, 1],
        s=size,
        facecolors=PAPER,
        edgecolors=LOCAL_COLOUR,
        linewidths=1.1,
        zorder=3,
    )
    for n in range(len(view.slices)):
        mine = view.slice == n
        axes.scatter(
            xy[mine, 0], xy[mine, 1], s=size, marker=slice_marker(n), color=slice_colour(n), edgecolors=PAPER,
            linewidths=0.5, zorder=3,
        )  # fmt: skip


def _access_points(axes: Axes, view: NetworkView) -> None:
    shown = view.shown_access_points
    xy, size = view.positions.access_point[shown], ap_sizes(view.ap_weight)[shown]
    used = view.ap_weight[shown] > 0
    for which, face, edge, width in ((used, INK, PAPER, 0.8), (~used, PAPER, SOFT, 0.9)):
        axes.scatter(
            xy[which, 0], xy[which, 1], s=size[which], marker="^", facecolors=face, edgecolors=edge,
            linewidths=width, zorder=4,
        )  # fmt: skip


def _nodes(figure: Figure, axes: Axes, view: NetworkView) -> FloatArray:
    """Draw the nodes; returns by how many points each shown one was moved off an access point under it."""
    from matplotlib.transforms import offset_copy

    everywhere = view.positions.node
    if everywhere is None:
        return np.zeros((0, 2))
    xy, sizes = everywhere[view.shown_nodes], node_sizes(view)[view.shown_nodes]
    shift = np.zeros((len(xy), 2))
    if not view.positions.schematic:
        span = float(np.ptp(np.vstack([view.positions.device, xy]), axis=0).max())
        points = view.positions.access_point[view.shown_access_points]
        to_points = np.linalg.norm(xy[:, None] - points[None], axis=2)
        near = to_points.min(axis=1) < 0.012 * span
        shift[near] = (0.55 * np.sqrt(sizes[near]) + 3.0)[:, None] * np.array([0.75, 0.75])
    fills = np.zeros(len(xy)) if view.node_fill is None else np.clip(view.node_fill[view.shown_nodes], 0, 1)
    levels = np.where(fills > 0, np.maximum(np.round(fills * 20), 1), 0) / 20
    looks = np.column_stack([levels, sizes, shift])
    for level, size, dx, dy in np.unique(looks, axis=0):
        which = (looks == (level, size, dx, dy)).all(axis=1)
        where = offset_copy(axes.transData, fig=figure, x=dx, y=dy, units="points")
        thick = 1.4 if size > 150 else 1.1
        axes.scatter(
            xy[which, 0], xy[which, 1], s=size, marker="s", transform=where, facecolors=PAPER, edgecolors=INK,
            linewidths=thick, zorder=5,
        )  # fmt: skip
        if level > 0:
            axes.scatter(
                xy[which, 0], xy[which, 1], s=size * 0.72, marker=gauge(level), transform=where, color=SOFT,
                linewidths=0, zorder=5,
            )  # fmt: skip
    return shift


def gauge(level: float) -> Any:
    """Marker: the lower part of a square, up to ``level`` of its height."""
    from matplotlib.path import Path

    top = -0.5 + level
    return Path([(-0.5, -0.5), (0.5, -0.5), (0.5, top), (-0.5, top), (-0.5, -0.5)], closed=True)


def _names(axes: Axes, view: NetworkView, node_shift: FloatArray, pixels: float) -> None:
    p = view.positions
    axes.apply_aspect()
    show_all = len(view.nodes) + len(view.access_points) <= MOST_LABELS
    of_nodes: list[Caption] = []
    obstacles = []
    if p.node is not None:
        nodes = view.shown_nodes
        at = axes.transData.transform(p.node[nodes]) + node_shift * pixels
        radius = np.sqrt(node_sizes(view)[nodes]) / 2
        obstacles.append(boxes(at, radius * pixels))
        of_nodes = [
            Caption(view.nodes[nodes[k]], tuple(at[k]), float(radius[k]) + 1)
            for k in _named_nodes(view, show_all)
        ]
    points = view.shown_access_points
    at = axes.transData.transform(p.access_point[points])
    radius = np.sqrt(ap_sizes(view.ap_weight)[points]) / 2
    obstacles.append(boxes(at, radius * pixels))
    weight = view.ap_weight[points]
    named = range(points.size) if show_all else busiest(weight).tolist()
    of_points = [
        Caption(view.access_points[points[k]], tuple(at[k]), float(radius[k]) + 1)
        for k in named
        if show_all or weight[k] > 0
    ]
    if not view.dense:
        half = np.sqrt(device_size(len(view.slice))) / 2
        obstacles.append(boxes(axes.transData.transform(p.device), half * pixels))
    if len(view.slice) <= _LINKS_IN_THE_WAY:
        obstacles.append(_points_on_links(axes, view, pixels))
    place_captions(axes, [*of_nodes, *of_points], np.vstack(obstacles), pixels_per_point=pixels)


def _named_nodes(view: NetworkView, show_all: bool) -> list[int]:
    """Which of the nodes shown get a name if there is room: MEC servers first, then all or the fullest."""
    is_mec = [view.node_kinds[j] == "mec" for j in view.shown_nodes]
    mec = [k for k, yes in enumerate(is_mec) if yes][:MOST_LABELS]
    if show_all:
        return mec + [k for k, yes in enumerate(is_mec) if not yes]
    if view.node_fill is None:
        return mec
    fullest = busiest(view.node_fill[view.shown_nodes]).tolist()
    return (mec + [k for k in fullest if not is_mec[k]])[: max(BUSIEST, len(mec))]


def _points_on_links(axes: Axes, view: NetworkView, pixels: float) -> FloatArray:
    """(k, 4) boxes along the links, so that names keep off them."""
    linked = np.flatnonzero(view.access_point >= 0)
    along = np.linspace(0, 1, 40)[:, None, None]
    p, first, last = view.positions, view.positions.device[linked], view.positions.access_point
    last = last[view.access_point[linked]]
    if p.schematic and p.node is not None:
        onward = view.node[linked] >= 0
        first, last = np.vstack([first, last[onward]]), np.vstack([last, p.node[view.node[linked][onward]]])
    first, last = axes.transData.transform(first), axes.transData.transform(last)
    return boxes(((1 - along) * first + along * last).reshape(-1, 2), 1.5 * pixels)
