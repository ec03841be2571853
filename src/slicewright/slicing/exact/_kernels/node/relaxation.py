"""A bound of a part of the search over a node's sets from one tangent for each slice, with devices in one slice each.

With rho_n for each slice and a toll mu on arrivals, a device in slice n is worth at most

    v_in = p_i - mu alpha_i - 2 rho_n sqrt(L_in) - rho_n^2 lo L_in

under a queue of at least lo, so that no set gains more than  sum_i max(0, max_n v_in) + sum_n rho_n^2 F_n + mu hi.
It is a convex relaxation: devices may be split. Where slices hold many devices that is nearly tight, and takes
microseconds; where they hold a few, :mod:`slice_sets` says more. The multipliers are good there too: with fees between
what a device is worth in its best slice and in the next, whole sets of the slices never gain more than this bound.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, outlined
from slicewright.slicing.exact._kernels.node.parts import HIGH, LOW
from slicewright.slicing.exact._kernels.node.slice_sets import FORCED

FIRST_STEP, LAST_STEP = 1.5, 1.01  # ratios of multipliers tried
MOST_SWEEPS = 24
LEAST_TOLL = 0.01  # of what arrivals may be worth: steps of a toll of nearly nothing
ENOUGH = 0.01  # of what is left above the goal: sweeps that gain less end


@inlined
def worth_in(problem, i, n, price, toll, rho, low):
    """v_in; ``low`` is the shortest queue, or the device's own arrivals in variant "device"."""
    return price - 2.0 * rho * problem.work_root[i, n] - rho * rho * low * problem.work[i, n] - toll


@outlined
def start_relaxation(problem, j, price, place, queue, scratch):
    """First multipliers of part 0: the congestion that the devices in ``place`` make, or that one device would bear."""
    rho = scratch.relaxed[0]
    for n in range(problem.work.shape[1]):
        root, load, dearest = 0.0, 0.0, 0.0
        for i in range(price.size):
            if place[i] == n:
                root += problem.work_root[i, n]
                load += problem.work[i, n] * (1.0 if problem.shared_queue else problem.arrival[i])
            dearest = max(dearest, 0.5 * price[i] / problem.work_root[i, n])
        left = problem.capacity[n * problem.n_nodes + j] - queue * load
        rho[n] = root / left if root > 0.0 and left > 0.0 else dearest


@outlined
def relaxed_gain(problem, j, price, part, scratch):
    """The bound at the part's present multipliers."""
    n_slices, rho, low = problem.work.shape[1], scratch.relaxed[part], scratch.figures[part, LOW]
    toll = rho[n_slices]
    scratch.slices.work[0] += price.size
    total = toll * (scratch.figures[part, HIGH] if toll > 0.0 else low) if problem.shared_queue else 0.0
    for n in range(n_slices):
        total += rho[n] * rho[n] * problem.capacity[n * problem.n_nodes + j]
    for i in range(price.size):
        opening = scratch.openings[part, i]
        if opening == 0:
            continue
        best, alpha = -np.inf if opening & FORCED else 0.0, problem.arrival[i]
        paid = toll * alpha if problem.shared_queue else 0.0
        queue = low if problem.shared_queue else alpha
        for n in range(n_slices):
            if opening >> n & 1:
                best = max(best, worth_in(problem, i, n, price[i], paid, rho[n], queue))
        total += best
    return total


@outlined
def relax_part(problem, j, price, part, scratch, goal, unit):
    """Better multipliers for a part than those it has, coordinate by coordinate; returns the bound.

    Args:
        goal: s, a bound that is enough.
        unit: s per 1/s, what arrivals may be worth.
    """
    n_slices, multipliers = problem.work.shape[1], scratch.relaxed[part]
    best, step = relaxed_gain(problem, j, price, part, scratch), FIRST_STEP
    for _ in range(MOST_SWEEPS):
        before = best
        for m in range(n_slices + 1 if problem.shared_queue else n_slices):
            for turn in range(2):
                now, ratio = multipliers[m], step if turn == 0 else 1.0 / step
                if m < n_slices:
                    multipliers[m] = now * ratio
                else:
                    multipliers[m] = now + (ratio - 1.0) * max(abs(now), LEAST_TOLL * unit)
                there = relaxed_gain(problem, j, price, part, scratch)
                if there < best:
                    best = there
                    break
                multipliers[m] = now
        if best <= goal or step < LAST_STEP:
            return best
        if not before - best > ENOUGH * (best - goal):
            step = np.sqrt(step)
    return best


@outlined
def fees_of_relaxation(problem, price, part, fee, scratch):
    """Fees, (I,) s, between what devices are worth in their best slice and in the next."""
    rho, n_slices = scratch.relaxed[part], problem.work.shape[1]
    for i in range(price.size):
        fee[i] = 0.0
        opening, first, second = scratch.openings[part, i], 0.0, 0.0
        if opening & (opening - 1) == 0 or opening & FORCED:
            continue
        paid = rho[n_slices] * problem.arrival[i] if problem.shared_queue else 0.0
        queue = scratch.figures[part, LOW] if problem.shared_queue else problem.arrival[i]
        for n in range(n_slices):
            if opening >> n & 1:
                worth = worth_in(problem, i, n, price[i], paid, rho[n], queue)
                if worth > first:
                    first, second = worth, first
                elif worth > second:
                    second = worth
        fee[i] = 0.5 * (first + second) if second > 0.0 else 0.0


@outlined
def fix_devices(problem, price, part, left, scratch):
    """Close slices in which a device would cost more than what is ``left`` above the goal (reduced costs).

    No set of the part that is better than the goal has the device there: with it, the bound falls below.
    """
    rho, n_slices = scratch.relaxed[part], problem.work.shape[1]
    for i in range(price.size):
        opening = scratch.openings[part, i]
        if opening == 0 or opening & FORCED:
            continue
        paid = rho[n_slices] * problem.arrival[i] if problem.shared_queue else 0.0
        queue, best = scratch.figures[part, LOW] if problem.shared_queue else problem.arrival[i], 0.0
        for n in range(n_slices):
            if opening >> n & 1:
                best = max(best, worth_in(problem, i, n, price[i], paid, rho[n], queue))
        for n in range(n_slices):
            if opening >> n & 1 and best - worth_in(problem, i, n, price[i], paid, rho[n], queue) > left:
                scratch.openings[part, i] &= ~(1 << n)
