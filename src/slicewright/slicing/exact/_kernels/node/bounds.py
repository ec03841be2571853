"""Bounds of a part of the search over a node's sets: the toll on arrivals, fees for being in a slice, 13b."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import outlined
from slicewright.slicing.exact._kernels.node.parts import (
    BEST,
    FIRST,
    FIRST_FEES,
    HEAVY,
    HIGH,
    KIND,
    LOW,
    PRESENT,
    SHARE,
    SLOPE,
    TOLL,
    TRIAL_FEES,
    keep_chosen,
    meet_chosen,
)
from slicewright.slicing.exact._kernels.node.slice_sets import FORCED, best_in_slice
from slicewright.slicing.exact._kernels.sets import NONE, filled_set_cost

MORE_ROUNDS = 4  # if no set that brings too many arrivals was met yet
STEP = 0.7  # of Polyak's
TOLL_UNIT = 3.0  # times longest queue, in which tolls are measured beside fees
PAYS = 0.03  # of what is left, by which a bound must fall
PATIENCE = 3  # rounds that do not pay
WIDE = 0.3  # relative width of an interval: up to here, a toll at which arrivals match is good enough


@outlined
def bound_at_toll(problem, j, part, fee, toll, scratch):
    """(bound of a part, arrivals of its sets) at a toll and at fees, (I,)."""
    figures, openings = scratch.figures[part], scratch.openings[part]
    bound, arrivals = toll * figures[LOW], 0.0
    for i in range(fee.size):
        if openings[i] & (openings[i] - 1) == 0 or openings[i] & FORCED:
            fee[i] = 0.0  # one slice is open at most
        bound += fee[i]
    for n in range(problem.work.shape[1]):
        gain, brought = best_in_slice(
            scratch.candidates, n, problem.capacity[n * problem.n_nodes + j], openings, fee, toll,
            max(0.0, toll) * figures[SHARE + n], figures[LOW], figures[HIGH], scratch.slices, scratch.chosen,
        )  # fmt: skip
        bound += gain
        arrivals += brought
    return bound, arrivals


@outlined
def adjust_fees(problem, j, part, price, toll, queue, fee, scratch):
    """Move fees to between what devices are worth in their best slice and in the next, where ``met`` says who is where.

    ``met`` has a bit for each slice of whose set a device is, ``sums`` are those of the sets.
    """
    for i in range(price.size):
        opening = scratch.openings[part, i]
        if opening & (opening - 1) == 0 or opening & FORCED:
            continue
        first, second = -np.inf, -np.inf
        alpha = problem.arrival[i] if problem.shared_queue else 0.0
        for n in range(problem.work.shape[1]):
            if not opening >> n & 1:
                continue
            size, root, load = (
                problem.capacity[n * problem.n_nodes + j],
                problem.work_root[i, n],
                problem.work[i, n],
            )
            load *= 1.0 if problem.shared_queue else problem.arrival[i]
            inside = scratch.met[i] >> n & 1
            less, more = scratch.sums[0, n], scratch.sums[0, n] + root
            left_less, left_more = (
                size - queue * scratch.sums[1, n],
                size - queue * (scratch.sums[1, n] + load),
            )
            if inside:
                less, more, left_less, left_more = less - root, less, left_less + queue * load, left_less
            if left_more <= 0.0:
                continue
            worth = price[i] - fee[i] - toll * alpha - more * more / left_more
            worth += less * less / left_less if left_less > 0.0 else 0.0
            if worth > first:
                first, second = worth, first
            elif worth > second:
                second = worth
        if second > 0.0:
            fee[i] += 0.5 * (first + second)
        elif first < 0.0:
            fee[i] = max(0.0, fee[i] + first)


@outlined
def fees_of_set(problem, j, price, place, queue, toll, scratch):
    """First fees, from what the devices in ``place`` cost each other; none if it is empty."""
    met, sums, some = scratch.met, scratch.sums, False
    for n in range(problem.work.shape[1]):
        sums[0, n], sums[1, n] = 0.0, 0.0
    for i in range(place.size):
        scratch.fee[0, i], met[i], n = 0.0, 0, place[i]
        if n != NONE:
            some, met[i] = True, 1 << n
            sums[0, n] += problem.work_root[i, n]
            sums[1, n] += problem.work[i, n] * (1.0 if problem.shared_queue else problem.arrival[i])
    if some:
        adjust_fees(problem, j, 0, price, toll, queue, scratch.fee[0], scratch)
    for i in range(place.size):
        scratch.fee[FIRST_FEES, i] = scratch.fee[0, i]


@outlined
def slope_of_bound(problem, part, arrivals, paid_for, scratch):
    """Fill row SLOPE with what the bound falls by if fees rise: (its square, the same for the toll)."""
    slope, met, square = scratch.fee[SLOPE], scratch.met, 0.0
    fee, openings = scratch.fee[TRIAL_FEES], scratch.openings[part]
    for i in range(met.size):
        bits, count = met[i], 0
        while bits != 0:
            bits &= bits - 1
            count += 1
        slope[i] = count - 1.0
        if openings[i] & (openings[i] - 1) == 0 or openings[i] & FORCED or (count == 0 and fee[i] <= 0.0):
            slope[i] = 0.0
        square += slope[i] * slope[i]
    return square, arrivals - paid_for


@outlined
def walk_multipliers(problem, j, part, scratch, best, arrivals, goal, rounds):
    """Better toll and fees than a part has, by steps towards the goal (Polyak 1969): (bound, arrivals).

    What devices cost in several slices at once, and arrivals beside the queue that is paid for, say where to go.
    """
    figures, chosen, trial = scratch.figures[part], scratch.chosen, scratch.fee[TRIAL_FEES]
    toll, length, waited, bound = figures[TOLL], STEP, 0, best
    for i in range(trial.size):
        trial[i] = scratch.fee[part, i]
    for n in range(chosen.size.shape[1]):
        chosen.size[PRESENT, n] = chosen.size[BEST, n]
        for d in range(chosen.size[BEST, n]):
            chosen.device[PRESENT, n, d] = chosen.device[BEST, n, d]
    brought = arrivals
    for _ in range(rounds):
        if best <= goal:
            return best, arrivals
        meet_chosen(problem, chosen, PRESENT, scratch)
        paid_for = figures[LOW] + (figures[HIGH] - figures[LOW]) * relieved(problem, j, part, toll, scratch)
        square, excess = slope_of_bound(problem, part, brought, paid_for, scratch)
        unit = 0.0
        if problem.shared_queue:
            unit = TOLL_UNIT / figures[HIGH]
            square += (unit * excess) ** 2
        if square <= 0.0:
            return best, arrivals
        step = length * (bound - goal) / square
        toll += step * unit * unit * excess
        for i in range(trial.size):
            trial[i] = max(0.0, trial[i] + step * scratch.fee[SLOPE, i])
        bound, brought = bound_at_toll(problem, j, part, trial, toll, scratch)
        if brought > figures[HIGH]:
            keep_chosen(chosen, HEAVY)
        waited += 1
        if bound < best:
            if best - bound > PAYS * (best - goal):
                waited = 0
            best, arrivals, figures[TOLL] = bound, brought, toll
            keep_chosen(chosen, BEST)
            for i in range(trial.size):
                scratch.fee[part, i] = trial[i]
        if waited == PATIENCE:
            return best, arrivals
    return best, arrivals


@outlined
def relieved(problem, j, part, toll, scratch):
    """Part of the toll that slices keep for a longer queue than the shortest, with their present sets."""
    figures, total = scratch.figures[part], 0.0
    for n in range(problem.work.shape[1]):
        root, load = 0.0, 0.0
        for d in range(scratch.chosen.size[PRESENT, n]):
            i = scratch.chosen.device[PRESENT, n, d]
            root += problem.work_root[i, n]
            load += problem.work[i, n]
        left = problem.capacity[n * problem.n_nodes + j] - figures[LOW] * load
        if toll * figures[SHARE + n] * left * left > root * root * load:
            total += figures[SHARE + n]
    return total


@outlined
def choose_toll(problem, j, part, scratch, goal, unit, most_rounds):
    """(least bound of a part over tolls, arrivals at it); ends early at ``goal``. Sets BEST and HEAVY follow.

    The bound is convex in the toll: it has to rise where arrivals are more than the queue that slices are paid for.
    """
    figures, chosen = scratch.figures[part], scratch.chosen
    low, high, toll = -np.inf, np.inf, figures[TOLL]
    step = max(0.25 * abs(toll), 0.02 * unit)
    narrow = figures[HIGH] - figures[LOW] <= WIDE * figures[HIGH] or (
        part != 0 and scratch.split[0, KIND] == FIRST
    )
    best, best_arrivals, rounds = np.inf, 0.0, 0
    chosen.size[HEAVY, 0] = NONE
    while True:
        bound, arrivals = bound_at_toll(problem, j, part, scratch.fee[part], toll, scratch)
        if bound < best:
            best, best_arrivals, figures[TOLL] = bound, arrivals, toll
            keep_chosen(chosen, BEST)
        matched = figures[LOW] <= arrivals <= figures[HIGH]
        if best <= goal or (matched and narrow) or not problem.shared_queue:
            return best, best_arrivals
        if arrivals > figures[HIGH]:
            keep_chosen(chosen, HEAVY)
        paid_for = figures[LOW] + (figures[HIGH] - figures[LOW]) * relieved(problem, j, part, toll, scratch)
        if arrivals > paid_for:
            low = toll
        else:
            high = toll
        rounds += 1
        if rounds >= most_rounds + (MORE_ROUNDS if low == -np.inf and most_rounds > 1 else 0):
            return best, best_arrivals
        if high == np.inf or low == -np.inf:
            toll += step if high == np.inf else -step
            step *= 2.0
        else:
            toll = 0.5 * (low + high)


@outlined
def queue_loss(problem, j, part, scratch, arrivals):
    """s. How much less the best sets are worth under the queue that they make than under the part's shortest."""
    figures, lost = scratch.figures[part], 0.0
    queue = min(max(arrivals, figures[LOW]), figures[HIGH])
    for n in range(problem.work.shape[1]):
        root, load, size = scratch.sums[0, n], scratch.sums[1, n], problem.capacity[n * problem.n_nodes + j]
        if root > 0.0:
            left = size - queue * load
            lost += (root * root / left if left > 0.0 else np.inf) - root * root / (
                size - figures[LOW] * load
            )
    return lost


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
            total += max(0.0, filled_set_cost(problem, place, n, left) - root * root / left)
    return total
