"""Sets of devices on one resource: what they cost, how sums follow changes, and local search over them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing._kernels.problem import cost_at_level

NONE = -1
BETTER = 1e-12  # s, a move of local search must gain more
MOST_PASSES = 60


class Offer(NamedTuple):
    """The best set found for a resource; ``place`` is the slice of each member, or NONE (0 on access points)."""

    place: Any  # (I,) int64
    cost: Any  # (1,) s, true cost of the set


class Scratch(NamedTuple):
    """Room to work in, allocated once."""

    key: Any  # (I + 1,) what items are sorted by
    device: Any  # (I + 1,) int64
    slack: Any  # (I + 1,) a figure that is sorted along
    stack: Any  # (I + 2,) int64
    chosen: Any  # (I + 2,) int64
    paid: Any  # (I + 2,)
    sums: Any  # (3 N + 2, I + 3) of roots, work, own load by slice, then arrivals and prices, by depth
    trial: Any  # (I,) int64, a set
    tested: Any  # (I,) int64, another


@kernel
def make_scratch(n_devices, n_slices):
    """Allocate for ``n_devices``."""
    depth = n_devices + 3
    return Scratch(
        np.empty(n_devices + 1), np.empty(n_devices + 1, np.int64), np.empty(n_devices + 2),
        np.empty(depth, np.int64), np.empty(depth, np.int64), np.empty(depth),
        np.empty((3 * n_slices + 2, depth + 1)), np.empty(n_devices, np.int64), np.empty(n_devices, np.int64),
    )  # fmt: skip


@inlined
def copy_places(source, target):
    for i in range(source.size):
        target[i] = source[i]


@inlined
def clear(place):
    for i in range(place.size):
        place[i] = NONE


@outlined
def sort_items(scratch, count):
    """Insertion sort of the first ``count`` items by ascending key."""
    key, device, slack = scratch.key, scratch.device, scratch.slack
    for k in range(1, count):
        a, b, c = key[k], device[k], slack[k]
        p = k - 1
        while p >= 0 and key[p] > a:
            key[p + 1], device[p + 1], slack[p + 1] = key[p], device[p], slack[p]
            p -= 1
        key[p + 1], device[p + 1], slack[p + 1] = a, b, c


@outlined
def filled_set_cost(problem, place, n, available):
    """As ``filled_cost`` of groups, for the devices whose ``place`` is slice n."""
    level = np.inf
    while True:
        free_root, free, fixed_cost = 0.0, available, 0.0
        for i in range(place.size):
            if place[i] == n:
                root, tau = problem.work_root[i, n], problem.local_time[i]
                if root > level * tau:
                    free -= root * root / tau
                    fixed_cost += tau
                else:
                    free_root += root
        cost = cost_at_level(level, free_root, free, fixed_cost)
        if cost >= 0.0:
            return cost
        level = free / free_root


@outlined
def node_cost(problem, j, place):
    """True cost of a node whose devices and slices are ``place``; infinite where 13b or 13c fails."""
    arrivals, total = 0.0, 0.0
    for i in range(place.size):
        if place[i] != NONE:
            arrivals += problem.arrival[i]
    for n in range(problem.work.shape[1]):
        work, own, some = 0.0, 0.0, False
        for i in range(place.size):
            if place[i] == n:
                work += problem.work[i, n]
                own += problem.arrival[i] * problem.work[i, n]
                some = True
        if some:
            load = arrivals * work if problem.shared_queue else own
            total += filled_set_cost(problem, place, n, problem.capacity[n * problem.n_nodes + j] - load)
    return total


@inlined
def value_at(problem, j, sums, depth):
    """Prices of the set at ``depth`` less its cost without 13b; minus infinity where a queue is unstable."""
    n_slices = problem.work.shape[1]
    arrivals, value = sums[3 * n_slices, depth], sums[3 * n_slices + 1, depth]
    for n in range(n_slices):
        q = sums[n, depth]
        load = arrivals * sums[n_slices + n, depth] if problem.shared_queue else sums[2 * n_slices + n, depth]
        left = problem.capacity[n * problem.n_nodes + j] - load
        if q > 0.0:
            value -= q * q / left if left > 0.0 else np.inf
    return value


@inlined
def change(problem, price, sums, depth, i, n, sign):
    """Put device i into slice n of the set at ``depth``, or take it out (sign -1)."""
    n_slices = problem.work.shape[1]
    alpha, work = sign * problem.arrival[i], problem.work[i, n]
    sums[n, depth] += sign * problem.work_root[i, n]
    sums[n_slices + n, depth] += sign * work
    sums[2 * n_slices + n, depth] += alpha * work
    sums[3 * n_slices, depth] += alpha
    sums[3 * n_slices + 1, depth] += sign * price[i]


@inlined
def copy_sums(sums, source, target):
    for row in range(sums.shape[0]):
        sums[row, target] = sums[row, source]


@inlined
def keep_if_better(problem, j, price, place, offer, best):
    """Replace the offer by ``place`` if its true gain is above ``best``; returns the larger of both."""
    cost = node_cost(problem, j, place)
    gain = -cost
    for i in range(price.size):
        if place[i] != NONE:
            gain += price[i]
    if gain > best:
        best = gain
        offer.cost[0] = cost
        copy_places(place, offer.place)
    return best


@outlined
def move_each(problem, j, alone, price, place, sums, value):
    """Each device in turn joins, leaves or changes its slice where that gains most; returns the value of the set."""
    n_nodes, n_slices = problem.n_nodes, problem.work.shape[1]
    for i in range(price.size):
        now = place[i]
        copy_sums(sums, 0, 1)
        if now != NONE:
            change(problem, price, sums, 1, i, now, -1.0)
        best, choice = value, now
        for option in range(NONE, n_slices):
            if option != NONE and not alone[i, option * n_nodes + j] < price[i]:
                continue
            copy_sums(sums, 1, 2)
            if option != NONE:
                change(problem, price, sums, 2, i, option, 1.0)
            asked = value_at(problem, j, sums, 2)
            if asked > best + BETTER:
                best, choice = asked, option
                copy_sums(sums, 2, 3)
        value = best
        if choice != now:
            copy_sums(sums, 3, 0)
            place[i] = choice
    return value


@outlined
def exchange_one(problem, j, alone, price, place, sums, value):
    """The first exchange of a member for somebody else that gains; returns the value of the set."""
    n_nodes, n_slices = problem.n_nodes, problem.work.shape[1]
    for i in range(price.size):
        if place[i] == NONE:
            continue
        copy_sums(sums, 0, 1)
        change(problem, price, sums, 1, i, place[i], -1.0)
        for other in range(price.size):
            if place[other] != NONE:
                continue
            for n in range(n_slices):
                if alone[other, n * n_nodes + j] < price[other]:
                    copy_sums(sums, 1, 2)
                    change(problem, price, sums, 2, other, n, 1.0)
                    asked = value_at(problem, j, sums, 2)
                    if asked > value + BETTER:
                        copy_sums(sums, 2, 0)
                        place[i], place[other] = NONE, n
                        return asked
    return value


@outlined
def improve_set(problem, j, alone, price, place, scratch):
    """Local search from ``place`` while the gain grows, 13b not counted: moves of single devices, then exchanges."""
    sums, n_nodes = scratch.sums, problem.n_nodes
    for row in range(sums.shape[0]):
        sums[row, 0] = 0.0
    for i in range(price.size):
        n = place[i]
        if n != NONE:
            if alone[i, n * n_nodes + j] < price[i]:
                change(problem, price, sums, 0, i, n, 1.0)
            else:
                place[i] = NONE
    value = -np.inf  # of a set that may not be stable: any other is better
    for _ in range(MOST_PASSES):
        before = value
        value = move_each(problem, j, alone, price, place, sums, value)
        if value > before:
            continue
        value = exchange_one(problem, j, alone, price, place, sums, value)
        if not value > before:
            return
