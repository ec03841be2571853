"""What the size-free network sees of a problem: every number a ratio, so that no unit and no size is built in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slicewright.models.placement._kernels.inputs import pack
from slicewright.placement.problem.tasks import Tasks

BLOCKED = 1e4
"""The cost of an option that cannot serve the task in time even alone: its probability is zero."""
MOST = 6.0
"""Limits of more than so many even loads, and detours of more than so many mean costs, are all the same."""
Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class QueueInputs:
    """K tasks, O options, J nodes.

    Attributes:
        cost: (K, O) cost over the mean cheapest cost; ``BLOCKED`` where the task would be late even alone.
        limit: (K, O, 2) largest Lambda of either side's node over an even load, at most ``MOST``.
        pair: (K, J, 4) of the cheapest way through a node its detour and limit, the largest limit of any way, reach.
        task: (K, 4) cheapest cost, its limit, size over mean size, arrival rate over mean rate.
        node: (J, 2) log speed over mean speed, 1 for a MEC server.
        first, second: (O, J) 1 where the node is the first, second node of the option.
    """

    cost: Array
    limit: Array
    pair: Array
    task: Array
    node: Array
    first: Array
    second: Array


def queue_inputs(tasks: Tasks) -> QueueInputs:
    """Pack a problem for the size-free network."""
    options, topology = tasks.options, tasks.topology
    reach = topology.access_point_to_node[tasks.access_point]
    cost, limit, pair, own = pack(
        options.cost,
        options.nodes,
        options.limit,
        tasks.arrival_rate_hz,
        reach,
        topology.n_nodes,
        BLOCKED,
        MOST,
    )
    rate, size = tasks.arrival_rate_hz, tasks.size_bits
    task = np.concatenate([own, (size / size.mean())[:, None], (rate / rate.mean())[:, None]], axis=1)
    speed = topology.capacity_hz
    mec = np.zeros(topology.n_nodes)
    mec[topology.mecs] = 1.0
    node = np.column_stack([np.log(speed / speed.mean()), mec])
    everyone = np.arange(topology.n_nodes)
    first, second = ((options.nodes[:, [side]] == everyone).astype(np.float32) for side in range(2))
    return QueueInputs(cost, limit, pair, task.astype(np.float32), node.astype(np.float32), first, second)
