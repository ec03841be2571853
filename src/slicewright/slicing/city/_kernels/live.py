"""Events in a live city: who lists what, and who looks at its options anew because of an event."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import LOCAL, join_radio, total_cost
from slicewright.slicing.city._kernels.ledger import COST, cheapest_way, pay_way
from slicewright.slicing.city._kernels.listings import (
    enter_listing,
    is_full,
    leave_listing,
    stretch,
    widen_list,
)
from slicewright.slicing.city._kernels.problem import (
    OWN,
    ROOT,
    WORK,
    attach,
    detach,
    leave_group,
    leave_radio,
    update_costs,
)
from slicewright.slicing.city._kernels.response import cheapest_link, growth_on, respond

MOST_JOINERS = 2
"""So many others may take up what one event has set free, the one that saves most first."""
SHORTLIST = 8
"""So many of those who would save most are asked again after somebody has moved."""
SLACK = 1e-9
"""For rounding in what decides that somebody need not be asked."""
MOST_ASKED = 256
"""So many beside a newcomer are asked whether they would rather be elsewhere."""


@kernel
def enter_lists(problem, by_access_point, by_node, i):
    """Let the resources of device i know that it lists them."""
    for link in range(problem.link_start[i], problem.link_end[i]):
        if is_full(by_access_point, problem.access_point[link]):
            widen_list(by_access_point, problem.access_point[link])
        enter_listing(by_access_point, problem.access_point[link], link)
    for pair in range(problem.node_start[i], problem.node_end[i]):
        if is_full(by_node, problem.node[pair]):
            widen_list(by_node, problem.node[pair])
        enter_listing(by_node, problem.node[pair], pair)


@kernel
def leave_lists(problem, by_access_point, by_node, i):
    """Let the resources of device i forget it."""
    for link in range(problem.link_start[i], problem.link_end[i]):
        leave_listing(by_access_point, problem.access_point[link], link)
    for pair in range(problem.node_start[i], problem.node_end[i]):
        leave_listing(by_node, problem.node[pair], pair)


@inlined
def make_local(problem, state, ledger, i):
    """Make a device local, and keep the cost of the plan."""
    if state.link[i] == LOCAL:
        return
    a, j = problem.access_point[state.link[i]], state.node[i]
    before = state.radio[a] * state.radio[a] + state.node_cost[j]
    detach(problem, state, i)
    after = state.radio[a] * state.radio[a] + state.node_cost[j]
    ledger.totals[COST] += after - before + problem.local_time[i]


@kernel
def put_places(problem, state, ledger, slots, access_point, node, slice_):
    """Put devices where they are said to be, and keep the cost: the first for whom that is no place, or NOBODY."""
    for k in range(slots.size):
        make_local(problem, state, ledger, slots[k])
    for k in range(slots.size):
        i, a, j, n = slots[k], access_point[k], node[k], slice_[k]
        if j == LOCAL:
            continue
        link, listed = LOCAL, False
        for entry in range(problem.link_start[i], problem.link_end[i]):
            if problem.access_point[entry] == a:
                link = entry
        for pair in range(problem.node_start[i], problem.node_end[i]):
            listed = listed or problem.node[pair] == j
        if link == LOCAL or not listed or not problem.capacity[j, n] > 0.0:
            return i
        before = state.radio[a] * state.radio[a] + state.node_cost[j]
        attach(problem, state, i, link, j, n)
        after = state.radio[a] * state.radio[a] + state.node_cost[j]
        ledger.totals[COST] += after - before - problem.local_time[i]
    return NOBODY


@inlined
def look(problem, state, ledger, i, least):
    """Best response of a device; whether it moved."""
    link, node, slice_ = state.link[i], state.node[i], state.slice[i]
    ledger.totals[COST] -= respond(problem, state, i, least)
    return state.link[i] != link or state.node[i] != node or state.slice[i] != slice_


@inlined
def most_paid(problem, state, i):
    """At least what the present place of an offloaded device costs everybody: what a move of it can save at most.

    Without it the node costs at least what it would without 13b.
    """
    link, j, own = state.link[i], state.node[i], state.slice[i]
    root = problem.link_root[link]
    paid = root * (2.0 * state.radio[problem.access_point[link]] - root) + state.node_cost[j]
    s, alpha = state.sums[j], problem.arrival[i]
    for n in range(problem.capacity.shape[1]):
        roots, works, left = s[ROOT, n], s[WORK, n], problem.capacity[j, n]
        if n == own:
            roots -= problem.work_root[i, n]
            works -= problem.work[i, n]
        if problem.shared_queue:
            left -= (state.arrivals[j] - alpha) * works
        else:
            left -= s[OWN, n] - (alpha * problem.work[i, n] if n == own else 0.0)
        if roots > 0.0 and left > 0.0:
            paid -= roots * roots / left
    return paid


@kernel
def answer_crowding(problem, state, ledger, by_access_point, a, j, newcomer, least):
    """Those beside a newcomer look at their options, everybody once: who moved.

    A move has to save more than ``least``, the price of moving others; whose place does not cost that much stays.
    """
    moved, count = 0, 0
    users = np.empty(MOST_ASKED, np.int64)
    for n in range(problem.capacity.shape[1]):
        member = state.head[j, n]
        while member != NOBODY and count < users.size:
            users[count] = member
            count += 1
            member = state.after[member]
    first, last = stretch(by_access_point, a)
    for at in range(first, last):
        entry = by_access_point.pool[at]
        i = entry // by_access_point.width
        if state.link[i] == entry and state.node[i] != j:
            if count == users.size:
                break
            users[count] = i
            count += 1
    for k in range(count):
        i = users[k]
        if i == newcomer or state.link[i] == LOCAL or most_paid(problem, state, i) * (1.0 + SLACK) <= least:
            continue
        if look(problem, state, ledger, i, least):
            users[moved] = i
            moved += 1
    return users[:moved]


@inlined
def saving_of(problem, state, i, j, least):
    """What a local device would save on node j, s, if that is more than ``least``; ``least`` otherwise."""
    limit = problem.local_time[i] - least - cheapest_link(problem, state, i)[0]
    if limit <= 0.0:
        return least
    return least + limit - growth_on(problem, state, i, j, limit)[0]


@inlined
def pressure_on(problem, state, j):
    """What a newcomer costs those who are on a node, at least: (s, s for each of its arrivals per second).

    Their cost is convex in the queue, and 13b not counted.
    """
    free, slope = 0.0, 0.0
    for n in range(problem.capacity.shape[1]):
        root, work = state.sums[j, ROOT, n], state.sums[j, WORK, n]
        if root > 0.0:
            left = problem.capacity[j, n] - (
                state.arrivals[j] * work if problem.shared_queue else state.sums[j, OWN, n]
            )
            if left > 0.0:
                free += root * root / left
                slope += root * root * work / (left * left) if problem.shared_queue else 0.0
    return free - state.node_cost[j] * (1.0 + SLACK), slope


@inlined
def keep_best(savings, who, saving, i):
    """Put a device among those who save most, most first."""
    k = savings.size - 1
    while k > 0 and savings[k - 1] < saving:
        savings[k], who[k] = savings[k - 1], who[k - 1]
        k -= 1
    savings[k], who[k] = saving, i


@kernel
def answer_room(problem, state, ledger, by_node, j, gone, least):
    """Local devices take up what has become free on a node: who moved.

    Whoever lists the node is asked once what it would save there. Those who save most move first, and only if they
    save more than ``least``; after each of them the next few are asked again, since the node has become dearer.
    """
    savings, who = np.full(SHORTLIST, least), np.full(SHORTLIST, NOBODY)
    base, slope = pressure_on(problem, state, j)
    first, last = stretch(by_node, j)
    for at in range(first, last):
        i = by_node.pool[at] // by_node.width
        if state.link[i] != LOCAL or i == gone:
            continue
        enough = savings[-1]
        if problem.local_time[i] - enough <= max(0.0, base + slope * problem.arrival[i]):
            continue
        saving = saving_of(problem, state, i, j, enough)
        if saving > enough:
            keep_best(savings, who, saving, i)
    moved, joined = 0, np.empty(MOST_JOINERS, np.int64)
    while moved < MOST_JOINERS:
        most, best = least, NOBODY
        for k in range(who.size):
            if who[k] == NOBODY or state.link[who[k]] != LOCAL or not savings[k] > most:
                continue
            saving = savings[k] if moved == 0 else saving_of(problem, state, who[k], j, most)
            if saving > most:
                most, best = saving, who[k]
        if best == NOBODY or not look(problem, state, ledger, best, least):
            break
        joined[moved] = best
        moved += 1
    return joined[:moved]


@kernel
def renew_links(problem, state, t, ledger, by_access_point, slots, serving, start, access_point, root):
    """Give devices other links, and keep them on access point ``serving`` where they list it: how many lost theirs.

    Whoever loses its access point is local afterwards. Sums of roots are added up anew, so that nothing accumulates.
    Prices stay; what devices pay at them follows.
    """
    for k in range(slots.size):
        i = slots[k]
        if state.link[i] != LOCAL:
            leave_radio(problem, state, i)
        for entry in range(problem.link_start[i], problem.link_end[i]):
            leave_listing(by_access_point, problem.access_point[entry], entry)
        entry = problem.link_start[i]
        for given in range(start[k], start[k + 1]):
            problem.access_point[entry], problem.link_root[entry] = access_point[given], root[given]
            if is_full(by_access_point, access_point[given]):
                widen_list(by_access_point, access_point[given])
            enter_listing(by_access_point, access_point[given], entry)
            entry += 1
        problem.link_end[i] = entry
    state.radio[:] = 0.0
    for i in range(state.link.size):
        if state.link[i] != LOCAL:
            state.radio[problem.access_point[state.link[i]]] += problem.link_root[state.link[i]]
    lost = 0
    for k in range(slots.size):
        i, j = slots[k], state.node[slots[k]]
        for entry in range(problem.link_start[i], problem.link_end[i]):
            if j != LOCAL and problem.access_point[entry] == serving[k]:
                join_radio(problem, state, i, entry)
        if j != LOCAL and state.link[i] == LOCAL:
            leave_group(problem, state, i)
            update_costs(problem, state, j)
            lost += 1
        pay_way(problem, t, ledger, i, cheapest_way(problem, t, i))
    ledger.totals[COST] = total_cost(problem, state)
    return lost


@kernel
def look_round(problem, state, ledger, least, rounds):
    """Everybody looks at its options, round after round until nobody moves: how many moves there were."""
    moves = 0
    for _ in range(rounds):
        before = moves
        for i in range(state.link.size):
            if problem.local_time[i] > 0.0 and look(problem, state, ledger, i, least):
                moves += 1
        if moves == before:
            break
    return moves
