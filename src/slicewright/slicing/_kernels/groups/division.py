"""Division: two groups divide their devices anew, in the best of all ways there are.

Where one node takes a dozen devices, who shares a slice with whom is a number partition: divisions that no move of
one or two devices improves are several percent above the best one of the very same devices. Two groups of twelve
devices have four thousand divisions, which tables of sums over either half of the devices make a few nanoseconds
each, in loops that compile to vectors.

For variant "device", in which groups have nothing to do with each other. Prices count 13b only as far as it forbids;
the best division is therefore judged by true costs, and undone if it does not pay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined, random_below
from slicewright.slicing._kernels.best_response import TOLERANCE
from slicewright.slicing._kernels.members import NOBODY, has
from slicewright.slicing._kernels.problem import (
    CAPACITY,
    FLOOR,
    OWN,
    ROOT,
    join_group,
    leave_group,
    update_costs,
)

FEWEST = 2
"""A group of fewer devices has no part in it: single moves and reassignments deal with those."""
HALF = 6
"""Of more than twice as many devices in two groups, those that joined last are divided anew."""
PARTNERS = 32
"""A group divides with so many others: all at published sizes, random ones in large networks."""
# Rows of Division.low and Division.high: what a subset that changes sides adds to the sums of either group.
ROOT_HERE, ROOT_THERE, LEFT_HERE, LEFT_THERE, SPARE_HERE, SPARE_THERE = range(6)


class Division(NamedTuple):
    """The devices of two groups, and what changes when a subset of them changes sides."""

    device: Any  # (2 HALF,) int64
    low: Any  # (6, 2^HALF) by subset of the first half of the devices
    high: Any  # (6, 2^HALF) of the second
    cost: Any  # (2^HALF,) s, the least of all subsets of the second half
    chosen: Any  # (2^HALF,) int64, that subset
    dirty: Any  # (N * J,) bool, groups whose devices changed since they were divided


@kernel
def make_division(problem):
    """Allocate."""
    size = 1 << HALF
    return Division(
        np.empty(2 * HALF, np.int64), np.zeros((6, size)), np.zeros((6, size)), np.empty(size),
        np.empty(size, np.int64), np.ones(problem.capacity.size, np.bool_),
    )  # fmt: skip


@inlined
def gather(state, division, g, h):
    """Write down the devices of two groups, as many as there is room for; how many."""
    count = 0
    for group in (g, h):
        member = state.head[group]
        while member != NOBODY and count < division.device.size:
            division.device[count] = member
            count += 1
            member = state.after[member]
    return count


@inlined
def tabulate(problem, state, division, table, first, count, g, h):
    """Sums over every subset of ``count`` devices, from the one at ``first`` on, that change sides between g and h."""
    for k in range(count):
        i = division.device[first + k]
        here, there = g // problem.n_nodes, h // problem.n_nodes
        to = 1.0 if state.group[i] == h else -1.0  # into the first group, or out of it
        half = 1 << k
        for row, n, sign in ((0, here, to), (1, there, -to)):
            work, root = problem.work[i, n], problem.work_root[i, n]
            load = problem.arrival[i] * work
            least = load + work / problem.local_time[i]
            for m in range(half):
                table[ROOT_HERE + row, half + m] = table[ROOT_HERE + row, m] + sign * root
                table[LEFT_HERE + row, half + m] = table[LEFT_HERE + row, m] - sign * load
                table[SPARE_HERE + row, half + m] = table[SPARE_HERE + row, m] - sign * least


@inlined
def price_divisions(division, high, size, root_g, root_h, left_g, left_h, spare_g, spare_h):
    """Keep, for every subset of the first half, the cost if it is less with subset ``high`` of the second."""
    low, cost, chosen = division.low, division.cost, division.chosen
    for m in range(size):
        here, there = left_g + low[LEFT_HERE, m], left_h + low[LEFT_THERE, m]
        one, two = root_g + low[ROOT_HERE, m], root_h + low[ROOT_THERE, m]
        price = one * one / here + two * two / there
        spare, too = spare_g + low[SPARE_HERE, m], spare_h + low[SPARE_THERE, m]
        fits = (here > 0.0) & (there > 0.0) & (spare >= 0.0) & (too >= 0.0) & (price < cost[m])
        cost[m] = price if fits else cost[m]
        chosen[m] = high if fits else chosen[m]


@outlined
def best_division(problem, state, division, g, h, count):
    """The subset that should change sides, as bits; 0 if the groups are divided best already."""
    s, high = state.sums, division.high
    few = count // 2
    tabulate(problem, state, division, division.low, 0, few, g, h)
    tabulate(problem, state, division, high, few, count - few, g, h)
    size = 1 << few
    left_g, left_h = s[CAPACITY, g] - s[OWN, g], s[CAPACITY, h] - s[OWN, h]
    now = s[ROOT, g] * s[ROOT, g] / left_g + s[ROOT, h] * s[ROOT, h] / left_h
    for m in range(size):
        division.cost[m] = np.inf
    for m in range(1 << (count - few)):
        price_divisions(
            division, m, size, s[ROOT, g] + high[ROOT_HERE, m], s[ROOT, h] + high[ROOT_THERE, m],
            left_g + high[LEFT_HERE, m], left_h + high[LEFT_THERE, m],
            left_g - s[FLOOR, g] + high[SPARE_HERE, m], left_h - s[FLOOR, h] + high[SPARE_THERE, m],
        )  # fmt: skip
    best, choice = now * (1.0 - TOLERANCE), 0
    for m in range(size):
        if division.cost[m] < best:
            best, choice = division.cost[m], (division.chosen[m] << few) | m
    return choice


@inlined
def change_sides(problem, state, division, g, h, count, subset):
    """Move the devices of a subset to the other group; once more undoes it."""
    for k in range(count):
        if (subset >> k) & 1:
            i = division.device[k]
            target = h if state.group[i] == g else g
            leave_group(problem, state, i)
            join_group(problem, state, i, target)
    update_costs(problem, state, g % problem.n_nodes)
    update_costs(problem, state, h % problem.n_nodes)


@inlined
def cost_of_nodes(problem, state, g, h):
    """s, of the nodes of two groups."""
    one, two = g % problem.n_nodes, h % problem.n_nodes
    return state.node_cost[one] + (state.node_cost[two] if two != one else 0.0)


@outlined
def divide(problem, state, division, g, h):
    """Divide the devices of two groups in the best way; what is saved, s."""
    count = gather(state, division, g, h)
    subset = best_division(problem, state, division, g, h, count)
    if subset == 0:
        return 0.0
    before = cost_of_nodes(problem, state, g, h)
    change_sides(problem, state, division, g, h, count, subset)
    saved = before - cost_of_nodes(problem, state, g, h)
    if saved > TOLERANCE * before:
        return saved
    change_sides(problem, state, division, g, h, count, subset)
    return 0.0


@outlined
def divide_each(problem, state, division, random, deadline):
    """Groups that changed divide with others until nothing helps; what is saved, s."""
    saved, dirty, n_groups = 0.0, division.dirty, problem.capacity.size
    g, quiet = 0, 0
    while quiet < n_groups and now_ns() < deadline:
        quiet += 1
        if dirty[g]:
            dirty[g] = False
            begin = random_below(random, n_groups)
            for d in range(min(n_groups, PARTNERS)):
                h = begin + d if begin + d < n_groups else begin + d - n_groups
                # a partner that changed as well looks at this pair when its turn comes
                if h != g and not dirty[h] and has(state, g, FEWEST) and has(state, h, FEWEST):
                    gain = divide(problem, state, division, g, h)
                    if gain > 0.0:
                        saved += gain
                        dirty[g] = dirty[h] = True
                        quiet = 0
        g = g + 1 if g + 1 < n_groups else 0
    return saved
