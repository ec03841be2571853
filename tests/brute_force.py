"""The slowest and plainest way: try every decision vector. Shares no code with the kernels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from slicewright.network import Scenario
from slicewright.slicing import Decisions


def all_decisions(scenario: Scenario) -> Iterator[Decisions]:
    """Every decision vector of a small scenario."""
    choices = [
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
    for vector in itertools.product(*choices):
        yield Decisions(*np.array(vector, dtype=np.int64).T)


def cost_of(scenario: Scenario, decisions: Decisions) -> float:
    """Least system cost of a decision vector over all shares, infinite if none is feasible (model page 1.3)."""
    total = 0.0
    for a in range(scenario.n_access_points):
        roots = [
            math.sqrt(scenario.task_bits[i] / scenario.rate_bps[i, a])
            for i in range(scenario.n_devices)
            if decisions.access_point[i] == a
        ]
        total += sum(roots) ** 2
    for j in range(scenario.n_nodes):
        on_node = [i for i in range(scenario.n_devices) if decisions.node[i] == j]
        arrivals = sum(scenario.arrival_rate_hz[i] for i in on_node)
        for n in range(scenario.n_slices):
            members = [i for i in on_node if decisions.slice[i] == n]
            queue = [
                arrivals if scenario.queueing == "node" else scenario.arrival_rate_hz[i] for i in members
            ]
            total += _group(
                [scenario.slice_cycles[i, n] for i in members],
                [scenario.local_time_s[i] for i in members],
                queue,
                scenario.node_capacity_hz[j, n],
            )
    return total + sum(
        float(scenario.local_time_s[i]) for i in range(scenario.n_devices) if decisions.node[i] < 0
    )


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


def optimum(scenario: Scenario) -> float:
    """The least cost over all decisions."""
    return min(cost_of(scenario, decisions) for decisions in all_decisions(scenario))
