"""Every way to place a task: pairs of COINs, single nodes, its own device, their costs and what they ask of queues.

All constraints of the model are linear in the arrival rate ``Lambda_j`` of a node: a task that uses node j in
some way caps ``Lambda_j`` at that way's service rate less the inverse of the longest time it may take there, which
is what sending leaves of its deadline. A device is a queue of its own, with the arrivals of its task alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slicewright.placement.problem._kernels.ways import ask_of_tasks
from slicewright.placement.problem.topology import Topology
from slicewright.types import BoolArray, FloatArray, IntArray

REJECTED = -1
"""The option index of a task that is not placed, and the second node of an option that has only one."""
ON_DEVICE = -1
"""The only entry of the nodes of an option that executes a task on its own device."""


@dataclass(frozen=True, eq=False)
class Options:
    """O ways to place each of K tasks; side 0 is the first node of an option, side 1 the second.

    Attributes:
        nodes: (O, 2) node of each side, -1 where there is no second node; -1 twice for the task's own device.
        full: (O,) whether the option is a full offload to a MEC server.
        cost: (K, O) bit hops: network cost (8), over the cheaper order of a pair; or what the device counts.
        rate: (K, O, 2) 1/s. Service rate of the task on each side; infinite where there is no side.
        sent_s: (K, O, 2) s until the task is at each side; 0 where sending takes no time, or there is no side.
        idle_partial_s: (K,) s. The best idle partial offload of each task, infinite if there is none (9b).
        limit: (K, O, 2) 1/s. The largest Lambda of the side's node, for the device of its own arrivals, under which
            9b, 9d and 9e hold; minus infinity where sending alone takes too long.
        order: (A, O) options from cheap to dear for every task of an access point: costs are sizes times lengths.
            The device comes last, wherever its cost would put it.
        device: the option of the task's own device, ``REJECTED`` if no task's executes anything. It is the last.
    """

    nodes: IntArray
    full: BoolArray
    cost: FloatArray
    rate: FloatArray
    sent_s: FloatArray
    idle_partial_s: FloatArray
    limit: FloatArray
    order: IntArray
    device: int = REJECTED

    @property
    def count(self) -> int:
        """O."""
        return int(self.full.size)

    @property
    def in_network(self) -> int:
        """How many options use nodes of the network; they come first."""
        return self.count if self.device == REJECTED else self.device

    @cached_property
    def index(self) -> dict[tuple[int, ...], int]:
        """Option of a set of nodes, which is written in ascending order."""
        return {self.nodes_of(o): o for o in range(self.count)}

    def nodes_of(self, option: int) -> tuple[int, ...]:
        """The nodes of an option in ascending order; none for a rejected task, ``ON_DEVICE`` for its own device."""
        if option == REJECTED:
            return ()
        if option == self.device:
            return (ON_DEVICE,)
        first, second = map(int, self.nodes[option])
        return (first,) if second < 0 else (first, second)


def list_options(
    topology: Topology,
    *,
    access_point: IntArray,
    size_bits: FloatArray,
    cycles: FloatArray,
    deadline_s: FloatArray,
    split: str,
    uplink_s: FloatArray | None = None,
    device_capacity_hz: FloatArray | None = None,
    device_cost: FloatArray | None = None,
) -> Options:
    """The options of K tasks: pairs of COINs (or single COINs without splitting), each MEC, the tasks' own devices."""
    coins, mecs = topology.coins, topology.mecs
    if split == "none":
        partial = np.column_stack([coins, np.full(coins.size, -1)])
    else:
        i, j = np.triu_indices(coins.size, k=1)
        partial = np.column_stack([coins[i], coins[j]])
    nodes = np.concatenate([partial, np.column_stack([mecs, np.full(mecs.size, -1)])]).astype(np.int64)
    full = np.arange(len(nodes)) >= len(partial)
    lengths, pace = _ways(topology, nodes)
    speed, which = np.unique(_speeds(topology, nodes, split), return_inverse=True)
    cost, rate, sent_s, idle_partial_s, limit = ask_of_tasks(
        lengths,
        pace,
        nodes >= 0,
        full,
        speed,
        which.reshape(nodes.shape),
        access_point,
        size_bits,
        cycles,
        deadline_s,
        np.zeros(cycles.size) if uplink_s is None else uplink_s,
    )
    order = np.argsort(lengths, axis=1, kind="stable")
    options = Options(nodes, full, cost, rate, sent_s, idle_partial_s, limit, order)
    if device_capacity_hz is None:
        return options
    return _with_devices(options, device_capacity_hz / cycles, deadline_s, device_cost)


def _limits(rate: FloatArray, left_s: FloatArray) -> FloatArray:
    """1/s. The most that may arrive where a task is served at ``rate`` within what is left of its time."""
    inverse = np.full(np.broadcast_shapes(rate.shape, left_s.shape), np.inf)
    np.divide(1.0, left_s, out=inverse, where=left_s > 0.0)
    with np.errstate(invalid="ignore"):
        limit = rate - inverse
    return np.where(np.isnan(limit), -np.inf, limit)


def _with_devices(
    options: Options, rate: FloatArray, deadline_s: FloatArray, cost: FloatArray | None
) -> Options:
    """The options and, behind them, each task's own device, which serves at ``rate`` (K,) 1/s."""
    tasks = rate.size
    counts = np.zeros(tasks) if cost is None else cost
    return Options(
        nodes=np.concatenate([options.nodes, [[-1, -1]]]),
        full=np.append(options.full, False),
        cost=np.concatenate([options.cost, counts[:, None]], axis=1),
        rate=_behind(options.rate, rate),
        sent_s=np.concatenate([options.sent_s, np.zeros((tasks, 1, 2))], axis=1),
        idle_partial_s=options.idle_partial_s,
        limit=_behind(options.limit, _limits(rate, deadline_s)),
        order=np.column_stack([options.order, np.full(len(options.order), options.count)]),
        device=options.count,
    )


def _behind(before: FloatArray, values: FloatArray) -> FloatArray:
    """(K, O + 1, 2) what was there, and behind it the values (K,) of an option with one side."""
    only = np.stack([values, np.full(values.size, np.inf)], axis=1)
    return np.concatenate([before, only[:, None]], axis=1)


def _ways(topology: Topology, nodes: IntArray) -> tuple[FloatArray, FloatArray]:
    """(A, O) how far a bit travels, and (A, O, 2) s/bit until it is at each side.

    To the nearer node of a pair, the sooner reached of two equally near, and on to the other; or to the only node.
    All of the task goes both ways, as the cost (8) has it.
    """
    reach, between = topology.access_point_to_node, topology.node_to_node
    first, second = nodes.T
    paired = second >= 0
    onward = np.where(paired, between[first, second], 0.0)
    nearer = np.where(paired, np.minimum(reach[:, first], reach[:, second]), reach[:, first])
    pace, on = topology.reach_s_per_bit, topology.between_s_per_bit
    sooner = (reach[:, first] == reach[:, second]) & (pace[:, first] <= pace[:, second])
    begins = ~paired | (reach[:, first] < reach[:, second]) | sooner
    start = np.where(begins, pace[:, first], pace[:, second])
    end = start + np.where(paired, on[first, second], 0.0)
    arrival = np.stack([np.where(begins, start, end), np.where(begins, end, start)], axis=2)
    return np.asarray(nearer + onward), arrival


def _speeds(topology: Topology, nodes: IntArray, split: str) -> FloatArray:
    """(O, 2) cycle/s at which a side serves whole tasks: its speed over its part of the work.

    Work divided in proportion to the speeds makes both sides take as long as one node with the sum of the
    speeds; equal halves make each side twice as fast as it is alone.
    """
    first, second = nodes.T
    paired = second >= 0
    speed = topology.capacity_hz[nodes]
    both = 2.0 * speed if split == "equal" else np.repeat(speed.sum(axis=1, keepdims=True), 2, axis=1)
    alone = np.column_stack([topology.capacity_hz[first], np.full(first.size, np.inf)])
    return np.where(paired[:, None], both, alone)
