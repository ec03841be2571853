"""The most profitable set of a node where few devices pay at once: depth-first search over devices and slices.

What a device adds to the cost of a node only grows with the set that it joins (in Q^2 / (F - Lambda W) all second
derivatives by roots, arrivals and work are positive). So no set around S gains more than the gain of S and what each
candidate would gain by joining S alone, and who does not pay now never will. 13b can only add to the cost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing.exact._kernels.joining import fill_gains, list_devices, make_lanes
from slicewright.slicing.exact._kernels.sets import (
    NONE,
    change,
    charge_slices,
    clear,
    copy_places,
    keep_if_better,
)

MOST_MEMBERS = 12


class SmallSets(NamedTuple):
    """Room to work in; rows are the number of members."""

    lanes: Any  # candidates, who gains most alone first
    order: Any  # the same before they are put in order
    sums: Any  # (M + 1, 4 N + 2), see ``sets``
    gain: Any  # (M + 1, N, I) s, of joining
    left: Any  # (M + 1, I + 1) s, the sum of what candidates gain at most, from one on
    at: Any  # (2, M + 1) int64, the present candidate and its slice
    value: Any  # (M + 1,) s, of the set
    place: Any  # (I,) int64, the present set


@kernel
def make_small_sets(n_devices, n_slices):
    """Allocate."""
    rows = MOST_MEMBERS + 1
    return SmallSets(
        make_lanes(n_devices, n_slices), make_lanes(n_devices, n_slices), np.zeros((rows, 4 * n_slices + 2)),
        np.empty((rows, n_slices, n_devices)), np.empty((rows, n_devices + 1)),
        np.empty((2, rows), np.int64), np.zeros(rows), np.empty(n_devices, np.int64),
    )  # fmt: skip


@inlined
def count_members(place):
    members = 0
    for i in range(place.size):
        members += place[i] != NONE
    return members


@inlined
def count_payers(problem, j, alone, price):
    """Devices that could pay at node j alone."""
    count = 0
    for i in range(price.size):
        some = False
        for n in range(problem.work.shape[1]):
            some |= alone[i, n * problem.n_nodes + j] < price[i]
        count += some
    return count


@outlined
def put_in_order(problem, j, alone, price, small):
    """List who may join, who gains most alone first."""
    listed, lanes, gain, most = small.order, small.lanes, small.gain[0], small.left[0]
    n_slices, chosen = gain.shape[0], small.place
    list_devices(problem, j, alone, price, listed)
    fill_gains(listed, problem.shared_queue, small.sums[0], 0, gain)
    for k in range(listed.count[0]):
        largest, p = -np.inf, k
        for n in range(n_slices):
            largest = max(largest, gain[n, k])
        while p > 0 and most[p - 1] < largest:
            most[p], chosen[p] = most[p - 1], chosen[p - 1]
            p -= 1
        most[p], chosen[p] = largest, k
    lanes.count[0] = listed.count[0]
    copy_places(listed.size, lanes.size)
    for k in range(lanes.count[0]):
        c = chosen[k]
        lanes.device[k], lanes.arrival[k] = listed.device[c], listed.arrival[c]
        for n in range(n_slices):
            lanes.offered[n, k], lanes.work[n, k] = listed.offered[n, c], listed.work[n, c]
            lanes.root[n, k] = listed.root[n, c]


@outlined
def rank_candidates(problem, depth, small):
    """Fill what candidates after the last member would gain by joining the set; returns the number of looks."""
    lanes, gain, left = small.lanes, small.gain[depth], small.left[depth]
    n_slices, count = gain.shape[0], lanes.count[0]
    first = small.at[0, depth - 1] + 1 if depth > 0 else 0
    fill_gains(lanes, problem.shared_queue, small.sums[depth], first, gain)
    left[count] = 0.0
    for k in range(first, count):
        left[k] = 0.0
    for n in range(n_slices):
        row = gain[n]
        for k in range(first, count):
            left[k] = row[k] if row[k] > left[k] else left[k]  # not max(), for which a processor takes turns
    for k in range(count - 1, first - 1, -1):
        left[k] += left[k + 1]
    small.at[0, depth], small.at[1, depth] = first, NONE
    return n_slices * (count - first)


@inlined
def next_member(small, depth, goal):
    """Move on to the next (candidate, slice) whose sets may gain more than ``goal``; False if there is none."""
    k, n, value = small.at[0, depth], small.at[1, depth] + 1, small.value[depth]
    gains, left = small.gain[depth], small.left[depth]
    while k < small.lanes.count[0] and value + left[k] > goal:
        while n < gains.shape[0]:
            gain = gains[n, k]
            if gain > 0.0 and value + gain + left[k + 1] > goal:
                small.at[0, depth], small.at[1, depth] = k, n
                return True
            n += 1
        k, n = k + 1, 0
    return False


@outlined
def search_small_sets(problem, j, alone, price, offer, small, best, allowed, tolerance, most_looks):
    """(whether every set was looked at or ruled out, the best gain, looks); ``offer`` is the best set known.

    A set is ruled out if it gains no more than ``tolerance`` above the best gain, or above ``allowed``. A look is at
    what a device would gain in a slice.
    """
    depth, looks = 0, 0
    for m in range(small.sums.shape[1]):
        small.sums[0, m] = 0.0
    small.value[0] = 0.0
    put_in_order(problem, j, alone, price, small)
    clear(small.place)
    looks += rank_candidates(problem, 0, small)
    while True:
        if not next_member(small, depth, max(best, allowed) + tolerance):
            if depth == 0:
                return True, best, looks
            depth -= 1
            small.place[small.lanes.device[small.at[0, depth]]] = NONE
            continue
        if looks > most_looks or depth + 1 == small.value.size:
            return False, best, looks
        i, n = small.lanes.device[small.at[0, depth]], small.at[1, depth]
        copy_places(small.sums[depth], small.sums[depth + 1])
        change(problem, price, small.sums[depth + 1], i, n, 1.0)
        small.place[i] = n
        depth += 1
        small.value[depth] = charge_slices(problem, j, small.sums[depth])
        if small.value[depth] > best:
            best = keep_if_better(problem, j, price, small.place, offer, best)
        looks += rank_candidates(problem, depth, small)
