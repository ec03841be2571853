"""Best response under fixed sharing rules: equal shares (ERAP) and proportional shares (PRAP) (model page 1.7).

Each rule searches for decisions under its own shares, as its publication has it. Shares depend on everybody in the
same cell, so a group's cost is summed over its members rather than kept up to date.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.best_response import TOLERANCE, draw_to_front
from slicewright.slicing._kernels.problem import LOCAL

EQUAL, PROPORTIONAL = 0, 1


@inlined
def radio_growth(rule, users, time, n_slices, a, n, transmission):
    """What joining access point a in slice n adds to everybody's transmission time there.

    ``users`` and ``time`` are (A, N): devices and their T. Under equal shares a cell of c devices costs N c sum T;
    under proportional shares every device of the access point waits for sum T, so it costs its count times that.
    """
    if rule == EQUAL:
        count, total, factor = users[a, n], time[a, n], float(n_slices)
    else:
        count, total, factor = 0.0, 0.0, 1.0
        for m in range(n_slices):
            count += users[a, m]
            total += time[a, m]
    return factor * ((count + 1.0) * (total + transmission) - count * total)


@outlined
def group_time(problem, rule, members, g, size, arrival):
    """Sum of execution times of a group's members; infinity if one breaks 13b or 13c."""
    n = g // problem.n_nodes
    work = 0.0
    for k in range(size):
        work += problem.work[members[g, k], n]
    total = 0.0
    for k in range(size):
        i = members[g, k]
        queue = arrival if problem.shared_queue else problem.arrival[i]
        load = size * problem.work[i, n] if rule == EQUAL else work
        surplus = problem.capacity[g] / load - queue
        if surplus <= 0.0 or 1.0 / surplus > problem.local_time[i]:
            return np.inf
        total += 1.0 / surplus
    return total


@outlined
def node_time(problem, rule, members, sizes, j, arrival):
    """Sum of execution times on a node, all slices."""
    total = 0.0
    for g in range(j, problem.capacity.size, problem.n_nodes):
        total += group_time(problem, rule, members, g, sizes[g], arrival)
    return total


@inlined
def enter(problem, i, link, g, access_point, group, users, time, members, sizes, arrival):
    access_point[i], group[i] = link, g
    a, n = problem.access_point[link], g // problem.n_nodes
    users[a, n] += 1.0
    time[a, n] += problem.link_root[link] ** 2
    members[g, sizes[g]] = i
    sizes[g] += 1
    arrival[g % problem.n_nodes] += problem.arrival[i]


@inlined
def leave(problem, i, access_point, group, users, time, members, sizes, arrival):
    link, g = access_point[i], group[i]
    access_point[i], group[i] = LOCAL, LOCAL
    a, n = problem.access_point[link], g // problem.n_nodes
    users[a, n] -= 1.0
    time[a, n] = 0.0 if users[a, n] == 0.0 else time[a, n] - problem.link_root[link] ** 2
    for k in range(sizes[g]):
        if members[g, k] == i:
            members[g, k] = members[g, sizes[g] - 1]
            break
    sizes[g] -= 1
    arrival[g % problem.n_nodes] -= problem.arrival[i]


@outlined
def respond(problem, rule, i, access_point, group, users, time, members, sizes, arrival):
    """Give device i its cheapest option; True if that is another one than before."""
    n_nodes, n_slices = problem.n_nodes, problem.work.shape[1]
    old_link, old_group = access_point[i], group[i]
    if old_link != LOCAL:
        leave(problem, i, access_point, group, users, time, members, sizes, arrival)
    best, best_link, best_group = problem.local_time[i], LOCAL, LOCAL
    for n in range(n_slices):
        radio, link = np.inf, LOCAL
        for candidate in range(problem.start[i], problem.start[i + 1]):
            a, transmission = problem.access_point[candidate], problem.link_root[candidate] ** 2
            growth = radio_growth(rule, users, time, n_slices, a, n, transmission)
            if growth < radio:
                radio, link = growth, candidate
        if radio >= best:
            continue
        for j in range(n_nodes):
            g = n * n_nodes + j
            before = node_time(problem, rule, members, sizes, j, arrival[j])
            members[g, sizes[g]] = i
            sizes[g] += 1
            asked = (
                radio + node_time(problem, rule, members, sizes, j, arrival[j] + problem.arrival[i]) - before
            )
            sizes[g] -= 1
            if asked < best * (1.0 - TOLERANCE):
                best, best_link, best_group = asked, link, g
    if best_link != LOCAL:
        enter(problem, i, best_link, best_group, access_point, group, users, time, members, sizes, arrival)
    return best_link != old_link or best_group != old_group


@inlined
def cost_under(problem, rule, access_point, users, time, members, sizes, arrival):
    """System cost (12) under the rule's shares."""
    cost = 0.0
    for a in range(users.shape[0]):
        if rule == EQUAL:
            for n in range(users.shape[1]):
                cost += users.shape[1] * users[a, n] * time[a, n]
        else:
            count, total = 0.0, 0.0
            for n in range(users.shape[1]):
                count += users[a, n]
                total += time[a, n]
            cost += count * total
    for j in range(problem.n_nodes):
        cost += node_time(problem, rule, members, sizes, j, arrival[j])
    for i in range(access_point.size):
        if access_point[i] == LOCAL:
            cost += problem.local_time[i]
    return cost


@kernel
def best_response_under(problem, rule, seed, runs, deadline):
    """Best response from all local under a rule, in several orders; links and groups of the cheapest run.

    A run ends when nobody moves in a whole round, or after 100 rounds: under fixed rules moves need not converge.
    """
    n_devices, n_slices = problem.work.shape
    random = np.array([seed], dtype=np.uint64)
    order = np.arange(n_devices)
    best, best_link, best_group = np.inf, np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
    members = np.empty((problem.capacity.size, n_devices + 1), np.int64)
    for run in range(runs):
        if run > 0:
            if now_ns() > deadline:
                break
            draw_to_front(random, order, n_devices)
        access_point, group = np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
        users, time = (
            np.zeros((problem.n_access_points, n_slices)),
            np.zeros((problem.n_access_points, n_slices)),
        )
        sizes, arrival = np.zeros(problem.capacity.size, np.int64), np.zeros(problem.n_nodes)
        for _ in range(100):
            moved = False
            for k in range(n_devices):
                if respond(
                    problem, rule, order[k], access_point, group, users, time, members, sizes, arrival
                ):
                    moved = True
            if not moved or now_ns() > deadline:
                break
        cost = cost_under(problem, rule, access_point, users, time, members, sizes, arrival)
        if cost < best:
            best = cost
            best_link[:] = access_point
            best_group[:] = group
    return best_link, best_group
