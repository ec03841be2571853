"""From soft decisions to decisions: device by device, each priced against the decided and the expected others."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, now_ns, random_unit

LOCAL = -1
# Rows of the sums by group.
WORK, ROOT, FLOOR, OWN, ARRIVAL = 0, 1, 2, 3, 4
ROWS = 5


@kernel
def soft_sums(problem, radio_p, group_p, radio, sums):  # type: ignore[no-untyped-def]
    """Expected sums per access point and group under soft decisions."""
    n_devices, n_groups, n_nodes = problem.local_time.size, problem.capacity.size, problem.n_nodes
    for i in range(n_devices):
        for link in range(problem.start[i], problem.start[i + 1]):
            radio[problem.access_point[link]] += (
                radio_p[i, problem.access_point[link]] * problem.link_root[link]
            )
        add(problem, group_p, i, 1.0, sums)
    for g in range(n_nodes, n_groups):
        sums[ARRIVAL, g % n_nodes] += sums[ARRIVAL, g]
    for g in range(n_nodes, n_groups):
        sums[ARRIVAL, g] = sums[ARRIVAL, g % n_nodes]


@kernel
def add(problem, group_p, i, sign, sums):  # type: ignore[no-untyped-def]
    """Add a device's expected use of every group; arrivals by group, not yet by node."""
    tau, alpha, n_nodes = problem.local_time[i], problem.arrival[i], problem.n_nodes
    for g in range(problem.capacity.size):
        part = sign * group_p[i, g]
        work = part * problem.work[i, g // n_nodes]
        sums[WORK, g] += work
        sums[ROOT, g] += part * problem.work_root[i, g // n_nodes]
        sums[FLOOR, g] += work / tau
        sums[OWN, g] += alpha * work
        sums[ARRIVAL, g] += alpha * part


@kernel
def withdraw(problem, radio_p, group_p, i, radio, sums):  # type: ignore[no-untyped-def]
    """Take a device's expected use away."""
    n_nodes = problem.n_nodes
    for link in range(problem.start[i], problem.start[i + 1]):
        radio[problem.access_point[link]] -= radio_p[i, problem.access_point[link]] * problem.link_root[link]
    tau, alpha = problem.local_time[i], problem.arrival[i]
    for g in range(problem.capacity.size):
        part = group_p[i, g]
        if part == 0.0:
            continue
        work = part * problem.work[i, g // n_nodes]
        sums[WORK, g] -= work
        sums[ROOT, g] -= part * problem.work_root[i, g // n_nodes]
        sums[FLOOR, g] -= work / tau
        sums[OWN, g] -= alpha * work
        for k in range(g % n_nodes, problem.capacity.size, n_nodes):
            sums[ARRIVAL, k] -= alpha * part


@kernel
def group_cost(problem, sums, g, root, work, floor, own, arrival):  # type: ignore[no-untyped-def]
    """Cost of a group with so much more of everything; infinite where 13b or 13c cannot hold."""
    q = sums[ROOT, g] + root
    if q <= 1e-9:
        return 0.0
    load = sums[WORK, g] + work
    queue = (sums[ARRIVAL, g] + arrival) * load if problem.shared_queue else sums[OWN, g] + own
    left = problem.capacity[g] - queue
    if left <= 0.0 or left < sums[FLOOR, g] + floor:
        return np.inf
    return q * q / left


@kernel
def best_option(problem, i, radio, sums, before, longer):  # type: ignore[no-untyped-def]
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
        others, settled = 0.0, 0.0
        for g in range(j, n_groups, n_nodes):
            before[g] = group_cost(problem, sums, g, 0.0, 0.0, 0.0, 0.0, 0.0)
            longer[g] = (
                group_cost(problem, sums, g, 0.0, 0.0, 0.0, 0.0, alpha) if problem.shared_queue else before[g]
            )
            others += longer[g]
            settled += before[g]
        for g in range(j, n_groups, n_nodes):
            n = g // n_nodes
            work = problem.work[i, n]
            joined = group_cost(
                problem, sums, g, problem.work_root[i, n], work, work / tau, alpha * work, alpha
            )
            cost = joined + (others - longer[g]) - settled
            if cost < best_group:
                best_group, group = cost, g
    return best_radio + best_group, best_link, group


@kernel
def decode(problem, radio_p, group_p, order, links, groups):  # type: ignore[no-untyped-def]
    """Decide every device in the given order against the decided and the expected others; returns the cost.

    The cost leaves out what 13b may add where it binds; it is infinite where the decisions are infeasible.
    """
    n_groups, n_nodes = problem.capacity.size, problem.n_nodes
    radio, sums = np.zeros(problem.n_access_points), np.zeros((ROWS, n_groups))
    before, longer = np.empty(n_groups), np.empty(n_groups)
    soft_sums(problem, radio_p, group_p, radio, sums)
    total = 0.0
    for i in order:
        withdraw(problem, radio_p, group_p, i, radio, sums)
        cost, link, g = best_option(problem, i, radio, sums, before, longer)
        if not cost < problem.local_time[i]:
            links[i], groups[i] = LOCAL, LOCAL
            total += problem.local_time[i]
            continue
        links[i], groups[i] = link, g
        n, alpha = g // n_nodes, problem.arrival[i]
        radio[problem.access_point[link]] += problem.link_root[link]
        sums[WORK, g] += problem.work[i, n]
        sums[ROOT, g] += problem.work_root[i, n]
        sums[FLOOR, g] += problem.work[i, n] / problem.local_time[i]
        sums[OWN, g] += alpha * problem.work[i, n]
        for k in range(g % n_nodes, n_groups, n_nodes):
            sums[ARRIVAL, k] += alpha
    for a in range(radio.size):
        total += radio[a] * radio[a]
    for g in range(n_groups):
        if groups_used(groups, g):
            total += group_cost(problem, sums, g, 0.0, 0.0, 0.0, 0.0, 0.0)
    return total


@kernel
def groups_used(groups, g):  # type: ignore[no-untyped-def]
    """Whether any device is in the group: what withdrawals leave in an empty one is rounding."""
    for other in groups:  # noqa: SIM110 - compiled code knows no any() of a generator
        if other == g:
            return True
    return False


@kernel
def best_decoding(problem, radio_p, group_p, count, seed, deadline):  # type: ignore[no-untyped-def]
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
    doubt, rank = np.empty(n_devices), np.empty(n_devices)
    for i in range(n_devices):
        doubt[i] = -abs(radio_p[i].sum() - 0.5)
    best, best_links, best_groups = np.inf, np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
    links, groups = np.empty(n_devices, np.int64), np.empty(n_devices, np.int64)
    for k in range(count):
        if k > 0 and now_ns() > deadline:
            break
        for i in range(n_devices):
            rank[i] = doubt[i] * (1.0 if k == 0 else 2.0 * random_unit(random))
        cost = decode(problem, radio_p, group_p, np.argsort(rank), links, groups)
        if cost < best:
            best = cost
            best_links[:] = links
            best_groups[:] = groups
    return best_links, best_groups, best
