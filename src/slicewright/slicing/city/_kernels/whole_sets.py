"""What a node gains at most at given prices from whole sets of devices, beside what its relaxation says."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel
from slicewright.slicing._kernels.problem import Problem as OneNode
from slicewright.slicing.city._kernels.bound import is_used
from slicewright.slicing.city._kernels.interval import alone_time, gain_within
from slicewright.slicing.exact._kernels.node.search import search_node
from slicewright.slicing.exact._kernels.pricing import make_buffers
from slicewright.slicing.exact._kernels.sets import NONE, clear, copy_places, improve_set, keep_if_better


@kernel
def relaxed_gains(problem, t, first, rows, begin, end, gains):
    """What nodes ``begin`` to ``end`` gain at most by their multipliers, into ``gains`` (J,); at least 0."""
    longest = 0
    for j in range(begin, end):
        longest = max(longest, first[j + 1] - first[j])
    slope, pull, near = np.empty(t.interval.shape[2]), np.empty(longest), np.empty(longest, np.bool_)
    for j in range(begin, end):
        most = 0.0
        for k in range(t.edges.shape[1] - 1):
            if is_used(problem, t, j, k):
                gain = gain_within(problem, t, j, k, first[j], rows, first[j + 1], 1.0, slope, pull, near)
                if not gain <= most:
                    most = gain
        gains[j] = most


@kernel
def node_alone(problem, price, j, first, rows):
    """(Devices that list node j and may pay there, what each takes alone in each slice)."""
    n_slices, count = problem.capacity.shape[1], 0
    who = np.empty(first[j + 1] - first[j], np.int64)
    alone = np.empty((who.size, n_slices))
    for entry in range(first[j], first[j + 1]):
        i, pays = rows[entry], False
        for n in range(n_slices):
            alone[count, n] = np.inf
            if problem.capacity[j, n] > 0.0:
                alone[count, n] = alone_time(problem, i, j, n, problem.arrival[i])
            pays = pays or alone[count, n] < price[i]
        if pays:
            who[count] = i
            count += 1
    return who[:count], alone[:count]


@kernel
def prove_sets(problem, price, state, j, first, rows, tolerance, parts, sets, deadline):
    """(Gain of the best set found for node j, what no set of it exceeds) at prices of compute.

    Args:
        price: (I,) s.
        state: a plan; the node's set there is where the search begins.
        first, rows: devices by node.
        tolerance: s, nearer than this no gain is proven.
        parts, sets: effort of the search, see ``exact/_kernels/node/branch_and_bound``.
        deadline: ns.
    """
    who, alone = node_alone(problem, price, j, first, rows)
    size, n_slices = who.size, problem.capacity.shape[1]
    if size == 0:
        return 0.0, 0.0
    work, root = np.empty((size, n_slices)), np.empty((size, n_slices))
    tau, arrival, offered = np.empty(size), np.empty(size), np.empty(size)
    warm = np.full(size, NONE)
    for k in range(size):
        i = who[k]
        tau[k], arrival[k], offered[k] = problem.local_time[i], problem.arrival[i], price[i]
        for n in range(n_slices):
            work[k, n], root[k, n] = problem.work[i, n], problem.work_root[i, n]
        if state.node[i] == j:
            warm[k] = state.slice[i]
    node = OneNode(
        np.zeros(size + 1, np.int64), np.zeros(0, np.int64), np.zeros(0), work, root, tau, arrival,
        problem.capacity[j].copy(), 1, 0, problem.shared_queue,
    )  # fmt: skip
    buffers = make_buffers(size, 1, n_slices)
    offer, scratch, best = buffers.offer, buffers.scratch, 0.0
    clear(offer.place)
    offer.cost[0] = 0.0
    for begin in range(2):
        if begin == 0:
            copy_places(warm, scratch.tested)
        else:
            clear(scratch.tested)
        improve_set(node, 0, alone, offered, scratch.tested, scratch, True)
        best = keep_if_better(node, 0, offered, scratch.tested, offer, best)
    most = search_node(
        node, 0, alone, offered, offer, scratch, buffers.nodes, best, best, tolerance, parts, sets, deadline
    )
    return best, most
