"""Every way to place a task: pairs of COINs, single nodes, their costs and what they ask of the queues.

All constraints of the model are linear in the arrival rate ``Lambda_j`` of a node: a task that uses node j in
some way caps ``Lambda_j`` at that way's service rate less the inverse of the longest delay it may take.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slicewright.placement.problem.topology import Topology
from slicewright.types import BoolArray, FloatArray, IntArray

REJECTED = -1
"""The option index of a task that is not placed, and the second node of an option that has only one."""


@dataclass(frozen=True, eq=False)
class Options:
    """O ways to place each of K tasks; side 0 is the first node of an option, side 1 the second.

    Attributes:
        nodes: (O, 2) node of each side, -1 where there is no second node.
        full: (O,) whether the option is a full offload to a MEC server.
        cost: (K, O) bit hops: network cost (8), over the cheaper order of a pair.
        rate: (K, O, 2) 1/s. Service rate of the task on each side; infinite where there is no side.
        idle_partial_s: (K,) s. The best idle partial offload of each task, infinite if there is none (9b).
        limit: (K, O, 2) 1/s. The largest Lambda of the side's node under which 9b, 9d and 9e hold.
        order: (A, O) options from cheap to dear for every task of an access point: costs are sizes times lengths.
    """

    nodes: IntArray
    full: BoolArray
    cost: FloatArray
    rate: FloatArray
    idle_partial_s: FloatArray
    limit: FloatArray
    order: IntArray

    @property
    def count(self) -> int:
        """O."""
        return int(self.full.size)

    @cached_property
    def index(self) -> dict[tuple[int, ...], int]:
        """Option of a set of nodes, which is written in ascending order."""
        return {self.nodes_of(o): o for o in range(self.count)}

    def nodes_of(self, option: int) -> tuple[int, ...]:
        """The nodes of an option in ascending order; none for a rejected task."""
        if option == REJECTED:
            return ()
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
) -> Options:
    """The options of K tasks: all pairs of COINs (or single COINs without splitting), then each MEC."""
    coins, mecs = topology.coins, topology.mecs
    if split == "none":
        partial = np.column_stack([coins, np.full(coins.size, -1)])
    else:
        i, j = np.triu_indices(coins.size, k=1)
        partial = np.column_stack([coins[i], coins[j]])
    nodes = np.concatenate([partial, np.column_stack([mecs, np.full(mecs.size, -1)])]).astype(np.int64)
    full = np.arange(len(nodes)) >= len(partial)
    lengths = _lengths(topology, nodes)
    cost = size_bits[:, None] * lengths[access_point]
    rate = _speeds(topology, nodes, split)[None] / cycles[:, None, None]
    idle_partial_s = np.full(cycles.size, np.inf)
    if len(partial):
        idle_partial_s = 1.0 / rate[:, ~full].min(axis=2).max(axis=1)
    longest_s = np.where(full[None], np.minimum(deadline_s, idle_partial_s)[:, None], deadline_s[:, None])
    limit = rate - 1.0 / longest_s[:, :, None]
    order = np.argsort(lengths, axis=1, kind="stable")
    return Options(nodes, full, cost, rate, idle_partial_s, limit, order)


def _lengths(topology: Topology, nodes: IntArray) -> FloatArray:
    """(A, O) how far a bit travels: to the nearer node of a pair and on to the other, or to the only node."""
    reach, between = topology.access_point_to_node, topology.node_to_node
    first, second = nodes.T
    paired = second >= 0
    onward = np.where(paired, between[first, second], 0.0)
    nearer = np.where(paired, np.minimum(reach[:, first], reach[:, second]), reach[:, first])
    return np.asarray(nearer + onward)


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
