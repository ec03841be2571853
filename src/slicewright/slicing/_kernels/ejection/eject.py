"""Ejection: a device takes another one's place on a node, and that one goes where it is best off.

Best response jams where nodes are full: nobody can enter, and nobody leaves by itself. An ejection moves two devices
at once: i, which computed locally or on another node, joins the node of k in its best slice, and k, which makes room,
computes locally from then on, takes the place that i left, or goes to a third node. Every pair is looked at, which is
cheap since only two nodes change: all i are priced together for one k, in loops over devices that compile to vectors.

Prices ignore 13b and that two devices may meet on an access point; the best pair is therefore tried and judged by
true costs, and undone if it does not pay. Prices of a pair are kept until the node changes: most rounds of search touch
few nodes.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, now_ns, outlined
from slicewright.slicing._kernels.best_response import TOLERANCE, cheapest_group, cheapest_link
from slicewright.slicing._kernels.ejection.prices import look_again, price_ejections
from slicewright.slicing._kernels.problem import (
    ARRIVAL,
    CAPACITY,
    FLOOR,
    LOCAL,
    OWN,
    ROOT,
    WORK,
    join_group,
    join_radio,
    leave_group,
    leave_radio,
    offloaded_cost,
    radio_cost,
    update_costs,
)

TRIES = 3
"""So many pairs are tried for a device that could make room, the most promising first."""


@inlined
def best_slice(problem, state, i, j):
    """The group of node j in which device i costs least, 13b not counted, or LOCAL."""
    s, alpha = state.sums, problem.arrival[i]
    best, choice = np.inf, LOCAL
    for n in range(problem.work.shape[1]):
        cost = 0.0
        for m in range(problem.work.shape[1]):
            g = m * problem.n_nodes + j
            q, work, floor, own = s[ROOT, g], s[WORK, g], s[FLOOR, g], s[OWN, g]
            if m == n:
                extra = problem.work[i, n]
                q, work, own = q + problem.work_root[i, n], work + extra, own + alpha * extra
                floor += extra / problem.local_time[i]
            left = s[CAPACITY, g] - ((s[ARRIVAL, g] + alpha) * work if problem.shared_queue else own)
            cost += q * q / left if left > 0.0 and left >= floor else np.inf
        if cost < best:
            best, choice = cost, n * problem.n_nodes + j
    return choice


@outlined
def try_ejection(problem, state, r, i, k, j, limit):
    """Put i in the place of k, which is off node j already, and k where it is best off; what that costs.

    Undone, and infinite, unless the true cost is below ``limit``.
    """
    n_nodes, group = problem.n_nodes, state.group[i]
    cost = -radio_cost(state) - state.node_cost[j]
    if group == LOCAL:
        _, way = cheapest_link(problem, state, i)
        join_radio(problem, state, i, way)
        cost -= problem.local_time[i]
    else:
        cost -= state.node_cost[group % n_nodes]
        leave_group(problem, state, i)
        update_costs(problem, state, group % n_nodes)
        cost += state.node_cost[group % n_nodes]
    place = best_slice(problem, state, i, j)
    if place != LOCAL:
        join_group(problem, state, i, place)
        update_costs(problem, state, j)
        cost += state.node_cost[j] + radio_cost(state)
        tau = problem.local_time[k]
        radio, way = cheapest_link(problem, state, k)
        room = min(tau, limit - cost) - radio
        if way != LOCAL and room > 0.0:
            compute, target = cheapest_group(problem, state, k, r, room)
            if target != LOCAL:
                join_radio(problem, state, k, way)
                join_group(problem, state, k, target)
                update_costs(problem, state, target % n_nodes)
                return cost + radio + compute
        if cost + tau < limit:
            return cost + tau
        leave_group(problem, state, i)
        update_costs(problem, state, j)
    if group == LOCAL:
        leave_radio(problem, state, i)
    else:
        join_group(problem, state, i, group)
        update_costs(problem, state, group % n_nodes)
    return np.inf


@inlined
def most_promising(r, limit):
    """The device whose ejection of k costs least, or LOCAL where none costs less than ``limit``."""
    best, choice = limit, LOCAL
    for i in range(r.total.size):
        if r.total[i] < best:
            best, choice = r.total[i], i
    return choice


@inlined
def eject(problem, state, r, k):
    """Let device k make room for whoever gains most by it, if that saves more than rounding; what is saved.

    Nothing is moved unless a price promises something.
    """
    slack = TOLERANCE * offloaded_cost(state)
    link, group = state.link[k], state.group[k]
    j, a = group % problem.n_nodes, problem.access_point[link]
    radio, root = state.radio[a], problem.link_root[link]
    leave_radio(problem, state, k)
    way = root * (root + 2.0 * state.radio[a])
    i = LOCAL
    if price_ejections(problem, state, r, k, way + r.relief[k] - slack):
        i = most_promising(r, way + r.relief[k] - slack)
    if i != LOCAL:
        paid = way + state.node_cost[j]
        leave_group(problem, state, k)
        update_costs(problem, state, j)
        paid -= state.node_cost[j]
        for _ in range(TRIES):
            asked = try_ejection(problem, state, r, i, k, j, paid - slack)
            if asked < np.inf:
                return paid - asked
            r.total[i] = np.inf
            i = most_promising(r, way + r.relief[k] - slack)
            if i == LOCAL:
                break
        join_group(problem, state, k, group)
        update_costs(problem, state, j)
    state.link[k], state.radio[a] = link, radio
    return 0.0


@outlined
def eject_each(problem, state, r, order, count, deadline):
    """Let the first ``count`` devices of ``order`` make room, in turn; what is saved."""
    saved = 0.0
    look_again(problem, state, r)
    for c in range(count):
        k = order[c]
        if state.group[k] == LOCAL:
            continue
        gain = eject(problem, state, r, k)
        if gain > 0.0:
            saved += gain
            look_again(problem, state, r)
        if (c & 7) == 7 and now_ns() > deadline:
            break
    return saved
