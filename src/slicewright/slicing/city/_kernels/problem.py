"""What the planner of cities sees of a scenario, and the sums it keeps while devices move (model page 1.4).

As ``slicing._kernels.problem``, with two differences: a device has a list of nodes, and the sums of one node lie
side by side, so that asking one node touches a few lines of memory however many nodes there are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing._kernels.group_cost import filled_cost, peak_of
from slicewright.slicing._kernels.members import NOBODY, link_in, unlink
from slicewright.slicing._kernels.problem import LOCAL, join_radio

# Rows of State.sums[j], one column per slice.
WORK = 0  # sum of L_in
ROOT = 1  # sum of sqrt(L_in)
FLOOR = 2  # sum of L_in / tau_i: the least surplus capacity that 13b needs
OWN = 3  # sum of alpha_i L_in: the queue load of variant "device"
PEAK = 4  # at least the largest sqrt(L_in) / tau_i: 13b binds nowhere while nu is above it
COST = 5  # s, sum of execution times under optimal compute shares
ROWS = 6


class Problem(NamedTuple):
    """A scenario as the kernels read it."""

    link_start: Any  # (I,) int64, links of device i are link_start[i]:link_end[i]
    link_end: Any  # (I,) int64
    access_point: Any  # (links,) int64
    link_root: Any  # (links,) sqrt(s), sqrt(T_ia)
    node_start: Any  # (I,) int64, nodes of device i are node[node_start[i]:node_end[i]]
    node_end: Any  # (I,) int64
    node: Any  # (pairs,) int64
    work: Any  # (I, N) cycle, L_in
    work_root: Any  # (I, N) sqrt(cycle)
    local_time: Any  # (I,) s, tau_i
    arrival: Any  # (I,) 1/s, alpha_i
    capacity: Any  # (J, N) cycle/s; 0 where the node does not serve the slice
    n_access_points: int
    shared_queue: bool  # queueing "node": Lambda_j counts every device on node j


class State(NamedTuple):
    """Decisions and the sums that follow from them."""

    link: Any  # (I,) int64, index into the links, or LOCAL
    node: Any  # (I,) int64, or LOCAL
    slice: Any  # (I,) int64, or LOCAL
    radio: Any  # (A,) sum of sqrt(T_ia)
    sums: Any  # (J, ROWS, N)
    arrivals: Any  # (J,) 1/s, Lambda_j
    node_cost: Any  # (J,) s, sum of execution times on node j
    head: Any  # (J, N) first member of a group, or NOBODY
    after: Any  # (I,) next member
    before: Any  # (I,) previous member


@kernel
def empty_state(problem):
    """Every device local."""
    n_devices, (n_nodes, n_slices) = problem.local_time.size, problem.capacity.shape
    return State(
        np.full(n_devices, LOCAL),
        np.full(n_devices, LOCAL),
        np.full(n_devices, LOCAL),
        np.zeros(problem.n_access_points),
        np.zeros((n_nodes, ROWS, n_slices)),
        np.zeros(n_nodes),
        np.zeros(n_nodes),
        np.full((n_nodes, n_slices), NOBODY),
        np.full(n_devices, NOBODY),
        np.full(n_devices, NOBODY),
    )


@kernel
def links_of(problem, access_point, node, slice_):
    """(links by device, first device whose decision does not exist or NOBODY)."""
    n_nodes, n_slices = problem.capacity.shape
    links = np.full(node.size, LOCAL)
    for i in range(node.size):
        a, j, n = access_point[i], node[i], slice_[i]
        if a == LOCAL and j == LOCAL and n == LOCAL:
            continue
        if a < 0 or j < 0 or n < 0 or j >= n_nodes or n >= n_slices or problem.capacity[j, n] <= 0.0:
            return links, i
        for link in range(problem.link_start[i], problem.link_end[i]):
            if problem.access_point[link] == a:
                links[i] = link
        listed = False
        for pair in range(problem.node_start[i], problem.node_end[i]):
            listed = listed or problem.node[pair] == j
        if links[i] == LOCAL or not listed:
            return links, i
    return links, NOBODY


@inlined
def budget(problem, state, j, n):
    """Capacity of a group that is left for service-rate surplus once its queue is stable."""
    s = state.sums[j]
    return problem.capacity[j, n] - (state.arrivals[j] * s[WORK, n] if problem.shared_queue else s[OWN, n])


@inlined
def group_cost(problem, state, j, n):
    """Sum of execution times of a group under its optimal compute shares; infinity if 13b or 13c fails."""
    s = state.sums[j]
    root = s[ROOT, n]
    if root <= 0.0:
        return 0.0
    available = budget(problem, state, j, n)
    if available < s[FLOOR, n] or available <= 0.0:
        return np.inf
    if available >= s[PEAK, n] * root:
        return root * root / available
    return filled_cost(problem, state, (j, n), n, available, NOBODY)


@inlined
def update_costs(problem, state, j):
    """Recompute the costs of all groups of node j."""
    total = 0.0
    for n in range(problem.capacity.shape[1]):
        cost = group_cost(problem, state, j, n)
        state.sums[j, COST, n] = cost
        total += cost
    state.node_cost[j] = total


@outlined
def refresh_peaks(problem, state, j):
    """Make the bounds on sqrt(L) / tau of a node's groups exact again, after members have left."""
    for n in range(problem.capacity.shape[1]):
        state.sums[j, PEAK, n] = peak_of(problem, state, (j, n), n)


@inlined
def leave_radio(problem, state, i):
    """Take a device's link away."""
    link = state.link[i]
    state.link[i] = LOCAL
    state.radio[problem.access_point[link]] -= problem.link_root[link]


@inlined
def join_group(problem, state, i, j, n):
    """Add a device to a group; the costs of the node are left to be updated."""
    root, work, tau = problem.work_root[i, n], problem.work[i, n], problem.local_time[i]
    state.node[i], state.slice[i] = j, n
    s = state.sums[j]
    s[ROOT, n] += root
    s[WORK, n] += work
    s[FLOOR, n] += work / tau
    s[OWN, n] += problem.arrival[i] * work
    s[PEAK, n] = max(s[PEAK, n], root / tau)
    state.arrivals[j] += problem.arrival[i]
    link_in(state, (j, n), i)


@inlined
def leave_group(problem, state, i):
    """Take a device out of its group; the costs of the node are left to be updated."""
    j, n = state.node[i], state.slice[i]
    state.node[i], state.slice[i] = LOCAL, LOCAL
    unlink(state, (j, n), i)
    s = state.sums[j]
    state.arrivals[j] -= problem.arrival[i]
    if state.head[j, n] == NOBODY:  # exact zeros again, whatever rounding left
        s[ROOT, n] = s[WORK, n] = s[FLOOR, n] = s[OWN, n] = s[PEAK, n] = 0.0
        empty = True
        for m in range(problem.capacity.shape[1]):
            empty = empty and state.head[j, m] == NOBODY
        if empty:
            state.arrivals[j] = 0.0
    else:
        work = problem.work[i, n]
        s[ROOT, n] -= problem.work_root[i, n]
        s[WORK, n] -= work
        s[FLOOR, n] -= work / problem.local_time[i]
        s[OWN, n] -= problem.arrival[i] * work


@inlined
def attach(problem, state, i, link, j, n):
    """Move a local device to a link and a group."""
    join_radio(problem, state, i, link)
    join_group(problem, state, i, j, n)
    update_costs(problem, state, j)


@inlined
def detach(problem, state, i):
    """Bring an offloaded device back to local."""
    j = state.node[i]
    leave_radio(problem, state, i)
    leave_group(problem, state, i)
    update_costs(problem, state, j)


@kernel
def state_of(problem, link, node, slice_):
    """The state of given decisions, every sum computed anew, which also clears accumulated rounding."""
    state = empty_state(problem)
    for i in range(link.size):
        if link[i] != LOCAL:
            join_radio(problem, state, i, link[i])
            join_group(problem, state, i, node[i], slice_[i])
    for j in range(state.node_cost.size):
        update_costs(problem, state, j)
    return state


@kernel
def listing(start, end, items, n_items):
    """Lists turned round: ((n_items + 1,) starts, (entries,) rows that list an item, rising)."""
    first = np.zeros(n_items + 1, np.int64)
    for i in range(start.size):
        for entry in range(start[i], end[i]):
            first[items[entry] + 1] += 1
    for k in range(n_items):
        first[k + 1] += first[k]
    rows, filled = np.empty(first[n_items], np.int64), first[:-1].copy()
    for i in range(start.size):
        for entry in range(start[i], end[i]):
            rows[filled[items[entry]]] = i
            filled[items[entry]] += 1
    return first, rows
