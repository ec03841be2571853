"""What search sees of a scenario, and the sums it keeps while devices move (model page 1.4).

Groups are (slice, node) pairs, numbered ``slice * J + node``, so that the loop over the nodes of one slice runs
over consecutive memory. A device uses a link (one of its candidate access points) and a group, or neither: local.
Every sum is kept up to date, so a move costs a few operations whatever the number of devices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing._kernels.group_cost import filled_cost, peak_of
from slicewright.slicing._kernels.members import NOBODY, link_in, unlink

LOCAL = -1

# Rows of State.sums, one column per group. One array instead of many: the compiler can then see that nothing
# overlaps, and vectorises the loops over groups.
CAPACITY = 0  # F_j^n, cycle/s
WORK = 1  # sum of L_in
ROOT = 2  # sum of sqrt(L_in)
FLOOR = 3  # sum of L_in / tau_i: the least surplus capacity that 13b needs
ARRIVAL = 4  # Lambda_j of the group's node
OWN = 5  # sum of alpha_i L_in: the queue load of variant "device"
PEAK = 6  # at least the largest sqrt(L_in) / tau_i: 13b binds nowhere while nu is above it
COST = 7  # s, sum of execution times under optimal compute shares
ROWS = 8

RADIO_BOUND = 0.05
"""Where nodes are less than this part of what offloading costs, radio decides and nodes deserve little effort."""
DWARFED = 1e-3
"""A sum that falls below this part of what was taken from it is added up anew: rounding was relative to the former."""
HOPELESS = 1e-200
"""s, stands for the local time of a device that no node serves in time even alone: it stays local, uncounted."""
NO_CAPACITY = 1e-200  # stands for 0, so that an empty group costs 0 / NO_CAPACITY = 0 rather than 0 / 0


class Problem(NamedTuple):
    """A scenario as the kernels read it."""

    start: Any  # (I + 1,) int64, links of device i are start[i]:start[i + 1]
    access_point: Any  # (links,) int64
    link_root: Any  # (links,) sqrt(s), sqrt(T_ia)
    work: Any  # (I, N) cycle, L_in
    work_root: Any  # (I, N) sqrt(cycle)
    local_time: Any  # (I,) s, tau_i
    arrival: Any  # (I,) 1/s, alpha_i
    capacity: Any  # (N * J,) cycle/s, by group
    n_nodes: int
    n_access_points: int
    shared_queue: bool  # queueing "node": Lambda_j counts every device on node j


class State(NamedTuple):
    """Decisions and the sums that follow from them."""

    link: Any  # (I,) int64, index into the links, or LOCAL
    group: Any  # (I,) int64, slice * J + node, or LOCAL
    radio: Any  # (A,) sum of sqrt(T_ia)
    sums: Any  # (ROWS, N * J)
    node_cost: Any  # (J,) s, sum of execution times on node j
    head: Any  # (N * J,) first member of a group, or NOBODY
    after: Any  # (I,) next member
    before: Any  # (I,) previous member


@kernel
def roots_of_links(start, bits, rate):
    """(links,) sqrt(s). sqrt(T_ia) of every link."""
    roots = np.empty(rate.size)
    for i in range(bits.size):
        for link in range(start[i], start[i + 1]):
            roots[link] = np.sqrt(bits[i] / rate[link])
    return roots


@kernel
def make_problem(
    start,
    access_point,
    rate,
    bits,
    slice_cycles,
    local_time,
    arrival,
    capacity,
    shared_queue,
    n_access_points,
):
    """Pack the scenario's arrays and take the roots once."""
    n_nodes, n_slices = capacity.shape
    by_group = np.empty(n_slices * n_nodes)
    for n in range(n_slices):
        for j in range(n_nodes):
            by_group[n * n_nodes + j] = max(capacity[j, n], NO_CAPACITY)
    return Problem(
        start, access_point, roots_of_links(start, bits, rate), slice_cycles, np.sqrt(slice_cycles), local_time,
        arrival, by_group, n_nodes, n_access_points, shared_queue,
    )  # fmt: skip


@kernel
def places(problem, link, group):
    """Links and groups as indices of access points, nodes and slices, LOCAL where local."""
    access_point, node, slice_ = np.empty_like(link), np.empty_like(link), np.empty_like(link)
    for i in range(link.size):
        local = link[i] == LOCAL
        access_point[i] = LOCAL if local else problem.access_point[link[i]]
        node[i] = LOCAL if local else group[i] % problem.n_nodes
        slice_[i] = LOCAL if local else group[i] // problem.n_nodes
    return access_point, node, slice_


@kernel
def links_and_groups(problem, access_point, node, slice_):
    """Decisions as links and groups: (link, group, first device whose decision does not exist or LOCAL)."""
    n_slices = problem.work.shape[1]
    link, group = np.full(node.size, LOCAL), np.full(node.size, LOCAL)
    for i in range(node.size):
        a, j, n = access_point[i], node[i], slice_[i]
        if a == LOCAL and j == LOCAL and n == LOCAL:
            continue
        if a < 0 or j < 0 or n < 0 or j >= problem.n_nodes or n >= n_slices:
            return link, group, i
        for candidate in range(problem.start[i], problem.start[i + 1]):
            if problem.access_point[candidate] == a:
                link[i] = candidate
                break
        group[i] = n * problem.n_nodes + j
        if link[i] == LOCAL or problem.capacity[group[i]] <= NO_CAPACITY:
            return link, group, i
    return link, group, LOCAL


@kernel
def empty_state(problem):
    """Every device local."""
    n_groups, n_devices = problem.capacity.size, problem.local_time.size
    sums = np.zeros((ROWS, n_groups))
    for g in range(n_groups):
        sums[CAPACITY, g] = problem.capacity[g]
    return State(
        np.full(n_devices, LOCAL),
        np.full(n_devices, LOCAL),
        np.zeros(problem.n_access_points),
        sums,
        np.zeros(problem.n_nodes),
        np.full(n_groups, NOBODY),
        np.full(n_devices, NOBODY),
        np.full(n_devices, NOBODY),
    )


@inlined
def budget(problem, state, g):
    """Capacity of a group that is left for service-rate surplus once its queue is stable."""
    s = state.sums
    return s[CAPACITY, g] - (s[ARRIVAL, g] * s[WORK, g] if problem.shared_queue else s[OWN, g])


@inlined
def group_cost(problem, state, g):
    """Sum of execution times of a group under its optimal compute shares; infinity if 13b or 13c fails."""
    s = state.sums
    root = s[ROOT, g]
    if root <= 0.0:
        return 0.0
    available = budget(problem, state, g)
    if available < s[FLOOR, g] or available <= 0.0:
        return np.inf
    if available >= s[PEAK, g] * root:
        return root * root / available
    return filled_cost(problem, state, g, g // problem.n_nodes, available, NOBODY)


@inlined
def update_costs(problem, state, j):
    """Recompute the costs of all groups of node j."""
    total = 0.0
    for g in range(j, problem.capacity.size, problem.n_nodes):
        cost = group_cost(problem, state, g)
        state.sums[COST, g] = cost
        total += cost
    state.node_cost[j] = total


@outlined
def refresh_peak(problem, state, g):
    """Make the bound on sqrt(L) / tau of a group exact again, after members have left."""
    state.sums[PEAK, g] = peak_of(problem, state, g, g // problem.n_nodes)


@inlined
def join_radio(problem, state, i, link):
    """Give a device a link."""
    state.link[i] = link
    state.radio[problem.access_point[link]] += problem.link_root[link]


@outlined
def add_roots(problem, state, a):
    """Add up the sum of sqrt(T) of an access point anew."""
    total = 0.0
    for i in range(state.link.size):
        if state.link[i] != LOCAL and problem.access_point[state.link[i]] == a:
            total += problem.link_root[state.link[i]]
    state.radio[a] = total


@inlined
def take_root(problem, state, a, root):
    """Take a device's sqrt(T), whose link is not counted any more, out of the sum of an access point."""
    state.radio[a] -= root
    if state.radio[a] < DWARFED * root:
        add_roots(problem, state, a)


@inlined
def leave_radio(problem, state, i):
    """Take a device's link away."""
    link = state.link[i]
    state.link[i] = LOCAL
    take_root(problem, state, problem.access_point[link], problem.link_root[link])


@inlined
def join_group(problem, state, i, g):
    """Add a device to a group; the costs of the node are left to be updated."""
    n, j = g // problem.n_nodes, g % problem.n_nodes
    root, work, tau = problem.work_root[i, n], problem.work[i, n], problem.local_time[i]
    state.group[i] = g
    s = state.sums
    s[ROOT, g] += root
    s[WORK, g] += work
    s[FLOOR, g] += work / tau
    s[OWN, g] += problem.arrival[i] * work
    s[PEAK, g] = max(s[PEAK, g], root / tau)
    for k in range(j, problem.capacity.size, problem.n_nodes):
        s[ARRIVAL, k] += problem.arrival[i]
    link_in(state, g, i)


@outlined
def add_work_roots(problem, state, g):
    """Add up the sum of sqrt(L) of a group anew."""
    total, member = 0.0, state.head[g]
    while member != NOBODY:
        total += problem.work_root[member, g // problem.n_nodes]
        member = state.after[member]
    state.sums[ROOT, g] = total


@inlined
def leave_group(problem, state, i):
    """Take a device out of its group; the costs of the node are left to be updated."""
    g = state.group[i]
    n, j = g // problem.n_nodes, g % problem.n_nodes
    state.group[i] = LOCAL
    unlink(state, g, i)
    s = state.sums
    for k in range(j, problem.capacity.size, problem.n_nodes):
        s[ARRIVAL, k] -= problem.arrival[i]
    if state.head[g] == NOBODY:  # exact zeros again, whatever rounding left
        s[ROOT, g] = s[WORK, g] = s[FLOOR, g] = s[OWN, g] = s[PEAK, g] = 0.0
    else:
        work = problem.work[i, n]
        s[ROOT, g] -= problem.work_root[i, n]
        s[WORK, g] -= work
        s[FLOOR, g] -= work / problem.local_time[i]
        s[OWN, g] -= problem.arrival[i] * work
        if s[ROOT, g] < DWARFED * problem.work_root[i, n]:
            add_work_roots(problem, state, g)


@inlined
def attach(problem, state, i, link, g):
    """Move a local device to a link and a group."""
    join_radio(problem, state, i, link)
    join_group(problem, state, i, g)
    update_costs(problem, state, g % problem.n_nodes)


@inlined
def detach(problem, state, i):
    """Bring an offloaded device back to local."""
    j = state.group[i] % problem.n_nodes
    leave_radio(problem, state, i)
    leave_group(problem, state, i)
    update_costs(problem, state, j)


@outlined
def rebuild(problem, state, link, group):
    """Set all decisions at once and recompute every sum, which also clears accumulated rounding."""
    for a in range(state.radio.size):
        state.radio[a] = 0.0
    for g in range(problem.capacity.size):
        state.head[g] = NOBODY
        for row in range(WORK, ROWS):
            state.sums[row, g] = 0.0
    for i in range(link.size):
        state.link[i], state.group[i] = LOCAL, LOCAL
        if link[i] != LOCAL:
            join_radio(problem, state, i, link[i])
            join_group(problem, state, i, group[i])
    for j in range(problem.n_nodes):
        update_costs(problem, state, j)


@inlined
def radio_cost(state):
    """Sum of transmission times under optimal shares."""
    total = 0.0
    for a in range(state.radio.size):
        total += state.radio[a] * state.radio[a]
    return total


@inlined
def offloaded_cost(state):
    """s, what the offloaded devices take."""
    total = radio_cost(state)
    for j in range(state.node_cost.size):
        total += state.node_cost[j]
    return total


@inlined
def nodes_part(state):
    """The part of nodes in the cost of the offloaded devices, 0 to 1."""
    offloaded = offloaded_cost(state)
    return 1.0 - radio_cost(state) / offloaded if offloaded > 0.0 else 0.0


@inlined
def total_cost(problem, state):
    """System cost (12) of the current decisions under optimal shares."""
    total = offloaded_cost(state)
    for i in range(state.link.size):
        if state.link[i] == LOCAL:
            total += problem.local_time[i]
    return total


@inlined
def exact_cost(problem, state):
    """System cost as (sum, what rounding took from it): costs of two plans are compared part by part.

    Otherwise a device whose local time dwarfs the others', and that nobody can serve, would hide what they gain
    (Knuth's two-sum).
    """
    high, low = offloaded_cost(state), 0.0
    for i in range(state.link.size):
        if state.link[i] == LOCAL:
            more = problem.local_time[i]
            total = high + more
            part = total - high
            low += (high - (total - part)) + (more - part)
            high = total
    return high, low


@kernel
def weigh_plan(problem, link, group):
    """(cost, part of nodes in the cost of the offloaded devices) of given decisions under optimal shares."""
    state = empty_state(problem)
    rebuild(problem, state, link, group)
    return total_cost(problem, state), nodes_part(state)
