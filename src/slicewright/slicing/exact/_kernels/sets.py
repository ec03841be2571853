"""Sets of devices on one resource: what they cost, how sums follow changes, and local search over them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing._kernels.group_cost import cost_at_level, count_at_level
from slicewright.slicing.exact._kernels.joining import (
    charge,
    fill_gains,
    gain_of_joining,
    list_devices,
    make_lanes,
)

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
    sums: Any  # (2, I + 4) by depth
    state: Any  # (2, 4 N + 2) of a set: roots, work, own load and cost by slice, then arrivals and prices
    lanes: Any  # devices that could pay
    gains: Any  # (N, I) s, of theirs
    trial: Any  # (I,) int64, a set
    tested: Any  # (I,) int64, another


@kernel
def make_scratch(n_devices, n_slices):
    """Allocate for ``n_devices``."""
    depth = n_devices + 3
    return Scratch(
        np.empty(n_devices + 1), np.empty(n_devices + 1, np.int64), np.empty(n_devices + 2),
        np.empty(depth, np.int64), np.empty(depth, np.int64), np.empty(depth),
        np.empty((2, depth + 1)), np.empty((2, 4 * n_slices + 2)), make_lanes(n_devices, n_slices),
        np.empty((n_slices, n_devices)),
        np.empty(n_devices, np.int64), np.empty(n_devices, np.int64),
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
    """Shell sort of the first ``count`` items by ascending key (gaps of Knuth 1973); the order of ties is fixed."""
    key, device, slack, gap = scratch.key, scratch.device, scratch.slack, 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, count):
            a, b, c = key[k], device[k], slack[k]
            p = k - gap
            while p >= 0 and key[p] > a:
                key[p + gap], device[p + gap], slack[p + gap] = key[p], device[p], slack[p]
                p -= gap
            key[p + gap], device[p + gap], slack[p + gap] = a, b, c
        gap //= 3


@outlined
def filled_set_cost(problem, place, n, available):
    """As ``filled_cost`` of groups, which are lists of members, for the devices whose ``place`` is slice n."""
    level = np.inf
    while True:
        free_root, free, fixed_cost = 0.0, available, 0.0
        for i in range(place.size):
            if place[i] == n:
                root, tau = problem.work_root[i, n], problem.local_time[i]
                free_root, free, fixed_cost = count_at_level(level, root, tau, free_root, free, fixed_cost)
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
def change(problem, price, sums, i, n, sign):
    """Put device i into slice n of a set, or take it out (sign -1)."""
    n_slices = problem.work.shape[1]
    alpha, work = sign * problem.arrival[i], problem.work[i, n]
    sums[n] += sign * problem.work_root[i, n]
    sums[n_slices + n] += sign * work
    sums[2 * n_slices + n] += alpha * work
    sums[4 * n_slices] += alpha
    sums[4 * n_slices + 1] += sign * price[i]


@inlined
def charge_slices(problem, j, sums):
    """Fill what each slice costs; returns the value of the set: prices less costs."""
    n_slices = problem.work.shape[1]
    value = sums[4 * n_slices + 1]
    for n in range(n_slices):
        cost = charge(
            problem,
            n * problem.n_nodes + j,
            sums[n],
            sums[n_slices + n],
            sums[2 * n_slices + n],
            sums[4 * n_slices],
        )
        sums[3 * n_slices + n] = cost
        value -= cost
    return value


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
def move_each(problem, j, price, place, scratch, value):
    """Each device in turn joins, leaves or changes its slice where that gains most; returns the value of the set."""
    n_slices, here, others = problem.work.shape[1], scratch.state[0], scratch.state[1]
    lanes, gains = scratch.lanes, scratch.gains
    fill_gains(lanes, problem.shared_queue, here, 0, gains)
    for k in range(lanes.count[0]):
        i = lanes.device[k]
        now, best, choice = place[i], 0.0, NONE
        if now == NONE:
            for n in range(n_slices):
                if gains[n, k] > best + BETTER:
                    best, choice = gains[n, k], n
        else:
            copy_places(here, others)
            change(problem, price, others, i, now, -1.0)
            stay = value - charge_slices(problem, j, others)
            if not stay + BETTER < 0.0:
                best, choice = stay, now
            for n in range(n_slices):
                if n != now and lanes.offered[n, k] > 0.0:
                    gain = gain_of_joining(problem, j, others, i, n, price[i], best + BETTER)
                    if gain > best + BETTER:
                        best, choice = gain, n
        if choice != now:
            if now != NONE:
                copy_places(others, here)
            if choice != NONE:
                change(problem, price, here, i, choice, 1.0)
            place[i] = choice
            value = charge_slices(problem, j, here)
            fill_gains(lanes, problem.shared_queue, here, k + 1, gains)
    return value


@outlined
def exchange_one(problem, j, price, place, scratch, value):
    """The first exchange of a member for somebody else that gains; returns the value of the set."""
    here, others, lanes, gains = scratch.state[0], scratch.state[1], scratch.lanes, scratch.gains
    for i in range(price.size):
        if place[i] == NONE:
            continue
        copy_places(here, others)
        change(problem, price, others, i, place[i], -1.0)
        stay = value - charge_slices(problem, j, others)
        fill_gains(lanes, problem.shared_queue, others, 0, gains)
        for k in range(lanes.count[0]):
            other = lanes.device[k]
            for n in range(problem.work.shape[1]):
                if gains[n, k] > stay + BETTER and place[other] == NONE:
                    copy_places(others, here)
                    change(problem, price, here, other, n, 1.0)
                    place[i], place[other] = NONE, n
                    return charge_slices(problem, j, here)
    return value


@outlined
def drop_cheapest(problem, price, place, sums):
    """Take out the member that pays least per arrival; False if nobody is left."""
    least, who = np.inf, NONE
    for i in range(price.size):
        if place[i] != NONE and price[i] < least * problem.arrival[i]:
            least, who = price[i] / problem.arrival[i], i
    if who == NONE:
        return False
    change(problem, price, sums, who, place[who], -1.0)
    place[who] = NONE
    return True


@outlined
def improve_set(problem, j, alone, price, place, scratch, exchanges):
    """Local search from ``place`` while the gain grows, 13b not counted: moves of devices, then ``exchanges``."""
    here, n_nodes = scratch.state[0], problem.n_nodes
    list_devices(problem, j, alone, price, scratch.lanes)
    for row in range(here.size):
        here[row] = 0.0
    for i in range(price.size):
        n = place[i]
        if n != NONE:
            if alone[i, n * n_nodes + j] < price[i]:
                change(problem, price, here, i, n, 1.0)
            else:
                place[i] = NONE
    value = charge_slices(problem, j, here)
    while value == -np.inf and drop_cheapest(problem, price, place, here):
        value = charge_slices(problem, j, here)
    for _ in range(MOST_PASSES):
        before = value
        value = move_each(problem, j, price, place, scratch, value)
        if value > before + BETTER:
            continue
        if not exchanges:
            return
        before = value
        value = exchange_one(problem, j, price, place, scratch, value)
        if not value > before:
            return


@outlined
def fill_by_density(problem, j, alone, price, place, scratch):
    """A set from nothing: who gains most per arrival joins next, in the slice where that is most."""
    here, lanes, gains = scratch.state[0], scratch.lanes, scratch.gains
    clear(place)
    for row in range(here.size):
        here[row] = 0.0
    charge_slices(problem, j, here)
    list_devices(problem, j, alone, price, lanes)
    while True:
        best, who, where = 0.0, NONE, 0
        fill_gains(lanes, problem.shared_queue, here, 0, gains)
        for k in range(lanes.count[0]):
            for n in range(problem.work.shape[1]):
                gain = gains[n, k]
                if gain > max(BETTER, best * lanes.arrival[k]) and place[lanes.device[k]] == NONE:
                    best, who, where = gain / lanes.arrival[k], lanes.device[k], n
        if who == NONE:
            return
        change(problem, price, here, who, where, 1.0)
        charge_slices(problem, j, here)
        place[who] = where
