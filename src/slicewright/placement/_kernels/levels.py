"""Which level each node should run at, and the one price at which it is then full.

With every node's level given, placement is an assignment with one capacity per node: a linear programme whose
solution is whole for all but a few tasks, and whose dual has one price per node (:mod:`.grid`). With the others'
levels and prices fixed, a node knows at which level its customers pay most, and what the programme's value would be
at least: only levels that promise less than the value so far are worth a look at the whole programme.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.placement._kernels.bound import NOISE, counts_at, sort_falling
from slicewright.placement._kernels.earnings import CLASSES, earn_at_levels, new_earnings
from slicewright.placement._kernels.grid import (
    choose_without,
    fit_prices,
    open_node,
    room_of,
)

PROMISE = 1e-4  # relative: what another level must promise to be looked at
PASSES = 40  # over the table, to find the prices of other levels
SMALLEST_AIM = 2e-3  # relative: of what the prices gain yet


class Levels(NamedTuple):
    """What the nodes have settled on, and working arrays."""

    level: Any  # (J + 1,) int64, the level of each node
    price: Any  # (J + 1,) bit hops per arrival rate
    before: Any  # (J + 1,) prices to go back to
    order: Any  # (K * CLASSES,) int64, items (task * CLASSES + class) by falling value per arrival rate
    value: Any  # (K * CLASSES,)
    stamp: Any  # (K,) int64, the last count under which a task was taken
    counter: Any  # (1,) int64
    want: Any  # (K * CLASSES,) bit hops, what the cheapest candidate costs that uses a node by each item
    earnings: Any  # of one node at a time


@kernel
def new_levels(problem):
    """Every node at its lowest level, for nothing."""
    n_tasks = problem.count.size
    return Levels(
        np.zeros(problem.n_nodes + 1, dtype=np.int64),
        np.zeros(problem.n_nodes + 1),
        np.zeros(problem.n_nodes + 1),
        np.zeros(n_tasks * CLASSES, dtype=np.int64),
        np.zeros(n_tasks * CLASSES),
        np.zeros(n_tasks, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(n_tasks * CLASSES),
        new_earnings(n_tasks),
    )


@inlined
def ask(cost, other_rank, label, arrival, level, fee, want):
    """What the items of a node would cost by one option, but for what the node itself takes."""
    for k in range(cost.size):
        if other_rank[k] >= level:
            value = cost[k] + arrival[k] * fee
            item = k * CLASSES + label[k]
            want[item] = value if value < want[item] else want[item]


@outlined
def list_customers(copies, grid, levels, j):
    """Items that would pay node j something, by falling value per arrival rate; returns how many, and the sum
    that all tasks pay without the node."""
    want, n = levels.want, 0
    total = choose_without(grid, levels.price, j)
    for item in range(want.size):
        want[item] = np.inf
    for i in range(grid.uses[j]):
        o = grid.option[j, i]
        side = 0 if grid.first[o] == j else 1
        other = grid.second[o] if side == 0 else grid.first[o]
        ask(
            grid.cost[o],
            grid.rank[o, 1 - side],
            grid.label[o, side],
            grid.arrival,
            levels.level[other],
            levels.price[other],
            want,
        )
    for k in range(grid.paid.size):
        for q in range(copies.classes[k, j]):
            item = k * CLASSES + q
            if want[item] < grid.paid[k]:
                levels.value[item] = (grid.paid[k] - want[item]) / grid.arrival[k]
                levels.order[n] = item
                n += 1
    sort_falling(levels.order, levels.value, n)
    return n, total


@outlined
def fill_level(copies, grid, levels, j, level, n):
    """What node j earns at a level, and the price at which it is full, 0 if it is not."""
    room, earned = copies.floor[j, level], 0.0
    levels.counter[0] += 1
    for i in range(n):
        item = levels.order[i]
        k, q = item // CLASSES, item % CLASSES
        if not counts_at(copies, levels.stamp, levels.counter, j, level, k, q):
            continue
        own = grid.arrival[k]
        if own > room * (1.0 + NOISE):
            return earned + levels.value[item] * room, levels.value[item]
        earned += levels.value[item] * own
        room -= own
    return earned, 0.0


@outlined
def best_level(copies, grid, levels, j, n):
    """Of node j, from its ``n`` customers: (level at which it earns most, what it earns, the price there)."""
    earnings = levels.earnings
    earn_at_levels(
        copies.rank,
        grid.arrival,
        copies.floor[j],
        copies.levels[j],
        levels.order,
        levels.value,
        n,
        j,
        earnings,
    )
    choice = levels.level[j]
    for level in range(copies.levels[j]):
        if earnings.earned[level] > earnings.earned[choice]:
            choice = level
    earned, price = fill_level(copies, grid, levels, j, choice, n)
    return choice, earned, price


@kernel
def settle(copies, grid, levels, fixed, sweeps, deadline):
    """Let node after node take the level at which it earns most, until none changes, at most ``sweeps`` times.

    Quick and rough: nobody looks at the prices of the whole. Two sweeps are made whatever the time: after one, the
    first nodes have not seen the prices of the others.
    """
    nodes = copies.levels.size
    for j in range(nodes):
        open_node(grid, levels.level, j)
    for turn in range(sweeps):
        if turn > 1 and now_ns() >= deadline:
            break
        changed = False
        for j in range(nodes):
            if copies.levels[j] == 0:
                continue
            n, _ = list_customers(copies, grid, levels, j)
            choice, _, price = best_level(copies, grid, levels, j, n)
            if fixed[j]:
                _, levels.price[j] = fill_level(copies, grid, levels, j, levels.level[j], n)
                continue
            levels.price[j] = price
            if choice != levels.level[j]:
                changed = True
                levels.level[j] = choice
                open_node(grid, levels.level, j)
        if turn > 0 and not changed:
            break


@kernel
def value_at(copies, grid, levels, target, passes):
    """The value of the programme at the levels, at most about ``target``, and in ``levels`` the prices that show it."""
    for j in range(copies.levels.size):
        open_node(grid, levels.level, j)
    return fit_prices(grid, copies, levels.level, levels.price, target, passes, SMALLEST_AIM)


@outlined
def respond(copies, grid, levels, fixed, value, begin, deadline):
    """Give nodes that are not ``fixed`` (J,) better levels until none has one; returns the programme's value."""
    nodes = copies.levels.size  # the table is up to date with the levels, before and afterwards
    idle, j = 0, begin
    while idle < nodes and now_ns() < deadline:
        j = (j + 1) % nodes
        idle += 1
        if fixed[j] or copies.levels[j] < 2:
            continue
        n, promised = list_customers(copies, grid, levels, j)
        choice, earned, price = best_level(copies, grid, levels, j, n)
        promised -= earned
        for i in range(nodes):
            if i != j:
                promised -= levels.price[i] * room_of(copies, levels.level, i)
        before = levels.level[j]
        if choice == before or promised >= value - PROMISE * abs(value):
            continue
        for i in range(nodes):
            levels.before[i] = levels.price[i]
        levels.level[j], levels.price[j] = choice, price
        open_node(grid, levels.level, j)
        reached = fit_prices(grid, copies, levels.level, levels.price, value, PASSES, SMALLEST_AIM)
        if reached < value - PROMISE * abs(value):
            value, idle = reached, 0
        else:
            levels.level[j] = before
            for i in range(nodes):
                levels.price[i] = levels.before[i]
            open_node(grid, levels.level, j)
    return value


@kernel
def settled_regrets(problem, copies, levels, regret, rejected):
    """Fill in what each candidate (K, C) costs more than the cheapest at the prices, and rejection (K,).

    What the levels forbid is regretted infinitely.
    """
    for k in range(problem.count.size):
        own, best = problem.arrival[k], problem.rejection[k]
        for c in range(problem.count[k]):
            cost = problem.cost[k, c]
            for side in range(2):
                j = problem.node[k, c, side]
                if copies.rank[k, j, copies.label[k, c, side]] < levels.level[j]:
                    cost = np.inf
                cost += own * levels.price[j]
            regret[k, c] = cost
            best = min(best, cost)
        for c in range(problem.count[k]):
            regret[k, c] -= best
        rejected[k] = problem.rejection[k] - best
