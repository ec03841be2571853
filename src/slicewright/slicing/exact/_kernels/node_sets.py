"""The most profitable set of a node: branch and bound over the length of its queue and over who is in which slice.

A part of the search is an interval of the queue and, for each device, the slices that are open to it. Its bound is the
sum over slices of :mod:`slice_sets` at the toll that makes it least (bisection). Three things are left open by it:

- a device may be in several slices: it is put in each of them in turn, and then in none;
- the interval is wide: it is halved;
- arrivals do not match the queue, since one set of equal worth brings too many and one too few, or 13b binds: a
  device of the set (of the one that brings too many) has to be in, and then must not be.

The part with the largest bound comes next (best first), so that the search may end at any time with a valid bound.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing.exact._kernels.sets import NONE, clear, filled_cost_of, improve_set, keep_if_better
from slicewright.slicing.exact._kernels.slice_sets import (
    FORCED,
    best_in_slice,
    list_candidates,
    make_slice_scratch,
)

FIRST_INTERVALS = 12
TOLL_ROUNDS = 6  # bisections of the toll in a part
MORE_ROUNDS = 4  # if no set that brings too many arrivals was met yet
WIDE, NARROW = (
    0.3,
    0.02,
)  # relative widths of intervals: above the first halve at once, below the second settle members
MATCHED, LEAST_WIDTH = (
    1e-5,
    1e-9,
)  # below the first do so where arrivals match too; below the second halve no more
LEAST_SHARE = 0.1  # of the steepest slice's slope, in the toll
MOST_PARTS_KEPT, MOST_ROOM = 4096, 2_000_000
BOUND, LOW, HIGH, TOLL, SHARE = range(5)  # figures of a part; a share of the toll for each slice
KIND, DEVICE, SLICE = range(3)  # how it is split
CLOSED, OVERLAP, QUEUE, MEMBER = range(4)
PRESENT, BEST, HEAVY = range(3)


class NodeScratch(NamedTuple):
    """Room to work in; parts are rows, in use where ``heap`` or ``free`` say so."""

    candidates: Any
    slices: Any  # scratch of one slice
    chosen: Any
    figures: Any  # (P, 4 + N)
    split: Any  # (P, 3) int64
    openings: Any  # (P, I) int64
    heap: Any  # (P,) int64
    free: Any  # (P,) int64
    trial: Any  # (I,) int64
    met: Any  # (I,) int64, in how many slices a device is


@kernel
def make_node_scratch(n_devices, n_slices):
    """Allocate."""
    parts = max(64, min(MOST_PARTS_KEPT, MOST_ROOM // (n_devices + 1)))
    candidates, slices, chosen = make_slice_scratch(n_devices, n_slices)
    return NodeScratch(
        candidates, slices, chosen,
        np.empty((parts, 4 + n_slices)), np.empty((parts, 3), np.int64), np.zeros((parts, n_devices), np.int64),
        np.empty(parts, np.int64), np.empty(parts, np.int64), np.empty(n_devices, np.int64),
        np.empty(n_devices, np.int64),
    )  # fmt: skip


@inlined
def push_part(scratch, size, part):
    """Put a part on the heap of ``size`` parts."""
    heap, bound, k = scratch.heap, scratch.figures[part, BOUND], size
    while k > 0 and scratch.figures[heap[(k - 1) // 2], BOUND] < bound:
        heap[k] = heap[(k - 1) // 2]
        k = (k - 1) // 2
    heap[k] = part


@inlined
def pop_part(scratch, size):
    """Take the part of the largest bound off the heap of ``size`` parts."""
    heap, top, last = scratch.heap, scratch.heap[0], scratch.heap[size - 1]
    bound, k = scratch.figures[last, BOUND], 0
    while 2 * k + 1 < size - 1:
        child = 2 * k + 1
        if (
            child + 1 < size - 1
            and scratch.figures[heap[child + 1], BOUND] > scratch.figures[heap[child], BOUND]
        ):
            child += 1
        if scratch.figures[heap[child], BOUND] <= bound:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = last
    return top


@inlined
def keep_chosen(chosen, target):
    for n in range(chosen.size.shape[1]):
        chosen.size[target, n] = chosen.size[PRESENT, n]
        for d in range(chosen.size[PRESENT, n]):
            chosen.device[target, n, d] = chosen.device[PRESENT, n, d]


@outlined
def bound_at_toll(problem, j, part, toll, scratch):
    """(bound of a part, arrivals of its sets) at a toll."""
    figures = scratch.figures[part]
    bound, arrivals = toll * figures[LOW], 0.0
    for n in range(problem.work.shape[1]):
        gain, brought = best_in_slice(
            scratch.candidates, n, problem.capacity[n * problem.n_nodes + j], scratch.openings[part], toll,
            max(0.0, toll) * figures[SHARE + n], figures[LOW], figures[HIGH], scratch.slices, scratch.chosen,
        )  # fmt: skip
        bound += gain
        arrivals += brought
    return bound, arrivals


@outlined
def choose_toll(problem, j, part, scratch, goal, unit):
    """(least bound of a part over tolls, arrivals at it); ends early at ``goal``. Sets BEST and HEAVY follow.

    Where arrivals are more than the queue allows the toll has to rise, where they are fewer to fall.
    """
    figures, chosen = scratch.figures[part], scratch.chosen
    low, high, toll = -np.inf, np.inf, figures[TOLL]
    step = max(0.25 * abs(toll), 0.02 * unit)
    best, best_arrivals, rounds = np.inf, 0.0, 0
    chosen.size[HEAVY, 0] = NONE
    while True:
        bound, arrivals = bound_at_toll(problem, j, part, toll, scratch)
        if bound < best:
            best, best_arrivals, figures[TOLL] = bound, arrivals, toll
            keep_chosen(chosen, BEST)
        if best <= goal or figures[LOW] <= arrivals <= figures[HIGH] or not problem.shared_queue:
            return best, best_arrivals
        if arrivals > figures[HIGH]:
            keep_chosen(chosen, HEAVY)
            low = toll
        else:
            high = toll
        rounds += 1
        if rounds >= TOLL_ROUNDS + (MORE_ROUNDS if low == -np.inf else 0):
            return best, best_arrivals
        if high == np.inf or low == -np.inf:
            toll += step if high == np.inf else -step
            step *= 2.0
        else:
            toll = 0.5 * (low + high)


@outlined
def choose_split(part, scratch, arrivals, price, arrival):
    """How a part is to be split, from its best sets."""
    figures, chosen, split, met = scratch.figures[part], scratch.chosen, scratch.split[part], scratch.met
    width, dearest = (figures[HIGH] - figures[LOW]) / figures[HIGH], 0.0
    split[KIND], split[DEVICE], split[SLICE] = QUEUE, NONE, NONE
    clear(met)
    for n in range(chosen.size.shape[1]):
        for d in range(chosen.size[BEST, n]):
            i = chosen.device[BEST, n, d]
            if met[i] != NONE and price[i] > dearest:
                dearest, split[DEVICE] = price[i], i
            met[i] = n
    if split[DEVICE] != NONE and width <= WIDE:
        split[KIND] = OVERLAP
        return
    split[DEVICE] = NONE
    matched = figures[LOW] <= arrivals <= figures[HIGH]
    if width > NARROW or (matched and width > MATCHED):
        return
    kept, most = HEAVY if chosen.size[HEAVY, 0] != NONE else BEST, 0.0
    for n in range(chosen.size.shape[1]):
        for d in range(chosen.size[kept, n]):
            i = chosen.device[kept, n, d]
            if not scratch.openings[part, i] & FORCED and arrival[i] > most:
                most, split[KIND], split[DEVICE], split[SLICE] = arrival[i], MEMBER, i, n
    if split[KIND] == QUEUE and width <= LEAST_WIDTH:
        split[KIND] = CLOSED


@outlined
def surcharge(problem, j, part, scratch):
    """s, what 13b adds at least to the cost of those who have to be served; what others add only grows by it."""
    place, queue, total = scratch.trial, 1.0, 0.0
    for i in range(place.size):
        place[i] = NONE
        if scratch.openings[part, i] & FORCED:
            while place[i] == NONE or not scratch.openings[part, i] >> place[i] & 1:
                place[i] += 1
    if problem.shared_queue:
        queue = scratch.figures[part, LOW]
    for n in range(problem.work.shape[1]):
        root, load, peak = 0.0, 0.0, 0.0
        for i in range(place.size):
            if place[i] == n:
                root += problem.work_root[i, n]
                load += problem.work[i, n] * (1.0 if problem.shared_queue else problem.arrival[i])
                peak = max(peak, problem.work_root[i, n] / problem.local_time[i])
        left = problem.capacity[n * problem.n_nodes + j] - queue * load
        if 0.0 < left < peak * root:
            total += max(0.0, filled_cost_of(problem, place, n, left) - root * root / left)
    return total


@outlined
def examine_part(problem, j, alone, price, part, offer, sets, scratch, best, allowed, tolerance, unit):
    """Bound a part (never above that of its parent, which ``figures`` hold), look for a set near it: the best gain."""
    figures, forced = scratch.figures[part], 0.0
    for i in range(price.size):
        if scratch.openings[part, i] & FORCED:
            forced += problem.arrival[i]
    if problem.shared_queue:
        figures[LOW] = max(figures[LOW], forced)
        if figures[LOW] > figures[HIGH] * (1.0 + 1e-12):
            figures[BOUND] = -np.inf
            return best
    goal = max(best, allowed) + tolerance
    more = surcharge(problem, j, part, scratch) if forced > 0.0 else 0.0
    bound, arrivals = choose_toll(problem, j, part, scratch, goal + more, unit)
    figures[BOUND] = min(figures[BOUND], bound - more)
    if figures[BOUND] <= goal:
        return best
    chosen, place = scratch.chosen, scratch.trial
    clear(place)
    for n in range(problem.work.shape[1]):
        for d in range(chosen.size[BEST, n]):
            i = chosen.device[BEST, n, d]
            if (
                place[i] == NONE
                or alone[i, n * problem.n_nodes + j] < alone[i, place[i] * problem.n_nodes + j]
            ):
                place[i] = n
    improve_set(problem, j, alone, price, place, sets)
    best = keep_if_better(problem, j, price, place, offer, best)
    choose_split(part, scratch, arrivals, price, problem.arrival)
    return best


@outlined
def open_root(problem, j, alone, price, place, scratch):
    """Part 0: everything is open, the toll is what the devices in ``place`` cost each other.

    Returns (least arrivals, longest queue, worth of arrivals: an upper one); the queue is 0 if nobody can pay.
    """
    n_nodes, n_slices, figures = problem.n_nodes, problem.work.shape[1], scratch.figures[0]
    total, least, longest, unit, queue = 0.0, np.inf, 0.0, 0.0, 0.0
    for i in range(price.size):
        scratch.openings[0, i] = 0
        for n in range(n_slices):
            if alone[i, n * n_nodes + j] < price[i]:
                scratch.openings[0, i] |= 1 << n
                longest = max(longest, problem.capacity[n * n_nodes + j] / problem.work[i, n])
        if scratch.openings[0, i] != 0:
            total += problem.arrival[i]
            least = min(least, problem.arrival[i])
            unit = max(unit, price[i] / problem.arrival[i])
        if place[i] != NONE:
            queue += problem.arrival[i]
    figures[BOUND], figures[TOLL], steepest = np.inf, 0.0, 0.0
    for n in range(n_slices):
        root, work, size = 0.0, 0.0, problem.capacity[n * n_nodes + j]
        for i in range(price.size):
            if place[i] == n:
                root += problem.work_root[i, n]
                work += problem.work[i, n]
        left = max(size - queue * work, 1e-3 * size)
        figures[SHARE + n] = root * root * work / (left * left)
        steepest = max(steepest, figures[SHARE + n])
    for n in range(n_slices):
        figures[SHARE + n] = max(figures[SHARE + n], LEAST_SHARE * steepest) if steepest > 0.0 else 1.0
        figures[TOLL] += figures[SHARE + n]
    for n in range(n_slices):
        figures[SHARE + n] /= figures[TOLL]
    if steepest == 0.0:
        figures[TOLL] = 0.1 * unit
    if not problem.shared_queue:
        figures[TOLL], queue, least, longest, total = 0.0, 1.0, 1.0, 1.0, 1.0 if total > 0.0 else 0.0
    else:
        longest = min(total, longest) * (1.0 + 1e-9)
    list_candidates(problem, j, alone, price, queue, figures[TOLL], scratch.candidates)
    return least, longest if total > 0.0 else 0.0, unit


@inlined
def open_child(problem, scratch, parent, part, child, least, longest):
    """Fill a child of a part; False if there is no such child."""
    figures, split, openings = scratch.figures[part], scratch.split[parent], scratch.openings[part]
    for m in range(figures.size):
        figures[m] = scratch.figures[parent, m]
    for i in range(openings.size):
        openings[i] = scratch.openings[parent, i]
    if parent == 0:
        if problem.shared_queue:
            ratio = longest / least
            figures[LOW] = least * ratio ** (child / FIRST_INTERVALS) if child > 0 else 0.0
            figures[HIGH] = least * ratio ** ((child + 1) / FIRST_INTERVALS)
        else:
            figures[LOW], figures[HIGH] = 1.0, 1.0
        return True
    if split[KIND] == OVERLAP:
        if child == problem.work.shape[1]:
            openings[split[DEVICE]] = 0
            return True
        was_open = openings[split[DEVICE]] >> child & 1
        openings[split[DEVICE]] = 1 << child | FORCED
        return was_open == 1
    if split[KIND] == QUEUE:
        figures[HIGH if child == 0 else LOW] = 0.5 * (figures[LOW] + figures[HIGH])
    elif child == 0:
        openings[split[DEVICE]] = 1 << split[SLICE] | FORCED
    else:
        openings[split[DEVICE]] &= ~(1 << split[SLICE])
    return True


@outlined
def search_node(
    problem, j, alone, price, offer, sets, scratch, best, allowed, tolerance, most_parts, most_sets, deadline
):
    """An upper bound of the largest gain: no more than ``allowed`` or the gain of ``offer``, unless parts ran out.

    Args:
        alone: (I, N * J) s, infinite where a device may not go.
        price: (I,) s.
        offer: the best set known, with gain ``best``; replaced by better ones.
        sets: scratch of local search.
        allowed: s, the bound need not be below this.
        tolerance: s, nor nearer than this to the best gain.
        most_parts, most_sets: at most about so many parts are looked at, and so many sets of a slice in each.
        deadline: ns.
    """
    n_slices, scratch.slices.most_sets[0] = problem.work.shape[1], most_sets
    least, longest, unit = open_root(problem, j, alone, price, offer.place, scratch)
    if longest == 0.0:
        return best
    free, size, parts, parent, closed = 0, 0, 0, 0, -np.inf
    for part in range(1, scratch.free.size):
        scratch.free[free] = part
        free += 1
    while True:
        children = 2 if scratch.split[parent, KIND] != OVERLAP else n_slices + 1
        if parent == 0:
            children = FIRST_INTERVALS if problem.shared_queue else 1
        for child in range(children):
            part = scratch.free[free - 1]
            if not open_child(problem, scratch, parent, part, child, least, longest):
                continue
            best = examine_part(
                problem, j, alone, price, part, offer, sets, scratch, best, allowed, tolerance, unit
            )
            parts += 1
            if scratch.figures[part, BOUND] > max(best, allowed) + tolerance:
                push_part(scratch, size, part)
                size += 1
                free -= 1
        if parent != 0:
            scratch.free[free] = parent
            free += 1
        while True:
            goal = max(best, allowed) + tolerance
            if size == 0 or scratch.figures[scratch.heap[0], BOUND] <= goal:
                return max(goal, closed)
            parent = scratch.heap[0]
            late = now_ns() > deadline
            if late or parts >= most_parts or free <= FIRST_INTERVALS + n_slices:
                return max(scratch.figures[parent, BOUND], closed)
            pop_part(scratch, size)
            size -= 1
            if scratch.split[parent, KIND] != CLOSED:
                break
            closed = max(closed, scratch.figures[parent, BOUND])
            scratch.free[free] = parent
            free += 1
