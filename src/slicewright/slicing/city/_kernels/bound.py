"""The lower bound of a city: prices of radio and compute, and the queue of each node in intervals.

For any congestion rho_a of access points and any prices p_i of compute no plan is cheaper than

    sum_i min(tau_i, min_a 2 rho_a sqrt(T_ia) + p_i) - sum_a rho_a^2 - sum_j gain_j(p),

since (sum sqrt T)^2 >= 2 rho sum sqrt T - rho^2, and gain_j is at least the sum of prices less the cost of node j over
any set of the devices that list it. A slice costs Q^2 / (F - Lambda W), so at least 2 rho Q - rho^2 (F - lo W) for any
rho, a device at least what it costs alone under a queue of its own arrivals or lo, and any mixture of the two: for a
queue Lambda in [lo, hi], multipliers mu >= 0, rho_n >= 0 and theta_n in [0, 1] the gain is at most

    mu hi + sum_n theta_n rho_n^2 F_n
      + sum_i max(0, p_i - mu alpha_i - min_n [(1 - theta_n) alone_in + theta_n rho_n (2 sqrt(L_in) + rho_n q_i L_in)])

with q_i = max(lo, alpha_i), and the gain of a node is the largest over intervals that cover every queue. Every number
may be anything: only how near the bound comes depends on it. A round that skips intervals or devices is for finding
better numbers; a value counts only where all were asked (``whole``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing._kernels.adam import adam
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.city._kernels.problem import ROOT, WORK

INTERVALS = 14
SHARPNESS = 200.0
"""Intervals within 1 / this (relative to the gain to be had) of the largest gain share a node's pull on prices."""
ROUNDED = 4.0 * np.finfo(np.float64).eps
FAR = 1.6
"""Devices that are asked more than this times what they offer are left out until the next whole round."""
NEAR_POLE = 0.02
"""Least part of a slice's capacity that first multipliers count as free."""
AROUND = np.array([0.0, 0.35, 0.6, 0.75, 0.85, 0.92, 0.96, 0.985, 1.005, 1.03, 1.07, 1.15, 1.3, 1.7])
"""Lower edges of the intervals, in parts of the plan's queue; the last ends where no queue is stable."""


class Multipliers(NamedTuple):
    """All numbers that the bound may choose; the last axis of ``interval`` holds mu, then rho, then theta by slice."""

    compute: Any  # (I,) s, p_i
    radio: Any  # (A,) sqrt(s), rho_a
    interval: Any  # (J, K, 1 + 2 N)
    edges: Any  # (J, K + 1) 1/s, of the intervals


class Moments(NamedTuple):
    """First and second moments of the slopes, by number (Adam, Kingma and Ba 2015)."""

    compute: Any  # (2, I)
    radio: Any  # (2, A)
    interval: Any  # (2, J, K, 1 + 2 N)


@inlined
def alone_time(problem, i, j, n, queue):
    """s. Time of a device alone in a slice under a queue; infinite where it is unstable or slower than at home."""
    work = problem.work[i, n]
    left = problem.capacity[j, n] - queue * work
    return work / left if left > 0.0 and work <= problem.local_time[i] * left else np.inf


@kernel
def queue_edges(problem, state, first, rows):
    """(J, K + 1) 1/s. Edges that cover every queue of a node, fine around the plan's.

    One interval where queues are not shared. ``first`` and ``rows`` list the devices of each node.
    """
    n_nodes, n_slices = problem.capacity.shape
    intervals = INTERVALS if problem.shared_queue else 1
    edges = np.zeros((n_nodes, intervals + 1))
    if not problem.shared_queue:
        return edges
    for j in range(n_nodes):
        total, longest = 0.0, 0.0
        for entry in range(first[j], first[j + 1]):
            i, usable = rows[entry], False
            for n in range(n_slices):
                if alone_time(problem, i, j, n, problem.arrival[i]) < np.inf:
                    usable = True
                    longest = max(longest, problem.capacity[j, n] / problem.work[i, n])
            if usable:
                total += problem.arrival[i]
        last = min(total, longest) * (1.0 + 1e-9)
        here = state.arrivals[j] if state.arrivals[j] > 0.0 else 0.3 * last
        for k in range(intervals):
            edges[j, k] = min(last, AROUND[k] * here)
        edges[j, intervals] = last
    return edges


@kernel
def first_multipliers(problem, state, edges, rho, price):
    """Multipliers from a plan's prices and the congestion that it causes on every node."""
    (n_nodes, n_slices), intervals = problem.capacity.shape, edges.shape[1] - 1
    typical = np.zeros(n_slices)
    for n in range(n_slices):
        typical[n] = np.mean(problem.work_root[:, n]) if problem.work_root.shape[0] else 0.0
    interval = np.empty((n_nodes, intervals, 1 + 2 * n_slices))
    for j in range(n_nodes):
        for k in range(intervals):
            mu = 0.0
            for n in range(n_slices):
                size, queue = problem.capacity[j, n], edges[j, k]
                root = max(state.sums[j, ROOT, n], typical[n])
                left = size - queue * state.sums[j, WORK, n] if problem.shared_queue else size
                congestion = root / max(left, NEAR_POLE * size) if size > 0.0 else 0.0
                interval[j, k, 1 + n] = congestion
                interval[j, k, 1 + n_slices + n] = 0.5
                mu += congestion * congestion * state.sums[j, WORK, n]
            interval[j, k, 0] = mu if problem.shared_queue else 0.0
    return Multipliers(price, rho, interval, edges)


@kernel
def no_moments(t):
    """Moments before the first step."""
    n_nodes, intervals, numbers = t.interval.shape
    return Moments(
        np.zeros((2, t.compute.size)), np.zeros((2, t.radio.size)), np.zeros((2, n_nodes, intervals, numbers))
    )


@inlined
def asked_within(problem, multipliers, i, j, queue, most):
    """(what node j asks of device i in its cheapest slice under a queue, the slice); nothing at or above ``most``."""
    n_slices = problem.capacity.shape[1]
    least, choice = most, LOCAL
    for n in range(n_slices):
        rho, theta, work = multipliers[1 + n], multipliers[1 + n_slices + n], problem.work[i, n]
        asked = theta * rho * (2.0 * problem.work_root[i, n] + rho * queue * work)
        if asked >= least:
            continue
        alone = alone_time(problem, i, j, n, queue)
        if alone < np.inf:
            asked += (1.0 - theta) * alone
            if asked < least:
                least, choice = asked, n
    return least, choice


@outlined
def gain_within(problem, t, j, k, first, rows, last, slope, pull, near):
    """The most that node j gains from the devices ``rows[first:last]`` with a queue in its interval k.

    ``slope`` by multiplier and ``pull`` by device of the list are filled: slopes of the gain. Devices of the list that
    are not far from paying are marked in ``near``.
    """
    n_slices = problem.capacity.shape[1]
    multipliers = t.interval[j, k]
    lo, hi, mu = t.edges[j, k], t.edges[j, k + 1], multipliers[0]
    gain, slope[0] = mu * hi, hi
    for n in range(n_slices):
        rho, theta, size = multipliers[1 + n], multipliers[1 + n_slices + n], problem.capacity[j, n]
        gain += theta * rho * rho * size
        slope[1 + n], slope[1 + n_slices + n] = 2.0 * theta * rho * size, rho * rho * size
    for entry in range(first, last):
        i = rows[entry]
        alpha = problem.arrival[i]
        worth = t.compute[i] - mu * alpha
        pull[entry - first] = 0.0
        if worth <= 0.0:
            continue
        queue = max(lo, alpha)
        least, choice = asked_within(problem, multipliers, i, j, queue, FAR * worth)
        if choice != LOCAL:
            near[entry - first] = True
        if worth > least:
            gain += worth - least
            pull[entry - first] = 1.0
            work, root = problem.work[i, choice], problem.work_root[i, choice]
            rho, theta = multipliers[1 + choice], multipliers[1 + n_slices + choice]
            slope[0] -= alpha
            slope[1 + choice] -= 2.0 * theta * (root + rho * queue * work)
            alone = alone_time(problem, i, j, choice, queue)
            slope[1 + n_slices + choice] -= rho * (2.0 * root + rho * queue * work) - alone
    return gain


@inlined
def step_interval(t, moments, j, k, slope, step, done):
    """One step of an interval's multipliers down the gain; mu and rho change by factors, theta by sums."""
    numbers = slope.size
    for m in range(numbers):
        slope[m] = -slope[m]
    for m in range(numbers):
        adam(
            t.interval[j, k],
            slope,
            moments.interval[0, j, k],
            moments.interval[1, j, k],
            m,
            step,
            done,
            m <= numbers // 2,
        )


@kernel
def gains_of_nodes(
    problem, t, moments, active, first, rows, near, begin, end, whole, scale, step, done, pulled
):
    """What nodes ``begin`` to ``end`` gain together, and the step of their multipliers: (gain, added up in size).

    Args:
        active: (J, K) intervals that compete for the largest gain; set when ``whole``, else read.
        first, rows: devices by node; all of them when ``whole``.
        near: (entries,) set when ``whole``: devices that are not far from paying somewhere.
        whole: ask every interval, so that the gain is valid.
        scale: 1/s, how sharply the largest of a node's gains is told from the others.
        step, done: of Adam.
        pulled: (I,) how much nodes want each device; added to.
    """
    n_slices, intervals = problem.capacity.shape[1], t.edges.shape[1] - 1
    longest = 0
    for j in range(begin, end):
        longest = max(longest, first[j + 1] - first[j])
    slope, pull = np.empty((intervals, 1 + 2 * n_slices)), np.empty((intervals, longest))
    gains, close = np.empty(intervals), np.zeros(longest, np.bool_)
    total, size = 0.0, 0.0
    for j in range(begin, end):
        most = 0.0  # of the empty set
        close[:] = False
        for k in range(intervals):
            gains[k] = 0.0
            if (t.edges[j, k + 1] > t.edges[j, k] or not problem.shared_queue) and (whole or active[j, k]):
                gains[k] = gain_within(
                    problem, t, j, k, first[j], rows, first[j + 1], slope[k], pull[k], close
                )
            if not gains[k] <= most:  # what is not a number stays, and spoils the round
                most = gains[k]
        total += most
        size += most
        if whole:
            for entry in range(first[j], first[j + 1]):
                near[entry] = close[entry - first[j]]
        shares = np.exp(-scale * most)
        for k in range(intervals):
            if whole:
                active[j, k] = gains[k] > 0.0 and scale * (most - gains[k]) < 12.0
            if gains[k] > 0.0:
                shares += np.exp(scale * (gains[k] - most))
        for k in range(intervals):
            if gains[k] <= 0.0:
                continue
            share = np.exp(scale * (gains[k] - most)) / shares
            if share > 1e-6:
                for entry in range(first[j], first[j + 1]):
                    pulled[rows[entry]] += share * pull[k, entry - first[j]]
            step_interval(t, moments, j, k, slope[k], step, done)
    return total, size


@kernel
def payments(problem, t, begin, end, taken, spread):
    """sum of min(tau_i, cheapest access point + p_i) over devices ``begin`` to ``end``.

    ``taken`` (I,) is set to 1 where a device pays for offloading, ``spread`` (A,) gathers sqrt(T) of those.
    """
    total = 0.0
    for i in range(begin, end):
        least, choice = np.inf, LOCAL
        for link in range(problem.link_start[i], problem.link_end[i]):
            asked = 2.0 * t.radio[problem.access_point[link]] * problem.link_root[link]
            if asked < least:
                least, choice = asked, link
        paid = problem.local_time[i]
        taken[i] = 0.0
        if least + t.compute[i] < paid:
            paid, taken[i] = least + t.compute[i], 1.0
            spread[problem.access_point[choice]] += problem.link_root[choice]
        total += paid
    return total


@kernel
def step_compute(t, moments, begin, end, taken, pulled, step, done):
    """One step up of the prices of devices ``begin`` to ``end``."""
    for i in range(begin, end):
        taken[i] -= pulled[i]
        adam(t.compute, taken, moments.compute[0], moments.compute[1], i, step, done, True)


@kernel
def step_radio(t, moments, spread, step, done):
    """sum of rho_a^2, and one step up of the congestion of access points; ``spread`` (A,) is what wants them."""
    total = 0.0
    for a in range(t.radio.size):
        total += t.radio[a] * t.radio[a]
        spread[a] = 2.0 * (spread[a] - t.radio[a])
    for a in range(t.radio.size):
        adam(t.radio, spread, moments.radio[0], moments.radio[1], a, step, done, True)
    return total
