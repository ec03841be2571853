"""One node after the other takes the fees at which its customers would just stay: block-coordinate ascent.

With all other fees fixed, no fees of a node give a better bound than what its tasks are willing to pay, which is
what their best way without the node costs more. Of what an item earns the node beyond the one it displaces, a part
``LEAVE`` is left to the task, so that the next nodes see who is wanted where. A sweep over all nodes costs about as
much as a few steps of the subgradient and is worth tens of them from a poor start; repeated, it stalls.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, outlined
from slicewright.placement._kernels.bound import NOISE, counts_at, make_work, sort_items
from slicewright.placement._kernels.earnings import CLASSES, LEVELS

LEAVE = 0.2


@outlined
def ask_willingness(problem, copies, fee, want, j):
    """Set the fees of node j to what every task would pay at most."""
    for k in range(problem.count.size):
        if copies.classes[k, j] == 0:
            continue
        other = problem.rejection[k]
        for q in range(copies.classes[k, j]):
            want[q] = np.inf
        for c in range(problem.count[k]):
            if problem.cost[k, c] >= other:
                break
            a, b = problem.node[k, c, 0], problem.node[k, c, 1]
            first, second = copies.label[k, c, 0], copies.label[k, c, 1]
            if a == j:
                want[first] = min(want[first], problem.cost[k, c] + fee[k, b, second])
            elif b == j:
                want[second] = min(want[second], problem.cost[k, c] + fee[k, a, first])
            else:
                other = min(other, problem.cost[k, c] + fee[k, a, first] + fee[k, b, second])
        for q in range(copies.classes[k, j]):
            fee[k, j, q] = max(0.0, other - want[q])


@outlined
def earn(problem, copies, fee, work, j, level, paying):
    """What node j earns at a level, and the fee per arrival rate at which it is full, 0 if it is not."""
    room, earned = copies.capacity[j, level], 0.0
    work.counter[0] += 1
    for i in range(paying):
        item = work.order[j, i]
        k, q = item // CLASSES, item % CLASSES
        if not counts_at(copies, work.stamp, work.counter, j, level, k, q):
            continue
        if problem.arrival[k] > room * (1.0 + NOISE):
            density = fee[k, j, q] / problem.arrival[k]
            return earned + density * room, density
        earned += fee[k, j, q]
        room -= problem.arrival[k]
    return earned, 0.0


@outlined
def give_back(problem, copies, fee, work, j, paying, earned, density, above):
    """Leave the tasks of node j a part of what it would lose without them; raise what it does not serve."""
    levels = copies.levels[j]
    most = 0.0
    for level in range(levels):
        earned[level], density[level] = earn(problem, copies, fee, work, j, level, paying)
    for level in range(levels - 1, -1, -1):
        above[level] = most
        most = max(most, earned[level])
    for i in range(paying):
        item = work.order[j, i]
        k, q = item // CLASSES, item % CLASSES
        rank = copies.rank[k, j, q]
        served, unserved = -np.inf, above[rank]
        for level in range(rank + 1):
            margin = fee[k, j, q] - problem.arrival[k] * density[level]
            served = max(served, earned[level] + min(0.0, margin))
            unserved = max(unserved, earned[level] - max(0.0, margin))
        fee[k, j, q] = max(0.0, fee[k, j, q] - LEAVE * (served - unserved))


@kernel
def sweep(problem, copies, fee):
    """(K, J + 1, CLASSES) fees after one pass over the nodes."""
    work = make_work(problem, copies)
    want = np.zeros(CLASSES)
    earned, density, above = np.zeros(LEVELS + 1), np.zeros(LEVELS + 1), np.zeros(LEVELS + 1)
    swept = fee.copy()
    for j in range(problem.n_nodes):
        ask_willingness(problem, copies, swept, want, j)
        paying = sort_items(problem, swept, work, j)
        if paying > 0:
            give_back(problem, copies, swept, work, j, paying, earned, density, above)
    return swept
