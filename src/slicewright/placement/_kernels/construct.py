"""Building placements one task at a time: where each is cheapest, or where prices regret it least.

Floors say how patient the users of a node must be: whoever would limit its queue below the floor goes elsewhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.placement._kernels.problem import REJECTED, attach, detach, fits


class Guide(NamedTuple):
    """What the prices of the lower bound say about tasks; the nearer to 0, the likelier in good placements."""

    regret: Any  # (K, C) bit hops, of each candidate
    rejected: Any  # (K,) bit hops, of leaving a task out
    open: Any  # (n,) int64, tasks that have candidates


class Scratch(NamedTuple):
    """Working arrays, allocated once."""

    removed: Any  # (K,) int64
    before: Any  # (K,) int64, candidate of a removed task
    key: Any  # (K,)
    marked: Any  # (K,) bool
    floor: Any  # (J + 1,) 1/s


@kernel
def new_scratch(problem):
    """Nothing removed or marked, and every node may be filled."""
    n_tasks = problem.count.size
    return Scratch(
        np.empty(n_tasks, dtype=np.int64),
        np.empty(n_tasks, dtype=np.int64),
        np.empty(n_tasks),
        np.zeros(n_tasks, dtype=np.bool_),
        np.full(problem.n_nodes + 1, -np.inf),
    )


@inlined
def insert(problem, state, floor, k):
    """Give a rejected task the cheapest candidate that fits and respects the floors."""
    for c in range(problem.count[k]):
        first, second = problem.node[k, c, 0], problem.node[k, c, 1]
        if (
            problem.limit[k, c, 0] >= floor[first]
            and problem.limit[k, c, 1] >= floor[second]
            and fits(problem, state, k, c)
        ):
            attach(problem, state, k, c)
            return problem.cost[k, c]
    return problem.rejection[k]


@outlined
def insert_by_price(problem, state, floor, guide, k, most):
    """Give a rejected task the candidate of least regret that fits and respects the floors, if below ``most``."""
    best, least = REJECTED, most
    for c in range(problem.count[k]):
        if guide.regret[k, c] >= least:
            continue
        first, second = problem.node[k, c, 0], problem.node[k, c, 1]
        if (
            problem.limit[k, c, 0] >= floor[first]
            and problem.limit[k, c, 1] >= floor[second]
            and fits(problem, state, k, c)
        ):
            best, least = c, guide.regret[k, c]
    if best == REJECTED:
        return problem.rejection[k]
    attach(problem, state, k, best)
    return problem.cost[k, best]


@outlined
def sort_removed(scratch, n):
    """The first n removed tasks by ascending key: Shell's sort."""
    removed, key = scratch.removed, scratch.key
    gap = 1
    while 9 * gap < 2 * n:
        gap = (9 * gap + 9) // 4
    while gap > 0:
        for i in range(gap, n):
            item, value, at = removed[i], key[removed[i]], i - gap
            while at >= 0 and key[removed[at]] > value:
                removed[at + gap] = removed[at]
                at -= gap
            removed[at + gap] = item
        gap = (4 * gap - 5) // 9 if gap > 1 else 0


@outlined
def refill(problem, state, scratch):
    """Put all tasks that are off, or could be cheaper, where they fit best, dearest first."""
    n_tasks = problem.count.size
    for k in range(n_tasks):
        c = state.chosen[k]
        gain = (problem.rejection[k] if c == REJECTED else problem.cost[k, c]) - problem.cost[k, 0]
        scratch.key[k] = -gain
        scratch.removed[k] = k
    sort_removed(scratch, n_tasks)
    for i in range(n_tasks):
        k = scratch.removed[i]
        if state.chosen[k] != REJECTED:
            detach(problem, state, k)
        insert(problem, state, scratch.floor, k)


@outlined
def fill_by_price(problem, state, scratch, guide):
    """Put the tasks that are off, those first whose absence is regretted most, where it is regretted least."""
    n = 0
    for i in range(guide.open.size):
        k = guide.open[i]
        if state.chosen[k] == REJECTED:
            scratch.key[k] = -guide.rejected[k]
            scratch.removed[n] = k
            n += 1
    sort_removed(scratch, n)
    for i in range(n):
        k = scratch.removed[i]
        insert_by_price(problem, state, scratch.floor, guide, k, guide.rejected[k])


@outlined
def keep(source, target):
    """Copy; slice assignment would allocate."""
    for k in range(source.size):
        target[k] = source[k]
