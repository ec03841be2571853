"""Selection: which of its devices, and of those that stay local, a group serves best.

One at a time, nobody enters a group near its pole, and two who leave for three who enter are no move of one or two
devices. Ten devices have a thousand subsets, which a Gray code walks through with one device coming or going at a
time; what changes on access points is counted as well.

For variant "device", in which groups have nothing to do with each other. Prices count 13b only as far as it forbids;
the best subset is therefore judged by true costs, and undone if it does not pay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined, random_below
from slicewright.slicing._kernels.best_response import TOLERANCE, cheapest_link
from slicewright.slicing._kernels.members import NOBODY, has
from slicewright.slicing._kernels.problem import (
    CAPACITY,
    FLOOR,
    LOCAL,
    OWN,
    ROOT,
    join_group,
    join_radio,
    leave_group,
    leave_radio,
    offloaded_cost,
    radio_cost,
    update_costs,
)

CANDIDATES = 10
"""A group chooses from so many devices, two of them local at least."""
SELECTING = 8
"""So many groups select in turn: all that are large enough at published sizes, random ones in large networks."""
OUT_OF_QUESTION = 1e3
"""A local time of so many times what all offloading costs is never chosen, and would cost sums their precision."""
FEWEST = 3
"""A group of fewer devices does not choose: reassignments deal with those."""


class Selection(NamedTuple):
    """Devices that a group may serve or leave local, by column."""

    device: Any  # (CANDIDATES,) int64
    link: Any  # (CANDIDATES,) int64, which it has or would take
    enters: Any  # (CANDIDATES,) 1.0 if it would enter now, -1.0 if it would leave
    root: Any  # (CANDIDATES,) sqrt(cycle)
    load: Any  # (CANDIDATES,) cycle/s, of its queue
    least: Any  # (CANDIDATES,) cycle/s, L_in / tau_i
    radio_root: Any  # (CANDIDATES,) sqrt(s)
    tau: Any  # (CANDIDATES,) s
    radio: Any  # (A,) sqrt(s), sums of access points


@kernel
def make_selection(problem):
    """Allocate."""
    rows, ids = np.empty((6, CANDIDATES)), np.empty((2, CANDIDATES), np.int64)
    return Selection(
        ids[0],
        ids[1],
        rows[0],
        rows[1],
        rows[2],
        rows[3],
        rows[4],
        rows[5],
        np.empty(problem.n_access_points),
    )


@inlined
def add_candidate(problem, r, c, i, link, enters, n):
    """Device i takes column c."""
    work, tau = problem.work[i, n], problem.local_time[i]
    r.device[c], r.link[c], r.enters[c] = i, link, enters
    r.root[c], r.load[c], r.least[c] = problem.work_root[i, n], problem.arrival[i] * work, work / tau
    r.radio_root[c], r.tau[c] = problem.link_root[link], tau


@outlined
def gather_candidates(problem, state, r, g, random):
    """Devices of a group and, from a random one on, local ones; how many, 0 if nobody is local."""
    n, count, member = g // problem.n_nodes, 0, state.head[g]
    most = OUT_OF_QUESTION * offloaded_cost(state)
    while member != NOBODY and count < CANDIDATES - 2:
        if problem.local_time[member] < most:
            add_candidate(problem, r, count, member, state.link[member], -1.0, n)
            count += 1
        member = state.after[member]
    served, n_devices = count, state.link.size
    begin = random_below(random, n_devices)
    for d in range(n_devices):
        i = begin + d if begin + d < n_devices else begin + d - n_devices
        if state.link[i] == LOCAL and count < CANDIDATES:
            radio, link = cheapest_link(problem, state, i)
            if radio < problem.local_time[i] < most:
                add_candidate(problem, r, count, i, link, 1.0, n)
                count += 1
    return count if count > served else 0


@outlined
def best_selection(problem, state, r, g, count):
    """Which candidates should enter or leave, as bits; 0 if the group serves the best of them already."""
    s = state.sums
    root, left, floor = s[ROOT, g], s[CAPACITY, g] - s[OWN, g], s[FLOOR, g]
    for a in range(r.radio.size):
        r.radio[a] = state.radio[a]
    others, choice = 0.0, 0  # what access points and local devices cost more than now
    best = root * root / left * (1.0 - TOLERANCE)
    for step in range(1, 1 << count):
        k, bit = 0, step
        while bit & 1 == 0:
            bit >>= 1
            k += 1
        enters, a = r.enters[k], problem.access_point[r.link[k]]
        r.enters[k] = -enters
        more = enters * r.radio_root[k]
        others += more * (more + 2.0 * r.radio[a]) - enters * r.tau[k]
        r.radio[a] += more
        root += enters * r.root[k]
        left -= enters * r.load[k]
        floor += enters * r.least[k]
        if left > 0.0 and left >= floor and others + root * root / left < best:
            best, choice = others + root * root / left, step
    return choice ^ (choice >> 1)


@outlined
def enter_or_leave(problem, state, r, g, count, subset):
    """Let the candidates of a subset enter the group or leave it; what is saved, s. Once more undoes it."""
    j = g % problem.n_nodes
    saved = radio_cost(state) + state.node_cost[j]
    for k in range(count):
        if (subset >> k) & 1:
            i = r.device[k]
            if state.link[i] == LOCAL:
                join_radio(problem, state, i, r.link[k])
                join_group(problem, state, i, g)
                saved += r.tau[k]
            else:
                leave_radio(problem, state, i)
                leave_group(problem, state, i)
                saved -= r.tau[k]
    update_costs(problem, state, j)
    return saved - radio_cost(state) - state.node_cost[j]


@outlined
def select(problem, state, r, g, random):
    """Let a group serve the best of its devices and of some local ones; what is saved, s."""
    count = gather_candidates(problem, state, r, g, random)
    subset = best_selection(problem, state, r, g, count)
    if subset == 0:
        return 0.0
    saved = enter_or_leave(problem, state, r, g, count, subset)
    if saved > TOLERANCE * offloaded_cost(state):
        return saved
    enter_or_leave(problem, state, r, g, count, subset)
    return 0.0


@outlined
def select_each(problem, state, r, random, dirty, deadline):
    """Groups select until that does not help; what is saved, s. Those that gain by it are marked in ``dirty``."""
    saved, selecting, n_groups = 0.0, 0, problem.capacity.size
    begin = random_below(random, n_groups)
    for d in range(n_groups):
        g = begin + d if begin + d < n_groups else begin + d - n_groups
        if not has(state, g, FEWEST):
            continue
        gain = np.inf
        while gain > 0.0 and now_ns() < deadline:
            gain = select(problem, state, r, g, random)
            if gain > 0.0:
                saved += gain
                dirty[g] = True
        selecting += 1
        if selecting == SELECTING:
            break
    return saved
