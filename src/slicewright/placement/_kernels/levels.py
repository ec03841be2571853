"""Which level each node should run at, and the one price at which it is then full.

With every node's level given, placement is an assignment with one capacity per node: a linear programme whose
solution is whole for all but a few tasks, and whose dual has one price per node. Node after node, with the others'
levels and prices fixed, picks the level at which its customers pay most and the price at which it is just full.
This is quick and near, but it ends where no single node wants another level; searches begin it from several places.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.placement._kernels.bound import CLASSES, LEVELS, NOISE, counts_at, sort_falling


class Levels(NamedTuple):
    """What the nodes have settled on, and working arrays."""

    level: Any  # (J + 1,) int64, the level of each node
    price: Any  # (J + 1,) bit hops per arrival rate
    order: Any  # (K * CLASSES,) int64, items (task * CLASSES + class) by falling value per arrival rate
    value: Any  # (K * CLASSES,)
    stamp: Any  # (K,) int64, the last count under which a task was taken
    counter: Any  # (1,) int64
    want: Any  # (CLASSES,)
    open_to: Any  # (LEVELS + 1,)
    slot: Any  # (K, C, 2) int32, node * LEVELS + the highest level that either side of a candidate bears
    fee: Any  # ((J + 1) * LEVELS,) bit hops per arrival rate: the node's price, infinite below its level


@kernel
def new_levels(problem, copies):
    """Every node at its lowest level, for nothing."""
    n_tasks = problem.count.size
    slot = np.empty(problem.node.shape, dtype=np.int32)
    for k in range(n_tasks):
        for c in range(problem.count[k]):
            for side in range(2):
                j = problem.node[k, c, side]
                slot[k, c, side] = j * LEVELS + copies.rank[k, j, copies.label[k, c, side]]
    return Levels(
        np.zeros(problem.n_nodes + 1, dtype=np.int64),
        np.zeros(problem.n_nodes + 1),
        np.zeros(n_tasks * CLASSES, dtype=np.int64),
        np.zeros(n_tasks * CLASSES),
        np.zeros(n_tasks, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(CLASSES),
        np.zeros(LEVELS + 1),
        slot,
        np.zeros((problem.n_nodes + 1) * LEVELS),
    )


@inlined
def set_fees(levels, j):
    """The fees of node j, from its level and price."""
    for level in range(LEVELS):
        levels.fee[j * LEVELS + level] = levels.price[j] if level >= levels.level[j] else np.inf


@outlined
def list_customers(problem, copies, levels, j):
    """Items that would pay node j something, by falling value per arrival rate; returns how many."""
    want, slot, fee, n = levels.want, levels.slot, levels.fee, 0
    own_slots = np.int32(j * LEVELS)
    for level in range(LEVELS):
        fee[own_slots + level] = 0.0
    for k in range(problem.count.size):
        if copies.classes[k, j] == 0:
            continue
        own, other = problem.arrival[k], problem.rejection[k]
        for q in range(copies.classes[k, j]):
            want[q] = np.inf
        for c in range(problem.count[k]):
            cost = problem.cost[k, c]
            if cost >= other:
                break
            first, second = slot[k, c, 0], slot[k, c, 1]
            cost += own * (fee[first] + fee[second])
            if own_slots <= first < own_slots + LEVELS:
                want[copies.label[k, c, 0]] = min(want[copies.label[k, c, 0]], cost)
            elif own_slots <= second < own_slots + LEVELS:
                want[copies.label[k, c, 1]] = min(want[copies.label[k, c, 1]], cost)
            else:
                other = min(other, cost)
        for q in range(copies.classes[k, j]):
            if want[q] < other:
                item = k * CLASSES + q
                levels.value[item] = (other - want[q]) / own
                levels.order[n] = item
                n += 1
    sort_falling(levels.order, levels.value, n)
    return n


@outlined
def fill_level(problem, copies, levels, j, level, n):
    """What node j earns at a level, and the price at which it is full, 0 if it is not."""
    room, earned = copies.floor[j, level], 0.0
    levels.counter[0] += 1
    for i in range(n):
        item = levels.order[i]
        k, q = item // CLASSES, item % CLASSES
        if not counts_at(copies, levels.stamp, levels.counter, j, level, k, q):
            continue
        own = problem.arrival[k]
        if own > room * (1.0 + NOISE):
            return earned + levels.value[item] * room, levels.value[item]
        earned += levels.value[item] * own
        room -= own
    return earned, 0.0


@outlined
def settle_node(problem, copies, levels, j, fixed):
    """Let node j pick its level, unless it is ``fixed``, and its price; returns whether the level changed."""
    n = list_customers(problem, copies, levels, j)
    before = levels.level[j]
    best, levels.price[j] = fill_level(problem, copies, levels, j, before, n)
    if fixed:
        return False
    open_to, top = levels.open_to, copies.levels[j]
    for level in range(top + 1):
        open_to[level] = 0.0
    for i in range(n):
        item = levels.order[i]
        k = item // CLASSES
        open_to[copies.rank[k, j, item % CLASSES]] += levels.value[item] * problem.arrival[k]
    for level in range(top - 1, -1, -1):
        open_to[level] += open_to[level + 1]
    at_most, served, i = 0.0, 0.0, 0
    for level in range(top):
        if open_to[level] <= best:
            break
        while i < n and served < copies.floor[j, level]:
            item = levels.order[i]
            served += problem.arrival[item // CLASSES]
            at_most += levels.value[item] * problem.arrival[item // CLASSES]
            i += 1
        if at_most <= best or level == before:
            continue
        earned, price = fill_level(problem, copies, levels, j, level, n)
        if earned > best:
            best, levels.level[j], levels.price[j] = earned, level, price
    return levels.level[j] != before


@kernel
def settle(problem, copies, levels, fixed, sweeps, deadline):
    """Sweep over the nodes until none wants another level, at most ``sweeps`` times; ``fixed`` (J,) keep theirs.

    Two sweeps are made whatever the time: after one, the first nodes have not seen the prices of the others.
    """
    for j in range(problem.n_nodes):
        set_fees(levels, j)
    for turn in range(sweeps):
        if turn > 1 and now_ns() >= deadline:
            break
        changed = False
        for j in range(problem.n_nodes):
            changed = settle_node(problem, copies, levels, j, fixed[j]) or changed
            set_fees(levels, j)
        if turn > 0 and not changed:
            break


@kernel
def settled_regrets(problem, copies, levels, regret, rejected):
    """Fill in what each candidate (K, C) costs more than the cheapest at the prices, and rejection (K,)."""
    total = 0.0
    for j in range(problem.n_nodes):
        total -= levels.price[j] * copies.floor[j, levels.level[j]]
    for k in range(problem.count.size):
        own, best = problem.arrival[k], problem.rejection[k]
        for c in range(problem.count[k]):
            fees = levels.fee[levels.slot[k, c, 0]] + levels.fee[levels.slot[k, c, 1]]
            cost = problem.cost[k, c] + own * fees
            regret[k, c] = cost
            best = min(best, cost)
        for c in range(problem.count[k]):
            regret[k, c] -= best
        rejected[k] = problem.rejection[k] - best
        total += best
    return total
