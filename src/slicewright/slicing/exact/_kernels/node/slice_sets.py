"""The most profitable set of devices for one slice of a node, for any length of the node's queue in an interval.

With Q and W sums of roots and of work, a set S costs c(S, q) = Q^2 / (F - q W) under a queue of length q (model page
1.4; 13b can only add to it). For a queue in [lo, hi] whose arrivals are charged a toll mu, of which this slice keeps
the part mu_n, no set gains more than

    sum_S (p - mu alpha) - c(S, lo) + max(0, mu_n - slope(S)) (hi - lo),      slope = Q^2 W / (F - lo W)^2,

since c is convex in the queue; the gain counts from mu_n lo on. For any rho the cost is at least
2 rho Q - rho^2 (F - lo W), where every device pays for itself: with a handful of rho, the sums over the devices still
to come tell at any point of a depth-first search whether it can beat the best set so far.

In variant "device" a device's own arrivals make up its load, and the queue's length is 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing.exact._kernels.sets import NONE

TANGENTS = 4
SPREAD = 1.25  # ratio of one tangent's rho to the next
LONGEST_WALK = 24  # steps of this ratio from the first guess of the best one
FORCED = 1 << 48  # bit of a device that has to be served by the one slice that is open to it
WALK_WORK = 20  # tangents drawn for a candidate cost as much as so many sets
MOST_DOMINATORS = 62  # earlier devices that are looked at

# What is known of a candidate: price, arrivals, root of work, queue load per arrival, least surplus capacity (13b).
PRICE, ARRIVAL, ROOT, LOAD, FLOOR = range(5)
# Rows of the scratch: what a candidate is worth after the toll, as above, tangents of what is still to come.
WORTH, FIRST_TANGENT = 0, 1
# Rows of the integer scratch: the candidate's number, the devices of the present set by depth, who is better (bits).
NUMBER, STACK, BETTER, INSIDE = range(4)


class Candidates(NamedTuple):
    """Devices that may pay, by slice."""

    count: Any  # (N,) int64
    device: Any  # (N, I) int64
    figures: Any  # (N, 5, I)


class SliceScratch(NamedTuple):
    """Room to work in."""

    figures: Any  # (1 + TANGENTS, I + 1)
    numbers: Any  # (4, I + 2) int64
    sums: Any  # (4, I + 2), by depth: roots, loads, worths, floors
    rho: Any  # (TANGENTS,)
    most_sets: Any  # (1,) int64, that a search may look at; beyond, its bound is looser than its best set
    work: Any  # (1,) int64, candidates and sets looked at so far


class Chosen(NamedTuple):
    """Sets by slice; several of them are kept (first axis): the present one, the best and the heaviest."""

    size: Any  # (3, N) int64
    device: Any  # (3, N, I) int64


@kernel
def make_slice_scratch(n_devices, n_slices):
    """Allocate (candidates, scratch, chosen sets)."""
    return (
        Candidates(
            np.zeros(n_slices, np.int64), np.empty((n_slices, n_devices), np.int64),
            np.empty((n_slices, 5, n_devices)),
        ),
        SliceScratch(
            np.empty((1 + TANGENTS, n_devices + 1)), np.empty((4, n_devices + 2), np.int64),
            np.empty((4, n_devices + 2)), np.empty(TANGENTS), np.zeros(1, np.int64),
            np.zeros(1, np.int64),
        ),
        Chosen(np.zeros((3, n_slices), np.int64), np.empty((3, n_slices, n_devices), np.int64)),
    )  # fmt: skip


@outlined
def list_candidates(problem, j, alone, price, fee, queue, toll, candidates):
    """Devices that pay alone, in the order in which a slice of node j would take them at this queue and toll."""
    key = candidates.figures[:, WORTH]  # overwritten by the price below
    for n in range(problem.work.shape[1]):
        g, count = n * problem.n_nodes + j, 0
        for i in range(price.size):
            if not alone[i, g] < price[i]:
                continue
            work, root, alpha = problem.work[i, n], problem.work_root[i, n], problem.arrival[i]
            load = work if problem.shared_queue else alpha * work
            if not problem.shared_queue:
                alpha = 0.0
            worth = max(price[i] - fee[i] - toll * alpha, 0.0)
            # where the tangent's charge 2 rho root + rho^2 queue load meets the worth
            rise = queue * load / work
            rank = (np.sqrt(1.0 + rise * worth) - 1.0) / (rise * root) if rise > 0.0 else 0.5 * worth / root
            k = count - 1
            device, figures = candidates.device[n], candidates.figures[n]
            while k >= 0 and key[n, k] < rank:
                key[n, k + 1], device[k + 1] = key[n, k], device[k]
                for row in range(ARRIVAL, FLOOR + 1):
                    figures[row, k + 1] = figures[row, k]
                k -= 1
            key[n, k + 1], device[k + 1] = rank, i
            figures[ARRIVAL, k + 1], figures[ROOT, k + 1] = alpha, root
            figures[LOAD, k + 1], figures[FLOOR, k + 1] = load, work / problem.local_time[i]
            count += 1
        candidates.count[n] = count
        for k in range(count):
            candidates.figures[n, PRICE, k] = price[candidates.device[n, k]]


@inlined
def gain_of_sums(sums, depth, size, lo, kept, width):
    """(gain, its part from a longer queue) of the set at a depth."""
    root, load = sums[0, depth], sums[1, depth]
    left = size - lo * load
    relief = max(0.0, kept - root * root * load / (left * left)) * width
    return sums[2, depth] - root * root / left + relief, relief


@outlined
def start_set(candidates, n, size, openings, fee, toll, kept, lo, hi, slack, scratch, chosen):
    """Sums of the devices that have to be served, and the others that may pay: (their number, arrivals, gain).

    Those who lose no more than ``slack`` are among them. The gain is minus infinity where those who have to be served
    do not fit.
    """
    figures, device = candidates.figures[n], candidates.device[n]
    numbers, sums, worth = scratch.numbers, scratch.sums, scratch.figures[WORTH]
    count, members, arrivals = 0, 0, 0.0
    for row in range(4):
        sums[row, 0] = 0.0
    for k in range(candidates.count[n]):
        opening = openings[device[k]]
        if not opening >> n & 1:
            continue
        root, load, floor, alpha = figures[ROOT, k], figures[LOAD, k], figures[FLOOR, k], figures[ARRIVAL, k]
        value = figures[PRICE, k] - fee[device[k]] - toll * alpha
        if opening & FORCED:
            sums[0, 0] += root
            sums[1, 0] += load
            sums[2, 0] += value
            sums[3, 0] += floor
            arrivals += alpha
            chosen.device[0, n, members] = device[k]
            members += 1
            continue
        left = size - max(lo, alpha) * load
        if alpha <= hi and left > 0.0 and floor <= left and (value + slack) * left > root * root:
            numbers[NUMBER, count], worth[count] = k, value
            count += 1
    chosen.size[0, n] = members
    left = size - lo * sums[1, 0]
    if left <= 0.0 or left < sums[3, 0] or arrivals > hi:
        return 0, 0.0, -np.inf
    return count, arrivals, gain_of_sums(sums, 0, size, lo, kept, hi - lo)[0]


@inlined
def gain_under(figures, scratch, c, count, rho, root, left, lo):
    """The most that a set of these sums gains with candidates from ``c`` on, by one tangent, without its worths."""
    numbers, worth, most = scratch.numbers, scratch.figures[WORTH], rho * (rho * left - 2.0 * root)
    for b in range(c, count):
        k = numbers[NUMBER, b]
        more = worth[b] - rho * (2.0 * figures[ROOT, k] + rho * lo * figures[LOAD, k])
        if more > 0.0:
            most += more
    return most


@outlined
def choose_tangent(figures, scratch, depth, c, count, size, lo, rho):
    """(rho of a tangent that is about the best for the set at a depth and candidates from ``c`` on, the gain under it).

    The walk begins at ``rho`` and takes steps of one ratio, so that it ends at one of the tangents around.
    """
    root, left = scratch.sums[0, depth], size - lo * scratch.sums[1, depth]
    most, ratio = gain_under(figures, scratch, c, count, rho, root, left, lo), SPREAD
    for turn in range(2):
        for _ in range(LONGEST_WALK):
            there = gain_under(figures, scratch, c, count, rho * ratio, root, left, lo)
            if not there < most:
                break
            most, rho = there, rho * ratio
        if turn == 0:
            ratio = 1.0 / SPREAD
    return rho, most


@outlined
def draw_tangents(figures, count, size, lo, scratch):
    """Tangents around the congestion at which devices stop to pay one by one, and what those to come bring at most."""
    numbers, worth = scratch.numbers, scratch.figures[WORTH]
    root, load = scratch.sums[0, 0], scratch.sums[1, 0]
    middle = root / (size - lo * load)
    for c in range(count):
        k = numbers[NUMBER, c]
        left = size - lo * (load + figures[LOAD, k])
        rho = (root + figures[ROOT, k]) / left if left > 0.0 else np.inf
        if rho * (2.0 * figures[ROOT, k] + rho * lo * figures[LOAD, k]) > worth[c]:
            if middle == 0.0:
                middle = 0.5 * abs(worth[c]) / figures[ROOT, k]
            break
        root += figures[ROOT, k]
        load += figures[LOAD, k]
        middle = rho
    middle = choose_tangent(figures, scratch, 0, 0, count, size, lo, middle)[0]
    for r in range(TANGENTS):
        rho, row = middle * SPREAD ** (r - TANGENTS // 2), scratch.figures[FIRST_TANGENT + r]
        scratch.rho[r] = rho
        row[count] = 0.0
        for c in range(count - 1, -1, -1):
            k = numbers[NUMBER, c]
            more = worth[c] - rho * (2.0 * figures[ROOT, k] + rho * lo * figures[LOAD, k])
            row[c] = row[c + 1] + (more if more > 0.0 else 0.0)


@inlined
def most_to_come(scratch, depth, c, size, lo):
    """The most that the set at a depth gains with candidates from ``c`` on, without relief."""
    root, left, most = scratch.sums[0, depth], size - lo * scratch.sums[1, depth], np.inf
    for r in range(TANGENTS):
        rho = scratch.rho[r]
        most = min(most, rho * (rho * left - 2.0 * root) + scratch.figures[FIRST_TANGENT + r, c])
    return scratch.sums[2, depth] + most


@outlined
def note_betters(figures, scratch, c):
    """Bits of earlier candidates that are worth more and ask less: no best set has c but not them."""
    numbers, worth, k = scratch.numbers, scratch.figures[WORTH], scratch.numbers[NUMBER, c]
    bits = 0
    for b in range(min(c, MOST_DOMINATORS)):
        other = numbers[NUMBER, b]
        if (
            worth[b] >= worth[c]
            and figures[ROOT, other] <= figures[ROOT, k]
            and figures[LOAD, other] <= figures[LOAD, k]
            and figures[FLOOR, other] <= figures[FLOOR, k]
        ):
            bits |= 1 << b
    numbers[BETTER, c] = bits


@inlined
def add_candidate(figures, scratch, depth, c):
    """Sums of the set at ``depth`` with candidate c, at the next depth."""
    k, sums = scratch.numbers[NUMBER, c], scratch.sums
    sums[0, depth + 1] = sums[0, depth] + figures[ROOT, k]
    sums[1, depth + 1] = sums[1, depth] + figures[LOAD, k]
    sums[2, depth + 1] = sums[2, depth] + scratch.figures[WORTH, c]
    sums[3, depth + 1] = sums[3, depth] + figures[FLOOR, k]


# Over 60 lines: a walk in depth whose every turn reads and writes the same stacks, which no part of it has for itself.
@outlined
def best_in_slice(candidates, n, size, openings, fee, toll, kept, lo, hi, scratch, chosen):
    """(bound of the gain beyond ``kept`` lo, arrivals of the best set); the set is ``chosen[0]``.

    Args:
        size: cycle/s, the slice's capacity on the node.
        openings: (I,) int64, bit n where the device may use slice n, FORCED where it must.
        fee: (I,) s, what a device pays beside its price of congestion for being in a slice at all.
        toll, kept: s per 1/s of arrivals, what a device pays and what the slice keeps of it.
        lo, hi: 1/s, interval of the queue.
    """
    figures, numbers = candidates.figures[n], scratch.numbers
    count, forced, best = start_set(
        candidates, n, size, openings, fee, toll, kept, lo, hi, 0.0, scratch, chosen
    )
    arrivals, members, width = forced, chosen.size[0, n], hi - lo
    scratch.work[0] += candidates.count[n] + WALK_WORK * count
    if count == 0 or best == -np.inf:
        return best, arrivals
    draw_tangents(figures, count, size, lo, scratch)
    for c in range(count):
        numbers[BETTER, c] = NONE
    depth, steps = 0, 0
    numbers[STACK, 0], numbers[INSIDE, 0] = NONE, 0
    while depth >= 0:
        c = numbers[STACK, depth] + 1
        numbers[STACK, depth] = c
        gain, relief = gain_of_sums(scratch.sums, depth, size, lo, kept, width)
        if c >= count or most_to_come(scratch, depth, c, size, lo) + relief <= best:
            depth -= 1
            continue
        if numbers[BETTER, c] == NONE:
            note_betters(figures, scratch, c)
        if numbers[BETTER, c] & ~numbers[INSIDE, depth] != 0:
            continue
        add_candidate(figures, scratch, depth, c)
        left = size - lo * scratch.sums[1, depth + 1]
        if left <= 0.0 or left < scratch.sums[3, depth + 1]:
            continue
        more, relief_after = gain_of_sums(scratch.sums, depth + 1, size, lo, kept, width)
        if more - relief_after <= gain - relief:  # what does not pay now never will
            continue
        steps += 1
        scratch.work[0] += 1
        if steps > scratch.most_sets[0]:
            for d in range(depth + 1):
                relief = gain_of_sums(scratch.sums, d, size, lo, kept, width)[1]
                following = numbers[STACK, d] + (1 if d < depth else 0)
                most = choose_tangent(
                    figures, scratch, d, following, count, size, lo, scratch.rho[TANGENTS // 2]
                )[1]
                best = max(best, scratch.sums[2, d] + most + relief)
            return best, arrivals
        depth += 1
        numbers[STACK, depth] = c
        numbers[INSIDE, depth] = numbers[INSIDE, depth - 1] | (1 << c if c < MOST_DOMINATORS else 0)
        if more > best:
            best, arrivals, chosen.size[0, n] = more, forced, members + depth
            for d in range(depth):
                k = numbers[NUMBER, numbers[STACK, d]]
                chosen.device[0, n, members + d] = candidates.device[n, k]
                arrivals += figures[ARRIVAL, k]
    return best, arrivals
