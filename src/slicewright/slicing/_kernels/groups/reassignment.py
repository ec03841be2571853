"""Reassignment: every group gives up one place, and all those places are dealt out anew, in the best way there is.

A group of one device is a seat. Who takes which seat, and who of the others stays local, is a linear assignment: what
a device costs in a place depends on nobody else who moves. Its optimum makes chains of any length at once (one device
takes the place of a second, which takes that of a third, ...), and shortest augmenting paths find it in microseconds.

For variant "device", in which groups have nothing to do with each other. Prices count 13b only as far as it forbids,
and access points at what they cost now; the result is therefore judged by true costs, and undone if it does not pay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined, random_below
from slicewright.slicing._kernels.best_response import TOLERANCE, cheapest_link
from slicewright.slicing._kernels.members import NOBODY
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
    update_costs,
)

MOST_PLACES, MOST_LOCAL = 32, 32
"""So many groups and local devices take part at most: all at published sizes, a random part in large networks."""
NOWHERE = -1
"""No place: the device stays local, or nobody came from anywhere."""


class Deal(NamedTuple):
    """Places, one in every group, and devices that may take them: those who had them and some that are local."""

    group: Any  # (P,) int64, of a place
    slice: Any  # (P,) int64
    root: Any  # (P,) sqrt(cycle), of the group without the device that gives up its place
    left: Any  # (P,) cycle/s, capacity minus queue load
    spare: Any  # (P,) cycle/s, of that what 13b does not need
    rest: Any  # (P,) s, what the others of the group then cost
    device: Any  # (M,) int64
    link: Any  # (M,) int64, which it has or would take
    former: Any  # (M,) int64, its place, or NOWHERE
    tau: Any  # (M,) s
    home: Any  # (M,) s, its local time minus what its link costs
    cost: Any  # (M, P) s, what a group's cost grows by when the device takes the place there
    place: Any  # (M,) int64, or NOWHERE
    taker: Any  # (P,) int64, a row of the devices, or NOBODY
    worth: Any  # (M,) dual variables of the assignment
    price: Any  # (P,)
    distance: Any  # (P,) of the cheapest path to a place
    before: Any  # (P,) int64, the place before it on that path
    closed: Any  # (P,) 0 until the path has reached a place, then infinity
    radio: Any  # (A,) sqrt(s), sums of access points


@kernel
def make_deal(problem):
    """Allocate."""
    p = min(problem.capacity.size, MOST_PLACES)
    m = p + MOST_LOCAL
    by_place, by_device = np.empty((7, p)), np.empty((3, m))
    place_ids, device_ids = np.empty((4, p), np.int64), np.empty((4, m), np.int64)
    return Deal(
        place_ids[0], place_ids[1], by_place[0], by_place[1], by_place[2], by_place[3],
        device_ids[0], device_ids[1], device_ids[2], by_device[0], by_device[1], np.empty((m, p)),
        device_ids[3], place_ids[2], by_device[2], by_place[4], by_place[5], place_ids[3], by_place[6],
        np.empty(problem.n_access_points),
    )  # fmt: skip


@inlined
def take_part(problem, r, c, i, link, place, radio):
    """Device i takes row c."""
    tau = problem.local_time[i]
    r.device[c], r.link[c], r.former[c], r.tau[c], r.home[c] = i, link, place, tau, tau - radio


@inlined
def draw_member(state, g, random):
    """A random device of a group, NOBODY if it has none, and whether it is alone."""
    size, member = 0, state.head[g]
    while member != NOBODY:
        size += 1
        member = state.after[member]
    if size == 0:
        return NOBODY, True
    member = state.head[g]
    for _ in range(random_below(random, size)):
        member = state.after[member]
    return member, size == 1


@inlined
def give_up_place(problem, state, r, x, i, alone):
    """Fill what group ``r.group[x]`` is without device i, NOBODY if it has none."""
    s, g = state.sums, r.group[x]
    root, left, floor = s[ROOT, g], s[CAPACITY, g] - s[OWN, g], s[FLOOR, g]
    if alone:  # exact zeros, whatever rounding left
        root, left, floor = 0.0, s[CAPACITY, g], 0.0
    else:
        work = problem.work[i, r.slice[x]]
        root -= problem.work_root[i, r.slice[x]]
        left += problem.arrival[i] * work
        floor -= work / problem.local_time[i]
    r.root[x], r.left[x], r.spare[x], r.rest[x] = root, left, left - floor, root * root / left


@outlined
def gather(problem, state, r, random):
    """Draw who gives up its place, and which local devices take part; how many devices do."""
    n_nodes, n_slices = problem.n_nodes, problem.work.shape[1]
    n_groups, n_devices, count = problem.capacity.size, state.link.size, 0
    begin = random_below(random, n_groups)
    for x in range(r.group.size):
        at = begin + x if begin + x < n_groups else begin + x - n_groups
        r.slice[x] = at % n_slices  # all slices of a node, then those of the next one
        r.group[x] = r.slice[x] * n_nodes + at // n_slices
        i, alone = draw_member(state, r.group[x], random)
        give_up_place(problem, state, r, x, i, alone)
        if i != NOBODY:
            root = problem.link_root[state.link[i]]
            radio = root * (2.0 * state.radio[problem.access_point[state.link[i]]] - root)
            take_part(problem, r, count, i, state.link[i], x, radio)
            count += 1
    begin = random_below(random, n_devices)
    for d in range(n_devices):
        i = begin + d if begin + d < n_devices else begin + d - n_devices
        if state.link[i] == LOCAL and count < r.device.size:
            radio, link = cheapest_link(problem, state, i)
            if radio < problem.local_time[i]:
                take_part(problem, r, count, i, link, NOWHERE, radio)
                count += 1
    return count


@outlined
def price_places(problem, r, count):
    """Fill what each of the first ``count`` devices would cost in each place."""
    for c in range(count):
        i, cost = r.device[c], r.cost[c]
        alpha, tau = problem.arrival[i], problem.local_time[i]
        for x in range(r.group.size):
            n = r.slice[x]
            work, q = problem.work[i, n], r.root[x] + problem.work_root[i, n]
            room = r.left[x] - alpha * work
            grown = q * q / room - r.rest[x]
            cost[x] = grown if (room > 0.0) & (r.spare[x] >= alpha * work + work / tau) else np.inf


@inlined
def nearest_place(r, c, at, travelled):
    """Look at all places from device c, which holds place ``at``; the nearest that was not reached: (distance, place).

    Without branches, so that it compiles to vectors: what is nearest when is what no processor can foresee.
    """
    cost, start, closed, distance, before = r.cost[c], travelled - r.worth[c], r.closed, r.distance, r.before
    for x in range(closed.size):
        way = (start + cost[x] - r.price[x]) + closed[x]
        nearer = way < distance[x]
        distance[x] = way if nearer else distance[x]
        before[x] = at if nearer else before[x]
    nearest, place = np.inf, NOWHERE
    for x in range(closed.size):
        way = distance[x] + closed[x]
        place = x if way < nearest else place
        nearest = way if way < nearest else nearest
    return nearest, place


@inlined
def shortest_path(r, c):
    """The cheapest way to make room for device c, up to a free place or to who leaves for it: (cost, last place)."""
    for x in range(r.taker.size):
        r.distance[x], r.closed[x] = np.inf, 0.0
    at, travelled, home, leaver = NOWHERE, 0.0, np.inf, NOWHERE
    while True:
        way = travelled + (r.home[c] - r.worth[c])
        if way < home:
            home, leaver = way, at
        nearest, place = nearest_place(r, c, at, travelled)
        if nearest >= home:
            return home, leaver
        at, travelled = place, nearest
        r.closed[at] = np.inf
        if r.taker[at] == NOBODY:
            return travelled, at
        c = r.taker[at]


@inlined
def shift_along(r, c, last):
    """Everybody on the path takes the next place, device c the first one."""
    if last != NOWHERE and r.taker[last] != NOBODY:
        r.place[r.taker[last]] = NOWHERE
    while last != NOWHERE:
        before = r.before[last]
        mover = c if before == NOWHERE else r.taker[before]
        r.taker[last], r.place[mover] = mover, last
        last = before


@outlined
def deal_out(r, count):
    """The assignment of the first ``count`` devices to places, or to nowhere, that costs least (Jonker-Volgenant)."""
    n_places = r.taker.size
    for x in range(n_places):
        r.taker[x], r.price[x] = NOBODY, 0.0
    for c in range(count):
        least, nearest = r.home[c], NOWHERE
        for x in range(n_places):
            if r.cost[c, x] - r.price[x] < least:
                least, nearest = r.cost[c, x] - r.price[x], x
        r.worth[c], r.place[c] = least, nearest
        if nearest == NOWHERE:
            continue
        if r.taker[nearest] == NOBODY:
            r.taker[nearest] = c
        else:
            r.place[c] = NOWHERE
            travelled, last = shortest_path(r, c)
            r.worth[c] += travelled
            for x in range(n_places):
                if r.closed[x] > 0.0 and r.distance[x] < travelled:
                    r.worth[r.taker[x]] += travelled - r.distance[x]
                    r.price[x] -= travelled - r.distance[x]
            shift_along(r, c, last)


@inlined
def cost_at(r, c, place):
    """s, of a device in a place on a node, or nowhere: computing locally."""
    return r.tau[c] if place == NOWHERE else r.cost[c, place]


@outlined
def pays(problem, state, r, count):
    """Whether the assignment costs less than what there is by more than rounding, but for what 13b adds."""
    gain, compared = 0.0, 0.0
    for a in range(r.radio.size):
        r.radio[a] = state.radio[a]
    for c in range(count):
        former, place = r.former[c], r.place[c]
        if former != place:
            was = cost_at(r, c, former)
            gain += was - cost_at(r, c, place)
            compared += abs(was)
            if former == NOWHERE or place == NOWHERE:
                a, root = problem.access_point[r.link[c]], problem.link_root[r.link[c]]
                more = root if former == NOWHERE else -root
                gain -= more * (more + 2.0 * r.radio[a])
                r.radio[a] += more
    return gain > TOLERANCE * compared


@outlined
def move(problem, state, r, count, back):
    """Make the assignment true, or (``back``) undo it; what local devices cost less, s."""
    saved = 0.0
    for c in range(count):
        i = r.device[c]
        if r.former[c] != r.place[c] and state.link[i] != LOCAL:
            leave_group(problem, state, i)
    for c in range(count):
        i = r.device[c]
        if r.former[c] == r.place[c]:
            continue
        target = r.former[c] if back else r.place[c]
        if target == NOWHERE:
            leave_radio(problem, state, i)
            saved -= problem.local_time[i]
            continue
        if state.link[i] == LOCAL:
            join_radio(problem, state, i, r.link[c])
            saved += problem.local_time[i]
        join_group(problem, state, i, r.group[target])
    for j in range(problem.n_nodes):
        update_costs(problem, state, j)
    return saved


@outlined
def reassign(problem, state, r, random):
    """Deal out one place of every group anew; what is saved, s."""
    count = gather(problem, state, r, random)
    price_places(problem, r, count)
    deal_out(r, count)
    if not pays(problem, state, r, count):
        return 0.0
    before = offloaded_cost(state)
    saved = move(problem, state, r, count, False)
    saved += before - offloaded_cost(state)
    if saved > TOLERANCE * before:
        return saved
    move(problem, state, r, count, True)
    return 0.0
