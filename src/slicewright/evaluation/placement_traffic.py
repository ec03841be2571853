"""Which way the bits of a placement go: the traffic of every link, split by where it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from slicewright.placement.problem.options import REJECTED
from slicewright.placement.problem.tasks import Tasks
from slicewright.types import IntArray

Hop = tuple[str, str]


@dataclass
class Flows:
    """Bits on every hop between two names, as far as anything flows there.

    Attributes:
        partial: bits of tasks that are divided among COINs, or placed on one.
        full: bits of tasks that go whole to a MEC server.
    """

    partial: dict[Hop, float] = field(default_factory=dict)
    full: dict[Hop, float] = field(default_factory=dict)


def traffic(tasks: Tasks, choice: IntArray) -> Flows:
    """Bits per hop of the shortest paths from access point to the nearer node and on to the other one.

    Without links the hops are the direct ways between names.
    """
    topology, options = tasks.topology, tasks.options
    flows = Flows()
    routes = _Routes(tasks)
    for k in np.flatnonzero((choice != REJECTED) & (choice != options.device)):
        nodes = options.nodes_of(int(choice[k]))
        reach = topology.access_point_to_node[tasks.access_point[k]]
        sooner = topology.reach_s_per_bit[tasks.access_point[k]]
        ordered = sorted(nodes, key=lambda j: (float(reach[j]), float(sooner[j])))
        stops = [topology.access_points[tasks.access_point[k]], *(topology.nodes[j] for j in ordered)]
        into = flows.full if options.full[choice[k]] else flows.partial
        for start, end in pairwise(stops):
            for hop in routes.between(start, end):
                into[hop] = into.get(hop, 0.0) + float(tasks.size_bits[k])
    return flows


class _Routes:
    """Shortest paths as lists of hops; names of a hop are in the order of the link."""

    def __init__(self, tasks: Tasks) -> None:
        import networkx

        self.links = {frozenset(link[:2]): (link.start, link.end) for link in tasks.topology.links}
        self.paths: dict[str, dict[str, list[str]]] = {}
        self.graph = networkx.Graph()
        self.graph.add_weighted_edges_from(link[:3] for link in tasks.topology.links)

    def between(self, start: str, end: str) -> list[Hop]:
        if not self.links:
            return [(start, end)]
        if start not in self.paths:
            import networkx

            self.paths[start] = networkx.single_source_dijkstra_path(self.graph, start)
        path = self.paths[start][end]
        return [self.links[frozenset(pair)] for pair in pairwise(path)]
