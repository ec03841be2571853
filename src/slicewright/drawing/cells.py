"""Too many devices for a dot each: hexagonal cells that count them by slice, and the busiest few of many things."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slicewright.types import FloatArray, IntArray

MOST_DOTS = 2500
"""Up to so many devices on a picture have a dot each."""
MOST_PLACES = 200
"""Up to so many access points, COIN nodes or MEC servers in view are all marked, of more the busiest."""
BUSIEST = 10
"""So many of the busiest are shown by name where there are more than a picture has room for."""


class Cells(NamedTuple):
    """Cells with at least one device.

    Attributes:
        centre: (k, 2), in the units of the positions.
        devices: (k, N + 1) devices by slice; the last column counts those without one.
    """

    centre: FloatArray
    devices: IntArray


def count_in_cells(position: FloatArray, slice_: IntArray, *, slices: int, size: float) -> Cells:
    """Count devices in hexagons that stand on a corner.

    Args:
        position: (I, 2) where devices are drawn.
        slice_: (I,) slice of each, -1 for none.
        slices: N.
        size: width of a hexagon, in the units of ``position``.

    Returns:
        cells in rows from below, left to right.
    """
    row_height = size * np.sqrt(3) / 2
    # Every point belongs to the nearest centre of two interleaved rectangular grids.
    grids = []
    for shift in (0.0, 0.5):
        column = np.round(position[:, 0] / size - shift)
        row = np.round(position[:, 1] / (2 * row_height) - shift)
        centre = np.column_stack([(column + shift) * size, (row + shift) * 2 * row_height])
        grids.append((((position - centre) ** 2).sum(axis=1), 2 * row + 2 * shift, column + shift))
    (first, row_a, column_a), (second, row_b, column_b) = grids
    row = np.where(first <= second, row_a, row_b)
    column = np.where(first <= second, column_a, column_b)
    keys, cell = np.unique(np.column_stack([row, column]), axis=0, return_inverse=True)
    count = np.zeros((len(keys), slices + 1), dtype=np.int64)
    np.add.at(count, (cell.ravel(), np.where(slice_ < 0, slices, slice_)), 1)
    return Cells(np.column_stack([keys[:, 1] * size, keys[:, 0] * row_height]), count)


def cell_radius(total: IntArray, size: float) -> FloatArray:
    """(k,) radius of each cell's disc: its area grows with the devices, and the fullest just touch each other."""
    most = float(total.max(initial=1))
    return np.asarray(np.maximum(0.14 * size, 0.5 * size * np.sqrt(total / most)), dtype=np.float64)


def wedges(cells: Cells, column: int, radius: FloatArray, *, corners: int = 24) -> list[FloatArray]:
    """The part of every cell's disc that belongs to one column of its counts, as polygons.

    Args:
        cells: the cells.
        column: slice, or N for devices without one.
        radius: (k,) of each disc.
        corners: of a whole disc.

    Returns:
        (corners, 2) per cell with such devices; all discs begin at the top and go round clockwise.
    """
    total = cells.devices.sum(axis=1)
    last = cells.devices[:, : column + 1].sum(axis=1) / total
    first = last - cells.devices[:, column] / total
    made = []
    for k in np.flatnonzero(cells.devices[:, column]).tolist():
        part = last[k] - first[k]
        angle = 2 * np.pi * np.linspace(first[k], last[k], max(3, int(np.ceil(corners * part)) + 1))
        arc = cells.centre[k] + radius[k] * np.column_stack([np.sin(angle), np.cos(angle)])
        made.append(arc if part == 1.0 else np.vstack([cells.centre[k], arc]))
    return made


def busiest(weight: FloatArray | IntArray, most: int = BUSIEST) -> IntArray:
    """(k,) indices of the ``most`` largest weights, largest first; of equal ones the first comes first."""
    return np.argsort(-weight, kind="stable")[:most]
