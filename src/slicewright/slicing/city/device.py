"""A device of a live city, as it joins or changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.scenario import Scenario
from slicewright.slicing.city._kernels.problem import Problem
from slicewright.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Device:
    """What a device says of itself when it joins or changes; candidates rise within their lists.

    Attributes:
        task_bits, local_cycles, local_capacity_hz, arrival_rate_hz: bit, cycle, cycle/s, 1/s.
        slice_cycles: (N,) cycle.
        access_points, rate_bps: (k,) candidates and their rates in bit/s.
        nodes: (m,) candidates.
    """

    task_bits: float
    local_cycles: float
    local_capacity_hz: float
    arrival_rate_hz: float
    slice_cycles: FloatArray
    access_points: IntArray
    rate_bps: FloatArray
    nodes: IntArray

    @classmethod
    def of(cls, scenario: Scenario, i: int, *, factor: float = 1.0) -> Self:
        """Device i of a city, its tasks ``factor`` times as large."""
        links, nodes = scenario.links, scenario.node_lists
        if nodes is None:
            raise InvalidScenarioError("devices.nodes", "must be given: only cities list nodes")
        near, usable = slice(links.start[i], links.start[i + 1]), slice(nodes.start[i], nodes.start[i + 1])
        return cls(
            task_bits=scenario.task_bits[i] * factor,
            local_cycles=scenario.local_cycles[i] * factor,
            local_capacity_hz=scenario.local_capacity_hz[i],
            arrival_rate_hz=scenario.arrival_rate_hz[i],
            slice_cycles=scenario.slice_cycles[i] * factor,
            access_points=links.access_point[near],
            rate_bps=links.rate_bps[near],
            nodes=nodes.node[usable],
        )


def check_device(device: Device, problem: Problem, *, links: int, nodes: int) -> None:
    """Refuse what no scenario would hold.

    Args:
        device: to be checked.
        problem: of the city that it is for.
        links, nodes: most candidates of a device that there is room for.

    Raises:
        InvalidScenarioError: a number breaks its rule, or there are too many candidates.
    """
    numbers = np.array(
        [device.task_bits, device.local_cycles, device.local_capacity_hz, device.arrival_rate_hz]
    )
    for name, values in (
        ("devices", numbers),
        ("slice_cycles", device.slice_cycles),
        ("rate_bps", device.rate_bps),
    ):
        if not (np.isfinite(values) & (np.asarray(values) > 0)).all():
            raise InvalidScenarioError(name, "must be positive and finite")
    for name, items, count, width in (
        ("access_points", device.access_points, problem.n_access_points, links),
        ("nodes", device.nodes, len(problem.capacity), nodes),
    ):
        rising = np.diff(items, prepend=-1) > 0
        if len(items) > width or not rising.all() or (len(items) and items[-1] >= count):
            raise InvalidScenarioError(name, f"must be at most {width} indices below {count}, rising")
    known = len(device.rate_bps) == len(device.access_points)
    if not known or len(device.slice_cycles) != problem.work.shape[1]:
        raise InvalidScenarioError("devices", "must have a rate per access point and work per slice")
