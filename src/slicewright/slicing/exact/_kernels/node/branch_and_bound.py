"""The most profitable set of a node: branch and bound over the length of its queue and over who is in which slice.

A part of the search is an interval of the queue and, for each device, the slices that are open to it. Its bound is the
sum over slices of :mod:`slice_sets` at the toll on arrivals that makes it least (bisection), and at fees that devices
pay for being in a slice (multipliers of "in one slice at most"): between what a device is worth in its best slice and
in the next. Three things are left open by it:

- a device is in several slices all the same, or pays a fee and is in none: it is put in each of them, then in none;
- the interval is wide, and its shortest queue costs much less than the one that the best sets make: it is halved;
- arrivals do not match the queue, since one set of equal worth brings too many and one too few, or 13b binds: a
  device of the set (of the one that brings too many) has to be in, and then must not be.

Before that, :mod:`relaxation` bounds a part in microseconds, closes slices to devices by their reduced costs, and
says which toll and fees to begin with, as long as it says anything that whole sets do not.

Where queues are what a node's sets are about, the search begins with a dozen intervals; elsewhere with one. The part
with the largest bound comes next (best first), so that the search may end at any time with a valid bound.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, now_ns, outlined
from slicewright.slicing.exact._kernels.node.bounds import (
    bound_at_toll,
    choose_toll,
    fees_of_set,
    queue_loss,
    surcharge,
    walk_multipliers,
)
from slicewright.slicing.exact._kernels.node.listed_sets import compare_combinations, list_sets
from slicewright.slicing.exact._kernels.node.parts import (
    BEST,
    BOUND,
    CLOSED,
    DEVICE,
    FIRST,
    FIRST_FEES,
    HEAVY,
    HIGH,
    KIND,
    LOW,
    MEMBER,
    MIDDLE,
    OVERLAP,
    QUEUE,
    SHARE,
    SLICE,
    TOLL,
    TRIAL_FEES,
    meet_chosen,
    pop_part,
    push_part,
)
from slicewright.slicing.exact._kernels.node.relaxation import (
    fees_of_relaxation,
    fix_devices,
    relax_part,
    start_relaxation,
)
from slicewright.slicing.exact._kernels.node.slice_sets import FORCED, best_in_slice, list_candidates
from slicewright.slicing.exact._kernels.sets import NONE, clear, improve_set, keep_if_better

FIRST_INTERVALS = 16
# Relative widths of intervals: narrow enough to settle members, even where arrivals match, too narrow to be halved.
HALVED = 0.06
NARROW, MATCHED, LEAST_WIDTH = 0.02, 1e-5, 1e-9
LIGHT = 0.02  # of a node's gain: queues that cost less than this are not what its sets are about
FULL = 0.3  # of capacity, the load of a slice; where no slice carries so much, nor are they
LOST = 0.3  # of what is left: an interval is split where its best sets lose more by the queue that they make
WASTED = 0.2  # of what is left: a fee that nobody has to pay in the best sets is settled for its device
# Bisections of the toll, and rounds to better multipliers of both kinds, in the first parts and in those that inherit.
FIRST_ROUNDS = 6
LATER_ROUNDS = 1
FIRST_WALK = 8
LATER_WALK = 8
EASIER = 0.5
FIRST_REFUSED = 0.4
FIXED = 1.0 + 1e-9  # times what is left: reduced costs beyond settle a device; against rounding
LEAST_SHARE = 0.1  # of the steepest slice's slope, in the toll


@outlined
def choose_split(problem, j, part, scratch, arrivals, price, goal):
    """How a part is to be split, from its best sets."""
    figures, chosen, split, met = scratch.figures[part], scratch.chosen, scratch.split[part], scratch.met
    open_gap, dearest, wasted, fee = figures[BOUND] - goal, 0.0, NONE, 0.0
    split[KIND], split[DEVICE], split[SLICE] = QUEUE, NONE, NONE
    meet_chosen(problem, chosen, BEST, scratch)
    for i in range(met.size):
        if met[i] & (met[i] - 1) != 0 and price[i] > dearest:
            split[DEVICE], dearest = i, price[i]
        if met[i] == 0 and scratch.fee[part, i] > fee:
            wasted, fee = i, scratch.fee[part, i]
    if split[DEVICE] == NONE and fee > WASTED * open_gap:
        split[DEVICE] = wasted
    long = problem.shared_queue and figures[HIGH] - figures[LOW] > LEAST_WIDTH * figures[HIGH]
    if long:
        matched, width = figures[LOW] <= arrivals <= figures[HIGH], figures[HIGH] - figures[LOW]
        figures[MIDDLE] = figures[LOW] + 0.5 * width
        lost = queue_loss(problem, j, part, scratch, arrivals)
        if width > HALVED * figures[HIGH] and (scratch.split[0, KIND] == FIRST or lost > LOST * open_gap):
            return
        if split[DEVICE] == NONE and (
            width > NARROW * figures[HIGH] or (matched and width > MATCHED * figures[HIGH])
        ):
            return
    if split[DEVICE] != NONE:
        split[KIND] = OVERLAP
        return
    kept, most = HEAVY if chosen.size[HEAVY, 0] != NONE else BEST, 0.0
    for n in range(chosen.size.shape[1]):
        for d in range(chosen.size[kept, n]):
            i = chosen.device[kept, n, d]
            if not scratch.openings[part, i] & FORCED and problem.arrival[i] > most:
                most, split[KIND], split[DEVICE], split[SLICE] = problem.arrival[i], MEMBER, i, n
    if split[KIND] == QUEUE and wasted != NONE:
        split[KIND], split[DEVICE] = OVERLAP, wasted
    elif split[KIND] == QUEUE and not long:
        split[KIND] = CLOSED


@outlined
def start_from_relaxation(problem, j, price, part, scratch):
    """Take toll and fees of the relaxation for those that a part inherits if whole sets gain less under them."""
    figures, toll, trial = (
        scratch.figures[part],
        scratch.relaxed[part, problem.work.shape[1]],
        scratch.fee[TRIAL_FEES],
    )
    before, _ = bound_at_toll(problem, j, part, scratch.fee[part], figures[TOLL], scratch)
    fees_of_relaxation(problem, price, part, trial, scratch)
    after, _ = bound_at_toll(problem, j, part, trial, toll, scratch)
    if after < before:
        figures[TOLL] = toll
        for i in range(price.size):
            scratch.fee[part, i] = trial[i]


@outlined
def count_out(problem, j, price, part, more, offer, scratch, best, allowed, tolerance):
    """(whether no set of the part is better than the best one now, its gain), by comparing those that may be.

    Args:
        more: s, what 13b adds to the cost at least.
    """
    figures, openings, fee, listed = (
        scratch.figures[part],
        scratch.openings[part],
        scratch.fee[part],
        scratch.listed,
    )
    toll, low, high, bound, n_slices = figures[TOLL], figures[LOW], figures[HIGH], 0.0, problem.work.shape[1]
    for i in range(fee.size):
        bound += fee[i]
    bound += toll * low
    for n in range(n_slices):
        listed.most[n] = best_in_slice(
            scratch.candidates, n, problem.capacity[n * problem.n_nodes + j], openings, fee, toll,
            max(0.0, toll) * figures[SHARE + n], low, high, scratch.slices, scratch.chosen,
        )[0]  # fmt: skip
        bound += listed.most[n]
    slack = bound - (max(best, allowed) + tolerance + more)
    if not slack < EASIER * listed.refused[0]:
        return False, best
    for n in range(n_slices):
        if not list_sets(
            scratch.candidates, n, problem.capacity[n * problem.n_nodes + j], openings, fee, toll,
            max(0.0, toll) * figures[SHARE + n], low, high, listed.most[n], slack, scratch.slices, scratch.chosen,
            listed,
        ):  # fmt: skip
            listed.refused[0] = slack
            return False, best
    known, best = compare_combinations(
        problem, j, price, openings, slack, best, allowed, tolerance, offer, scratch.trial, listed
    )
    if not known:
        listed.refused[0] = slack
    return known, best


@outlined
def examine_part(problem, j, alone, price, part, first, offer, sets, scratch, best, allowed, tolerance, unit):
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
    relaxed = np.inf
    if scratch.relaxed[part, 0] > 0.0:
        relaxed = relax_part(problem, j, price, part, scratch, goal + more, unit)
        figures[BOUND] = min(figures[BOUND], relaxed - more)
        if figures[BOUND] <= goal:
            return best
        fix_devices(problem, price, part, FIXED * (relaxed - goal - more), scratch)
        if first:
            start_from_relaxation(problem, j, price, part, scratch)
    bound, arrivals = choose_toll(
        problem, j, part, scratch, goal + more, unit, FIRST_ROUNDS if first else LATER_ROUNDS
    )
    bound, arrivals = walk_multipliers(
        problem, j, part, scratch, bound, arrivals, goal + more, FIRST_WALK if first else LATER_WALK
    )
    figures[BOUND] = min(figures[BOUND], bound - more)
    if figures[BOUND] <= goal:
        return best
    known, best = count_out(problem, j, price, part, more, offer, scratch, best, allowed, tolerance)
    if known:
        figures[BOUND] = -np.inf
        return best
    if relaxed - bound > WASTED * (bound - goal):
        scratch.relaxed[part, 0] = 0.0  # whole sets say more, here and in whatever comes of this part
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
    improve_set(problem, j, alone, price, place, sets, True)
    best = keep_if_better(problem, j, price, place, offer, best)
    choose_split(problem, j, part, scratch, arrivals, price, goal)
    return best


@outlined
def open_root(problem, j, alone, price, place, best, scratch):
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
    figures[BOUND], figures[TOLL], steepest, lost, fullest = np.inf, 0.0, 0.0, 0.0, 0.0
    for n in range(n_slices):
        root, work, size = 0.0, 0.0, problem.capacity[n * n_nodes + j]
        for i in range(price.size):
            if place[i] == n:
                root += problem.work_root[i, n]
                work += problem.work[i, n]
        left = max(size - queue * work, 1e-3 * size)
        fullest = max(fullest, 1.0 - left / size)
        lost += root * root / left - root * root / size
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
    light = lost < LIGHT * best and fullest < FULL
    scratch.split[0, KIND] = FIRST if problem.shared_queue and not light else QUEUE
    start_relaxation(problem, j, price, place, queue, scratch)
    scratch.relaxed[0, n_slices] = figures[TOLL]
    fees_of_set(problem, j, price, place, queue, figures[TOLL], scratch)
    list_candidates(problem, j, alone, price, scratch.fee[0], queue, figures[TOLL], scratch.candidates)
    return least, longest if total > 0.0 else 0.0, unit


@inlined
def open_child(problem, scratch, parent, part, child):
    """Fill a child of a part; False if there is no such child."""
    figures, split, openings = scratch.figures[part], scratch.split[parent], scratch.openings[part]
    for m in range(figures.size):
        figures[m] = scratch.figures[parent, m]
    for m in range(scratch.relaxed.shape[1]):
        scratch.relaxed[part, m] = scratch.relaxed[parent, m]
    for i in range(openings.size):
        openings[i] = scratch.openings[parent, i]
        scratch.fee[part, i] = scratch.fee[parent, i]
    if split[KIND] == FIRST:
        for i in range(openings.size):
            scratch.fee[part, i] = scratch.fee[FIRST_FEES, i]
        ratio = figures[HIGH] / figures[LOW]
        low = figures[LOW]
        figures[LOW] = low * ratio ** (child / FIRST_INTERVALS)
        if child < FIRST_INTERVALS - 1:
            figures[HIGH] = low * ratio ** ((child + 1) / FIRST_INTERVALS)
        return True
    if split[KIND] == OVERLAP:
        if child == problem.work.shape[1]:
            openings[split[DEVICE]] = 0
            return True
        was_open = openings[split[DEVICE]] >> child & 1
        openings[split[DEVICE]] = 1 << child | FORCED
        return was_open == 1
    if split[KIND] == QUEUE:
        figures[HIGH if child == 0 else LOW] = figures[MIDDLE]
    elif child == 0:
        openings[split[DEVICE]] = 1 << split[SLICE] | FORCED
    else:
        openings[split[DEVICE]] &= ~(1 << split[SLICE])
    return True


@inlined
def most_children(kind, n_slices):
    if kind == OVERLAP:
        return n_slices + 1
    return FIRST_INTERVALS if kind == FIRST else 2


# Over 60 lines by what is told about its arguments, and by the sums that one round of the search hands on.
@outlined
def search_parts(
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
    scratch.listed.refused[0] = FIRST_REFUSED * best
    least, longest, unit = open_root(problem, j, alone, price, offer.place, best, scratch)
    if longest == 0.0:
        return best
    scratch.figures[0, LOW], scratch.figures[0, HIGH] = least, longest
    if scratch.split[0, KIND] != FIRST:
        best = examine_part(
            problem, j, alone, price, 0, True, offer, sets, scratch, best, allowed, tolerance, unit
        )
        if scratch.figures[0, BOUND] <= max(best, allowed) + tolerance:
            return max(best, allowed) + tolerance
    free, size, parts, parent, closed = 0, 0, 1, 0, -np.inf
    for part in range(1, scratch.free.size):
        scratch.free[free] = part
        free += 1
    while scratch.split[parent, KIND] != CLOSED:
        for child in range(most_children(scratch.split[parent, KIND], n_slices)):
            part = scratch.free[free - 1]
            if not open_child(problem, scratch, parent, part, child):
                continue
            best = examine_part(
                problem, j, alone, price, part, parent == 0, offer, sets, scratch, best, allowed, tolerance, unit,
            )  # fmt: skip
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
    return scratch.figures[parent, BOUND]
