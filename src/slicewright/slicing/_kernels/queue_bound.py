"""The lower bound where the devices of a node share one queue: prices, and the queue's length in intervals.

For any prices r_i of radio and p_i of compute no plan is cheaper than

    sum_i min(tau_i, r_i + p_i) - sum over access points of their largest gain - sum over nodes of theirs,

the gain of a resource being the largest sum of prices less cost over sets of devices. A node's cost depends on one
number that all its slices share, Lambda, the arrivals of its devices. For Lambda in [lo, hi] a slice costs at least
Q^2 / (F - lo W), so at least 2 rho Q - rho^2 (F - lo W) for any rho, a device at least what it costs alone under a
queue of q_i = max(lo, alpha_i), the slice at least any mixture of the two (weight theta), and arrivals are at most hi
(multiplier mu). So the gain within an interval is at most

    mu hi + sum_n theta_n rho_n^2 F_n
      + sum_i max(0, p_i - mu alpha_i - min_n [(1 - theta_n) alone_in + theta_n rho_n (2 sqrt(L_in) + rho_n q_i L_in)])

and the gain of the node the largest over intervals that cover every Lambda. All this holds for ANY prices, rho,
mu >= 0 and theta in [0, 1]; the iterations only look for good ones (Adam, Kingma and Ba 2015), from those of a plan.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.bound import MIX, PRICE, prices_of
from slicewright.slicing._kernels.problem import LOCAL

INTERVALS = 16
"""Of the queue of a node; the first begins at 0, the last ends where no queue is stable."""
LEAST_STEP, SMALL_STEP, LARGE_STEP = 0.002, 0.05, 0.4
"""Relative change of a price in one iteration: at last, and at first where the gap to close is small or large."""
STEP_PER_GAP = 0.2
FIRST_MOMENT, SECOND_MOMENT = 0.8, 0.95
SHARPNESS = 200.0
"""Intervals within 1 / this (relative to the bound) of the largest gain share the node's pull on prices."""
ROUNDED = 4.0 * np.finfo(np.float64).eps
"""Times the number of terms and their sum: more than rounding can add to a sum."""
LEAST_PRICE = 1e-6
"""Prices change by factors, so none begins at 0: at least this part of what it is a price of."""
NEAR_POLE = 0.02
"""Least part of a slice's capacity that first prices count as free."""


class Tangents(NamedTuple):
    """Multipliers; the last axis of ``interval`` holds mu, then rho by slice, then theta by slice."""

    compute: Any  # (I,) s, p_i
    radio: Any  # (2, A): rho, theta
    interval: Any  # (J, K, 1 + 2 N)


@kernel
def queue_edges(problem, alone):
    """(J, K + 1) 1/s. Edges of the intervals: every queue that a node can have lies between the first and the last."""
    n_nodes, edges = problem.n_nodes, np.zeros((problem.n_nodes, INTERVALS + 1))
    for j in range(n_nodes):
        total, least, most = 0.0, np.inf, 0.0
        for i in range(problem.local_time.size):
            usable = False
            for n in range(problem.work.shape[1]):
                g = n * n_nodes + j
                if alone[i, g] < np.inf:
                    usable = True
                    most = max(
                        most, problem.capacity[g] / problem.work[i, n]
                    )  # the longest queue it could bear
            if usable:
                total += problem.arrival[i]
                least = min(least, problem.arrival[i])
        last = min(total, most) * (1.0 + 1e-9)
        if last > 0.0:
            for k in range(1, INTERVALS + 1):
                edges[j, k] = last if k == INTERVALS else least * (last / least) ** (k / INTERVALS)
    return edges


@kernel
def times_under_queues(problem, alone, edges):
    """(J, K, I, N) s. Time of a device alone in a slice under the shortest queue of the interval, infinite where it
    may not be: unstable, or slower than locally (13b)."""
    n_nodes, (n_devices, n_slices) = problem.n_nodes, problem.work.shape
    times = np.empty((n_nodes, INTERVALS, n_devices, n_slices))
    for j in range(n_nodes):
        for k in range(INTERVALS):
            for i in range(n_devices):
                for n in range(n_slices):
                    work, g = problem.work[i, n], n * n_nodes + j
                    left = problem.capacity[g] - max(edges[j, k], problem.arrival[i]) * work
                    usable = alone[i, g] < np.inf and left > 0.0 and work <= problem.local_time[i] * left
                    times[j, k, i, n] = work / left if usable else np.inf
    return times


@outlined
def gain_within(problem, t, single, lo, hi, j, k, slope, pull):
    """The most that node j gains with a queue in [lo, hi]; ``slope`` by multiplier and ``pull`` by device are filled.

    ``single`` holds the times of :func:`times_under_queues` in the interval, (I, N).
    The slopes are those of the gain, so prices want to go against them.
    """
    n_slices = problem.work.shape[1]
    mu = t.interval[j, k, 0]
    gain, slope[0] = mu * hi, hi
    for n in range(n_slices):
        rho, theta = t.interval[j, k, 1 + n], t.interval[j, k, 1 + n_slices + n]
        size = problem.capacity[n * problem.n_nodes + j]
        gain += theta * rho * rho * size
        slope[1 + n], slope[1 + n_slices + n] = 2.0 * theta * rho * size, rho * rho * size
    for i in range(pull.size):
        pull[i] = 0.0
        worth = t.compute[i] - mu * problem.arrival[i]
        if worth <= 0.0:
            continue
        least, choice, queue = np.inf, LOCAL, max(lo, problem.arrival[i])
        for n in range(n_slices):
            rho, theta = t.interval[j, k, 1 + n], t.interval[j, k, 1 + n_slices + n]
            asked = (1.0 - theta) * single[i, n] if theta < 1.0 or single[i, n] == np.inf else 0.0
            asked += theta * rho * (2.0 * problem.work_root[i, n] + rho * queue * problem.work[i, n])
            if asked < least:
                least, choice = asked, n
        if worth > least:
            gain += worth - least
            pull[i] = 1.0
            n, work, root = choice, problem.work[i, choice], problem.work_root[i, choice]
            rho, theta = t.interval[j, k, 1 + n], t.interval[j, k, 1 + n_slices + n]
            slope[0] -= problem.arrival[i]
            slope[1 + n] -= 2.0 * theta * (root + rho * queue * work)
            slope[1 + n_slices + n] -= rho * (2.0 * root + rho * queue * work) - single[i, n]
    return gain


@outlined
def cheapest_way(problem, t, i):
    """(charge, link) of the access point that charges device i least."""
    least, choice = np.inf, LOCAL
    for link in range(problem.start[i], problem.start[i + 1]):
        a, root = problem.access_point[link], problem.link_root[link]
        asked = (1.0 - t.radio[1, a]) * root * root + t.radio[1, a] * t.radio[0, a] * 2.0 * root
        if asked < least:
            least, choice = asked, link
    return least, choice


@inlined
def adam(values, slopes, first, second, at, step, done, relative):
    """One step up of ``values[at]``, by at most about ``step`` (of its size if ``relative``)."""
    first[at] = FIRST_MOMENT * first[at] + (1.0 - FIRST_MOMENT) * slopes[at]
    second[at] = SECOND_MOMENT * second[at] + (1.0 - SECOND_MOMENT) * slopes[at] * slopes[at]
    if second[at] <= 0.0:
        return
    up = first[at] / (1.0 - FIRST_MOMENT**done)
    size = np.sqrt(second[at] / (1.0 - SECOND_MOMENT**done))
    move = step * up / size
    values[at] = values[at] * np.exp(move) if relative else min(1.0, max(0.0, values[at] + move))


@kernel
def first_tangents(problem, alone, edges, resources, link, group):
    """Prices of the relaxation (``bound.relax``), and for each interval the congestion that a plan causes there."""
    n_nodes, n_slices, n_devices = problem.n_nodes, problem.work.shape[1], link.size
    work, root, typical = np.zeros((n_nodes, n_slices)), np.zeros((n_nodes, n_slices)), 0.0
    for i in range(n_devices):
        for n in range(n_slices):
            typical += problem.work_root[i, n] / (n_devices * n_slices)
        if link[i] != LOCAL:
            j, n = group[i] % n_nodes, group[i] // n_nodes
            work[j, n] += problem.work[i, n]
            root[j, n] += problem.work_root[i, n]
    t = Tangents(
        prices_of(problem, alone, resources)[1],
        np.empty((2, problem.n_access_points)),
        np.empty((n_nodes, INTERVALS, 1 + 2 * n_slices)),
    )
    for i in range(n_devices):
        t.compute[i] = max(t.compute[i], LEAST_PRICE * problem.local_time[i])
    widest = np.max(problem.link_root) if problem.link_root.size else 0.0
    for a in range(problem.n_access_points):
        t.radio[0, a], t.radio[1, a] = max(resources[PRICE, a], LEAST_PRICE * widest), resources[MIX, a]
    for j in range(n_nodes):
        longest = max(edges[j, INTERVALS], 1e-12)
        for k in range(INTERVALS):
            mu = 0.0
            for n in range(n_slices):
                size = problem.capacity[n * n_nodes + j]
                rho = max(root[j, n], typical) / max(size - edges[j, k] * work[j, n], NEAR_POLE * size)
                t.interval[j, k, 1 + n], t.interval[j, k, 1 + n_slices + n] = rho, 0.5
                mu += rho * rho * max(work[j, n], 0.05 * size / longest)
            t.interval[j, k, 0] = mu
    return t


@kernel
def scale_tangents(problem, t, times, edges, resources):
    """Scale mu and rho of each interval to whatever bounds its gain best: first guesses are far off near the pole."""
    n_slices = problem.work.shape[1]
    slope, pull = np.zeros(1 + 2 * n_slices), np.zeros(problem.local_time.size)
    for j in range(problem.n_nodes):
        for k in range(INTERVALS):
            first = t.interval[j, k].copy()
            trial = first.copy()
            trial[0] = first[0] * 1e-3
            for n in range(n_slices):
                e = problem.n_access_points + n * problem.n_nodes + j
                trial[1 + n] = max(resources[PRICE, e], 1e-6 * first[1 + n])
                trial[1 + n_slices + n] = resources[MIX, e]
            t.interval[j, k] = trial
            best = gain_within(problem, t, times[j, k], edges[j, k], edges[j, k + 1], j, k, slope, pull)
            t.interval[j, k] = first
            for a in range(5):
                for b in range(6):
                    t.interval[j, k, 0] = first[0] * 4.0 ** (2 - b)
                    for n in range(n_slices):
                        t.interval[j, k, 1 + n] = first[1 + n] * 3.0 ** (1 - a)
                    gain = gain_within(
                        problem, t, times[j, k], edges[j, k], edges[j, k + 1], j, k, slope, pull
                    )
                    if gain < best:
                        best = gain
                        trial[:] = t.interval[j, k]
            t.interval[j, k] = trial


@outlined
def pay_prices(problem, t, up_compute, up_radio):
    """sum_i min(tau_i, r_i + p_i) less what access points gain, and how much was added up: (value, size).

    The slopes of the value in the prices are set.
    """
    value, size = 0.0, 0.0
    for a in range(problem.n_access_points):
        rho, theta = t.radio[0, a], t.radio[1, a]
        value -= theta * rho * rho
        size += theta * rho * rho
        up_radio[0, a], up_radio[1, a] = -2.0 * theta * rho, -rho * rho
    for i in range(problem.local_time.size):
        way, link = cheapest_way(problem, t, i)
        up_compute[i] = 0.0
        paid = problem.local_time[i]
        if way + t.compute[i] < paid:
            paid, up_compute[i] = way + t.compute[i], 1.0
            a, root = problem.access_point[link], problem.link_root[link]
            up_radio[0, a] += t.radio[1, a] * 2.0 * root
            up_radio[1, a] += 2.0 * t.radio[0, a] * root - root * root
        value += paid
        size += paid
    return value, size


@outlined
def follow_gains(t, edges, j, gains, most, scale, slope, pull, up_compute, up_interval, moments, step, done):
    """One step of a node's multipliers, each interval by itself, and its pull on prices, which the dearest share."""
    total = np.exp(-scale * most)
    for k in range(INTERVALS):
        total += np.exp(scale * (gains[k] - most)) if gains[k] > 0.0 else 0.0
    for k in range(INTERVALS):
        if not edges[j, k + 1] > edges[j, k]:
            continue
        share = np.exp(scale * (gains[k] - most)) / total if gains[k] > 0.0 else 0.0
        for i in range(up_compute.size):
            up_compute[i] -= share * pull[k, i]
        for m in range(up_interval.size):
            up_interval[m] = -slope[k, m]
        rhos = up_interval.size // 2  # mu and these are changed by factors, theta by sums
        for m in range(up_interval.size):
            adam(t.interval[j, k], up_interval, moments[0, j, k], moments[1, j, k], m, step, done, m <= rhos)


@kernel
def bound_with_queues(problem, t, times, edges, first_step, rounds, deadline):
    """Best bound after at most ``rounds`` steps or at the deadline (ns); ``t`` is left with the last multipliers.

    Prices may be far larger than the bound, so what rounding can add to their sum is taken off every value. A round
    whose sums overflow ends the search: multipliers that are not numbers prove nothing.
    """
    n_devices, n_nodes, n_slices = problem.local_time.size, problem.n_nodes, problem.work.shape[1]
    n_multipliers = 1 + 2 * n_slices
    slope, pull = np.zeros((INTERVALS, n_multipliers)), np.zeros((INTERVALS, n_devices))
    gains, up_interval = np.zeros(INTERVALS), np.zeros(n_multipliers)
    up_compute, up_radio = np.zeros(n_devices), np.zeros((2, problem.n_access_points))
    compute_moments, radio_moments = np.zeros((2, n_devices)), np.zeros((2, 2, problem.n_access_points))
    moments = np.zeros((2, n_nodes, INTERVALS, n_multipliers))
    terms = n_devices + n_nodes * n_slices + problem.n_access_points
    best, everybody = 0.0, np.sum(problem.local_time)
    for done in range(1, rounds + 1):
        step = first_step * (LEAST_STEP / first_step) ** (done / rounds)
        value, size = pay_prices(problem, t, up_compute, up_radio)
        scale = SHARPNESS / max(best, 0.01 * everybody)
        for j in range(n_nodes):
            most = 0.0  # of the empty set
            for k in range(INTERVALS):
                gains[k] = 0.0
                if edges[j, k + 1] > edges[j, k]:
                    gains[k] = gain_within(
                        problem, t, times[j, k], edges[j, k], edges[j, k + 1], j, k, slope[k], pull[k]
                    )
                if not gains[k] <= most:  # what is not a number stays, and spoils the round
                    most = gains[k]
            value -= most
            size += most
            follow_gains(
                t, edges, j, gains, most, scale, slope, pull, up_compute, up_interval, moments, step, done
            )
        value -= ROUNDED * terms * size
        if not np.isfinite(value):
            break
        best = max(best, value)
        for i in range(n_devices):
            adam(t.compute, up_compute, compute_moments[0], compute_moments[1], i, step, done, True)
        for a in range(problem.n_access_points):
            adam(t.radio[0], up_radio[0], radio_moments[0, 0], radio_moments[0, 1], a, step, done, True)
            adam(t.radio[1], up_radio[1], radio_moments[1, 0], radio_moments[1, 1], a, step, done, False)
        if now_ns() > deadline:
            break
    return best


@kernel
def bound_from_prices(problem, alone, resources, gap, link, group, rounds, deadline):
    """The bound from the prices of the relaxation (``bound.relax``) and the congestion of a plan.

    ``gap`` (relative) is what the relaxation leaves open: the larger, the farther prices have to go.
    """
    first_step = min(LARGE_STEP, max(SMALL_STEP, STEP_PER_GAP * gap))
    edges = queue_edges(problem, alone)
    times = times_under_queues(problem, alone, edges)
    t = first_tangents(problem, alone, edges, resources, link, group)
    scale_tangents(problem, t, times, edges, resources)
    return bound_with_queues(problem, t, times, edges, first_step, rounds, deadline)
