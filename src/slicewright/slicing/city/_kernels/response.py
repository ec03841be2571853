"""Best response on lists of candidates: what a device asks of its access points and nodes, and the cheapest of it."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, outlined
from slicewright.slicing._kernels.best_response import cheapest_of
from slicewright.slicing._kernels.group_cost import filled_cost
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import LOCAL, join_radio
from slicewright.slicing.city._kernels.problem import (
    FLOOR,
    OWN,
    PEAK,
    ROOT,
    WORK,
    join_group,
    leave_group,
    leave_radio,
    refresh_peaks,
    update_costs,
)

TOLERANCE = 1e-11
"""A move must save more than this part of the sums it is worked out from, or rounding could go round in circles."""


@inlined
def cheapest_link(problem, state, i):
    """The link of device i that costs least: (growth, link)."""
    return cheapest_of(problem, state, problem.link_start[i], problem.link_end[i])


@inlined
def load_with(problem, state, i, j, m, n):
    """Queue load of slice m of node j once device i has joined slice n."""
    s, alpha = state.sums[j], problem.arrival[i]
    extra = problem.work[i, m] if m == n else 0.0
    if problem.shared_queue:
        return (state.arrivals[j] + alpha) * (s[WORK, m] + extra)
    return s[OWN, m] + alpha * extra


@inlined
def binds(problem, state, i, j, n):
    """Whether 13b may bind somewhere on node j once device i has joined slice n."""
    s = state.sums[j]
    for m in range(problem.capacity.shape[1]):
        root, peak = s[ROOT, m], s[PEAK, m]
        if m == n:
            root += problem.work_root[i, m]
            peak = max(peak, problem.work_root[i, m] / problem.local_time[i])
        if problem.capacity[j, m] - load_with(problem, state, i, j, m, n) < peak * root:
            return True
    return False


@outlined
def exact_growth(problem, state, i, j, n):
    """What node j's cost grows by when device i joins slice n, 13b included."""
    total = -state.node_cost[j]
    for m in range(problem.capacity.shape[1]):
        left = problem.capacity[j, m] - load_with(problem, state, i, j, m, n)
        total += filled_cost(problem, state, (j, m), m, left, i if m == n else NOBODY)
    return total


@inlined
def others_growth(problem, state, i, j):
    """What node j's present devices cost more in a queue that device i has joined, 13b not counted."""
    s, total = state.sums[j], -state.node_cost[j]
    for n in range(problem.capacity.shape[1]):
        if s[ROOT, n] > 0.0:
            load = (
                (state.arrivals[j] + problem.arrival[i]) * s[WORK, n] if problem.shared_queue else s[OWN, n]
            )
            left = problem.capacity[j, n] - load
            if left < s[FLOOR, n] or left <= 0.0:
                return np.inf
            total += s[ROOT, n] * s[ROOT, n] / left
    return total


@inlined
def joining_growth(problem, state, i, j, n):
    """What slice n of node j costs more with device i than without, in the queue with i, 13b not counted."""
    s, alpha = state.sums[j], problem.arrival[i]
    work, root = problem.work[i, n], problem.work_root[i, n]
    if problem.shared_queue:
        before = problem.capacity[j, n] - (state.arrivals[j] + alpha) * s[WORK, n]
        left = before - (state.arrivals[j] + alpha) * work
    else:
        before = problem.capacity[j, n] - s[OWN, n]
        left = before - alpha * work
    if left <= s[FLOOR, n] + work / problem.local_time[i] or left <= 0.0:
        return np.inf
    q = s[ROOT, n]
    return (q + root) * (q + root) / left - (q * q / before if q > 0.0 else 0.0)


@inlined
def growth_on(problem, state, i, j, limit):
    """The slice of node j that grows its cost least when device i joins: (growth, slice), nothing at or above limit.

    13b can only add cost, so its water-filling is asked only where the price without it is the cheapest so far.
    """
    best, choice = limit, LOCAL
    others = others_growth(problem, state, i, j)
    if others >= best:
        return best, choice
    for n in range(problem.capacity.shape[1]):
        growth = others + joining_growth(problem, state, i, j, n)
        if growth >= best:
            continue
        if binds(problem, state, i, j, n):
            refresh_peaks(problem, state, j)
            if binds(problem, state, i, j, n):
                growth = exact_growth(problem, state, i, j, n)
        if growth < best:
            best, choice = growth, n
    return best, choice


@inlined
def cheapest_group(problem, state, i, limit):
    """The listed group whose node's cost grows least when device i joins: (growth, node, slice), below ``limit``."""
    best, node, slice_ = limit, LOCAL, LOCAL
    for pair in range(problem.node_start[i], problem.node_end[i]):
        growth, n = growth_on(problem, state, i, problem.node[pair], best)
        if n != LOCAL:
            best, node, slice_ = growth, problem.node[pair], n
    return best, node, slice_


@outlined
def respond(problem, state, i, least):
    """Best response: give device i its cheapest option if that saves more than ``least``, s; returns what was saved.

    What rounding may be mistaken for is never enough.
    """
    link, node, slice_ = state.link[i], state.node[i], state.slice[i]
    tau = problem.local_time[i]
    slack = max(least, TOLERANCE * (tau if node == LOCAL else tau + state.node_cost[node]))
    if link == LOCAL:
        paid = tau
    else:
        paid = state.node_cost[node]
        leave_group(problem, state, i)
        update_costs(problem, state, node)
        paid -= state.node_cost[node]
        leave_radio(problem, state, i)
        root = problem.link_root[link]
        paid += root * (root + 2.0 * state.radio[problem.access_point[link]])
    radio, new_link = cheapest_link(problem, state, i)
    limit = min(tau, paid - slack) - radio
    new_node, new_slice, compute = LOCAL, LOCAL, 0.0
    if limit > 0.0 and new_link != LOCAL:
        compute, new_node, new_slice = cheapest_group(problem, state, i, limit)
    if new_node != LOCAL:
        asked = radio + compute
    elif tau < paid - slack:
        return paid - tau
    else:
        asked, new_link, new_node, new_slice = paid, link, node, slice_
    if new_node != LOCAL:
        join_radio(problem, state, i, new_link)
        join_group(problem, state, i, new_node, new_slice)
        update_costs(problem, state, new_node)
    return paid - asked if paid > asked else 0.0
