"""Placement problems for tests: small random ones, the reference instances, and an oracle."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st

from slicewright.placement import Tasks, placement_preset, tasks_to_dict
from tests import shared

HERE = Path(__file__).parent
REFERENCE = next(
    folder
    for folder in (shared.REFERENCE / "placement", HERE / "reference")
    if (folder / "optima.json").exists()
)
"""Public instances with proven optima: all where they are at hand, else the copies of some."""
Way: TypeAlias = tuple[tuple[int, ...], float, dict[int, float], float]


def reference_optima() -> list[dict[str, Any]]:
    return list(json.loads((REFERENCE / "optima.json").read_text()))


def by_distances(tasks: Tasks) -> dict[str, object]:
    """The document of the same tasks with distances instead of links."""
    document = tasks_to_dict(tasks)
    del document["links"]
    topology = tasks.topology
    document["distance"] = {
        "access_point_to_node": topology.access_point_to_node.tolist(),
        "node_to_node": topology.node_to_node.tolist(),
    }
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
    )


def cheapest_by_enumeration(tasks: Tasks) -> float:
    """The smallest objective over all placements, by trying every one with the formulas of the model page.

    Shares no code with the library beyond the problem's own arrays.
    """
    ways = [_ways(tasks, k) for k in range(tasks.n_tasks)]
    return min(
        sum(cost for _, cost, _, _ in plan) for plan in itertools.product(*ways) if _holds(tasks, plan)
    )


def _ways(tasks: Tasks, k: int) -> list[Way]:
    """(nodes, cost, service rate at each node, longest delay) of the ways to place task k or reject it."""
    topology = tasks.topology
    size, work, deadline = tasks.size_bits[k], tasks.cycles[k], tasks.deadline_s[k]
    reach = topology.access_point_to_node[tasks.access_point[k]]
    speed = topology.capacity_hz
    ways: list[Way] = []
    coins = [int(j) for j in topology.coins]
    if tasks.split == "none":
        ways = [((c,), size * reach[c], {c: speed[c] / work}, deadline) for c in coins]
    else:
        for c1, c2 in itertools.combinations(coins, 2):
            cost = size * (min(reach[c1], reach[c2]) + topology.node_to_node[c1, c2])
            if tasks.split == "equal":
                rates = {c: speed[c] / (work / 2) for c in (c1, c2)}
            else:
                rates = dict.fromkeys((c1, c2), (speed[c1] + speed[c2]) / work)
            ways.append(((c1, c2), cost, rates, deadline))
    idle = min((1 / min(rates.values()) for _, _, rates, _ in ways), default=math.inf)
    for m in topology.mecs:
        ways.append(((int(m),), size * reach[m], {int(m): speed[m] / work}, min(deadline, idle)))
    farthest = topology.access_point_to_node.max() + topology.node_to_node.max()
    return [*ways, ((), 10 * size * farthest, {}, math.inf)]


def _holds(tasks: Tasks, plan: tuple[Way, ...]) -> bool:
    arrivals = dict.fromkeys(range(tasks.topology.n_nodes), 0.0)
    for k, (nodes, _, _, _) in enumerate(plan):
        for j in nodes:
            arrivals[j] += tasks.arrival_rate_hz[k]
    for _, _, rates, longest in plan:
        for j, rate in rates.items():
            if rate <= arrivals[j] or 1 / (rate - arrivals[j]) > longest * (1 + 1e-9):
                return False
    return True
