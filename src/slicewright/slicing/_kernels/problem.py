"""What search sees of a scenario, and the sums it keeps while devices move (model page 1.4).

Groups are (slice, node) pairs, numbered ``slice * J + node`` and stored slice-major, so that the loop over the
nodes of one slice runs over consecutive memory. A device uses a link (one of its candidate access points) and a
group, or neither: local. Every sum is kept up to date, so a move costs a few operations whatever the number of
devices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel

LOCAL = -1
TOLERANCE = 1e-12
"""A move must save more than this part of the total cost, or rounding could make search go round in circles."""


class Problem(NamedTuple):
    """A scenario as the kernels read it."""

    start: Any  # (I + 1,) int64, links of device i are start[i]:start[i + 1]
    access_point: Any  # (links,) int64
    link_root: Any  # (links,) sqrt(s), sqrt(T_ia)
    work: Any  # (I, N) cycle, L_in
    work_root: Any  # (I, N) sqrt(cycle)
    local_time: Any  # (I,) s, tau_i
    arrival: Any  # (I,) 1/s, alpha_i
    capacity: Any  # (N, J) cycle/s
    shared_queue: bool  # queueing "node": Lambda_j counts every device on node j


class State(NamedTuple):
    """Decisions and the sums that follow from them."""

    link: Any  # (I,) int64, index into the links, or LOCAL
    group: Any  # (I,) int64, slice * J + node, or LOCAL
    radio: Any  # (A,) sum of sqrt(T_ia), s_a
    root: Any  # (N, J) sum of sqrt(L_in)
    work: Any  # (N, J) sum of L_in
    floor: Any  # (N, J) sum of L_in / tau_i: the least surplus capacity that 13b needs
    own: Any  # (N, J) sum of alpha_i L_in: queue of variant "device"
    peak: Any  # (N, J) at least the largest sqrt(L_in) / tau_i: 13b binds nowhere while nu is above it
    arrival: Any  # (J,) Lambda_j
    node_cost: Any  # (J,) s, sum of execution times on node j
    head: Any  # (N * J,) first member of a group, or LOCAL
    after: Any  # (I,) next member
    before: Any  # (I,) previous member


@kernel
def make_problem(
    start, access_point, rate, bits, slice_cycles, local_time, arrival, capacity, shared_queue  # type: ignore[no-untyped-def]
):
    """Pack the scenario's arrays and take the roots once."""
    n_devices, n_slices = slice_cycles.shape
    n_nodes = capacity.shape[0]
    link_root = np.empty(rate.size)
    for i in range(n_devices):
        for link in range(start[i], start[i + 1]):
            link_root[link] = np.sqrt(bits[i] / rate[link])
    flipped = np.empty((n_slices, n_nodes))
    for n in range(n_slices):
        for j in range(n_nodes):
            flipped[n, j] = capacity[j, n]
    return Problem(
        start, access_point, link_root, slice_cycles, np.sqrt(slice_cycles), local_time, arrival, flipped, shared_queue
    )


@kernel
def empty_state(problem, n_access_points):  # type: ignore[no-untyped-def]
    """Every device local."""
    n_slices, n_nodes = problem.capacity.shape
    n_devices = problem.local_time.size
    shape = (n_slices, n_nodes)
    return State(
        np.full(n_devices, LOCAL),
        np.full(n_devices, LOCAL),
        np.zeros(n_access_points),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(n_nodes),
        np.zeros(n_nodes),
        np.full(n_slices * n_nodes, LOCAL),
        np.full(n_devices, LOCAL),
        np.full(n_devices, LOCAL),
    )


@inlined
def queue_load(problem, state, n, j):  # type: ignore[no-untyped-def]
    """Capacity that keeps the queue of group (n, j) stable: Lambda_j sum L, or sum alpha L."""
    return state.arrival[j] * state.work[n, j] if problem.shared_queue else state.own[n, j]


@inlined
def filled_cost(problem, state, n, j, budget, extra):  # type: ignore[no-untyped-def]
    """Cost of group (n, j), and of device ``extra`` with it unless LOCAL, when 13b may bind.

    Water-filling: x_i = max(1 / tau_i, nu / sqrt(L_i)) with sum L_i x_i = budget. Devices whose floor lies above
    the common level are fixed at it and the level falls for the others, which can only fix more: the loop ends.
    Returns the cost, or infinity when the floors alone exceed the budget.
    """
    free_root, free_budget = 0.0, budget
    level = np.inf
    cost = 0.0
    while True:
        free_root, free_budget, cost = 0.0, budget, 0.0
        member = extra if extra != LOCAL else state.head[n * problem.capacity.shape[1] + j]
        first = extra != LOCAL
        while member != LOCAL:
            root, tau = problem.work_root[member, n], problem.local_time[member]
            if level < np.inf and root > level * tau:
                free_budget -= root * root / tau
                cost += tau
            else:
                free_root += root
            if first:
                member, first = state.head[n * problem.capacity.shape[1] + j], False
            else:
                member = state.after[member]
        if free_budget < 0.0 or (free_root > 0.0 and free_budget <= 0.0):
            return np.inf
        if free_root == 0.0:
            return cost
        new_level = free_budget / free_root
        if new_level >= level * (1.0 - 1e-14):
            return cost + free_root * free_root / free_budget
        level = new_level


@inlined
def group_cost(problem, state, n, j):  # type: ignore[no-untyped-def]
    """Sum of execution times of group (n, j) under its optimal compute shares, infinity if 13b or 13c fails."""
    root = state.root[n, j]
    if root <= 0.0:
        return 0.0
    budget = problem.capacity[n, j] - queue_load(problem, state, n, j)
    if budget < state.floor[n, j] or budget <= 0.0:
        return np.inf
    if budget >= state.peak[n, j] * root:
        return root * root / budget
    return filled_cost(problem, state, n, j, budget, LOCAL)


@inlined
def refresh_peak(problem, state, n, j):  # type: ignore[no-untyped-def]
    """Make the bound on sqrt(L) / tau of a group exact again."""
    peak = 0.0
    member = state.head[n * problem.capacity.shape[1] + j]
    while member != LOCAL:
        peak = max(peak, problem.work_root[member, n] / problem.local_time[member])
        member = state.after[member]
    state.peak[n, j] = peak


@inlined
def update_node_cost(problem, state, j):  # type: ignore[no-untyped-def]
    """Recompute the cost of node j from its groups."""
    total = 0.0
    for n in range(problem.capacity.shape[0]):
        total += group_cost(problem, state, n, j)
    state.node_cost[j] = total


@inlined
def attach(problem, state, i, link, group):  # type: ignore[no-untyped-def]
    """Move a local device to a link and a group."""
    n_nodes = problem.capacity.shape[1]
    n, j = group // n_nodes, group % n_nodes
    root, work, tau = problem.work_root[i, n], problem.work[i, n], problem.local_time[i]
    state.link[i], state.group[i] = link, group
    state.radio[problem.access_point[link]] += problem.link_root[link]
    state.root[n, j] += root
    state.work[n, j] += work
    state.floor[n, j] += work / tau
    state.own[n, j] += problem.arrival[i] * work
    state.peak[n, j] = max(state.peak[n, j], root / tau)
    state.arrival[j] += problem.arrival[i]
    first = state.head[group]
    state.after[i], state.before[i], state.head[group] = first, LOCAL, i
    if first != LOCAL:
        state.before[first] = i
    update_node_cost(problem, state, j)


@inlined
def detach(problem, state, i):  # type: ignore[no-untyped-def]
    """Bring an offloaded device back to local."""
    n_nodes = problem.capacity.shape[1]
    link, group = state.link[i], state.group[i]
    n, j = group // n_nodes, group % n_nodes
    work = problem.work[i, n]
    state.link[i], state.group[i] = LOCAL, LOCAL
    before, after = state.before[i], state.after[i]
    if before == LOCAL:
        state.head[group] = after
    else:
        state.after[before] = after
    if after != LOCAL:
        state.before[after] = before
    state.radio[problem.access_point[link]] -= problem.link_root[link]
    state.arrival[j] -= problem.arrival[i]
    if state.head[group] == LOCAL:  # exact zeros again, whatever rounding left
        state.root[n, j] = state.work[n, j] = state.floor[n, j] = state.own[n, j] = state.peak[n, j] = 0.0
    else:
        state.root[n, j] -= problem.work_root[i, n]
        state.work[n, j] -= work
        state.floor[n, j] -= work / problem.local_time[i]
        state.own[n, j] -= problem.arrival[i] * work
    update_node_cost(problem, state, j)


@inlined
def rebuild(problem, state, link, group):  # type: ignore[no-untyped-def]
    """Set all decisions at once and recompute every sum, which also clears accumulated rounding."""
    state.link[:] = LOCAL
    state.group[:] = LOCAL
    for sums in (state.root, state.work, state.floor, state.own, state.peak):
        sums[:] = 0.0
    state.radio[:] = 0.0
    state.arrival[:] = 0.0
    state.node_cost[:] = 0.0
    state.head[:] = LOCAL
    n_nodes = problem.capacity.shape[1]
    for i in range(link.size):
        if link[i] == LOCAL:
            continue
        n, j = group[i] // n_nodes, group[i] % n_nodes
        root, work, tau = problem.work_root[i, n], problem.work[i, n], problem.local_time[i]
        state.link[i], state.group[i] = link[i], group[i]
        state.radio[problem.access_point[link[i]]] += problem.link_root[link[i]]
        state.root[n, j] += root
        state.work[n, j] += work
        state.floor[n, j] += work / tau
        state.own[n, j] += problem.arrival[i] * work
        state.peak[n, j] = max(state.peak[n, j], root / tau)
        state.arrival[j] += problem.arrival[i]
        first = state.head[group[i]]
        state.after[i], state.before[i], state.head[group[i]] = first, LOCAL, i
        if first != LOCAL:
            state.before[first] = i
    for j in range(n_nodes):
        update_node_cost(problem, state, j)


@inlined
def total_cost(problem, state):  # type: ignore[no-untyped-def]
    """System cost (12) of the current decisions under optimal shares."""
    total = 0.0
    for a in range(state.radio.size):
        total += state.radio[a] * state.radio[a]
    for j in range(state.node_cost.size):
        total += state.node_cost[j]
    for i in range(state.link.size):
        if state.link[i] == LOCAL:
            total += problem.local_time[i]
    return total
