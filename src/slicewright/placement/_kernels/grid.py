"""The candidates of all tasks as a table, options by tasks, and what they cost at given levels and prices of nodes.

With every node's level given, placement is a linear programme with one capacity per node, and its dual has one price
per node. In a table whose columns are tasks, the cheapest option of every task at given prices is found by running
along rows, which processors do several tasks at a time: ten times as fast as task after task.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.placement._kernels.problem import REJECTED

MEMORY = 0.4  # of the last direction in the next
FIRST_AIM = 1.0  # of the first value: how much more is aimed at
LEAST = 0.02  # of the target: what counts as the first value where that is smaller
GROW = 2.0  # of what is aimed at: where at least half of it came
SHRINK = 0.6  # of what is aimed at: where ``PATIENCE`` passes led nowhere
PATIENCE = 2
NOTICED = 0.1  # of what was aimed at: a value that is better by this much


class Grid(NamedTuple):
    """O options that some task may take, by K tasks, with room for what follows from levels and prices."""

    first: Any  # (O,) int64, node
    second: Any  # (O,) int64, node
    cost: Any  # (O, K) bit hops, infinite where the task has no such candidate
    rank: Any  # (O, 2, K) int32, the highest level that either side bears
    label: Any  # (O, 2, K) int32, class of either side
    uses: Any  # (J + 1,) int64, how many options use each node
    option: Any  # (J + 1, O) int64, which
    open: Any  # (O, K) bit hops, infinite where the levels of the nodes do not let the task in
    arrival: Any  # (K,) 1/s
    rejection: Any  # (K,) bit hops
    paid: Any  # (K,) bit hops, what the cheapest option costs with what is paid for room
    choice: Any  # (K,) int64, that option
    demand: Any  # (J + 1,) 1/s, arrivals at each node by these choices, less what the node takes
    direction: Any  # (J + 1,) of the prices
    kept: Any  # (J + 1,) the best prices


@kernel
def make_grid(problem, copies, n_options):
    """The table of a problem, every node at its lowest level."""
    n_tasks, nodes = problem.count.size, problem.n_nodes
    row = np.full(n_options, -1)
    count = 0
    for k in range(n_tasks):
        for c in range(problem.count[k]):
            o = problem.option[k, c]
            if row[o] < 0:
                row[o] = count
                count += 1
    first, second = np.full(count, nodes), np.full(count, nodes)
    cost = np.full((count, n_tasks), np.inf)
    rank = np.zeros((count, 2, n_tasks), dtype=np.int32)
    label = np.zeros((count, 2, n_tasks), dtype=np.int32)
    for k in range(n_tasks):
        for c in range(problem.count[k]):
            o = row[problem.option[k, c]]
            first[o], second[o] = problem.node[k, c, 0], problem.node[k, c, 1]
            cost[o, k] = problem.cost[k, c]
            for side in range(2):
                j, q = problem.node[k, c, side], copies.label[k, c, side]
                label[o, side, k] = q
                rank[o, side, k] = copies.rank[k, j, q]
    uses, option = np.zeros(nodes + 1, dtype=np.int64), np.zeros((nodes + 1, count), dtype=np.int64)
    for o in range(count):
        option[first[o], uses[first[o]]] = o
        uses[first[o]] += 1
        if second[o] != first[o]:
            option[second[o], uses[second[o]]] = o
            uses[second[o]] += 1
    return Grid(
        first,
        second,
        cost,
        rank,
        label,
        uses,
        option,
        cost.copy(),
        problem.arrival,
        problem.rejection,
        np.empty(n_tasks),
        np.empty(n_tasks, dtype=np.int64),
        np.zeros(nodes + 1),
        np.zeros(nodes + 1),
        np.zeros(nodes + 1),
    )


@outlined
def let_in(cost, rank, other_rank, level, other_level, row):
    """A row of the table at the levels of its nodes."""
    for k in range(row.size):
        row[k] = cost[k] if (rank[k] >= level) & (other_rank[k] >= other_level) else np.inf


@outlined
def open_node(grid, level, j):
    """Bring the table's rows of node j up to date with the levels (J + 1,)."""
    for i in range(grid.uses[j]):
        o = grid.option[j, i]
        a, b = grid.first[o], grid.second[o]
        let_in(grid.cost[o], grid.rank[o, 0], grid.rank[o, 1], level[a], level[b], grid.open[o])


@outlined
def offer(row, arrival, fee, paid):
    """Let every task take an option if it is cheaper than what it has."""
    for k in range(row.size):
        value = row[k] + arrival[k] * fee
        paid[k] = value if value < paid[k] else paid[k]


@outlined
def offer_as(row, arrival, fee, paid, choice, o):
    """Let every task take option ``o`` if it is cheaper than what it has, and note which it took."""
    for k in range(row.size):
        value = row[k] + arrival[k] * fee
        better = value < paid[k]
        paid[k] = value if better else paid[k]
        choice[k] = o if better else choice[k]


@outlined
def choose(grid, price):
    """The cheapest option of every task at the prices (J + 1,), in ``paid`` and ``choice``; returns the sum."""
    for k in range(grid.paid.size):
        grid.paid[k], grid.choice[k] = grid.rejection[k], REJECTED
    for o in range(grid.first.size):
        fee = price[grid.first[o]] + price[grid.second[o]]
        offer_as(grid.open[o], grid.arrival, fee, grid.paid, grid.choice, o)
    total = 0.0
    for k in range(grid.paid.size):
        total += grid.paid[k]
    return total


@outlined
def choose_without(grid, price, j):
    """What every task pays at least without node j, in ``paid``; returns the sum."""
    for k in range(grid.paid.size):
        grid.paid[k] = grid.rejection[k]
    for o in range(grid.first.size):
        if grid.first[o] != j and grid.second[o] != j:
            fee = price[grid.first[o]] + price[grid.second[o]]
            offer(grid.open[o], grid.arrival, fee, grid.paid)
    total = 0.0
    for k in range(grid.paid.size):
        total += grid.paid[k]
    return total


@inlined
def room_of(copies, level, j):
    """1/s. What may arrive at node j at its level."""
    return copies.floor[j, level[j]] if copies.levels[j] > 0 else 0.0


@outlined
def value_of(grid, copies, level, price):
    """The dual value of the prices at these levels, in bit hops; ``demand`` receives what is asked for too much."""
    nodes = copies.levels.size
    total = choose(grid, price)
    grid.demand[nodes] = 0.0
    for j in range(nodes):
        room = room_of(copies, level, j)
        grid.demand[j] = -room
        total -= price[j] * room
    for k in range(grid.choice.size):
        o = grid.choice[k]
        if o != REJECTED:
            grid.demand[grid.first[o]] += grid.arrival[k]
            grid.demand[grid.second[o]] += grid.arrival[k]
    return total


@outlined
def fit_prices(grid, copies, level, price, target, passes, smallest):
    """Raise the dual value at fixed levels by changing prices (J + 1,); returns the best value.

    Ends after ``passes``, when the value meets ``target``, or when less is aimed at than the part ``smallest`` of the
    value. Polyak's step towards what is aimed at, along a direction that remembers the last ones. What is known to be
    above the value may be several times as much, and steps that aim there find nothing: the aim follows the value.
    """
    nodes = copies.levels.size
    best, aim, waiting = -np.inf, 0.0, 0
    for j in range(nodes):
        grid.direction[j] = 0.0
    for turn in range(passes):
        value = value_of(grid, copies, level, price)
        if turn == 0:
            aim = min(target - value, FIRST_AIM * max(abs(value), LEAST * abs(target)))
        waiting = waiting + 1
        if value > best + NOTICED * aim:
            waiting = 0
        if value > best:
            if turn > 0 and value > best + 0.5 * aim:
                aim *= GROW
            best = value
            for j in range(nodes):
                grid.kept[j] = price[j]
        if waiting >= PATIENCE:
            aim, waiting = aim * SHRINK, 0
        if best >= target or aim < smallest * abs(best) or turn + 1 >= passes:
            break
        norm = 0.0
        for j in range(nodes):
            d = grid.demand[j] + MEMORY * grid.direction[j]
            grid.direction[j] = 0.0 if price[j] <= 0.0 and d < 0.0 else d
            norm += grid.direction[j] * grid.direction[j]
        if norm <= 0.0:
            break
        step = (min(target, best + aim) - value) / norm
        for j in range(nodes):
            price[j] = max(0.0, price[j] + step * grid.direction[j])
    for j in range(nodes):
        price[j] = grid.kept[j]
    return best
