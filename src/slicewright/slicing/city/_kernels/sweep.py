"""Sweeps of best response over the devices whose options have changed."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import LOCAL, total_cost
from slicewright.slicing.city._kernels.problem import state_of
from slicewright.slicing.city._kernels.response import respond


@inlined
def notice_cheaper(first, rows, item, dirty):
    """Mark everybody who lists a resource that has become cheaper: they may want to join."""
    for entry in range(first[item], first[item + 1]):
        dirty[rows[entry]] = True


@inlined
def notice_dearer_node(problem, state, j, dirty):
    """Mark the devices on a node that has become dearer: they may want to leave."""
    for n in range(problem.capacity.shape[1]):
        member = state.head[j, n]
        while member != NOBODY:
            dirty[member] = True
            member = state.after[member]


@inlined
def notice_dearer_access_point(problem, state, first, rows, a, dirty):
    """Mark the devices on an access point that has become dearer."""
    for entry in range(first[a], first[a + 1]):
        i = rows[entry]
        if state.link[i] != LOCAL and problem.access_point[state.link[i]] == a:
            dirty[i] = True


@inlined
def notice_move(problem, state, i, link, node, on_access_point, on_node, dirty):
    """Mark whom the move of device i away from a link and a node concerns."""
    new_link, new_node = state.link[i], state.node[i]
    if link != LOCAL and (new_link == LOCAL or problem.access_point[new_link] != problem.access_point[link]):
        notice_cheaper(on_access_point[0], on_access_point[1], problem.access_point[link], dirty)
    if new_link != LOCAL and new_link != link:
        a = problem.access_point[new_link]
        notice_dearer_access_point(problem, state, on_access_point[0], on_access_point[1], a, dirty)
    if node != LOCAL:
        notice_cheaper(on_node[0], on_node[1], node, dirty)
    if new_node != LOCAL:
        notice_dearer_node(problem, state, new_node, dirty)


@kernel
def sweep(problem, state, order, dirty, on_access_point, on_node, deadline, price):
    """One pass over the dirty devices of ``order``: (s saved, moves). Whom a move concerns becomes dirty.

    A move has to save more than ``price``, s.
    ``on_access_point`` and ``on_node`` are the lists turned round (:func:`listing`).
    """
    saved, moves = 0.0, 0
    for k in range(order.size):
        i = order[k]
        if not dirty[i]:
            continue
        dirty[i] = False
        link, node, slice_ = state.link[i], state.node[i], state.slice[i]
        gained = respond(problem, state, i, price)
        if state.link[i] != link or state.node[i] != node or state.slice[i] != slice_:
            saved += gained
            moves += 1
            notice_move(problem, state, i, link, node, on_access_point, on_node, dirty)
            dirty[i] = False
        if (k & 63) == 63 and now_ns() > deadline:
            break
    return saved, moves


@kernel
def cost_of(problem, link, node, slice_):
    """Cost of decisions under optimal shares, infinite where none are feasible."""
    return total_cost(problem, state_of(problem, link, node, slice_))


@kernel
def spatial_order(problem):
    """(I,) Devices in the order of their first access point and node: neighbours meet while memory is warm."""
    key = np.empty(problem.local_time.size, np.int64)
    n_nodes = problem.capacity.shape[0]
    for i in range(key.size):
        place = problem.node[problem.node_start[i]] if problem.node_start[i] < problem.node_end[i] else 0
        a = -1
        if problem.link_start[i] < problem.link_end[i]:
            a = problem.access_point[problem.link_start[i]]
        key[i] = a * n_nodes + place
    return np.argsort(key, kind="mergesort")
