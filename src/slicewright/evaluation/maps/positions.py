"""Where things are drawn: where they are, or in three columns when the scenario does not know."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.types import FloatArray, IntArray

_COLUMNS = (0.0, 1.0, 2.0)
_SWEEPS = 4


class Positions(NamedTuple):
    """Drawing positions.

    Attributes:
        device: (I, 2).
        access_point: (A, 2).
        node: (J, 2), or None when devices and access points have places and nodes have none.
        schematic: True if positions are columns (devices, access points, nodes) and not places in metres.
    """

    device: FloatArray
    access_point: FloatArray
    node: FloatArray | None
    schematic: bool


def positions_of(scenario: Scenario, access_point: IntArray, node: IntArray) -> Positions:
    """Places if the scenario knows them, else columns ordered so that few links cross.

    Args:
        scenario: the problem.
        access_point: (I,) the access point that each device is linked to, -1 for none.
        node: (I,) the node that each device is linked to, -1 for none.
    """
    sites = scenario.sites
    if sites.device_m is not None and sites.access_point_m is not None:
        return Positions(sites.device_m, sites.access_point_m, sites.node_m, schematic=False)
    return _columns(scenario, access_point, node)


def _columns(scenario: Scenario, access_point: IntArray, node: IntArray) -> Positions:
    """Layered drawing; each column is sorted by the mean place of its neighbours (barycentre sweeps)."""
    through = np.flatnonzero((access_point >= 0) & (node >= 0))
    a, j = access_point[through], node[through]
    place_a = np.arange(scenario.n_access_points) / max(scenario.n_access_points - 1, 1)
    place_j = np.arange(scenario.n_nodes) / max(scenario.n_nodes - 1, 1)
    for _ in range(_SWEEPS):
        place_j = _spread(_barycentre(j, place_a[a], place_j))
        place_a = _spread(_barycentre(a, place_j[j], place_a))
    # Devices without a link come last, at the foot of their column.
    place_i = np.where(access_point >= 0, place_a[access_point], 2.0)
    place_i[through] += 1e-3 * place_j[j]
    place_i = _spread(place_i)
    device, access_points, nodes = (
        np.column_stack([np.full(place.size, x), 1.0 - place])
        for x, place in zip(_COLUMNS, (place_i, place_a, place_j), strict=True)
    )
    return Positions(device, access_points, nodes, schematic=True)


def _barycentre(own: IntArray, neighbour: FloatArray, now: FloatArray) -> FloatArray:
    """Mean place of the neighbours; things without any stay where they are."""
    count = np.bincount(own, minlength=now.size)
    total = np.bincount(own, weights=neighbour, minlength=now.size)
    return np.where(count > 0, total / np.maximum(count, 1), now)


def _spread(place: FloatArray) -> FloatArray:
    """The same order at even distances within [0, 1]; a single thing goes to the middle."""
    if place.size == 1:
        return np.array([0.5])
    even = np.empty(place.size)
    even[np.argsort(place, kind="stable")] = (np.arange(place.size) + 0.5) / place.size
    return even
