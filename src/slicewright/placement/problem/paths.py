"""Shortest paths of a graph, and how long a bit takes along them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from slicewright.types import FloatArray

SAME = 1e-12
"""Paths whose lengths differ by at most this part are equally short."""


class Edge(NamedTuple):
    """What is on an edge: its length, and s/bit that sending over it takes. Ordered: shorter first, then quicker."""

    length: float
    s_per_bit: float


def shortest_ways(edges: Mapping[tuple[int, int], Edge], size: int) -> tuple[FloatArray, FloatArray]:
    """Lengths of shortest paths, and s/bit along the quickest of those that are equally short.

    A bit is sent on when all of what it belongs to has arrived (store and forward), so that times of edges add up.

    Args:
        edges: undirected, by their two ends.
        size: number of vertices.

    Returns:
        (size, size) lengths, infinite where no path leads, and (size, size) s/bit.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    start, end = np.array(list(edges), dtype=np.int64).reshape(-1, 2).T
    length, s_per_bit = np.array(list(edges.values()), dtype=np.float64).reshape(-1, 2).T
    graph = coo_array((length, (start, end)), shape=(size, size)).tocsr()
    distance: FloatArray = dijkstra(graph, directed=False)
    if not s_per_bit.any():
        return distance, np.zeros((size, size))
    into, out_of = np.concatenate([end, start]), np.concatenate([start, end])
    along, takes = np.tile(length, 2), np.tile(s_per_bit, 2)
    reached = np.isfinite(distance[:, into])
    on_the_way = reached & (distance[:, out_of] + along <= distance[:, into] * (1.0 + SAME))
    time: FloatArray = np.where(np.eye(size) > 0.0, 0.0, np.inf)
    while True:
        sent = np.where(on_the_way, time[:, out_of] + takes, np.inf)
        quicker = time.T.copy()
        np.minimum.at(quicker, into, sent.T)
        if (time == quicker.T).all():
            return distance, np.where(np.isfinite(time), time, 0.0)
        time = quicker.T
