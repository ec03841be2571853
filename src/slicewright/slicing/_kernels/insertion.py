"""Insertion with a view of everybody: which device should be served next, and on which node.

A bench holds devices that are local for now: those a ruin took off their nodes, and others that were local before. What
each node's cost would grow by is kept for all of them, in loops over devices that compile to vectors; after an
insertion only one node has to be priced again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined, random_below, random_unit
from slicewright.slicing._kernels.best_response import binds, cheapest_link, exact_growth
from slicewright.slicing._kernels.ejection.eject import best_slice
from slicewright.slicing._kernels.problem import (
    ARRIVAL,
    CAPACITY,
    COST,
    FLOOR,
    HOPELESS,
    LOCAL,
    OWN,
    ROOT,
    WORK,
    attach,
    detach,
)

WIDTH = 64
"""A bench seats so many devices."""
SAME = 1.0 + 1e-9
"""A growth is what it was thought to be up to this factor: 13b added nothing."""
SOME_WORTH = 1e-3
"""Weight of the gain itself where the loss by waiting decides: most devices have several nodes alike."""


class Bench(NamedTuple):
    """Devices that wait for a place, by column."""

    device: Any  # (M,) int64
    tau: Any  # (M,) s
    arrival: Any  # (M,) 1/s
    favour: Any  # (M,) random factor of what an insertion is worth
    radio: Any  # (M,) s, growth of the cheapest access point
    best: Any  # (M,) s, growth of the cheapest node
    second: Any  # (M,) s, of the second cheapest
    base: Any  # (M,) s
    work: Any  # (N, M) cycle
    root: Any  # (N, M) sqrt(cycle)
    least: Any  # (N, M) cycle/s
    idle: Any  # (N, M) s, cost of a slice under the longer queue, without the newcomer
    growth: Any  # (J, M) s


@kernel
def make_bench(problem):
    """Allocate."""
    n_slices, n_nodes = problem.work.shape[1], problem.n_nodes
    rows = np.empty((7, WIDTH))
    by_slice = np.empty((4, n_slices, WIDTH))
    return Bench(
        np.empty(WIDTH, np.int64), rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6],
        by_slice[0], by_slice[1], by_slice[2], by_slice[3], np.empty((n_nodes, WIDTH)),
    )  # fmt: skip


@inlined
def sit_down(problem, bench, m, i, favour):
    """Device i takes column m."""
    tau = problem.local_time[i]
    bench.device[m], bench.tau[m], bench.arrival[m], bench.favour[m] = i, tau, problem.arrival[i], favour
    for n in range(problem.work.shape[1]):
        work = problem.work[i, n]
        bench.work[n, m], bench.root[n, m], bench.least[n, m] = work, problem.work_root[i, n], work / tau


@inlined
def stand_up(bench, c, last):
    """Column c is free; the last one moves there."""
    bench.device[c], bench.tau[c], bench.arrival[c] = bench.device[last], bench.tau[last], bench.arrival[last]
    bench.favour[c] = bench.favour[last]
    for n in range(bench.work.shape[0]):
        bench.work[n, c], bench.root[n, c] = bench.work[n, last], bench.root[n, last]
        bench.least[n, c] = bench.least[n, last]
    for j in range(bench.growth.shape[0]):
        bench.growth[j, c] = bench.growth[j, last]


@outlined
def price_bench(problem, state, bench, j, m):
    """What node j's cost grows by when each of the first m devices joins it, 13b only as far as it forbids."""
    s, growth = state.sums, bench.growth
    n_slices, n_nodes = problem.work.shape[1], problem.n_nodes
    base, arrival = bench.base, bench.arrival
    for c in range(m):
        growth[j, c] = np.inf
    if not problem.shared_queue:
        for n in range(n_slices):
            g = n * n_nodes + j
            root, floor, left, cost = s[ROOT, g], s[FLOOR, g], s[CAPACITY, g] - s[OWN, g], s[COST, g]
            for c in range(m):
                q = root + bench.root[n, c]
                room = left - arrival[c] * bench.work[n, c]
                grown = q * q / room - cost
                grown = grown if room > floor + bench.least[n, c] else np.inf
                growth[j, c] = grown if grown < growth[j, c] else growth[j, c]
        return
    for c in range(m):
        base[c] = -state.node_cost[j]
    for n in range(n_slices):
        g = n * n_nodes + j
        root, work, floor, size, queue = s[ROOT, g], s[WORK, g], s[FLOOR, g], s[CAPACITY, g], s[ARRIVAL, g]
        for c in range(m):
            room = size - (queue + arrival[c]) * work
            idle = root * root / room
            idle = idle if room > 0.0 and room >= floor else np.inf
            bench.idle[n, c] = idle
            base[c] += idle
    for n in range(n_slices):
        g = n * n_nodes + j
        root, work, floor, size, queue = s[ROOT, g], s[WORK, g], s[FLOOR, g], s[CAPACITY, g], s[ARRIVAL, g]
        for c in range(m):
            q = root + bench.root[n, c]
            room = size - (queue + arrival[c]) * (work + bench.work[n, c])
            grown = q * q / room + (base[c] - bench.idle[n, c])
            grown = grown if room > floor + bench.least[n, c] else np.inf
            growth[j, c] = grown if grown < growth[j, c] else growth[j, c]


@outlined
def choose_next(problem, state, bench, m, by_regret):
    """The column that gains most by its insertion, or that loses most by waiting; LOCAL if nobody gains."""
    best, second, radio = bench.best, bench.second, bench.radio
    for c in range(m):
        radio[c], _ = cheapest_link(problem, state, bench.device[c])
        best[c] = bench.growth[0, c]
        second[c] = np.inf
    for j in range(1, problem.n_nodes):
        for c in range(m):
            x = bench.growth[j, c]
            low = x if x < best[c] else best[c]
            high = best[c] if x < best[c] else x
            best[c] = low
            second[c] = high if high < second[c] else second[c]
    most, choice = 0.0, LOCAL
    for c in range(m):
        home = bench.tau[c] - radio[c]
        if best[c] < home:
            worth = home - best[c]
            if by_regret:
                worth = min(second[c], home) - best[c] + SOME_WORTH * worth
            worth *= bench.favour[c]
            if worth > most:
                most, choice = worth, c
    return choice


@outlined
def insert_from_bench(problem, state, bench, m, by_regret):
    """Serve the first m devices of the bench one after the other, while somebody gains; who is left stays local."""
    n_nodes = problem.n_nodes
    for j in range(n_nodes):
        price_bench(problem, state, bench, j, m)
    while m > 0:
        c = choose_next(problem, state, bench, m, by_regret)
        if c == LOCAL:
            return
        i, least, j = bench.device[c], np.inf, 0
        for x in range(n_nodes):
            if bench.growth[x, c] < least:
                least, j = bench.growth[x, c], x
        g = best_slice(problem, state, i, j)
        if g == LOCAL:
            bench.growth[j, c] = np.inf
            continue
        if binds(problem, state, i, g):
            true = exact_growth(problem, state, i, g)
            if true > least * SAME:
                bench.growth[j, c] = true
                continue
        _, link = cheapest_link(problem, state, i)
        attach(problem, state, i, link, g)
        m -= 1
        stand_up(bench, c, m)
        price_bench(problem, state, bench, j, m)


@outlined
def fill_bench(problem, state, bench, random, taken, count, noise, shuffled):
    """Seat the first ``count`` devices of ``taken`` and, from a random one on, those that are local; how many sit."""
    n_devices, m = state.link.size, 0
    for c in range(count):
        sit_down(problem, bench, m, taken[c], 1.0 + noise * (random_unit(random) - 0.5))
        m += 1
    begin = random_below(random, n_devices) if shuffled else 0
    for d in range(n_devices):
        i = begin + d if begin + d < n_devices else begin + d - n_devices
        if state.link[i] != LOCAL or problem.local_time[i] <= HOPELESS or m == WIDTH:
            continue
        for c in range(count):
            if taken[c] == i:
                break
        else:
            sit_down(problem, bench, m, i, 1.0 + noise * (random_unit(random) - 0.5))
            m += 1
    return m


@outlined
def vacate(problem, state, random, taken, nodes, most):
    """Make up to ``most`` devices local, random ones or (``nodes``) those of two random nodes; how many."""
    n_devices, count = state.link.size, 0
    if nodes:
        one, two = random_below(random, problem.n_nodes), random_below(random, problem.n_nodes)
        begin = random_below(random, n_devices)
        for d in range(n_devices):
            i = begin + d if begin + d < n_devices else begin + d - n_devices
            if state.link[i] != LOCAL and count < most and state.group[i] % problem.n_nodes in (one, two):
                detach(problem, state, i)
                taken[count] = i
                count += 1
        return count
    want = 1 + random_below(random, most)
    for _ in range(2 * want):
        i = random_below(random, n_devices)
        if state.link[i] != LOCAL and count < want:
            detach(problem, state, i)
            taken[count] = i
            count += 1
    return count
