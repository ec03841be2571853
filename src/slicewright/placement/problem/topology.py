"""Where placement happens: nodes, access points and the lengths of the shortest paths between them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from slicewright.errors import InvalidTasksError, nearest
from slicewright.files.fields import FieldReader
from slicewright.network.scenario import NODE_KINDS
from slicewright.placement.problem.paths import Edge, shortest_ways
from slicewright.types import FloatArray, IntArray

_read = FieldReader(InvalidTasksError)


class Link(NamedTuple):
    """An undirected link between two names (nodes or access points).

    Attributes:
        start, end: names.
        length: in any unit.
        rate_bps: bit/s that it carries; None if sending over it takes no time.
    """

    start: str
    end: str
    length: float
    rate_bps: float | None = None


@dataclass(frozen=True, eq=False)
class Topology:
    """A network seen as distances. Immutable: arrays are read-only.

    Attributes:
        capacity_hz: (J,) cycle/s, f_j.
        access_point_to_node: (A, J) length of the shortest path, d(a, j).
        node_to_node: (J, J) length of the shortest path, symmetric, zero on the diagonal.
        kinds: (J,) ``coin`` or ``mec``; by default all nodes are COINs.
        nodes, access_points: names by index.
        links: the graph behind the distances, if it is known.
        access_point_to_node_s_per_bit: (A, J) s/bit that sending along the path takes; by default nothing.
        node_to_node_s_per_bit: (J, J) s/bit, symmetric, zero on the diagonal; by default nothing.

    Raises:
        InvalidTasksError: a shape, sign or name breaks its rule.
    """

    capacity_hz: FloatArray
    access_point_to_node: FloatArray
    node_to_node: FloatArray
    kinds: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    access_points: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    access_point_to_node_s_per_bit: FloatArray | None = None
    node_to_node_s_per_bit: FloatArray | None = None

    def __post_init__(self) -> None:
        capacity = _read.numbers(
            self.capacity_hz, "nodes.capacity_hz", (None,), positive=True, axes=["nodes"]
        )
        count = capacity.size
        if count == 0:
            raise InvalidTasksError("nodes", "there must be at least one node")
        reach = _read.numbers(
            self.access_point_to_node, "distance.access_point_to_node", (None, count), axes=["access points", "nodes"]
        )  # fmt: skip
        if reach.shape[0] == 0:
            raise InvalidTasksError("access_points", "there must be at least one access point")
        checked: dict[str, object] = {
            "capacity_hz": capacity,
            "access_point_to_node": reach,
            "node_to_node": _between(self.node_to_node, "distance.node_to_node", count),
            "kinds": _read.choices(self.kinds, "nodes.kinds", NODE_KINDS, count=count, default="coin"),
            "nodes": _read.names(self.nodes or None, "nodes.names", count=count, default="node"),
            "access_points": _read.names(
                self.access_points or None, "access_points.names", count=reach.shape[0], default="ap"
            ),
        }
        for name, value in (checked | self._checked_times(reach.shape)).items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    def _checked_times(self, shape: tuple[int, ...]) -> dict[str, FloatArray]:
        """Times per bit as given; those of which nothing is said are 0."""
        checked = {}
        if self.access_point_to_node_s_per_bit is not None:
            name = "access_point_to_node_s_per_bit"
            checked[name] = _read.numbers(
                self.access_point_to_node_s_per_bit,
                f"distance.{name}",
                shape,
                axes=["access points", "nodes"],
            )
        if self.node_to_node_s_per_bit is not None:
            name = "node_to_node_s_per_bit"
            checked[name] = _between(self.node_to_node_s_per_bit, f"distance.{name}", shape[1])
        return checked

    @property
    def reach_s_per_bit(self) -> FloatArray:
        """(A, J) s/bit from access points to nodes; zeros if nothing is said."""
        given = self.access_point_to_node_s_per_bit
        return np.zeros(self.access_point_to_node.shape) if given is None else given

    @property
    def between_s_per_bit(self) -> FloatArray:
        """(J, J) s/bit between nodes; zeros if nothing is said."""
        given = self.node_to_node_s_per_bit
        return np.zeros(self.node_to_node.shape) if given is None else given

    @property
    def n_nodes(self) -> int:
        """J, COIN nodes and MEC servers."""
        return int(self.capacity_hz.size)

    @property
    def n_access_points(self) -> int:
        """A."""
        return int(self.access_point_to_node.shape[0])

    @property
    def coins(self) -> IntArray:
        """Indices of the COIN nodes."""
        return np.flatnonzero(np.array(self.kinds) == "coin")

    @property
    def mecs(self) -> IntArray:
        """Indices of the MEC servers."""
        return np.flatnonzero(np.array(self.kinds) == "mec")

    @property
    def longest(self) -> float:
        """The longest way a bit could go: largest access-point-to-node plus largest node-to-node distance."""
        return float(self.access_point_to_node.max() + self.node_to_node.max())


def linked_topology(
    links: Sequence[Link],
    *,
    capacity_hz: FloatArray,
    nodes: tuple[str, ...],
    access_points: tuple[str, ...],
    kinds: tuple[str, ...] = (),
) -> Topology:
    """A topology from its graph: distances are shortest path lengths; any connected graph will do.

    Bits go along the quickest of the shortest paths.

    Raises:
        InvalidTasksError: a link names something unknown or is not longer than 0, a name is used twice, or an
            access point cannot reach a node.
    """
    index = {name: i for i, name in enumerate((*nodes, *access_points))}
    if len(index) < len(nodes) + len(access_points):
        twice = next(name for name in access_points if name in nodes)
        raise InvalidTasksError(
            "access_points.names", "is also the name of a node; names must differ", value=twice
        )
    edges: dict[tuple[int, int], Edge] = {}
    for row, link in enumerate(links):
        ends = [_end(name, row, side, index) for side, name in enumerate(link[:2])]
        length = float(_read.numbers(link.length, f"links[{row}].length", (), positive=True))
        pace = 0.0
        if link.rate_bps is not None:
            pace = 1.0 / float(_read.numbers(link.rate_bps, f"links[{row}].rate_bps", (), positive=True))
        pair, edge = (min(ends), max(ends)), Edge(length, pace)
        edges[pair] = min(edge, edges.get(pair, edge))
    distance, s_per_bit = shortest_ways(edges, len(index))
    apart = np.argwhere(~np.isfinite(distance[:, : len(nodes)]))
    if apart.size:
        names = (*nodes, *access_points)
        u, v = map(int, apart[0])
        raise InvalidTasksError(
            "links", f"no path leads from {names[u]} to {names[v]}", fix="every node must be reachable"
        )
    return Topology(
        capacity_hz=capacity_hz,
        access_point_to_node=distance[len(nodes) :, : len(nodes)],
        node_to_node=distance[: len(nodes), : len(nodes)],
        kinds=kinds,
        nodes=nodes,
        access_points=access_points,
        links=tuple(
            Link(
                str(link.start),
                str(link.end),
                float(link.length),
                None if link.rate_bps is None else float(link.rate_bps),
            )
            for link in links
        ),
        access_point_to_node_s_per_bit=s_per_bit[len(nodes) :, : len(nodes)] if s_per_bit.any() else None,
        node_to_node_s_per_bit=s_per_bit[: len(nodes), : len(nodes)] if s_per_bit.any() else None,
    )


def with_link_rates(topology: Topology, rate_bps: FloatArray) -> Topology:
    """The same network with bit/s for every link, in the order of its links."""
    return linked_topology(
        [link._replace(rate_bps=float(rate)) for link, rate in zip(topology.links, rate_bps, strict=True)],
        capacity_hz=topology.capacity_hz,
        nodes=topology.nodes,
        access_points=topology.access_points,
        kinds=topology.kinds,
    )


def _between(given: FloatArray, field: str, count: int) -> FloatArray:
    """(J, J) as given, if that can be lengths or times between nodes."""
    between = _read.numbers(given, field, (count, count), axes=["nodes", "nodes"])
    odd = np.argwhere(~np.isclose(between, between.T, rtol=1e-9, atol=0.0) | (np.eye(count) * between > 0))
    if odd.size:
        i, j = map(int, odd[0])
        rule = "must be symmetric with zeros on its diagonal"
        raise InvalidTasksError(field, rule, index=(i, j), value=float(between[i, j]))
    return between


def _end(name: object, row: int, side: int, index: dict[str, int]) -> int:
    if not isinstance(name, Hashable) or name not in index:
        raise InvalidTasksError(
            "links",
            f"must name a node or an access point{nearest(str(name), index)}",
            index=(row, side),
            value=name,
        )
    return index[str(name)]
