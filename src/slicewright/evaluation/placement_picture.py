"""A picture of a placement: the layered network, where the bits go, how full the nodes are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from slicewright.drawing.palette import INK, PAPER, SERIES_COLOURS
from slicewright.evaluation.placement_traffic import Flows, Hop, traffic
from slicewright.files.pictures import picture_file, write_picture
from slicewright.network.units import BITS_PER_GIGABIT
from slicewright.placement.judge import queue_arrivals
from slicewright.placement.plan import Placement
from slicewright.placement.plan_file import placement_choice
from slicewright.placement.problem.options import ON_DEVICE
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.problem.topology import Topology
from slicewright.placement.reasons import tightest_limits
from slicewright.types import FloatArray, IntArray

BLUE, ORANGE, RED = (SERIES_COLOURS[k] for k in (0, 1, 4))
PALE, ROOM, PLATE = "#C9CED6", "#DDE6EF", PAPER
BOX_W, BOX_H = 0.78, 0.46
LAYER_GAP = 1.6
HIGHEST_BOW = 0.9  # of links within a layer
MAX_LAYERS = 4  # of COINs
MAX_BOXES = 12  # of a layer: the busiest have one each, the others one together
MAX_REASONS = 4  # written out under the picture
NOTE_IN = 0.16  # inches per line of those
LONGEST_NAME = 14  # letters that a box has room for
WIDEST = 13.0  # points, of the busiest link

Place = tuple[float, float]


class Boxes(NamedTuple):
    """What is drawn where: a place for each box, by the first name in it, and all names in it."""

    places: dict[str, Place]
    members: dict[str, tuple[str, ...]]

    def holder(self) -> dict[str, str]:
        """The box of every name."""
        return {name: box for box, names in self.members.items() for name in names}

    def caption(self, box: str) -> str:
        """What is written into it."""
        return box if len(self.members[box]) == 1 else f"{len(self.members[box])} others"


def draw_placement(tasks: Tasks, placement: Placement, path: str | Path) -> Path:
    """Draw a placement to a PNG, SVG or PDF file.

    Access points are at the bottom, MEC servers on top, COINs between them by their distance from the access
    points. The width of a line is the bits it carries; a node shows its arrivals and the most it may take. Of a layer
    of many the busiest have boxes, and the others one together: its lines carry their sum, its bar is their mean.

    Raises:
        InvalidOptionError: the file's ending is not one of .png, .pdf and .svg.
        InvalidPlanError: the placement is not one of these tasks.
    """
    file = picture_file(path, field="map")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    choice = placement_choice(tasks, placement)
    arrivals = queue_arrivals(tasks, choice)
    boxes = layout(tasks.topology, _busy(tasks, arrivals))
    places = boxes.places
    width = max(x for x, _ in places.values()) + 1.0
    height = max(y for _, y in places.values())
    notes = _notes(placement)
    below, above = 0.15 + NOTE_IN * len(notes), 0.85  # inches for the notes and for the titles
    inches = (max(9.5, 1.35 * width), 1.3 * (height + 1.1) + below + above)
    figure = Figure(figsize=inches, facecolor=PLATE)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.01, below / inches[1], 0.98, 1.0 - (below + above) / inches[1]))
    axes.set_axis_off()
    axes.set_xlim(-0.7, width - 0.3)
    axes.set_ylim(-0.65, height + 0.35)
    flows = _between_boxes(traffic(tasks, choice), boxes)
    _draw_links(axes, tasks.topology, boxes, flows)
    _draw_nodes(axes, tasks, boxes, arrivals, tightest_limits(tasks, choice), choice)
    _draw_access_points(axes, tasks, placement, boxes)
    _write_titles(figure, tasks, placement, flows)
    figure.text(0.02, 0.01, "\n".join(notes), fontsize=7.5, color=RED, va="bottom", linespacing=1.25)
    return write_picture(figure, file)


def layout(topology: Topology, busy: Mapping[str, float]) -> Boxes:
    """Where each box is drawn: layers from the access points up, each spread over the same width.

    Args:
        topology: the network.
        busy: of every access point and node; the busiest of a layer have boxes of their own.
    """
    nearest = topology.access_point_to_node.min(axis=0)
    steps = np.unique(np.round(nearest[topology.coins], 9))
    layer_of = np.minimum(np.searchsorted(steps, np.round(nearest, 9)), MAX_LAYERS - 1)
    layers = [list(topology.access_points)]
    for layer in range(min(steps.size, MAX_LAYERS)):
        layers.append([topology.nodes[j] for j in topology.coins if layer_of[j] == layer])
    if topology.mecs.size:
        layers.append([topology.nodes[j] for j in topology.mecs])
    boxed = [_boxed(layer, busy) for layer in layers]
    width = max(len(layer) for layer in boxed)
    return Boxes(
        places={
            names[0]: ((i + 0.5) * width / len(layer) - 0.5, LAYER_GAP * level)
            for level, layer in enumerate(boxed)
            for i, names in enumerate(layer)
        },
        members={names[0]: names for layer in boxed for names in layer},
    )


def _boxed(layer: Sequence[str], busy: Mapping[str, float]) -> list[tuple[str, ...]]:
    """The busiest of a layer one by one, in its order, and the others together behind them."""
    if len(layer) <= MAX_BOXES:
        return [(name,) for name in layer]
    first = set(sorted(layer, key=lambda name: -busy[name])[: MAX_BOXES - 1])
    rest = tuple(name for name in layer if name not in first)
    return [*((name,) for name in layer if name in first), rest]


def _busy(tasks: Tasks, arrivals: FloatArray) -> dict[str, float]:
    """Arrivals of every node, and tasks of every access point."""
    topology = tasks.topology
    entering = np.bincount(tasks.access_point, minlength=topology.n_access_points)
    return {
        **dict(zip(topology.access_points, entering.tolist(), strict=True)),
        **dict(zip(topology.nodes, arrivals.tolist(), strict=True)),
    }


def _between_boxes(flows: Flows, boxes: Boxes) -> Flows:
    """The same bits between boxes; what flows within one is left out."""
    holder, merged = boxes.holder(), Flows()
    for part, into in ((flows.partial, merged.partial), (flows.full, merged.full)):
        for hop, bits in part.items():
            ends = holder[hop[0]], holder[hop[1]]
            ends = ends if ends in into or ends[::-1] not in into else ends[::-1]
            if ends[0] != ends[1]:
                into[ends] = into.get(ends, 0.0) + bits
    return merged


def _draw_links(axes: Any, topology: Topology, boxes: Boxes, flows: Flows) -> None:
    holder, places = boxes.holder(), boxes.places
    used = {*flows.partial, *flows.full}
    busiest = max([*flows.partial.values(), *flows.full.values(), 1.0])
    joined = {(holder[start], holder[end]) for start, end in (link[:2] for link in topology.links)}
    hops = sorted({hop for hop in joined if hop[0] != hop[1] and hop[::-1] not in used} | used)
    ports = _ports(places, hops, {box for name in topology.access_points if (box := holder[name])})
    for hop in hops:
        if hop not in used:
            _draw_line(axes, ports[hop], 0.0, 0.9, PALE, zorder=1)
            continue
        partial, full = (WIDEST * part.get(hop, 0.0) / busiest for part in (flows.partial, flows.full))
        # Side by side, so that neither hides the other: each is moved by half of the other's width.
        _draw_line(axes, ports[hop], -full / 2, partial, BLUE, zorder=2)
        _draw_line(axes, ports[hop], partial / 2, full, ORANGE, zorder=2)


def _ports(places: dict[str, Place], hops: list[Hop], points: set[str]) -> dict[Hop, tuple[Place, Place]]:
    """Where the two ends of each hop touch their boxes, lower end first, side by side along an edge."""
    ends: dict[tuple[str, int], list[tuple[float, Hop]]] = {}
    for hop in hops:
        (x0, y0), (x1, y1) = places[hop[0]], places[hop[1]]
        ends.setdefault((hop[0], 1 if y1 >= y0 else -1), []).append((x1, hop))
        ends.setdefault((hop[1], 1 if y0 >= y1 else -1), []).append((x0, hop))
    touch: dict[tuple[str, Hop], Place] = {}
    for (name, side), others in ends.items():
        x, y = places[name]
        for i, (_, hop) in enumerate(sorted(others)):
            offset = ((i + 0.5) / len(others) - 0.5) * BOX_W
            touch[name, hop] = (x, y) if name in points else (x + offset, y + side * BOX_H / 2)
    return {hop: _from_below(touch[hop[0], hop], touch[hop[1], hop]) for hop in hops}


def _from_below(one: Place, other: Place) -> tuple[Place, Place]:
    return (one, other) if one[::-1] <= other[::-1] else (other, one)


def _draw_line(
    axes: Any, ends: tuple[Place, Place], shift: float, width: float, color: str, *, zorder: int
) -> None:
    """A curve that leaves and enters its boxes upright, so it runs between layers; ``shift`` in points."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline
    from matplotlib.transforms import ScaledTranslation

    if width <= 0.0:
        return
    (x0, y0), (x1, y1) = ends
    # Links within a layer bow upwards, the more the farther they reach.
    turn = (y0 + y1) / 2 if y0 != y1 else y0 + min(0.35 + 0.1 * abs(x1 - x0), HIGHEST_BOW)
    curve = Outline(
        [(x0, y0), (x0, turn), (x1, turn), (x1, y1)],
        [Outline.MOVETO, Outline.CURVE4, Outline.CURVE4, Outline.CURVE4],
    )
    moved = axes.transData + ScaledTranslation(shift / 72, 0.0, axes.figure.dpi_scale_trans)
    alpha = 1.0 if color == PALE else 0.8
    line = PathPatch(
        curve, fill=False, linewidth=max(width, 0.7), edgecolor=color, alpha=alpha, zorder=zorder
    )
    line.set_transform(moved)
    line.set_capstyle("butt")
    axes.add_patch(line)


def _draw_nodes(
    axes: Any, tasks: Tasks, boxes: Boxes, arrivals: FloatArray, tightest: FloatArray, choice: IntArray
) -> None:
    from matplotlib.patches import FancyBboxPatch, Rectangle

    used = tasks.options.nodes[choice[choice >= 0]]
    users = np.bincount(used[used >= 0], minlength=tasks.topology.n_nodes)
    number = {name: j for j, name in enumerate(tasks.topology.nodes)}
    for box, names in boxes.members.items():
        if box not in number:
            continue
        members = [number[name] for name in names]
        x, y = boxes.places[box]
        color = ORANGE if tasks.topology.kinds[members[0]] == "mec" else BLUE
        frame = FancyBboxPatch(
            (x - BOX_W / 2, y - BOX_H / 2),
            BOX_W,
            BOX_H,
            boxstyle="round,pad=0.02,rounding_size=0.08",
            facecolor=PLATE,
            edgecolor=color,
            linewidth=1.6,
            zorder=4,
        )
        axes.add_patch(frame)
        share = float(np.mean([min(1.0, arrivals[j] / tightest[j]) if users[j] else 0.0 for j in members]))
        bar = (x - BOX_W / 2 + 0.05, y - BOX_H / 2 + 0.045)
        axes.add_patch(Rectangle(bar, BOX_W - 0.1, 0.075, facecolor=ROOM, zorder=5))
        axes.add_patch(Rectangle(bar, (BOX_W - 0.1) * share, 0.075, facecolor=color, zorder=6))
        load = "idle" if not users[members].any() else f"{arrivals[members].sum():.3g} per s"
        if users[members].any() and len(members) == 1:
            load = f"{arrivals[members[0]]:.3g} / {tightest[members[0]]:.3g} per s"
        look = {"ha": "center", "va": "center", "color": INK, "zorder": 7}
        axes.text(x, y + 0.125, _shortened(boxes.caption(box)), fontsize=9, weight="bold", **look)
        axes.text(x, y - 0.025, load, fontsize=7, **look)


def _draw_access_points(axes: Any, tasks: Tasks, placement: Placement, boxes: Boxes) -> None:
    number = {name: a for a, name in enumerate(tasks.topology.access_points)}
    for box, names in boxes.members.items():
        if box not in number:
            continue
        x, y = boxes.places[box]
        here = np.flatnonzero(np.isin(tasks.access_point, [number[name] for name in names]))
        rejected = sum(not placement.nodes[k] for k in here)
        axes.plot(
            [x], [y], marker="o", markersize=24, color=PLATE, markeredgecolor=INK, markeredgewidth=1.3, zorder=4
        )  # fmt: skip
        caption = f"+{len(names)}" if len(names) > 1 else _shortened(box)
        axes.text(x, y, caption, ha="center", va="center", fontsize=7.5, weight="bold", color=INK, zorder=7)
        count = f"{here.size} task{'' if here.size == 1 else 's'}"
        axes.text(x, y - 0.3, count, ha="center", va="center", fontsize=8, color=INK, zorder=7)
        at_home = sum(placement.nodes[k] == (ON_DEVICE,) for k in here)
        if at_home:
            count = f"{at_home} on their devices"
            axes.text(x, y - 0.62, count, ha="center", va="center", fontsize=7.5, color=INK, zorder=7)
        if rejected:
            text = f"✕ {rejected} rejected"
            look = {"ha": "center", "va": "center", "fontsize": 8, "weight": "bold", "color": RED}
            axes.text(x, y - 0.48, text, zorder=7, **look)


def _shortened(name: str) -> str:
    """A name that a box has room for."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _write_titles(figure: Any, tasks: Tasks, placement: Placement, flows: Flows) -> None:
    from matplotlib.lines import Line2D

    at_most = f"at most {100 * placement.gap:.2g} % above the optimum"
    if placement.status == "optimal":
        at_most = "proven optimal"
    elif not np.isfinite(placement.gap):
        at_most = "no bound"
    top = figure.get_figheight()
    first = f"{tasks.n_tasks} tasks placed by {placement.method}"
    second = (
        f"{placement.cost_bit_hops / BITS_PER_GIGABIT:.4g} Gbit hops  ·  {at_most}  ·  "
        f"{placement.rejected} rejected  ·  {placement.status}"
    )
    figure.text(0.02, 1 - 0.36 / top, first, fontsize=14, weight="bold", color=INK)
    figure.text(0.02, 1 - 0.66 / top, second, fontsize=10, color=INK)
    busiest = max([*flows.partial.values(), *flows.full.values(), 0.0]) / BITS_PER_GIGABIT
    handles = [
        Line2D([], [], color=BLUE, linewidth=6, alpha=0.85, label="to COINs"),
        Line2D([], [], color=ORANGE, linewidth=6, alpha=0.85, label="whole to the MEC"),
        Line2D([], [], color=PALE, linewidth=1.5, label="unused link"),
    ]
    figure.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(0.985, 0.985),
        ncols=3,
        frameon=False,
        fontsize=9,
        title=f"width: bits (widest {busiest:.3g} Gbit); bars: arrivals of what the tightest task bears",
        title_fontsize=8,
    )


def _notes(placement: Placement) -> list[str]:
    """Why tasks were rejected, the first few."""
    notes = [f"task {k}: {why}" for k, why in enumerate(placement.reasons) if why][:MAX_REASONS]
    if placement.rejected > len(notes):
        notes.append(f"and {placement.rejected - len(notes)} more")
    return notes
