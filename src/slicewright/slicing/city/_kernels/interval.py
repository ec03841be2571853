"""What a node gains at most from a set of devices while its queue lies in an interval, and the multipliers that say so.

A set S that makes the queue Lambda = sum alpha costs, in slice n, Q^2 / (F - Lambda W) with Q = sum sqrt(L) and
W = sum L, so at least 2 rho Q - rho^2 (F - Lambda W) for any rho, and a device at least what it costs alone, a_in; any
mixture theta of the two holds. For any price mu of arrivals, the gain at prices p is then at most

    g(Lambda) = mu Lambda + sum_n theta_n rho_n^2 F_n + sum_i max(0, p_i - mu alpha_i - min_n ask_in(Lambda)),
    ask_in(Lambda) = (1 - theta_n) a_in + theta_n rho_n (2 sqrt(L_in) + rho_n Lambda L_in)

A sum of maxima of what is linear in Lambda is convex, so that in an interval g is nowhere more than at its two ends:
what is lost is of the second order in its length. The queue is at least a device's own arrivals, which may take the
place of Lambda, and a_in is counted at the shortest queue of the interval.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, outlined
from slicewright.slicing._kernels.problem import LOCAL

FAR = 1.6
"""Devices that are asked more than this times what they offer are left out until the next whole round."""
FIRST_STEP, LAST_STEP = 0.3, 0.02
FIRST_MOMENT, SECOND_MOMENT = 0.7, 0.9
SHARP = 100.0
"""Ends of an interval within 1 / this (relative to its gain) of each other both count in slopes."""


@inlined
def alone_time(problem, i, j, n, queue):
    """s. Time of a device alone in a slice under a queue; infinite where it is unstable or slower than at home."""
    work = problem.work[i, n]
    left = problem.capacity[j, n] - queue * work
    return work / left if left > 0.0 and work <= problem.local_time[i] * left else np.inf


@inlined
def queues_for(problem, t, i, j, k):
    """(Queue that a device bears at least at the shorter end of an interval, at the longer one; whether it fits)."""
    lo, hi, alpha = t.edges[j, k], t.edges[j, k + 1], problem.arrival[i]
    if not problem.shared_queue:
        return alpha, alpha, True
    if k == t.edges.shape[1] - 2:  # the last one has to stay valid when its end moves
        queue = max(lo, alpha)
        return queue, queue, True
    if alpha + alpha > lo + hi:
        return alpha, alpha, alpha <= hi
    return lo, hi, True


@inlined
def asked_at_ends(problem, t, i, j, k, most):
    """What a node asks of a device in its cheapest slice at both ends of an interval: (ask, slice, ask, slice).

    Nothing at or above ``most`` is told apart from it.
    """
    n_slices, m = problem.capacity.shape[1], t.interval[j, k]
    short, long, fits = queues_for(problem, t, i, j, k)
    least, most_least, choice, other = most, most, LOCAL, LOCAL
    if not fits:
        return least, choice, most_least, other
    alone_queue = max(short, problem.arrival[i])
    for n in range(n_slices):
        rho, theta, work = m[1 + n], m[1 + n_slices + n], problem.work[i, n]
        fixed, load = 2.0 * theta * rho * problem.work_root[i, n], theta * rho * rho * work
        if fixed + load * short >= least:  # what a device costs alone comes on top
            continue
        alone = alone_time(problem, i, j, n, alone_queue)
        if alone == np.inf:
            continue
        fixed += (1.0 - theta) * alone
        if fixed + load * short < least:
            least, choice = fixed + load * short, n
        if fixed + load * long < most_least:
            most_least, other = fixed + load * long, n
    return least, choice, most_least, other


@inlined
def add_slopes(problem, t, i, j, k, n, queue, weight, slope):
    """Add what a device in slice n takes from the slopes of the gain by multiplier, at one end of an interval."""
    n_slices, m = problem.capacity.shape[1], t.interval[j, k]
    work, root, rho, theta = problem.work[i, n], problem.work_root[i, n], m[1 + n], m[1 + n_slices + n]
    slope[0] -= weight * problem.arrival[i]
    slope[1 + n] -= weight * 2.0 * theta * (root + rho * queue * work)
    alone = alone_time(problem, i, j, n, max(queues_for(problem, t, i, j, k)[0], problem.arrival[i]))
    slope[1 + n_slices + n] -= weight * (rho * (2.0 * root + rho * queue * work) - alone)


@inlined
def constant_gain(problem, t, j, k):
    """The part of an interval's gain that is the same for every set: (at the shorter end, at the longer one)."""
    n_slices, m, total = problem.capacity.shape[1], t.interval[j, k], 0.0
    for n in range(n_slices):
        total += m[1 + n_slices + n] * m[1 + n] * m[1 + n] * problem.capacity[j, n]
    return total + m[0] * t.edges[j, k], total + m[0] * t.edges[j, k + 1]


@outlined
def gain_within(problem, t, j, k, first, rows, last, scale, slope, pull, near):
    """The most that node j gains from the devices ``rows[first:last]`` with a queue in its interval k.

    ``slope`` by multiplier and ``pull`` by device of the list are filled: slopes of the gain. Devices of the list that
    are not far from paying are marked in ``near``. ``scale`` (1/s) tells how sharply the higher end counts.
    """
    n_slices, m = problem.capacity.shape[1], t.interval[j, k]
    low, high = constant_gain(problem, t, j, k)
    for entry in range(first, last):
        i = rows[entry]
        pull[entry - first] = 0.0
        worth = t.compute[i] - m[0] * problem.arrival[i]
        if worth <= 0.0:
            continue
        at_low, _, at_high, _ = asked_at_ends(problem, t, i, j, k, FAR * worth)
        if at_low < FAR * worth:
            near[entry - first] = True
        low += max(0.0, worth - at_low)
        high += max(0.0, worth - at_high)
        pull[entry - first] = 1.0 if worth > at_low else 0.0
    weight = 1.0 / (1.0 + np.exp(min(700.0, max(-700.0, scale * (low - high)))))  # of the longer end
    slope[0] = (1.0 - weight) * t.edges[j, k] + weight * t.edges[j, k + 1]
    for n in range(n_slices):
        rho, theta, size = m[1 + n], m[1 + n_slices + n], problem.capacity[j, n]
        slope[1 + n], slope[1 + n_slices + n] = 2.0 * theta * rho * size, rho * rho * size
    for entry in range(first, last):
        if pull[entry - first] == 0.0:  # the longer end asks more of everybody
            continue
        i = rows[entry]
        worth = t.compute[i] - m[0] * problem.arrival[i]
        short, long, _ = queues_for(problem, t, i, j, k)
        at_low, choice, at_high, other = asked_at_ends(problem, t, i, j, k, worth)
        add_slopes(problem, t, i, j, k, choice, short, 1.0 - weight, slope)
        pull[entry - first] = 1.0 - weight
        if worth > at_high:
            add_slopes(problem, t, i, j, k, other, long, weight, slope)
            pull[entry - first] = 1.0
    return max(low, high)


@inlined
def change_multiplier(t, j, k, m, move):
    """Change a multiplier of an interval by a relative move: mu by sums of the node's unit, rho by factors."""
    n_slices = (t.interval.shape[2] - 1) // 2
    if m == 0:
        t.interval[j, k, 0] += move * t.unit[j]
    elif m <= n_slices:
        t.interval[j, k, m] *= np.exp(move)
    else:
        t.interval[j, k, m] = min(1.0, max(0.0, t.interval[j, k, m] + move))


@inlined
def scaled_slope(t, j, k, m, slope):
    """The slope of the gain by a relative move of a multiplier."""
    n_slices = (t.interval.shape[2] - 1) // 2
    if m == 0:
        return slope[0] * t.unit[j]
    return slope[m] * t.interval[j, k, m] if m <= n_slices else slope[m]


@outlined
def settle_interval(problem, t, j, k, first, rows, last, steps, enough, room, pull, near):
    """Steps of an interval's multipliers down its gain, which is returned; ends early at ``enough``, s.

    ``room`` (4, numbers) is for slopes, two moments and the best multipliers (Adam, Kingma and Ba 2015).
    """
    best, numbers = np.inf, t.interval.shape[2]
    for m in range(numbers):
        room[1, m], room[2, m] = 0.0, 0.0
    fade_first, fade_second = 1.0, 1.0
    for done in range(steps):
        gain = gain_within(
            problem, t, j, k, first, rows, last, SHARP / max(best if best < np.inf else 1.0, 1e-9), room[0], pull, near,
        )  # fmt: skip
        if gain < best:
            best = gain
            for m in range(numbers):
                room[3, m] = t.interval[j, k, m]
        if best <= enough:
            break
        step = FIRST_STEP * (LAST_STEP / FIRST_STEP) ** (done / steps)
        fade_first *= FIRST_MOMENT
        fade_second *= SECOND_MOMENT
        for m in range(1 if not problem.shared_queue else 0, numbers):
            down = scaled_slope(t, j, k, m, room[0])
            room[1, m] = FIRST_MOMENT * room[1, m] + (1.0 - FIRST_MOMENT) * down
            room[2, m] = SECOND_MOMENT * room[2, m] + (1.0 - SECOND_MOMENT) * down * down
            if room[2, m] > 0.0:
                size = np.sqrt(room[2, m] / (1.0 - fade_second))
                change_multiplier(t, j, k, m, -step * room[1, m] / (1.0 - fade_first) / size)
    for m in range(numbers):
        t.interval[j, k, m] = room[3, m]
    return best
