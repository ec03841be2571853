"""Events in a live city: who lists what, and who looks at its options anew because of an event."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.slicing._kernels.members import NOBODY, link_in, unlink
from slicewright.slicing._kernels.problem import LOCAL, join_radio
from slicewright.slicing.city._kernels.ledger import COST, PAID, cheapest_way
from slicewright.slicing.city._kernels.problem import (
    detach,
    leave_group,
    leave_radio,
    total_cost,
    update_costs,
)
from slicewright.slicing.city._kernels.response import cheapest_link, growth_on, respond

MOST_JOINERS = 2
"""So many others may take up what one event has set free, the one that saves most first."""
MOST_ASKED = 256
"""So many beside a newcomer are asked whether they would rather be elsewhere."""


class Lists(NamedTuple):
    """Who lists an access point or node, as linked lists of entries of the devices' own lists."""

    head: Any  # (items,) int64, first entry or NOBODY
    after: Any  # (entries,) int64
    before: Any  # (entries,) int64
    owner: Any  # (entries,) int64, the device


@kernel
def make_lists(start, end, items, n_items, width):
    """Lists of given candidates, with room for ``width`` entries of each device."""
    lists = Lists(
        np.full(n_items, NOBODY), np.full(items.size, NOBODY), np.full(items.size, NOBODY),
        np.arange(items.size) // width,
    )  # fmt: skip
    for i in range(start.size):
        for entry in range(start[i], end[i]):
            link_in(lists, items[entry], entry)
    return lists


@kernel
def enter_lists(problem, by_access_point, by_node, i):
    """Let the resources of device i know that it lists them."""
    for link in range(problem.link_start[i], problem.link_end[i]):
        link_in(by_access_point, problem.access_point[link], link)
    for pair in range(problem.node_start[i], problem.node_end[i]):
        link_in(by_node, problem.node[pair], pair)


@kernel
def leave_lists(problem, by_access_point, by_node, i):
    """Let the resources of device i forget it."""
    for link in range(problem.link_start[i], problem.link_end[i]):
        unlink(by_access_point, problem.access_point[link], link)
    for pair in range(problem.node_start[i], problem.node_end[i]):
        unlink(by_node, problem.node[pair], pair)


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


@inlined
def look(problem, state, ledger, i, least):
    """Best response of a device; whether it moved."""
    link, node, slice_ = state.link[i], state.node[i], state.slice[i]
    ledger.totals[COST] -= respond(problem, state, i, least)
    return state.link[i] != link or state.node[i] != node or state.slice[i] != slice_


@kernel
def answer_crowding(problem, state, ledger, by_access_point, a, j, newcomer, least):
    """Those beside a newcomer look at their options, everybody once: who moved.

    A move has to save more than ``least``, the price of moving others.
    """
    moved, count = 0, 0
    users = np.empty(MOST_ASKED, np.int64)
    for n in range(problem.capacity.shape[1]):
        member = state.head[j, n]
        while member != NOBODY and count < users.size:
            users[count] = member
            count += 1
            member = state.after[member]
    entry = by_access_point.head[a]
    while entry != NOBODY and count < users.size:
        i = by_access_point.owner[entry]
        if state.link[i] == entry and state.node[i] != j:
            users[count] = i
            count += 1
        entry = by_access_point.after[entry]
    for k in range(count):
        if users[k] != newcomer and look(problem, state, ledger, users[k], least):
            users[moved] = users[k]
            moved += 1
    return users[:moved]


@inlined
def saving_of(problem, state, i, j, least):
    """What a local device would save on node j, s, if that is more than ``least``; ``least`` otherwise."""
    limit = problem.local_time[i] - least - cheapest_link(problem, state, i)[0]
    if limit <= 0.0:
        return least
    return least + limit - growth_on(problem, state, i, j, limit)[0]


@kernel
def answer_room(problem, state, ledger, by_node, j, gone, least):
    """Local devices take up what has become free on a node: who moved.

    Whoever lists the node is asked what it would save there. Those who save most move first, and only if they save
    more than ``least``.
    """
    moved, joined = 0, np.empty(MOST_JOINERS, np.int64)
    for _ in range(MOST_JOINERS):
        most, who = least, NOBODY
        entry = by_node.head[j]
        while entry != NOBODY:
            i = by_node.owner[entry]
            if i != gone and state.link[i] == LOCAL and problem.local_time[i] > most:
                saving = saving_of(problem, state, i, j, most)
                if saving > most:
                    most, who = saving, i
            entry = by_node.after[entry]
        if who == NOBODY:
            break
        if not look(problem, state, ledger, who, least):
            break
        joined[moved] = who
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
            unlink(by_access_point, problem.access_point[entry], entry)
        entry = problem.link_start[i]
        for given in range(start[k], start[k + 1]):
            problem.access_point[entry], problem.link_root[entry] = access_point[given], root[given]
            link_in(by_access_point, access_point[given], entry)
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
        paid = min(problem.local_time[i], cheapest_way(problem, t, i) + t.compute[i])
        ledger.totals[PAID] += paid - ledger.paid[i]
        ledger.paid[i] = paid
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
