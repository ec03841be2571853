"""Labels that do not depend on which of several equally good placements a solver happened to find.

Hop counts tie: many placements cost the same. The canonical label gives every task, in the order of the tasks, the
first option (in the order of ``Tasks.options``) that keeps the objective while all other tasks stay where they are,
again and again until no task changes. The objective stays what it was; every change lowers the vector of options in
lexicographic order, so it ends. Ties that only several tasks together could resolve (two nodes that could swap their
roles) remain.
"""

from __future__ import annotations

import numpy as np

from slicewright.placement.judge import queue_arrivals
from slicewright.placement.problem.options import REJECTED
from slicewright.placement.problem.tasks import Tasks
from slicewright.types import BoolArray, FloatArray, IntArray

SAME = 1e-9
"""Costs, and loads against limits, that differ by at most this part are the same."""


def keeping(tasks: Tasks, choice: IntArray) -> BoolArray:
    """Which options each task could take, all others staying, without changing objective or feasibility.

    Args:
        tasks: the problem.
        choice: (K,) a feasible placement.

    Returns:
        (K, O); the chosen option is always among them, a rejected task has none.
    """
    load, limits = queue_arrivals(tasks, choice), _limits_of_users(tasks, choice)
    lowest = np.sort(limits, axis=0)[:2]
    if len(lowest) < 2:
        lowest = np.vstack([lowest, np.full((1, limits.shape[1]), np.inf)])
    keep = np.zeros(tasks.options.cost.shape, dtype=bool)
    for k in np.flatnonzero(choice >= 0).tolist():
        tight = np.where(limits[k] <= lowest[0], lowest[1], lowest[0])
        keep[k] = _keeping_one(tasks, k, int(choice[k]), load, tight)
    return keep


def canonical(tasks: Tasks, choice: IntArray) -> IntArray:
    """(K,) the canonical placement among those that single moves of equal cost reach from a feasible one."""
    chosen = choice.copy()
    limits, load = _limits_of_users(tasks, chosen), queue_arrivals(tasks, chosen)
    changed = True
    while changed:
        changed = False
        for k in np.flatnonzero(chosen >= 0).tolist():
            old = int(chosen[k])
            others = np.where(np.arange(tasks.n_tasks)[:, None] == k, np.inf, limits)
            first = int(np.argmax(_keeping_one(tasks, k, old, load, others.min(axis=0))))
            if first < old:
                chosen[k], changed = first, True
                limits[k] = _limits_of_users(tasks, chosen, k)[0]
                load = queue_arrivals(tasks, chosen)
    return chosen


def _keeping_one(tasks: Tasks, k: int, option: int, load: FloatArray, tight: FloatArray) -> BoolArray:
    """(O,) options of task k; ``load`` counts task k where it is, ``tight`` (J,) leaves it out."""
    options, rate = tasks.options, tasks.arrival_rate_hz[k]
    used = options.nodes[option]
    before = load.copy()
    before[used[used >= 0]] -= rate
    most = np.minimum(options.limit[k], np.where(options.nodes >= 0, tight[options.nodes], np.inf))
    arrivals = np.where(options.nodes >= 0, before[options.nodes], 0.0) + rate
    fits = (arrivals <= most * (1.0 + SAME)).all(axis=1)
    cost = options.cost[k]
    keep = fits & (np.abs(cost - cost[option]) <= SAME * cost[option])
    keep[option] = True
    return np.asarray(keep)


def _limits_of_users(tasks: Tasks, choice: IntArray, only: int | None = None) -> FloatArray:
    """(K, J) 1/s: the limit that each task sets to each node, infinite where it is not; or one task's, (1, J)."""
    rows = np.arange(tasks.n_tasks) if only is None else np.array([only])
    limits = np.full((rows.size, tasks.topology.n_nodes), np.inf)
    placed = np.flatnonzero(choice[rows] != REJECTED)
    option = choice[rows[placed]]
    for side in range(2):
        node = tasks.options.nodes[option, side]
        there = node >= 0
        limits[placed[there], node[there]] = tasks.options.limit[rows[placed], option, side][there]
    return limits
