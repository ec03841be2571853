"""The arrays of a live city, with room for devices that come: one slot each, and what is in use as a scenario."""

from __future__ import annotations

from typing import Any

import numpy as np

from slicewright.network.scenario import NodeLists, Scenario
from slicewright.slicing.city._kernels.problem import Problem
from slicewright.types import FloatArray, IntArray


def with_room(packed: Problem, slots: int, *, links: int, nodes: int) -> Problem:
    """The same problem with room for more devices and longer lists, every list in a place of its own.

    Args:
        packed: the problem.
        slots: devices that there is room for.
        links, nodes: entries in each device's lists of access points and of nodes.
    """
    devices = packed.local_time.size

    def widened(start: IntArray, end: IntArray, width: int, *columns: Any) -> tuple[Any, ...]:
        at = np.arange(slots) * width
        stop = at.copy()
        stop[:devices] += end - start
        rows = np.repeat(np.arange(devices), end - start)
        inside = np.arange(rows.size) - np.repeat(np.cumsum(end - start) - (end - start), end - start)
        filled = []
        for column in columns:
            wide = np.zeros(slots * width, dtype=column.dtype)
            wide[at[rows] + inside] = column[start[rows] + inside]
            filled.append(wide)
        return (at, stop, *filled)

    def longer(array: FloatArray) -> FloatArray:
        more = np.zeros((slots, *array.shape[1:]))
        more[:devices] = array
        return more

    link = widened(packed.link_start, packed.link_end, links, packed.access_point, packed.link_root)
    node = widened(packed.node_start, packed.node_end, nodes, packed.node)
    return packed._replace(
        link_start=link[0],
        link_end=link[1],
        access_point=link[2],
        link_root=link[3],
        node_start=node[0],
        node_end=node[1],
        node=node[2],
        work=longer(packed.work),
        work_root=longer(packed.work_root),
        local_time=longer(packed.local_time),
        arrival=longer(packed.arrival),
    )


def scenario_of(slots: IntArray, problem: Problem, task: FloatArray, begun_with: Scenario) -> Scenario:
    """Some devices and all nodes as a scenario.

    Args:
        slots: (k,) the devices.
        problem: arrays of :func:`with_room`.
        task: (3, slots) bits, local cycles, and local capacity in cycle/s.
        begun_with: has what never changes.
    """
    from scipy import sparse

    p = problem
    links = _ranges(p.link_start[slots], p.link_end[slots])
    pairs = _ranges(p.node_start[slots], p.node_end[slots])
    link_start = np.concatenate([[0], np.cumsum(p.link_end[slots] - p.link_start[slots])])
    node_start = np.concatenate([[0], np.cumsum(p.node_end[slots] - p.node_start[slots])])
    bits, cycles, speed = task[:, slots]
    rates = np.repeat(bits, np.diff(link_start)) / p.link_root[links] ** 2
    return begun_with.with_(
        task_bits=bits,
        local_cycles=cycles,
        local_capacity_hz=speed,
        arrival_rate_hz=p.arrival[slots],
        slice_cycles=p.work[slots],
        rate_bps=sparse.csr_array(
            (rates, p.access_point[links], link_start), shape=(slots.size, p.n_access_points)
        ),
        node_capacity_hz=p.capacity.copy(),
        node_lists=NodeLists(node_start, p.node[pairs]),
        sites=type(begun_with.sites)(),
        radio=None,
    )


def _ranges(start: IntArray, end: IntArray) -> IntArray:
    """The indices of all ranges, one after the other."""
    lengths = end - start
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(start - before, lengths))
