"""From soft decisions to decisions: device by device, each priced against the decided and the expected others."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined, random_unit

LOCAL = -1
# Rows of the sums by group, as in the search: decided devices count whole, the others by their probability.
WORK = 0  # sum of L_in
ROOT = 1  # sum of sqrt(L_in)
FLOOR = 2  # sum of L_in / tau_i, what 13b needs
OWN = 3  # sum of alpha_i L_in, the queue load of variant "device"
ARRIVAL = 4  # Lambda_j of the group's node
BEFORE = 5  # s, cost without the device that decides
LONGER = 6  # s, the same under the queue with it
ROWS = 7
NEGLIGIBLE = 1e-9
"""Relative to a device's own use: what rounding leaves of withdrawn expectations."""


@inlined
def add_use(problem, i, g, part, sums):
    """Add ``part`` of device i's use of a group, and of its node's queue; a negative part takes it away."""
    n, n_nodes = g // problem.n_nodes, problem.n_nodes
    work = part * problem.work[i, n]
    sums[WORK, g] += work
    sums[ROOT, g] += part * problem.work_root[i, n]
    sums[FLOOR, g] += work / problem.local_time[i]
    sums[OWN, g] += problem.arrival[i] * work
    for k in range(g % n_nodes, problem.capacity.size, n_nodes):
        sums[ARRIVAL, k] += part * problem.arrival[i]


@outlined
def add_expected(problem, radio_p, group_p, i, sign, radio, sums):
    """Add (or with ``sign`` -1 take away) what device i is expected to use."""
    for link in range(problem.start[i], problem.start[i + 1]):
        a = problem.access_point[link]
        radio[a] += sign * radio_p[i, a] * problem.link_root[link]
    for g in range(problem.capacity.size):
        if group_p[i, g] > NEGLIGIBLE:
            add_use(problem, i, g, sign * group_p[i, g], sums)


@inlined
def grown_cost(problem, sums, g, root, work, floor, own, arrival):
    """Cost of a group with so much more of everything; infinite where 13b or 13c cannot hold."""
    q = max(sums[ROOT, g], 0.0) + root
    load = max(sums[WORK, g], 0.0) + work
    queue = (sums[ARRIVAL, g] + arrival) * load if problem.shared_queue else sums[OWN, g] + own
    left = problem.capacity[g] - queue
    if q * q <= NEGLIGIBLE * NEGLIGIBLE * problem.capacity[g]:
        return 0.0
    return q * q / left if left > 0.0 and left >= sums[FLOOR, g] + floor else np.inf


@outlined
def best_option(problem, i, radio, sums):
    """The cheapest link and group of a device: (cost of both, link, group)."""
    n_nodes, n_groups = problem.n_nodes, problem.capacity.size
    best_radio, best_link = np.inf, LOCAL
    for link in range(problem.start[i], problem.start[i + 1]):
        root = problem.link_root[link]
        cost = root * (root + 2.0 * max(radio[problem.access_point[link]], 0.0))
        if cost < best_radio:
            best_radio, best_link = cost, link
    alpha, tau = problem.arrival[i], problem.local_time[i]
    best_group, group = np.inf, LOCAL
    for j in range(n_nodes):
        others = 0.0
        for g in range(j, n_groups, n_nodes):
            sums[BEFORE, g] = grown_cost(problem, sums, g, 0.0, 0.0, 0.0, 0.0, 0.0)
            sums[LONGER, g] = sums[BEFORE, g]
            if problem.shared_queue:
                sums[LONGER, g] = grown_cost(problem, sums, g, 0.0, 0.0, 0.0, 0.0, alpha)
            # An expected overload is nobody's fault yet: it must not forbid the node's other slices.
            if sums[BEFORE, g] < np.inf:
                others += sums[LONGER, g] - sums[BEFORE, g]
        for g in range(j, n_groups, n_nodes):
            n = g // n_nodes
            work = problem.work[i, n]
            joined = grown_cost(
                problem, sums, g, problem.work_root[i, n], work, work / tau, alpha * work, alpha
            )
            if joined < np.inf:
                cost = joined - sums[LONGER, g] + others
                if cost < best_group:
                    best_group, group = cost, g
    return best_radio + best_group, best_link, group


@outlined
def decode(problem, radio_p, group_p, order, radio, sums, links, groups):
    """Decide every device in the given order against the decided and the expected others; returns the cost.

    ``radio`` and ``sums`` hold what is expected of everybody, and in the end what everybody uses. The cost leaves out
    what 13b may add where it binds; it is infinite where the decisions are infeasible.
    """
    total = 0.0
    for i in order:
        add_expected(problem, radio_p, group_p, i, -1.0, radio, sums)
        cost, link, g = best_option(problem, i, radio, sums)
        if not cost < problem.local_time[i]:
            links[i], groups[i] = LOCAL, LOCAL
            total += problem.local_time[i]
            continue
        links[i], groups[i] = link, g
        radio[problem.access_point[link]] += problem.link_root[link]
        add_use(problem, i, g, 1.0, sums)
    for a in range(radio.size):
        total += radio[a] * radio[a]
    for g in range(problem.capacity.size):
        total += grown_cost(problem, sums, g, 0.0, 0.0, 0.0, 0.0, 0.0)
    return total


@kernel
def best_decoding(problem, radio_p, group_p, count, seed, deadline):
    """The cheapest of several decodings: the first in order of certainty, the others in perturbed orders.

    A device is certain when its probability of offloading is near 0 or 1: it changes nothing of what the others
    expect, so it goes first, and those in doubt decide last, when most is known.

    Args:
        problem: packed scenario.
        radio_p: (I, A) probability of offloading through each access point.
        group_p: (I, N * J) probability of each group.
        count: of decodings, at least 1.
        seed: of the orders.
        deadline: ns; no decoding but the first starts later.

    Returns:
        (I,) links and (I,) groups, LOCAL for local; their cost.
    """
    n_devices = problem.local_time.size
    random = np.array([seed], dtype=np.uint64)
    all_radio, all_sums = np.zeros(problem.n_access_points), np.zeros((ROWS, problem.capacity.size))
    doubt, rank = np.empty(n_devices), np.empty(n_devices)
    for i in range(n_devices):
        doubt[i] = -abs(radio_p[i].sum() - 0.5)
        add_expected(problem, radio_p, group_p, i, 1.0, all_radio, all_sums)
    radio, sums = np.empty_like(all_radio), np.empty_like(all_sums)
    best, best_links, best_groups = np.inf, np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
    links, groups = np.empty(n_devices, np.int64), np.empty(n_devices, np.int64)
    for k in range(count):
        if k > 0 and now_ns() > deadline:
            break
        for i in range(n_devices):
            rank[i] = doubt[i] * (1.0 if k == 0 else 2.0 * random_unit(random))
        radio[:] = all_radio
        sums[:] = all_sums
        cost = decode(problem, radio_p, group_p, np.argsort(rank), radio, sums, links, groups)
        if cost < best:
            best = cost
            best_links[:] = links
            best_groups[:] = groups
    return best_links, best_groups, best
