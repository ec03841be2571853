"""Branch and bound around column generation: settles what the linear programme over sets leaves open.

At published sizes the programme is integral or within 1e-4 of it, so that one part, the root, is the rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.bound import times_alone
from slicewright.slicing._kernels.problem import LOCAL, empty_state, rebuild, total_cost
from slicewright.slicing._kernels.search import search_with_shares
from slicewright.slicing.exact._kernels.generation import (
    Choices,
    Prices,
    make_room,
    raise_bound,
    start_master,
)  # fmt: skip
from slicewright.slicing.exact._kernels.master import N_COLUMNS, make_master
from slicewright.slicing.exact._kernels.prices import relaxed_prices
from slicewright.slicing.exact._kernels.sets import NONE

HOME, LINK, GROUP = range(3)  # what is branched on; with ONLY the device has to, with NOT it must not
ONLY, NOT = 1, 0
PARENT, DEVICE, KIND, WHAT, SIDE = range(5)
PRICE_ROUNDS = 200  # of the convex relaxation that prices start from
POLISH_ROUNDS = 60  # of search from a rounded solution of the linear programme
WHOLE = 1e-4  # weights this near to 0 or 1 count as such
PENALTY = 10.0  # times the plan's cost: makes the linear programme leave forbidden columns
MOST_ROWS = 1500  # of the master; beyond, only the convex relaxation's bound is proven
MOST_PRICES = 8_000_000  # numbers kept as prices of open parts
COLUMNS_PER_ROW, ENTRIES_PER_COLUMN = 200, 12


class Weights(NamedTuple):
    """What the linear programme does with each device."""

    home: Any  # (I,)
    link: Any  # (A, I)
    group: Any  # (I, N * J)


@outlined
def restrict(problem, root, choices, part, parts):  # type: ignore[no-untyped-def]
    """Set ``choices`` to those of a part of the tree."""
    for i in range(problem.local_time.size):
        choices.home[i] = root.home[i]
        for a in range(choices.links.shape[0]):
            choices.links[a, i] = root.links[a, i]
        for g in range(choices.alone.shape[1]):
            choices.alone[i, g] = root.alone[i, g]
    while parts[part, PARENT] >= 0:
        i, kind, what, side = parts[part, DEVICE], parts[part, KIND], parts[part, WHAT], parts[part, SIDE]
        if (kind == HOME) == (side == NOT):
            choices.home[i] = False
        if kind == LINK or (kind == HOME and side == ONLY):
            for a in range(choices.links.shape[0]):
                if kind == HOME or (a == what) != (side == ONLY):
                    choices.links[a, i] = LOCAL
        if kind == GROUP or (kind == HOME and side == ONLY):
            for g in range(choices.alone.shape[1]):
                if kind == HOME or (g == what) != (side == ONLY):
                    choices.alone[i, g] = np.inf
        part = parts[part, PARENT]


@outlined
def penalise(problem, choices, master, penalty):  # type: ignore[no-untyped-def]
    """Make columns that ``choices`` forbid too dear to use."""
    n_devices, n_aps, n_nodes = problem.local_time.size, problem.n_access_points, problem.n_nodes
    for c in range(master.count[N_COLUMNS]):
        e = master.resource[c]
        allowed = True
        if e < 0:
            allowed = choices.home[NONE - e]
        else:
            for k in range(master.first[c], master.first[c + 1] - 1):
                if e < n_aps:
                    allowed = allowed and choices.links[e, master.row[k]] != LOCAL
                else:
                    g = master.option[k] * n_nodes + e - n_aps
                    allowed = allowed and choices.alone[master.row[k] - n_devices, g] < np.inf
        master.cost[c] = master.true_cost[c] + (0.0 if allowed else penalty)


@outlined
def weigh(problem, master, weights):  # type: ignore[no-untyped-def]
    """Weights of devices' options in the present solution of the master."""
    n_devices, n_aps, n_nodes = problem.local_time.size, problem.n_access_points, problem.n_nodes
    for i in range(n_devices):
        weights.home[i] = 0.0
        for a in range(n_aps):
            weights.link[a, i] = 0.0
        for g in range(weights.group.shape[1]):
            weights.group[i, g] = 0.0
    for k in range(master.basic.size):
        c = master.basic[k]
        if c < 0:
            continue
        e, value = master.resource[c], master.value[k]
        if e < 0:
            weights.home[NONE - e] += value
            continue
        for p in range(master.first[c], master.first[c + 1] - 1):
            if e < n_aps:
                weights.link[e, master.row[p]] += value
            else:
                weights.group[master.row[p] - n_devices, master.option[p] * n_nodes + e - n_aps] += value


@outlined
def round_off(problem, choices, weights, link, group):  # type: ignore[no-untyped-def]
    """Each device's heaviest option as decisions."""
    for i in range(link.size):
        link[i], group[i] = LOCAL, LOCAL
        if weights.home[i] >= 0.5:
            continue
        most = WHOLE
        for a in range(weights.link.shape[0]):
            if weights.link[a, i] > most and choices.links[a, i] != LOCAL:
                most, link[i] = weights.link[a, i], choices.links[a, i]
        most = WHOLE
        for g in range(weights.group.shape[1]):
            if weights.group[i, g] > most and choices.alone[i, g] < np.inf:
                most, group[i] = weights.group[i, g], g
        if link[i] == LOCAL or group[i] == LOCAL:
            link[i], group[i] = LOCAL, LOCAL


@inlined
def undecided(weight):  # type: ignore[no-untyped-def]
    """How far a weight is from whole."""
    return min(weight, 1.0 - weight)


@outlined
def choose_split(problem, choices, weights, parts, part):  # type: ignore[no-untyped-def]
    """Write the ONLY side of the best split into ``parts[part]``; False if nothing is left to split.

    Home or not comes first, then access points, then groups; within a kind, the weight nearest to one half. Where
    all weights are whole, any device that still has a choice is split at what it does now.
    """
    best = WHOLE
    found = False
    for i in range(weights.home.size):
        score = 4.0 * undecided(weights.home[i])
        if choices.home[i] and score > best and can_leave(choices, i):
            best, found = score, True
            parts[part, DEVICE], parts[part, KIND], parts[part, WHAT] = i, HOME, NONE
        for a in range(weights.link.shape[0]):
            score = 2.0 * undecided(weights.link[a, i])
            if choices.links[a, i] != LOCAL and score > best:
                best, found = score, True
                parts[part, DEVICE], parts[part, KIND], parts[part, WHAT] = i, LINK, a
        for g in range(weights.group.shape[1]):
            score = undecided(weights.group[i, g])
            if choices.alone[i, g] < np.inf and score > best:
                best, found = score, True
                parts[part, DEVICE], parts[part, KIND], parts[part, WHAT] = i, GROUP, g
    if found:
        return True
    for i in range(weights.home.size):
        if choices.home[i] and can_leave(choices, i):
            parts[part, DEVICE], parts[part, KIND], parts[part, WHAT] = i, HOME, NONE
            return True
    for i in range(weights.home.size):
        if not choices.home[i]:
            for kind in (LINK, GROUP):
                what = first_of_several(choices, i, kind)
                if what != NONE:
                    parts[part, DEVICE], parts[part, KIND], parts[part, WHAT] = i, kind, what
                    return True
    return False


@outlined
def take_only(choices, link, group):  # type: ignore[no-untyped-def]
    """The one plan of a part where nothing is left to choose; False if there is none."""
    for i in range(link.size):
        link[i], group[i] = LOCAL, LOCAL
        if not can_leave(choices, i):
            if not choices.home[i]:
                return False
            continue
        for a in range(choices.links.shape[0]):
            if choices.links[a, i] != LOCAL:
                link[i] = choices.links[a, i]
        for g in range(choices.alone.shape[1]):
            if choices.alone[i, g] < np.inf:
                group[i] = g
    return True


@inlined
def can_leave(choices, i):  # type: ignore[no-untyped-def]
    """Whether a device could offload at all."""
    link, group = False, False
    for a in range(choices.links.shape[0]):
        link = link or choices.links[a, i] != LOCAL
    for g in range(choices.alone.shape[1]):
        group = group or choices.alone[i, g] < np.inf
    return link and group


@inlined
def first_of_several(choices, i, kind):  # type: ignore[no-untyped-def]
    """The first open access point (or group) of a device that has several, else NONE."""
    first, count = NONE, 0
    size = choices.links.shape[0] if kind == LINK else choices.alone.shape[1]
    for k in range(size):
        is_open = choices.links[k, i] != LOCAL if kind == LINK else choices.alone[i, k] < np.inf
        if is_open:
            count += 1
            if first == NONE:
                first = k
    return first if count > 1 else NONE


@kernel
def cost_of(problem, link, group):  # type: ignore[no-untyped-def]
    """System cost of decisions under optimal shares; infinite if there are none."""
    state = empty_state(problem)
    rebuild(problem, state, link, group)
    return total_cost(problem, state)


@kernel
def prove(problem, link, group, gap, seed, most_parts, deadline):  # type: ignore[no-untyped-def]
    """Improve a plan and prove it, to a relative gap: (link, group, cost, bound, parts of the tree looked at)."""
    n_devices, n_aps, n_nodes = problem.local_time.size, problem.n_access_points, problem.n_nodes
    link, group, cost = link.copy(), group.copy(), cost_of(problem, link, group)
    alone = times_alone(problem)
    bound, radio, compute = relaxed_prices(problem, alone, link, group, PRICE_ROUNDS, deadline)
    n_rows = 2 * n_devices + n_aps + n_nodes
    if bound * (1.0 + gap) >= cost or n_rows > MOST_ROWS or now_ns() > deadline:
        return link, group, cost, bound, 0
    links = np.full((n_aps, n_devices), LOCAL)
    for i in range(n_devices):
        for k in range(problem.start[i], problem.start[i + 1]):
            links[problem.access_point[k], i] = k
    root = Choices(links, alone, np.ones(n_devices, np.bool_))
    choices = Choices(links.copy(), alone.copy(), np.ones(n_devices, np.bool_))
    most_columns = COLUMNS_PER_ROW * n_rows
    master = make_master(n_devices, n_aps + n_nodes, most_columns, ENTRIES_PER_COLUMN * most_columns)
    room = make_room(n_devices, n_nodes, problem.work.shape[1])
    if not start_master(problem, alone, master, link, group, compute):
        return link, group, cost, bound, 0
    for i in range(n_devices):
        if group[i] != LOCAL:
            room.warm[group[i] % n_nodes, i] = group[i] // n_nodes
    weights = Weights(
        np.empty(n_devices), np.empty((n_aps, n_devices)), np.empty((n_devices, alone.shape[1]))
    )
    best, prices = Prices(radio, compute), Prices(radio.copy(), compute.copy())
    most_parts = min(most_parts, MOST_PRICES // (2 * n_devices))
    parts = np.full((most_parts + 2, 5), NONE)
    bounds, is_open = np.empty(most_parts + 2), np.zeros(most_parts + 2, np.bool_)
    offered = np.empty((most_parts + 2, 2, n_devices))
    offered[0, 0], offered[0, 1] = radio, compute
    bounds[0], is_open[0] = bound, True
    count, looked_at, closed = 1, 0, np.inf
    rounded_link, rounded_group = link.copy(), group.copy()
    while True:
        part, least = NONE, cost
        for p in range(count):
            if is_open[p] and bounds[p] < least:
                part, least = p, bounds[p]
        if part == NONE or least * (1.0 + gap) >= cost or count >= most_parts or now_ns() > deadline:
            return link, group, cost, min(closed, least, cost), looked_at
        looked_at += 1
        restrict(problem, root, choices, part, parts)
        penalise(problem, choices, master, PENALTY * cost)
        best.radio[:], best.compute[:] = offered[part, 0], offered[part, 1]
        found, objective = raise_bound(
            problem, choices, master, best, prices, room, cost, cost / (1.0 + gap), deadline
        )
        bounds[part] = max(bounds[part], found)
        if bounds[part] * (1.0 + gap) >= cost:
            is_open[part] = False
            closed = min(closed, bounds[part])
            continue
        if now_ns() > deadline:
            continue
        weigh(problem, master, weights)
        round_off(problem, choices, weights, rounded_link, rounded_group)
        new_link, new_group, _, _, _, new_cost, _ = search_with_shares(
            problem, rounded_link, rounded_group, np.uint64(seed + looked_at), POLISH_ROUNDS, deadline
        )
        if new_cost < cost * (1.0 - 1e-9):
            link[:], group[:] = new_link, new_group
            cost = new_cost
            offered[part, 0], offered[part, 1] = best.radio, best.compute
            continue
        is_open[part] = False
        if not choose_split(problem, choices, weights, parts, count):
            new_cost = np.inf
            if take_only(choices, rounded_link, rounded_group):
                new_cost = cost_of(problem, rounded_link, rounded_group)
            if new_cost < cost:
                link[:], group[:] = rounded_link, rounded_group
                cost = new_cost
            closed = min(closed, new_cost)
            continue
        parts[count, PARENT], parts[count, SIDE] = part, ONLY
        parts[count + 1] = parts[count]
        parts[count + 1, SIDE] = NOT
        for child in range(count, count + 2):
            offered[child, 0], offered[child, 1] = best.radio, best.compute
            bounds[child], is_open[child] = bounds[part], True
        count += 2
