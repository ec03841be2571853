"""The most profitable set of a node where few devices pay at once: depth-first search over devices and slices.

What a device adds to the cost of a node only grows with the set that it joins (in Q^2 / (F - Lambda W) all second
derivatives by roots, arrivals and work are positive). So no set around S gains more than the gain of S and what each
candidate would gain by joining S alone, and who does not pay now never will. 13b can only add to the cost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing.exact._kernels.sets import (
    NONE,
    change,
    charge_slices,
    clear,
    copy_places,
    gain_of_joining,
    keep_if_better,
)

MOST_MEMBERS = 12


class SmallSets(NamedTuple):
    """Room to work in; rows are the number of members."""

    sums: Any  # (M + 1, 4 N + 2), see ``sets``
    device: Any  # (M + 1, I) int64, candidates, who gains most first
    gain: Any  # (M + 1, I, N) s, of joining, not positive where it never pays
    most: Any  # (M + 1, I) s, the largest of these
    left: Any  # (M + 1, I + 1) s, their sum from a candidate on
    count: Any  # (M + 1,) int64, of candidates
    at: Any  # (2, M + 1) int64, the present candidate and its slice
    value: Any  # (M + 1,) s, of the set
    place: Any  # (I,) int64, the present set


@kernel
def make_small_sets(n_devices, n_slices):
    """Allocate."""
    rows = MOST_MEMBERS + 1
    return SmallSets(
        np.zeros((rows, 4 * n_slices + 2)), np.empty((rows, n_devices), np.int64),
        np.empty((rows, n_devices, n_slices)), np.empty((rows, n_devices)), np.empty((rows, n_devices + 1)),
        np.empty(rows, np.int64), np.empty((2, rows), np.int64), np.zeros(rows), np.empty(n_devices, np.int64),
    )  # fmt: skip


@inlined
def count_members(place):
    members = 0
    for i in range(place.size):
        members += place[i] != NONE
    return members


@outlined
def rank_candidates(problem, j, alone, price, depth, small):
    """List who may join the set at a depth, and what each would gain; returns the number of looks."""
    n_slices, looks, count = problem.work.shape[1], 0, 0
    gain, most, device = small.gain[depth], small.most[depth], small.device[depth]
    first = small.at[0, depth - 1] + 1 if depth > 0 else 0
    last = small.count[depth - 1] if depth > 0 else price.size
    for k in range(first, last):
        i, largest = small.device[depth - 1, k] if depth > 0 else k, 0.0
        p = count
        for n in range(n_slices):
            pays = (
                small.gain[depth - 1, k, n] > 0.0
                if depth > 0
                else alone[i, n * problem.n_nodes + j] < price[i]
            )
            gain[p, n] = 0.0
            if pays:
                looks += 1
                gain[p, n] = gain_of_joining(problem, j, small.sums[depth], i, n, price[i], 0.0)
                largest = max(largest, gain[p, n])
        if largest > 0.0:
            device[p], most[p] = i, largest
            while p > 0 and most[p - 1] < most[p]:
                most[p - 1], most[p] = most[p], most[p - 1]
                device[p - 1], device[p] = device[p], device[p - 1]
                for n in range(n_slices):
                    gain[p - 1, n], gain[p, n] = gain[p, n], gain[p - 1, n]
                p -= 1
            count += 1
    small.count[depth], small.left[depth, count] = count, 0.0
    for k in range(count - 1, -1, -1):
        small.left[depth, k] = small.left[depth, k + 1] + most[k]
    small.at[0, depth], small.at[1, depth] = 0, NONE
    return looks


@inlined
def next_member(small, depth, n_slices, goal):
    """Move on to the next (candidate, slice) whose sets may gain more than ``goal``; False if there is none."""
    k, n, value = small.at[0, depth], small.at[1, depth] + 1, small.value[depth]
    while k < small.count[depth] and value + small.left[depth, k] > goal:
        while n < n_slices:
            gain = small.gain[depth, k, n]
            if gain > 0.0 and value + gain + small.left[depth, k + 1] > goal:
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
    n_slices, depth, looks = problem.work.shape[1], 0, 0
    clear(small.place)
    for m in range(small.sums.shape[1]):
        small.sums[0, m] = 0.0
    small.value[0] = 0.0
    looks += rank_candidates(problem, j, alone, price, 0, small)
    while True:
        if not next_member(small, depth, n_slices, max(best, allowed) + tolerance):
            if depth == 0:
                return True, best, looks
            depth -= 1
            small.place[small.device[depth, small.at[0, depth]]] = NONE
            continue
        if looks > most_looks or depth + 1 == small.count.size:
            return False, best, looks
        i, n = small.device[depth, small.at[0, depth]], small.at[1, depth]
        copy_places(small.sums[depth], small.sums[depth + 1])
        change(problem, price, small.sums[depth + 1], i, n, 1.0)
        small.place[i] = n
        depth += 1
        small.value[depth] = charge_slices(problem, j, small.sums[depth])
        if small.value[depth] > best:
            best = keep_if_better(problem, j, price, small.place, offer, best)
        looks += rank_candidates(problem, j, alone, price, depth, small)
