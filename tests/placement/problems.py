"""Placement problems for tests: small random ones, the reference instances, and an oracle."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st

from slicewright.placement import Link, Tasks, Topology, linked_topology, placement_preset, tasks_to_dict
from tests import shared

HERE = Path(__file__).parent
REFERENCE = next(
    folder
    for folder in (shared.REFERENCE / "placement", HERE / "reference")
    if (folder / "optima.json").exists()
)
"""Public instances with proven optima: all where they are at hand, else the copies of some."""
Way: TypeAlias = tuple[tuple[int, ...], float, dict[int, float], dict[int, float]]
DEVICE = -1


def reference_optima() -> list[dict[str, Any]]:
    return list(json.loads((REFERENCE / "optima.json").read_text()))


def with_links(topology: Topology, links: Sequence[Link]) -> Topology:
    """The same nodes and access points with other links between them."""
    return linked_topology(
        links,
        capacity_hz=topology.capacity_hz,
        nodes=topology.nodes,
        access_points=topology.access_points,
        kinds=topology.kinds,
    )


def by_distances(tasks: Tasks) -> dict[str, object]:
    """The document of the same tasks with distances instead of links."""
    document = tasks_to_dict(tasks)
    del document["links"]
    topology = tasks.topology
    document["distance"] = {
        "access_point_to_node": topology.access_point_to_node.tolist(),
        "node_to_node": topology.node_to_node.tolist(),
    }
    for name in ("access_point_to_node_s_per_bit", "node_to_node_s_per_bit"):
        if getattr(topology, name) is not None:
            document["distance"][name] = getattr(topology, name).tolist()
    return document


@st.composite
def small_tasks(draw: st.DrawFn, *, most_tasks: int = 3) -> Tasks:
    """Few tasks on a small network under a wide range of loads, in all variants."""
    load = draw(st.sampled_from(["light", "paper", "tight", "impossible"]))
    every: dict[str, dict[str, Any]] = {
        "light": {"deadline_s": (0.2, 0.5)},
        "paper": {},
        "tight": {"deadline_s": (0.03, 0.06), "arrival_rate_hz": (2.0, 8.0)},
        "impossible": {"deadline_s": (0.001, 0.02), "mec_capacity_hz": (1e9, 3e9)},
    }
    return placement_preset(
        tasks=draw(st.integers(1, most_tasks)),
        seed=draw(st.integers(0, 10_000)),
        lower_coins=draw(st.integers(2, 3)),
        upper_coins=draw(st.integers(1, 2)),
        access_points=draw(st.integers(1, 3)),
        mecs=draw(st.integers(0, 1)),
        split=draw(st.sampled_from(["proportional", "equal", "none"])),
        lower_capacity_hz=(4e8, 7e8),
        **every[load],
        **draw(st.sampled_from(BESIDE)),
    )


BESIDE: list[dict[str, Any]] = [
    {},
    {"uplink_bps": (5e8, 2e9)},
    {"uplink_bps": (2e9, 9e9), "link_bps": (2e9, 2e10)},
    {"device_capacity_hz": (2e8, 2e9), "device_cost_hops": (0.5, 5.0)},
    {"device_capacity_hz": (2e8, 4e9), "uplink_bps": (2e9, 9e9), "link_bps": (5e9, 2e10)},
]
"""What tasks may say of sending and of their devices, or nothing."""


def cheapest_by_enumeration(tasks: Tasks) -> float:
    """The smallest objective over all placements, by trying every one with the formulas of the model page.

    Shares no code with the library beyond the problem's own arrays.
    """
    ways = [_ways(tasks, k) for k in range(tasks.n_tasks)]
    return min(
        sum(cost for _, cost, _, _ in plan) for plan in itertools.product(*ways) if _holds(tasks, plan)
    )


def _ways(tasks: Tasks, k: int) -> list[Way]:
    """(nodes, cost, service rate at each, longest time at each) of the ways to place task k or reject it."""
    topology = tasks.topology
    size, work, deadline = tasks.size_bits[k], tasks.cycles[k], tasks.deadline_s[k]
    reach = topology.access_point_to_node[tasks.access_point[k]]
    sending = arrival_times(tasks, k)
    speed = topology.capacity_hz
    ways: list[Way] = []
    idle = math.inf
    coins = [int(j) for j in topology.coins]
    pairs = [(c,) for c in coins] if tasks.split == "none" else list(itertools.combinations(coins, 2))
    for used in pairs:
        cost, rates = size * reach[used[0]], {used[0]: speed[used[0]] / work}
        if len(used) == 2:
            c1, c2 = used
            cost = size * (min(reach[c1], reach[c2]) + topology.node_to_node[c1, c2])
            rates = dict.fromkeys(used, (speed[c1] + speed[c2]) / work)
            if tasks.split == "equal":
                rates = {c: speed[c] / (work / 2) for c in used}
        sent = sending(used)
        ways.append((used, cost, rates, {c: deadline - sent[c] for c in used}))
        idle = min(idle, max(sent[c] + 1 / rates[c] for c in used))
    for m in map(int, topology.mecs):
        left = {m: min(deadline, idle) - sending((m,))[m]}
        ways.append(((m,), size * reach[m], {m: speed[m] / work}, left))
    if tasks.device_capacity_hz is not None and tasks.device_capacity_hz[k] > 0:
        costs = 0.0 if tasks.device_cost_bit_hops is None else tasks.device_cost_bit_hops[k]
        ways.append(
            ((DEVICE - k,), costs, {DEVICE - k: tasks.device_capacity_hz[k] / work}, {DEVICE - k: deadline})
        )
    farthest = topology.access_point_to_node.max() + topology.node_to_node.max()
    return [*ways, ((), 10 * size * farthest, {}, {})]


def arrival_times(tasks: Tasks, k: int) -> Callable[[tuple[int, ...]], dict[int, float]]:
    """When task k is at each of the nodes it is sent to, by walking every simple path of the graph."""
    import networkx

    topology, size = tasks.topology, float(tasks.size_bits[k])
    up = 0.0 if tasks.uplink_bps is None else size / float(tasks.uplink_bps[k])
    graph = networkx.MultiGraph()
    for link in topology.links:
        takes = 0.0 if link.rate_bps is None else size / link.rate_bps
        graph.add_edge(link.start, link.end, length=link.length, seconds=takes)
    timed = any(link.rate_bps for link in topology.links)

    def seconds(start: str, end: str) -> float:
        if start == end or not timed:
            return 0.0
        best = (math.inf, math.inf)
        for path in networkx.all_simple_edge_paths(graph, start, end):
            lengths = sum(graph.edges[edge]["length"] for edge in path)
            best = min(best, (round(lengths, 9), sum(graph.edges[edge]["seconds"] for edge in path)))
        return best[1]

    a = int(tasks.access_point[k])
    ingress, names = topology.access_points[a], topology.nodes

    def times(used: tuple[int, ...]) -> dict[int, float]:
        reached = {j: up + seconds(ingress, names[j]) for j in used}
        if len(used) == 1:
            return reached
        near, far = sorted(used, key=lambda j: (topology.access_point_to_node[a, j], reached[j]))
        return {near: reached[near], far: reached[near] + seconds(names[near], names[far])}

    return times


def _holds(tasks: Tasks, plan: tuple[Way, ...]) -> bool:
    arrivals: dict[int, float] = {}
    for k, (nodes, _, _, _) in enumerate(plan):
        for j in nodes:
            arrivals[j] = arrivals.get(j, 0.0) + tasks.arrival_rate_hz[k]
    for _, _, rates, longest in plan:
        for j, rate in rates.items():
            if rate <= arrivals[j] or 1 / (rate - arrivals[j]) > longest[j] * (1 + 1e-9):
                return False
    return True
