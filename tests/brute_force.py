"""The slowest and plainest way: try every decision vector. Shares no code with the kernels."""

from __future__ import annotations

import itertools
import math
from functools import cache, partial
from typing import TypeAlias

from slicewright.network import Scenario
from slicewright.slicing import Decisions

Choice: TypeAlias = tuple[int, int, int]
"""Access point, node and slice of one device; -1 three times if it computes locally."""


def cost_of(scenario: Scenario, decisions: Decisions) -> float:
    """Least system cost of a decision vector over all shares, infinite if none is feasible (model page 1.3)."""
    columns = (decisions.access_point.tolist(), decisions.node.tolist(), decisions.slice.tolist())
    return _Costs(scenario).of(tuple(zip(*columns, strict=True)))


def optimum(scenario: Scenario) -> float:
    """The least cost over all decisions."""
    costs = _Costs(scenario)
    return min(costs.of(vector) for vector in itertools.product(*_choices(scenario)))


def _choices(scenario: Scenario) -> list[list[Choice]]:
    """What each device may do."""
    return [
        [(-1, -1, -1)]
        + [
            (a, j, n)
            for a in range(scenario.n_access_points)
            for j in range(scenario.n_nodes)
            for n in range(scenario.n_slices)
            if scenario.rate_bps[i, a] > 0 and scenario.node_capacity_hz[j, n] > 0
        ]
        for i in range(scenario.n_devices)
    ]


class _Costs:
    """What decisions cost. An access point or a node depends on its users alone: each set is worked out once."""

    def __init__(self, scenario: Scenario) -> None:
        self.local_s = scenario.local_time_s.tolist()
        self.point_s = cache(partial(_access_point_s, scenario))
        self.node_s = cache(partial(_node_s, scenario))

    def of(self, vector: tuple[Choice, ...]) -> float:
        """The least cost of one decision vector."""
        total = 0.0
        on_point: dict[int, tuple[int, ...]] = {}
        on_node: dict[int, tuple[tuple[int, int], ...]] = {}
        for i, (a, j, n) in enumerate(vector):
            if j < 0:
                total += self.local_s[i]
            else:
                on_point[a] = (*on_point.get(a, ()), i)
                on_node[j] = (*on_node.get(j, ()), (i, n))
        total += sum(self.point_s(a, users) for a, users in on_point.items())
        return total + sum(self.node_s(j, users) for j, users in on_node.items())


def _access_point_s(scenario: Scenario, a: int, users: tuple[int, ...]) -> float:
    """Transmission time of the devices that use an access point, together."""
    return float(sum(math.sqrt(scenario.task_bits[i] / scenario.rate_bps[i, a]) for i in users) ** 2)


def _node_s(scenario: Scenario, j: int, users: tuple[tuple[int, int], ...]) -> float:
    """Execution time of the devices on a node, each in its slice, together."""
    arrivals = float(sum(scenario.arrival_rate_hz[i] for i, _ in users))
    total = 0.0
    for n in range(scenario.n_slices):
        members = [i for i, slice_ in users if slice_ == n]
        total += _group(
            [float(scenario.slice_cycles[i, n]) for i in members],
            [float(scenario.local_time_s[i]) for i in members],
            [
                arrivals if scenario.queueing == "node" else float(scenario.arrival_rate_hz[i])
                for i in members
            ],
            float(scenario.node_capacity_hz[j, n]),
        )
    return total


def _group(work: list[float], tau: list[float], queue: list[float], capacity: float) -> float:
    """min sum 1/x with sum L x <= budget, x >= 1/tau, by bisection on the common level."""
    if not work:
        return 0.0
    budget = capacity - sum(load * rate for load, rate in zip(work, queue, strict=True))
    floors = [load / time for load, time in zip(work, tau, strict=True)]
    if budget < sum(floors) or budget <= 0:
        return math.inf

    def surplus(level: float) -> list[float]:
        return [max(1 / time, level / math.sqrt(load)) for load, time in zip(work, tau, strict=True)]

    def used(level: float) -> float:
        return sum(load * x for load, x in zip(work, surplus(level), strict=True))

    low, high = 0.0, budget / min(math.sqrt(load) for load in work)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if used(middle) <= budget else (low, middle)
    return sum(1 / x for x in surplus(low))
