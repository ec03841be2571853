"""What a group's devices cost where 13b may hold some of them: water-filling (model page 1.3).

A group is a list of members (``members``): number k, or (node, slice) where its planner keeps them so.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, outlined
from slicewright.slicing._kernels.members import NOBODY


@inlined
def cost_at_level(level, free_root, free, fixed_cost):
    """Cost of a group filled to ``level``: infinite if the floors exceed what there is, negative where it has to fall.

    Args:
        level: s, 1 / sqrt(cycles), up to which devices are not held by their floor.
        free_root, free: of these, the sum of sqrt(L) and the capacity that others leave them.
        fixed_cost: s, of those that their floor holds.
    """
    if free < 0.0 or (free_root > 0.0 and free <= 0.0):
        return np.inf
    if free_root == 0.0:
        return fixed_cost
    if free >= level * free_root * (1.0 - 1e-14):
        return fixed_cost + free_root * free_root / free
    return -1.0


@inlined
def count_at_level(level, root, tau, free_root, free, fixed_cost):
    """What is free and fixed at ``level`` (:func:`cost_at_level`) once a device is counted that needs 1 / ``tau``."""
    if root > level * tau:
        return free_root, free - root * root / tau, fixed_cost + tau
    return free_root + root, free, fixed_cost


@outlined
def filled_cost(problem, state, k, n, available, extra):
    """Cost of group k, of slice n, and of device ``extra`` with it unless NOBODY, when 13b may bind.

    Water-filling: x_i = max(1 / tau_i, nu / sqrt(L_i)) with sum L_i x_i = ``available``. Devices whose floor lies
    above the common level are fixed at it and the level falls for the others, which can only fix more: the loop
    ends. Returns infinity when the floors alone exceed what is available.
    """
    level = np.inf
    while True:
        free_root, free, fixed_cost = 0.0, available, 0.0
        member = state.head[k] if extra == NOBODY else extra
        at_extra = extra != NOBODY
        while member != NOBODY:
            root, tau = problem.work_root[member, n], problem.local_time[member]
            free_root, free, fixed_cost = count_at_level(level, root, tau, free_root, free, fixed_cost)
            member = state.head[k] if at_extra else state.after[member]
            at_extra = False
        cost = cost_at_level(level, free_root, free, fixed_cost)
        if cost >= 0.0:
            return cost
        level = free / free_root


@inlined
def peak_of(problem, state, k, n):
    """The largest sqrt(L) / tau of group k, of slice n, 0 if it is empty: 13b binds nowhere above it."""
    peak, member = 0.0, state.head[k]
    while member != NOBODY:
        peak = max(peak, problem.work_root[member, n] / problem.local_time[member])
        member = state.after[member]
    return peak
