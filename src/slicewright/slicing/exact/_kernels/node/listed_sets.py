"""Ends a part of the search over a node's sets by counting: every combination of slices' sets that may be good enough.

At a part's toll and fees no choice of sets S_n, one for each slice, gains more than the part's bound less what each
S_n gains less than the most that its slice can. Where the bound is little above the goal, few sets of a slice come
within that slack, and few combinations of them; their true gains are compared one by one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing.exact._kernels.node.slice_sets import (
    ARRIVAL,
    FORCED,
    NUMBER,
    PRICE,
    STACK,
    add_candidate,
    draw_tangents,
    gain_of_sums,
    most_to_come,
    start_set,
)
from slicewright.slicing.exact._kernels.sets import NONE, clear, keep_if_better

MOST_SETS = 96
MOST_LISTED_MEMBERS = 12
MOST_STEPS = 1_500  # sets of a slice that are looked at
MOST_COMBINATIONS = 4_000
# What is known of a listed set: by how much it gains less than the most, its roots, load, arrivals and prices.
LESS, SET_ROOT, SET_LOAD, SET_ARRIVALS, SET_PRICES = range(5)


class ListedSets(NamedTuple):
    """Room to work in."""

    count: Any  # (N,) int64
    size: Any  # (N, S) int64
    device: Any  # (N, S, M) int64
    figures: Any  # (N, S, 5)
    order: Any  # (N, S) int64, by what they gain less
    at: Any  # (N,) int64, position of the present combination
    sums: Any  # (3, N + 1): what it gains less, its arrivals, its prices
    mark: Any  # (I,) int64, devices of the present combination
    most: Any  # (N,) s, what slices gain at most
    refused: Any  # (1,) s, a slack at which there were too many


@kernel
def make_listed_sets(n_devices, n_slices):
    """Allocate."""
    return ListedSets(
        np.zeros(n_slices, np.int64), np.zeros((n_slices, MOST_SETS), np.int64),
        np.empty((n_slices, MOST_SETS, MOST_LISTED_MEMBERS), np.int64), np.empty((n_slices, MOST_SETS, 5)),
        np.empty((n_slices, MOST_SETS), np.int64), np.empty(n_slices, np.int64), np.zeros((3, n_slices + 1)),
        np.empty(n_devices, np.int64), np.empty(n_slices), np.full(1, np.inf),
    )  # fmt: skip


@outlined
def note_set(candidates, n, depth, less, openings, scratch, listed):
    """Add the present set of slice n to its list, in order; False if there is no room."""
    s = listed.count[n]
    if s == MOST_SETS or depth > MOST_LISTED_MEMBERS:
        return False
    figures, device, numbers = candidates.figures[n], candidates.device[n], scratch.numbers
    known = listed.figures[n, s]
    known[LESS], known[SET_ROOT], known[SET_LOAD] = less, scratch.sums[0, depth], scratch.sums[1, depth]
    arrivals, prices = 0.0, 0.0
    for d in range(depth):
        k = numbers[NUMBER, numbers[STACK, d]]
        listed.device[n, s, d] = device[k]
        arrivals += figures[ARRIVAL, k]
        prices += figures[PRICE, k]
    known[SET_ARRIVALS], known[SET_PRICES], listed.size[n, s] = arrivals, prices, depth
    p = s
    while p > 0 and listed.figures[n, listed.order[n, p - 1], LESS] > less:
        listed.order[n, p] = listed.order[n, p - 1]
        p -= 1
    listed.order[n, p] = s
    listed.count[n] = s + 1
    return True


@outlined
def list_sets(candidates, n, size, openings, fee, toll, kept, lo, hi, most, slack, scratch, chosen, listed):
    """List the sets of slice n that gain at least ``most`` less ``slack``; False if they are too many.

    Arguments are those of ``best_in_slice``. Who does not pay in truth is left out; its set without it is no worse.
    """
    figures, numbers, width, listed.count[n] = candidates.figures[n], scratch.numbers, hi - lo, 0
    count, _, gain = start_set(candidates, n, size, openings, fee, toll, kept, lo, hi, slack, scratch, chosen)
    if gain == -np.inf:
        return True
    if gain >= most - slack and not note_set(candidates, n, 0, most - gain, openings, scratch, listed):
        return False
    if count == 0:
        return True
    draw_tangents(figures, count, size, lo, scratch)
    depth, steps = 0, 0
    numbers[STACK, 0] = NONE
    while depth >= 0:
        c = numbers[STACK, depth] + 1
        numbers[STACK, depth] = c
        relief = gain_of_sums(scratch.sums, depth, size, lo, kept, width)[1]
        if c >= count or most_to_come(scratch, depth, c, size, lo) + relief < most - slack:
            depth -= 1
            continue
        add_candidate(figures, scratch, depth, c)
        root, load = scratch.sums[0, depth + 1], scratch.sums[1, depth + 1]
        left = size - lo * load
        if left <= 0.0 or left < scratch.sums[3, depth + 1]:
            continue
        before = scratch.sums[0, depth]
        added = root * root / left - before * before / (size - lo * scratch.sums[1, depth])
        if added >= figures[PRICE, numbers[NUMBER, c]]:
            continue
        steps += 1
        if steps > MOST_STEPS:
            return False
        depth += 1
        numbers[STACK, depth] = c
        gain = gain_of_sums(scratch.sums, depth, size, lo, kept, width)[0]
        if gain >= most - slack and not note_set(
            candidates, n, depth, most - gain, openings, scratch, listed
        ):
            return False
    return True


@inlined
def apart(listed, n, s):
    """Whether nobody in a set is marked."""
    marked = 0
    for d in range(listed.size[n, s]):
        marked += listed.mark[listed.device[n, s, d]] != NONE
    return marked == 0


@inlined
def mark_set(listed, n, s):
    for d in range(listed.size[n, s]):
        listed.mark[listed.device[n, s, d]] = n


@inlined
def unmark_set(listed, n, s):
    """Take marks of slice n off a set; those of other slices stay."""
    for d in range(listed.size[n, s]):
        if listed.mark[listed.device[n, s, d]] == n:
            listed.mark[listed.device[n, s, d]] = NONE


@outlined
def gain_of_combination(problem, j, listed):
    """What the present combination gains under the queue that it makes, 13b not counted."""
    n_slices = listed.count.size
    arrivals, gain = listed.sums[1, n_slices], listed.sums[2, n_slices]
    for n in range(n_slices):
        known = listed.figures[n, listed.order[n, listed.at[n]]]
        if known[SET_ROOT] > 0.0:
            queue = arrivals if problem.shared_queue else 1.0
            left = problem.capacity[n * problem.n_nodes + j] - queue * known[SET_LOAD]
            gain -= known[SET_ROOT] ** 2 / left if left > 0.0 else np.inf
    return gain


@outlined
def compare_combinations(problem, j, price, openings, slack, best, allowed, tolerance, offer, place, listed):
    """(whether all were compared, the best gain): every combination of listed sets that may gain more than the goal."""
    n_slices, begun, listed.sums[:, 0] = listed.count.size, max(best, allowed), 0.0
    for i in range(price.size):
        listed.mark[i] = NONE
        if openings[i] & FORCED:
            listed.sums[1, 0] += problem.arrival[i]
            listed.sums[2, 0] += price[i]
    for n in range(n_slices):
        if listed.count[n] == 0:
            return True, best
    n, looks, listed.at[0] = 0, 0, NONE
    while n >= 0:
        if listed.at[n] != NONE:
            unmark_set(listed, n, listed.order[n, listed.at[n]])
        listed.at[n] += 1
        k = listed.at[n]
        left = slack - (max(best, allowed) - begun)
        if k == listed.count[n] or listed.sums[0, n] + listed.figures[n, listed.order[n, k], LESS] > left:
            n -= 1
            continue
        s = listed.order[n, k]
        looks += 1
        if looks > MOST_COMBINATIONS:
            return False, best
        if not apart(listed, n, s):
            continue
        known = listed.figures[n, s]
        listed.sums[0, n + 1] = listed.sums[0, n] + known[LESS]
        listed.sums[1, n + 1] = listed.sums[1, n] + known[SET_ARRIVALS]
        listed.sums[2, n + 1] = listed.sums[2, n] + known[SET_PRICES]
        mark_set(listed, n, s)
        if n + 1 < n_slices:
            n += 1
            listed.at[n] = NONE
            continue
        if gain_of_combination(problem, j, listed) > max(best, allowed) + tolerance:
            clear(place)
            for i in range(price.size):
                place[i] = listed.mark[i]
                if openings[i] & FORCED:
                    place[i] = 0
                    while not openings[i] >> place[i] & 1:
                        place[i] += 1
            best = keep_if_better(problem, j, price, place, offer, best)
    return True, best
