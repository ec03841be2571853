"""What ejections would change, priced for all devices at once and kept until a node changes (:mod:`eject`).

Prices ignore 13b but where it forbids a move outright, and that two devices may meet on an access point.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, next_random, outlined
from slicewright.slicing._kernels.best_response import cheapest_link, price_own, price_shared
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import ARRIVAL, CAPACITY, FLOOR, LOCAL, OWN, ROOT, WORK

REMEMBER_MOST = 256
"""With more devices, prices of every pair would take too much memory to be kept."""


class Rivals(NamedTuple):
    """Devices by column, so that loops over them are vectors, and what their nodes would be without them.

    What belongs to a node holds until its members change, in whatever way: a sum over their keys tells.
    """

    work: Any  # (N, I) cycle, L_in
    root: Any  # (N, I) sqrt(cycle)
    least: Any  # (N, I) cycle/s, L_in / tau_i
    rest_size: Any  # (N, I + 1) cycle/s, slices of the device's node without it, see ``as_queued``; last a whole node's
    rest_queued: Any  # (N, I + 1) cycle
    rest_root: Any  # (N, I + 1) sqrt(cycle)
    rest_floor: Any  # (N, I + 1) cycle/s
    rest_queue: Any  # (I + 1,) 1/s
    rest_cost: Any  # (I,) s, what the other devices of its node then cost
    node: Any  # (I,) int64, or LOCAL
    relief: Any  # (I,) s, what the system saves when the device leaves its place, radio not counted
    back: Any  # (I,) s, what its node's cost then grows by when it comes back, in its best slice
    taken: Any  # (I, I) s, cost of device k's node once i has taken k's place, in its best slice; (1, I) if not kept
    swapped: Any  # (I,) s, cost of each device's node once k has taken its place
    total: Any  # (I,) s, change of cost by the whole ejection
    idle: Any  # (I,) s, the slices of the asked node under the longer queue, without the newcomer
    base: Any  # (N, I) s, each of them
    joined: Any  # (N, I) s, each of them with the newcomer
    entered: Any  # (J, I) s, growth of a node when a device joins it; (J, 1) if not kept
    others: Any  # (J,)
    growth: Any  # (2, N * J)
    key: Any  # (I,) uint64, random
    present: Any  # (J,) uint64, members of each node as a sum over their keys
    fresh: Any  # (J,) uint64, the same when what belongs to the node was last filled, but for prices of pairs
    priced: Any  # (J,) uint64, the same when these were


@kernel
def make_rivals(problem):
    """Allocate, and copy what does not change."""
    n_devices, n_slices = problem.work.shape
    n_nodes = problem.n_nodes
    by_slice, rest = np.zeros((5, n_slices, n_devices)), np.zeros((4, n_slices, n_devices + 1))
    work, root, least = by_slice[0], by_slice[1], by_slice[2]
    for n in range(n_slices):
        for i in range(n_devices):
            work[n, i], root[n, i] = problem.work[i, n], problem.work_root[i, n]
            least[n, i] = work[n, i] / problem.local_time[i]
    kept = n_devices if n_devices <= REMEMBER_MOST else 1
    by_device = np.zeros((6, n_devices))
    key, random = np.empty(n_devices, np.uint64), np.zeros(1, np.uint64)
    for i in range(n_devices):
        key[i] = next_random(random)
    return Rivals(
        work, root, least, rest[0], rest[1], rest[2], rest[3], np.zeros(n_devices + 1),
        by_device[0], np.full(n_devices, LOCAL), by_device[1], by_device[5], np.empty((kept, n_devices)),
        by_device[2], by_device[3], by_device[4], by_slice[3], by_slice[4], np.empty((n_nodes, kept)),
        np.empty(n_nodes), np.empty((2, problem.capacity.size)), key, np.zeros(n_nodes, np.uint64),
        np.ones(n_nodes, np.uint64), np.ones(n_nodes, np.uint64),
    )  # fmt: skip


@inlined
def as_queued(problem, size, queue, work, own):
    """(size, queue, work) of a group: with a newcomer, size - (queue + alpha) * (work + L) is left, in either variant.

    In variant "device" the newcomer's arrivals meet its own work alone, so that the others' load counts as size.
    """
    return (size, queue, work) if problem.shared_queue else (size - own, 0.0, 0.0)


@inlined
def price_return(problem, r, i):
    """What the node of device i costs once it has come back, in its best slice, 13b only as far as it forbids."""
    n_slices, best, queue = problem.work.shape[1], np.inf, r.rest_queue[i] + problem.arrival[i]
    for n in range(n_slices):
        cost = 0.0
        for m in range(n_slices):
            q, queued, floor = r.rest_root[m, i], r.rest_queued[m, i], r.rest_floor[m, i]
            if m == n:
                q, queued, floor = q + r.root[n, i], queued + r.work[n, i], floor + r.least[n, i]
            left = r.rest_size[m, i] - queue * queued
            cost += q * q / left if left > 0.0 and left >= floor else np.inf
        best = min(best, cost)
    return best


@inlined
def imagine_absence(problem, state, r, i):
    """Fill what the node of device i would be without it."""
    s, n_nodes, group, cost = state.sums, problem.n_nodes, state.group[i], 0.0
    arrival = s[ARRIVAL, group] - problem.arrival[i]
    for n in range(problem.work.shape[1]):
        g = n * n_nodes + r.node[i]
        root, work, floor, own = s[ROOT, g], s[WORK, g], s[FLOOR, g], s[OWN, g]
        if g == group:
            if state.head[g] == i and state.after[i] == NOBODY:  # alone: exact zeros, whatever rounding left
                root = work = floor = own = 0.0
            else:
                root, work, floor = root - r.root[n, i], work - r.work[n, i], floor - r.least[n, i]
                own -= problem.arrival[i] * r.work[n, i]
        size, queue, queued = as_queued(problem, s[CAPACITY, g], arrival, work, own)
        r.rest_size[n, i], r.rest_queue[i], r.rest_queued[n, i] = size, queue, queued
        r.rest_root[n, i], r.rest_floor[n, i] = root, floor
        cost += root * root / (size - queue * queued)
    r.rest_cost[i] = cost
    r.relief[i] = state.node_cost[r.node[i]] - cost
    r.back[i] = price_return(problem, r, i) - cost


@inlined
def price_slice(problem, r, n, c):
    """Fill what slice n of column c costs under each newcomer's queue, without it (``base``) and with it (``joined``).

    13b counts only as far as it forbids. Both costs share a division, which takes longer than all else here.
    """
    base, joined, arrival = r.base[n], r.joined[n], problem.arrival
    work, roots, least = r.work[n], r.root[n], r.least[n]
    size, queue, queued = r.rest_size[n, c], r.rest_queue[c], r.rest_queued[n, c]
    root, floor = r.rest_root[n, c], r.rest_floor[n, c]
    square = root * root
    for i in range(base.size):
        load = queue + arrival[i]
        without, left = size - load * queued, size - load * (queued + work[i])
        shared = 1.0 / (without * left)
        cost = square * (left * shared) if square > 0.0 else 0.0  # no 0 / 0 where there is no capacity
        base[i] = cost if without > 0.0 and without >= floor else np.inf
        q = root + roots[i]
        cost = q * q * (without * shared)
        joined[i] = cost if left > 0.0 and left >= floor + least[i] else np.inf


@inlined
def price_place(problem, r, c, into):
    """What the node of column c costs once each device has joined it in its best slice.

    A device's column is its node without it: then the others take its place.
    """
    idle = r.idle
    for i in range(into.size):
        into[i], idle[i] = np.inf, 0.0
    for n in range(problem.work.shape[1]):
        price_slice(problem, r, n, c)
        base = r.base[n]
        for i in range(idle.size):
            idle[i] += base[i]
    for n in range(problem.work.shape[1]):
        base, joined = r.base[n], r.joined[n]
        for i in range(into.size):
            cost = joined[i] + (idle[i] - base[i])
            into[i] = cost if cost < into[i] else into[i]


@inlined
def price_entering(problem, state, r, j, into):
    """What the cost of node j grows by when each device joins it in its best slice."""
    s, last = state.sums, into.size
    for n in range(problem.work.shape[1]):
        g = n * problem.n_nodes + j
        size, queue, queued = as_queued(problem, s[CAPACITY, g], s[ARRIVAL, g], s[WORK, g], s[OWN, g])
        r.rest_size[n, last], r.rest_queue[last], r.rest_queued[n, last] = size, queue, queued
        r.rest_root[n, last], r.rest_floor[n, last] = s[ROOT, g], s[FLOOR, g]
    price_place(problem, r, last, into)
    for i in range(into.size):
        into[i] -= state.node_cost[j]


@inlined
def remembers(r):
    """Whether prices of every pair are kept."""
    return r.taken.shape[0] == r.taken.shape[1]


@outlined
def price_node(problem, state, r, j):
    """Fill what belongs to node j but for prices of pairs."""
    for g in range(j, problem.capacity.size, problem.n_nodes):
        member = state.head[g]
        while member != NOBODY:
            imagine_absence(problem, state, r, member)
            member = state.after[member]
    if remembers(r):
        price_entering(problem, state, r, j, r.entered[j])
    r.fresh[j] = r.present[j]


@inlined
def key_in(problem, r, i, group):
    """What device i adds to the sum over the keys of a node's members."""
    return r.key[i] * np.uint64(2 * (group // problem.n_nodes) + 1)


@outlined
def keep_up(problem, state, r):
    """Bring up to date what belongs to nodes whose members changed, but for prices of pairs."""
    n_devices, n_nodes = state.group.size, problem.n_nodes
    for j in range(n_nodes):
        r.present[j] = np.uint64(0)
    for i in range(n_devices):
        group = state.group[i]
        if group == LOCAL:
            r.node[i], r.relief[i] = LOCAL, 0.0
        else:
            r.node[i] = group % n_nodes
            r.present[group % n_nodes] += key_in(problem, r, i, group)
    for j in range(n_nodes):
        if r.present[j] != r.fresh[j]:
            price_node(problem, state, r, j)


@outlined
def note_move(problem, state, r, i, before):
    """Bring up to date what belongs to the two nodes between which device i has just moved, as :func:`keep_up`."""
    n_nodes, group = problem.n_nodes, state.group[i]
    r.node[i], r.relief[i] = LOCAL, 0.0
    if before != LOCAL:
        r.present[before % n_nodes] -= key_in(problem, r, i, before)
    if group != LOCAL:
        r.node[i] = group % n_nodes
        r.present[group % n_nodes] += key_in(problem, r, i, group)
        price_node(problem, state, r, group % n_nodes)
    if before != LOCAL and (group == LOCAL or before % n_nodes != group % n_nodes):
        price_node(problem, state, r, before % n_nodes)


@outlined
def look_again(problem, state, r):
    """Bring up to date what belongs to nodes whose members changed, prices of pairs too."""
    keep_up(problem, state, r)
    if not remembers(r):
        return
    for k in range(state.group.size):
        j = r.node[k]
        if j != LOCAL and r.present[j] != r.priced[j]:
            price_place(problem, r, k, r.taken[k])
    for j in range(problem.n_nodes):
        r.priced[j] = r.present[j]


@outlined
def price_swapping(problem, r, k):
    """Fill ``swapped``: the cost of each device's node once k has taken its place there.

    Every loop over devices writes one array, so that it compiles to vectors.
    """
    n_devices, n_slices = problem.work.shape
    alpha, swapped, idle, queue = problem.arrival[k], r.swapped, r.idle, r.rest_queue
    for i in range(n_devices):
        swapped[i], idle[i] = np.inf, 0.0
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
            swapped[i] = base[i] if base[i] < swapped[i] else swapped[i]


@inlined
def price_elsewhere(problem, state, r, k):
    """What the cost of other nodes grows by when k joins: (least, second least, node of the least)."""
    n_nodes, j = problem.n_nodes, r.node[k]
    kept = remembers(r)
    if not kept:
        work, root = problem.work[k], problem.work_root[k]
        tau, alpha = problem.local_time[k], problem.arrival[k]
        if problem.shared_queue:
            price_shared(state.sums, state.node_cost, work, root, tau, alpha, r.others, r.growth)
        else:
            price_own(state.sums, n_nodes, work, root, tau, alpha, r.growth)
        for x in range(n_nodes):
            r.entered[x, 0] = np.inf
        for first in range(0, problem.capacity.size, n_nodes):
            for x in range(n_nodes):
                r.entered[x, 0] = min(r.entered[x, 0], r.growth[1, first + x])
    least, second, nearest = np.inf, np.inf, LOCAL
    for x in range(n_nodes):
        growth = r.entered[x, k if kept else 0]
        if x != j:
            if growth < least:
                second, least, nearest = least, growth, x
            elif growth < second:
                second = growth
    return least, second, nearest


@inlined
def join_prices(problem, r, j, limit, taken, before, radio, elsewhere, elsewhere_too, nearest):
    """Fill ``total`` but for the links of local devices; whether any is below ``limit``.

    Branch-free, so that it compiles to vectors: nothing else is done so often, and seldom is there anything to gain.
    """
    total, node, relief, rest_cost, swapped = r.total, r.node, r.relief, r.rest_cost, r.swapped
    for i in range(total.size):
        other = elsewhere if node[i] != nearest else elsewhere_too
        back = radio + (swapped[i] - rest_cost[i])
        moved = taken[i] - before - relief[i] + (back if back < other else other)
        entered = taken[i] - before - problem.local_time[i] + elsewhere
        change = entered if node[i] == LOCAL else moved
        total[i] = np.inf if node[i] == j else change
    found = 0
    for i in range(total.size):
        found += 1 if total[i] < limit else 0
    return found > 0


@inlined
def price_ejections(problem, state, r, k, limit):
    """Fill ``total`` for device k, whose link was just taken away: what every i in its place changes.

    How a device that was local would transmit is looked up, and counted, only where the rest is below ``limit``.

    Returns:
        Whether any is below ``limit`` so far.
    """
    j, total, before, swapped = r.node[k], r.total, r.rest_cost[k], r.swapped
    if remembers(r):
        taken = r.taken[k]
        for i in range(total.size):
            swapped[i] = r.taken[i, k]
    else:
        taken = r.taken[0]
        price_place(problem, r, k, taken)
        price_swapping(problem, r, k)
    least, second, nearest = price_elsewhere(problem, state, r, k)
    radio, _ = cheapest_link(problem, state, k)
    tau = problem.local_time[k]
    elsewhere, elsewhere_too = min(tau, radio + least), min(tau, radio + second)
    found = join_prices(problem, r, j, limit, taken, before, radio, elsewhere, elsewhere_too, nearest)
    if found:
        for i in range(total.size):
            if r.node[i] == LOCAL and total[i] < limit:
                way, _ = cheapest_link(problem, state, i)
                total[i] += way
    return found
