"""The lower bound of a city: prices of radio and compute, and the queue of each node in intervals.

For any congestion rho_a of access points and any prices p_i of compute no plan is cheaper than

    sum_i min(tau_i, min_a 2 rho_a sqrt(T_ia) + p_i) - sum_a rho_a^2 - sum_j gain_j(p),

since (sum sqrt T)^2 >= 2 rho sum sqrt T - rho^2, and gain_j is at least the sum of prices less the cost of node j over
any set of the devices that list it: the largest over intervals that cover every queue of what a set gains there at
most (``interval.py``). Every number may be anything: only how near the bound comes depends on it. A round that skips
intervals or devices is for finding better numbers; a value counts only where all were asked (``whole``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.adam import FIRST_MOMENT, SECOND_MOMENT, adam
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.city._kernels.interval import (
    alone_time,
    change_multiplier,
    gain_within,
    scaled_slope,
    settle_interval,
)
from slicewright.slicing.city._kernels.problem import ROOT, WORK

INTERVALS = 16
SHARPNESS = 200.0
"""Intervals within 1 / this (relative to the gain to be had) of the largest gain share a node's pull on prices."""
ROUNDED = 4.0 * np.finfo(np.float64).eps
NEAR_POLE = 0.02
"""Least part of a slice's capacity that first multipliers count as free."""
AROUND = np.array([0.0, 0.5, 0.8, 1.25, 2.0, 4.0])
"""Lower edges of the first intervals, in parts of the plan's queue; the last ends where no queue is stable."""
UNIT = 0.3
"""Of the most that a device offers per arrival: the unit in which prices of arrivals change."""
STEPS, STEPS_OF_HALVES = 24, 12
NARROW = 1.08
"""Ratio of the ends of an interval that is not halved."""


class Multipliers(NamedTuple):
    """All numbers that the bound may choose; the last axis of ``interval`` holds mu, then rho, then theta by slice."""

    compute: Any  # (I,) s, p_i
    radio: Any  # (A,) sqrt(s), rho_a
    interval: Any  # (J, K, 1 + 2 N)
    edges: Any  # (J, K + 1) 1/s, of the intervals; those between the used ones and the last are empty
    unit: Any  # (J,) s^2, in which mu changes


class Moments(NamedTuple):
    """First and second moments of the slopes, by number (Adam, Kingma and Ba 2015)."""

    compute: Any  # (2, I)
    radio: Any  # (2, A)
    interval: Any  # (2, J, K, 1 + 2 N)


@kernel
def longest_queues(problem, first, rows):
    """(J,) 1/s. No queue of a node is longer. ``first`` and ``rows`` list the devices of each node."""
    n_nodes, n_slices = problem.capacity.shape
    most = np.zeros(n_nodes)
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
        most[j] = min(total, longest) * (1.0 + 1e-9)
    return most


@kernel
def first_multipliers(problem, state, first, rows, rho, price):
    """Multipliers from a plan's prices and the congestion that it causes on every node, in a few intervals."""
    n_nodes, n_slices = problem.capacity.shape
    intervals = INTERVALS if problem.shared_queue else 1
    edges, unit = np.zeros((n_nodes, intervals + 1)), np.zeros(n_nodes)
    typical = np.zeros(n_slices)
    for n in range(n_slices):
        typical[n] = np.mean(problem.work_root[:, n]) if problem.work_root.shape[0] else 0.0
    interval = np.empty((n_nodes, intervals, 1 + 2 * n_slices))
    longest = longest_queues(problem, first, rows)
    for j in range(n_nodes):
        for entry in range(first[j], first[j + 1]):
            unit[j] = max(unit[j], UNIT * price[rows[entry]] / problem.arrival[rows[entry]])
        if problem.shared_queue:
            here = state.arrivals[j] if state.arrivals[j] > 0.0 else 0.3 * longest[j]
            for k in range(intervals):
                edges[j, k] = min(longest[j], AROUND[min(k, AROUND.size - 1)] * here)
            edges[j, intervals] = longest[j]
        for k in range(intervals):
            mu = 0.0
            for n in range(n_slices):
                size, queue = problem.capacity[j, n], min(edges[j, k], state.arrivals[j])
                root = max(state.sums[j, ROOT, n], typical[n])
                left = size - queue * state.sums[j, WORK, n] if problem.shared_queue else size
                congestion = root / max(left, NEAR_POLE * size) if size > 0.0 else 0.0
                interval[j, k, 1 + n] = congestion
                interval[j, k, 1 + n_slices + n] = 0.5
                mu += congestion * congestion * state.sums[j, WORK, n]
            interval[j, k, 0] = min(mu, unit[j]) if problem.shared_queue else 0.0
    return Multipliers(price, rho, interval, edges, unit)


@inlined
def is_used(problem, t, j, k):
    """Whether a queue may lie in an interval."""
    return t.edges[j, k + 1] > t.edges[j, k] or not problem.shared_queue


@inlined
def halve(t, gains, j, k):
    """Halve an interval: the numbers of its halves, the second one above every used one but the last.

    (LOCAL, LOCAL) if there is no room.
    """
    last = t.edges.shape[1] - 2
    if not t.edges[j, last] <= t.edges[j, last - 1]:
        return LOCAL, LOCAL
    lo, hi = t.edges[j, k], t.edges[j, k + 1]
    middle, other = np.sqrt(lo * hi) if lo > 0.0 else 0.5 * hi, k + 1
    if k == last:
        while t.edges[j, k] <= t.edges[j, k - 1]:
            k -= 1
        for m in range(k + 1, last + 1):
            t.edges[j, m] = middle
        other = last
        for x in range(t.interval.shape[2]):
            t.interval[j, k, x] = t.interval[j, last, x]
        return k, last
    for m in range(last - 1, k, -1):
        t.edges[j, m] = t.edges[j, m - 1]
        gains[m] = gains[m - 1]
        for x in range(t.interval.shape[2]):
            t.interval[j, m, x] = t.interval[j, m - 1, x]
    t.edges[j, k + 1] = middle
    return k, other


@outlined
def settle_node(problem, t, state, j, first, rows, gains, room, pull, near):
    """Choose intervals and multipliers of a node at the present prices: fine where it gains most."""
    intervals, begin, end = t.edges.shape[1] - 1, first[j], first[j + 1]
    here = 0
    for k in range(intervals):
        gains[k] = 0.0
        if is_used(problem, t, j, k) and t.edges[j, k] < state.arrivals[j]:
            here = k
    if begin == end:
        return
    gains[here] = settle_interval(problem, t, j, here, begin, rows, end, STEPS, 0.0, room, pull, near)
    enough = max(0.0, gains[here])
    for k in range(intervals):
        if k != here and is_used(problem, t, j, k):
            gains[k] = settle_interval(problem, t, j, k, begin, rows, end, STEPS, enough, room, pull, near)
    while True:
        k = 0
        for other in range(1, intervals):
            if gains[other] > gains[k]:
                k = other
        lo, hi = t.edges[j, k], t.edges[j, k + 1]
        if not gains[k] > 0.0 or hi <= NARROW * lo:
            return
        halves = halve(t, gains, j, k)
        if halves[0] == LOCAL:
            return
        for half in halves:
            gains[half] = settle_interval(
                problem, t, j, half, begin, rows, end, STEPS_OF_HALVES, 0.9 * enough, room, pull, near
            )


@kernel
def settle_nodes(problem, t, state, first, rows, begin, end, deadline):
    """Choose intervals and multipliers of nodes ``begin`` to ``end``; those after the deadline (ns) keep theirs."""
    longest = 0
    for j in range(begin, end):
        longest = max(longest, first[j + 1] - first[j])
    room, gains = np.empty((4, t.interval.shape[2])), np.empty(t.edges.shape[1] - 1)
    pull, near = np.empty(longest), np.empty(longest, np.bool_)
    for j in range(begin, end):
        if now_ns() > deadline:
            break
        settle_node(problem, t, state, j, first, rows, gains, room, pull, near)


@kernel
def no_moments(t):
    """Moments before the first step."""
    n_nodes, intervals, numbers = t.interval.shape
    return Moments(
        np.zeros((2, t.compute.size)), np.zeros((2, t.radio.size)), np.zeros((2, n_nodes, intervals, numbers))
    )


@inlined
def step_interval(problem, t, moments, j, k, slope, step, done):
    """One step of an interval's multipliers down the gain."""
    first, second = moments.interval[0, j, k], moments.interval[1, j, k]
    for m in range(0 if problem.shared_queue else 1, slope.size):
        down = scaled_slope(t, j, k, m, slope)
        first[m] = FIRST_MOMENT * first[m] + (1.0 - FIRST_MOMENT) * down
        second[m] = SECOND_MOMENT * second[m] + (1.0 - SECOND_MOMENT) * down * down
        if second[m] > 0.0:
            size = np.sqrt(second[m] / (1.0 - SECOND_MOMENT**done))
            change_multiplier(t, j, k, m, -step * first[m] / (1.0 - FIRST_MOMENT**done) / size)


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
            if is_used(problem, t, j, k) and (whole or active[j, k]):
                gains[k] = gain_within(
                    problem, t, j, k, first[j], rows, first[j + 1], scale, slope[k], pull[k], close
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
            step_interval(problem, t, moments, j, k, slope[k], step, done)
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
