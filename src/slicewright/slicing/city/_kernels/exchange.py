"""One out, one in: what best response alone cannot do once nodes are full."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.city._kernels.problem import attach, leave_group, leave_radio, update_costs
from slicewright.slicing.city._kernels.response import TOLERANCE, cheapest_link, growth_on
from slicewright.slicing.city._kernels.sweep import notice_move

MOST_MEMBERS = 64
"""Of a node that are asked to leave."""


@inlined
def take_out(problem, state, i):
    """Take a device from its access point and node: what the others save by that, s."""
    j, link = state.node[i], state.link[i]
    before = state.node_cost[j]
    leave_group(problem, state, i)
    update_costs(problem, state, j)
    leave_radio(problem, state, i)
    root = problem.link_root[link]
    return before - state.node_cost[j] + root * (root + 2.0 * state.radio[problem.access_point[link]])


@inlined
def go_elsewhere(problem, state, i, j):
    """Give a device that is nowhere its cheapest option that is not node j: what it costs, s."""
    radio, link = cheapest_link(problem, state, i)
    best, node, slice_ = problem.local_time[i] - radio, LOCAL, LOCAL
    for pair in range(problem.node_start[i], problem.node_end[i]):
        if problem.node[pair] != j:
            growth, n = growth_on(problem, state, i, problem.node[pair], best)
            if n != LOCAL:
                best, node, slice_ = growth, problem.node[pair], n
    if node == LOCAL:
        return problem.local_time[i]
    attach(problem, state, i, link, node, slice_)
    return radio + best


@inlined
def best_newcomer(problem, state, on_node, j, gone, least):
    """The local device that saves most on node j, if that is more than ``least``: (s saved, device, link, slice)."""
    best, who, link, slice_ = least, NOBODY, LOCAL, LOCAL
    for entry in range(on_node[0][j], on_node[0][j + 1]):
        i = on_node[1][entry]
        if state.link[i] != LOCAL or i == gone or problem.local_time[i] <= best:
            continue
        radio, way = cheapest_link(problem, state, i)
        limit = problem.local_time[i] - radio - best
        if limit > 0.0:
            growth, n = growth_on(problem, state, i, j, limit)
            if n != LOCAL:
                best, who, link, slice_ = problem.local_time[i] - radio - growth, i, way, n
    return best, who, link, slice_


@inlined
def exchange_member(problem, state, j, i, on_access_point, on_node, dirty, price):
    """Let a local device take the place of member i of node j, which goes elsewhere: s saved.

    Two devices move, so it has to save more than ``price``, s, for each of them.
    """
    link, slice_ = state.link[i], state.slice[i]
    slack = TOLERANCE * (state.node_cost[j] + problem.local_time[i]) + 2.0 * price
    lost = -take_out(problem, state, i)
    lost += go_elsewhere(problem, state, i, j)
    gained, who, way, n = best_newcomer(problem, state, on_node, j, i, max(lost, 0.0) + slack)
    if who == NOBODY:
        if state.link[i] != LOCAL:
            take_out(problem, state, i)
        attach(problem, state, i, link, j, slice_)
        return 0.0
    attach(problem, state, who, way, j, n)
    notice_move(problem, state, i, link, j, on_access_point, on_node, dirty)
    notice_move(problem, state, who, LOCAL, LOCAL, on_access_point, on_node, dirty)
    return gained - lost


@kernel
def exchange(problem, state, on_access_point, on_node, dirty, deadline, price):
    """One pass over the members of all nodes: s saved. Whom an exchange concerns becomes dirty.

    An exchange has to save more than ``price``, s, for each of its two devices.
    ``on_access_point`` and ``on_node`` list the devices of each (:func:`listing`).
    """
    saved, members = 0.0, np.empty(MOST_MEMBERS, np.int64)
    for j in range(problem.capacity.shape[0]):
        count = 0
        for n in range(problem.capacity.shape[1]):
            member = state.head[j, n]
            while member != NOBODY and count < MOST_MEMBERS:
                members[count] = member
                count += 1
                member = state.after[member]
        for k in range(count):
            if state.node[members[k]] == j:
                saved += exchange_member(
                    problem, state, j, members[k], on_access_point, on_node, dirty, price
                )
        if (j & 15) == 15 and now_ns() > deadline:
            break
    return saved
