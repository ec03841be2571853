"""Names beside markers, moved about until none covers another; a name without room is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from slicewright.drawing.palette import INK, PAPER
from slicewright.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Directions to try, nearest first: (x, y) in units of the marker's radius, with the text's alignment.
_DIRECTIONS = (
    (1, 0, "left", "center"), (-1, 0, "right", "center"), (0, 1, "center", "bottom"), (0, -1, "center", "top"),
    (0.8, 0.8, "left", "bottom"), (0.8, -0.8, "left", "top"),
    (-0.8, 0.8, "right", "bottom"), (-0.8, -0.8, "right", "top"),
)  # fmt: skip
_STRETCHES = (1.0, 1.7)
_BEFORE = {"left": 0.0, "bottom": 0.0, "center": 0.5, "right": 1.0, "top": 1.0}
"""Which part of a text lies before its anchor."""


class Caption(NamedTuple):
    """A name for the marker at ``xy`` in pixels, with the given radius in points."""

    text: str
    xy: tuple[float, float]
    radius: float


def place_captions(
    axes: Axes,
    captions: Sequence[Caption],
    obstacles: FloatArray,
    *,
    pixels_per_point: float,
    size: float = 8.0,
) -> None:
    """Write each name where it covers no other name and as few obstacles as possible.

    Args:
        axes: to write in; limits and size must be final.
        captions: in order of importance; names that find no free place are left out.
        obstacles: (k, 4) pixels, boxes (x0, y0, x1, y1) of markers.
        pixels_per_point: of the figure.
        size: of the type, in points.
    """
    from matplotlib.patheffects import withStroke

    frame = np.array(axes.get_window_extent().extents)
    taken: list[FloatArray] = []
    owners = np.array([caption.xy for caption in captions]).reshape(-1, 2)
    for k, caption in enumerate(captions):
        best, best_cost, best_box = None, 1.0, None
        text = axes.annotate(
            caption.text, (0, 0), xycoords="figure pixels", fontsize=size, color=INK, zorder=9, annotation_clip=False,
            path_effects=[withStroke(linewidth=2.2, foreground=PAPER, alpha=0.85)],
        )  # fmt: skip
        size_px = np.array(text.get_window_extent().size)
        for stretch in _STRETCHES:
            for dx, dy, horizontal, vertical in _DIRECTIONS:
                reach = (caption.radius * stretch + 1.5) * pixels_per_point
                place = (caption.xy[0] + dx * reach, caption.xy[1] + dy * reach)
                corner = np.array(place) - size_px * (_BEFORE[horizontal], _BEFORE[vertical])
                box = np.concatenate([corner, corner + size_px])
                inside = (box[:2] >= frame[:2]).all() and (box[2:] <= frame[2:]).all()
                if not inside or (taken and _overlap(box, np.array(taken)).max() > 0):
                    continue
                if _distance(box, owners).argmin() != k:
                    continue  # it would read as another marker's name
                cost = float(_overlap(box, obstacles).sum()) + 0.02 * (stretch > 1)
                if cost < best_cost:
                    best, best_cost, best_box = (place, horizontal, vertical), cost, box
            if best_cost < 0.05:
                break
        if best is None or best_box is None:
            text.remove()
            continue
        text.set(position=best[0], ha=best[1], va=best[2])
        taken.append(best_box)


def boxes(centres: FloatArray, radius: FloatArray | float) -> FloatArray:
    """(k, 4) boxes around centres (k, 2) with half width ``radius``, all in pixels."""
    half = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(centres),))[:, None]
    return np.hstack([centres - half, centres + half])


def _overlap(box: FloatArray, others: FloatArray) -> FloatArray:
    """(k,) share of ``box`` that each other box covers."""
    if not len(others):
        return np.zeros(1)
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return np.asarray(np.clip(width, 0, None) * np.clip(height, 0, None) / area, dtype=np.float64)


def _distance(box: FloatArray, points: FloatArray) -> FloatArray:
    """(k,) pixels from ``box`` to each point."""
    outside = np.maximum(np.maximum(box[:2] - points, points - box[2:]), 0)
    return np.asarray(np.hypot(outside[:, 0], outside[:, 1]), dtype=np.float64)


def shortened(name: str, most: int) -> str:
    """A name in one line of at most so many letters."""
    name = " ".join(name.split())
    return name if len(name) <= most else name[: most - 1] + "…"


def seconds(value: float, digits: int = 5) -> str:
    """A time in words that people read: thousands are set apart, powers of ten only where nothing else is shorter."""
    if 1000 <= abs(value) < 1e9:
        return f"{round(value, max(0, digits - len(str(int(abs(value)))))):,} s".replace(".0 s", " s")
    return f"{value:.{digits}g} s"
