"""Ejection: a device takes another one's place on a node, and that one goes where it is best off.

Best response jams where nodes are full: nobody can enter, and nobody leaves by itself. An ejection moves two devices
at once: i, which computed locally or on another node, joins the node of k in its best slice, and k, which makes room,
computes locally from then on, takes the place that i left, or goes to a third node. Every pair is looked at, which is
cheap since only two nodes change: all i are priced together for one k, in loops over devices that compile to vectors.

Prices ignore 13b and that two devices may meet on an access point; the best pair is therefore tried and judged by
true costs, and undone if it does not pay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.best_response import (
    TOLERANCE,
    cheapest_group,
    cheapest_link,
    price_own,
    price_shared,
)
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


class Rivals(NamedTuple):
    """Devices by column, so that loops over them are vectors, and what their nodes would be without them."""

    work: Any  # (N, I) cycle, L_in
    root: Any  # (N, I) sqrt(cycle)
    least: Any  # (N, I) cycle/s, L_in / tau_i
    rest_size: Any  # (N, I) cycle/s, of the slices of the device's node, see ``as_queued``
    rest_queued: Any  # (N, I) cycle
    rest_root: Any  # (N, I) sqrt(cycle)
    rest_floor: Any  # (N, I) cycle/s
    rest_queue: Any  # (I,) 1/s
    rest_cost: Any  # (I,) s, what the other devices of its node then cost
    node: Any  # (I,) int64, or LOCAL
    relief: Any  # (I,) s, what the system saves when the device leaves its place, radio not counted
    joining: Any  # (I,) s, cost of the node that is asked when the device joins it in its best slice
    swapping: Any  # (I,) s, cost of the device's node when k takes its place there
    total: Any  # (I,) s, cost of the whole ejection
    idle: Any  # (I,) s, the slices of the asked node under the longer queue, without the newcomer
    base: Any  # (N, I) s, each of them
    others: Any  # (J,)
    growth: Any  # (2, N * J)
    by_node: Any  # (J,) s, least growth of a node when k joins


@kernel
def make_rivals(problem):
    """Allocate, and copy what does not change."""
    n_devices, n_slices = problem.work.shape
    work, root = np.empty((n_slices, n_devices)), np.empty((n_slices, n_devices))
    least, base = np.empty((n_slices, n_devices)), np.empty((n_slices, n_devices))
    for n in range(n_slices):
        for i in range(n_devices):
            work[n, i], root[n, i] = problem.work[i, n], problem.work_root[i, n]
            least[n, i] = work[n, i] / problem.local_time[i]
    rest = np.zeros((4, n_slices, n_devices))
    by_device = np.zeros((7, n_devices))
    return Rivals(
        work, root, least, rest[0], rest[1], rest[2], rest[3], by_device[0],
        by_device[1], np.empty(n_devices, np.int64), by_device[2], by_device[3], by_device[4], by_device[5],
        by_device[6], base, np.empty(problem.n_nodes), np.empty((2, problem.capacity.size)), np.empty(problem.n_nodes),
    )  # fmt: skip


@inlined
def as_queued(problem, size, queue, work, own):
    """(size, queue, work) of a group: with a newcomer, size - (queue + alpha) * (work + L) is left, in either variant.

    In variant "device" the newcomer's arrivals meet its own work alone, so that the others' load counts as size.
    """
    return (size, queue, work) if problem.shared_queue else (size - own, 0.0, 0.0)


@outlined
def imagine_absence(problem, state, r):
    """Fill what every offloaded device's node would be without it."""
    s, n_nodes = state.sums, problem.n_nodes
    for i in range(state.group.size):
        group = state.group[i]
        if group == LOCAL:
            r.relief[i], r.node[i] = 0.0, LOCAL
            continue
        j, cost = group % n_nodes, 0.0
        r.node[i] = j
        arrival = s[ARRIVAL, group] - problem.arrival[i]
        for n in range(problem.work.shape[1]):
            g = n * n_nodes + j
            root, work, floor, own = s[ROOT, g], s[WORK, g], s[FLOOR, g], s[OWN, g]
            if g == group:
                if (
                    state.head[g] == i and state.after[i] == LOCAL
                ):  # alone: exact zeros, whatever rounding left
                    root = work = floor = own = 0.0
                else:
                    root, work, floor = root - r.root[n, i], work - r.work[n, i], floor - r.least[n, i]
                    own -= problem.arrival[i] * r.work[n, i]
            size, queue, queued = as_queued(problem, s[CAPACITY, g], arrival, work, own)
            r.rest_size[n, i], r.rest_queue[i], r.rest_queued[n, i] = size, queue, queued
            r.rest_root[n, i], r.rest_floor[n, i] = root, floor
            cost += root * root / (size - queue * queued)
        r.rest_cost[i] = cost
        r.relief[i] = state.node_cost[j] - cost


@outlined
def price_joining(problem, state, r, j):
    """Fill ``joining``: the cost of node j once each device has joined it, 13b only as far as it forbids."""
    s, arrival = state.sums, problem.arrival
    n_devices, n_slices = problem.work.shape
    joining, idle = r.joining, r.idle
    for i in range(n_devices):
        joining[i], idle[i] = np.inf, 0.0
    for n in range(n_slices):
        g, base = n * problem.n_nodes + j, r.base[n]
        size, queue, queued = as_queued(problem, s[CAPACITY, g], s[ARRIVAL, g], s[WORK, g], s[OWN, g])
        square, floor = s[ROOT, g] * s[ROOT, g], s[FLOOR, g]
        for i in range(n_devices):
            left = size - (queue + arrival[i]) * queued
            cost = square / left
            cost = cost if left > 0.0 and left >= floor else np.inf
            base[i] = cost
            idle[i] += cost
    for n in range(n_slices):
        g, base, work, roots, least = n * problem.n_nodes + j, r.base[n], r.work[n], r.root[n], r.least[n]
        size, queue, queued = as_queued(problem, s[CAPACITY, g], s[ARRIVAL, g], s[WORK, g], s[OWN, g])
        root, floor = s[ROOT, g], s[FLOOR, g]
        for i in range(n_devices):
            q = root + roots[i]
            left = size - (queue + arrival[i]) * (queued + work[i])
            cost = q * q / left + (idle[i] - base[i])
            cost = cost if left > 0.0 and left >= floor + least[i] else np.inf
            joining[i] = cost if cost < joining[i] else joining[i]


@outlined
def price_swapping(problem, r, k):
    """Fill ``swapping``: the cost of each device's node once k has taken its place there.

    Every loop over devices writes one array, so that it compiles to vectors.
    """
    n_devices, n_slices = problem.work.shape
    alpha, swapping, idle, queue = problem.arrival[k], r.swapping, r.idle, r.rest_queue
    for i in range(n_devices):
        swapping[i], idle[i] = np.inf, 0.0
    for n in range(n_slices):
        base, size, queued = r.base[n], r.rest_size[n], r.rest_queued[n]
        roots, floor = r.rest_root[n], r.rest_floor[n]
        for i in range(n_devices):
            left = size[i] - (queue[i] + alpha) * queued[i]
            cost = roots[i] * roots[i] / left
            base[i] = cost if left > 0.0 and left >= floor[i] else np.inf
        for i in range(n_devices):
            idle[i] += base[i]
    for n in range(n_slices):
        base, size, queued = r.base[n], r.rest_size[n], r.rest_queued[n]
        roots, floor = r.rest_root[n], r.rest_floor[n]
        root, work, least = r.root[n, k], r.work[n, k], r.least[n, k]
        for i in range(n_devices):
            base[i] = idle[i] - base[i]
        for i in range(n_devices):
            q = roots[i] + root
            left = size[i] - (queue[i] + alpha) * (queued[i] + work)
            cost = q * q / left + base[i]
            base[i] = cost if left > 0.0 and left >= floor[i] + least else np.inf
        for i in range(n_devices):
            swapping[i] = base[i] if base[i] < swapping[i] else swapping[i]


@outlined
def price_nodes(problem, state, r, k):
    """Fill ``by_node``: what each node's cost grows by when device k, which is nowhere, joins it."""
    n_nodes, tau, alpha = problem.n_nodes, problem.local_time[k], problem.arrival[k]
    work, root = problem.work[k], problem.work_root[k]
    if problem.shared_queue:
        price_shared(state.sums, state.node_cost, work, root, tau, alpha, r.others, r.growth)
    else:
        price_own(state.sums, n_nodes, work, root, tau, alpha, r.growth)
    for j in range(n_nodes):
        r.by_node[j] = np.inf
    for first in range(0, problem.capacity.size, n_nodes):
        for j in range(n_nodes):
            r.by_node[j] = min(r.by_node[j], r.growth[1, first + j])


@outlined
def price_ejections(problem, state, r, k, j, limit):
    """Fill ``total`` for device k, which was just taken off node j: the cost of every i in its place.

    Not where it is seen to be ``limit`` or more: how a device that was local would transmit is looked up only then.
    """
    n_nodes, total, before = problem.n_nodes, r.total, state.node_cost[j]
    price_nodes(problem, state, r, k)
    price_joining(problem, state, r, j)
    price_swapping(problem, r, k)
    least, second, nearest = np.inf, np.inf, LOCAL
    for x in range(n_nodes):
        if x != j:
            if r.by_node[x] < least:
                second, least, nearest = least, r.by_node[x], x
            elif r.by_node[x] < second:
                second = r.by_node[x]
    radio, _ = cheapest_link(problem, state, k)
    tau = problem.local_time[k]
    elsewhere, elsewhere_too = min(tau, radio + least), min(tau, radio + second)
    for i in range(total.size):
        swapped = radio + (r.swapping[i] - r.rest_cost[i])
        other = elsewhere if r.node[i] != nearest else elsewhere_too
        total[i] = r.joining[i] - before - r.relief[i] + min(other, swapped)
    for i in range(total.size):
        if i == k or r.node[i] == j:
            total[i] = np.inf
        elif r.node[i] == LOCAL:
            total[i] = r.joining[i] - before - problem.local_time[i] + elsewhere
            if total[i] < limit:
                way, _ = cheapest_link(problem, state, i)
                total[i] += way


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
            compute, target = cheapest_group(problem, state, k, (r.others, r.growth), room)
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


@outlined
def eject(problem, state, r, k):
    """Let device k make room for whoever gains most by it, if that saves more than rounding; what is saved."""
    slack = TOLERANCE * offloaded_cost(state)
    link, group = state.link[k], state.group[k]
    j = group % problem.n_nodes
    paid = state.node_cost[j]
    leave_group(problem, state, k)
    update_costs(problem, state, j)
    leave_radio(problem, state, k)
    root = problem.link_root[link]
    paid += root * (root + 2.0 * state.radio[problem.access_point[link]]) - state.node_cost[j]
    price_ejections(problem, state, r, k, j, paid - slack)
    for _ in range(TRIES):
        best, i = paid - slack, LOCAL
        for candidate in range(state.group.size):
            if r.total[candidate] < best:
                best, i = r.total[candidate], candidate
        if i == LOCAL:
            break
        asked = try_ejection(problem, state, r, i, k, j, paid - slack)
        if asked < np.inf:
            return paid - asked
        r.total[i] = np.inf
    join_radio(problem, state, k, link)
    join_group(problem, state, k, group)
    update_costs(problem, state, j)
    return 0.0


@outlined
def eject_each(problem, state, r, order, count, deadline):
    """Let the first ``count`` devices of ``order`` make room, in turn; what is saved."""
    saved = 0.0
    imagine_absence(problem, state, r)
    for c in range(count):
        k = order[c]
        if state.group[k] == LOCAL:
            continue
        gain = eject(problem, state, r, k)
        if gain > 0.0:
            saved += gain
            imagine_absence(problem, state, r)
        if now_ns() > deadline:
            break
    return saved
