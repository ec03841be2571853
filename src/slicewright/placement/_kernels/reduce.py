"""What a bound and a placement leave of a problem: only what a better placement could still use.

If taking a candidate, or running a node at a level, raises the bound above the best known objective, no better
placement does so. Candidates go; a node's lowest level left is the least limit its users may have, and its highest
the most that may arrive. What is left is smaller and has a better bound.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel
from slicewright.placement._kernels.problem import NOISE, Problem


@kernel
def remaining_levels(copies, level_regret, room):
    """(J + 1,) each: the lowest level left of every node, and in 1/s the most that may arrive there."""
    nodes = copies.levels.size
    lowest, most = np.zeros(nodes + 1, dtype=np.int64), np.zeros(nodes + 1)
    most[nodes] = np.inf
    for j in range(nodes):
        lowest[j] = copies.levels[j]
        for level in range(copies.levels[j] - 1, -1, -1):
            if level_regret[j, level] <= room:
                most[j] = max(most[j], copies.capacity[j, level])
                lowest[j] = level
    return lowest, most


@kernel
def reduced(problem, copies, allowed, lowest, most):
    """The problem of the ``allowed`` candidates (K, C) that the nodes take, and (K, C) their indices in the old one."""
    n_tasks = problem.count.size
    count = np.zeros(n_tasks, dtype=np.int64)
    kept = np.zeros(problem.cost.shape, dtype=np.int64)
    for k in range(n_tasks):
        for c in range(problem.count[k]):
            usable = allowed[k, c]
            for side in range(2):
                j = problem.node[k, c, side]
                usable = usable and copies.rank[k, j, copies.label[k, c, side]] >= lowest[j]
            if usable:
                kept[k, count[k]] = c
                count[k] += 1
    width = max(1, count.max())
    option = np.zeros((n_tasks, width), dtype=np.int64)
    cost, limit = np.full((n_tasks, width), np.inf), np.full((n_tasks, width, 2), np.inf)
    node = np.full((n_tasks, width, 2), problem.n_nodes)
    for k in range(n_tasks):
        for i in range(count[k]):
            c = kept[k, i]
            option[k, i], cost[k, i] = problem.option[k, c], problem.cost[k, c]
            for side in range(2):
                j = problem.node[k, c, side]
                node[k, i, side] = j
                limit[k, i, side] = min(problem.limit[k, c, side], most[j] * (1.0 + NOISE))
    return (
        Problem(count, option, cost, node, limit, problem.rejection, problem.arrival, problem.n_nodes),
        kept,
    )


@kernel
def carried_fees(problem, kept, before, fee, copies):
    """(K, J + 1, CLASSES) fees of the reduced problem's copies from those of the old one's copies ``before``."""
    carried = np.zeros(copies.rank.shape)
    for k in range(problem.count.size):
        for i in range(problem.count[k]):
            for side in range(2):
                j, q = problem.node[k, i, side], copies.label[k, i, side]
                carried[k, j, q] = max(carried[k, j, q], fee[k, j, before.label[k, kept[k, i], side]])
    return carried
