"""A node's devices chosen anew: sets that suit queues of several lengths, of which the best replaces the present one.

What one node gains is a knapsack once its queue is fixed: a device brings its arrivals into a queue of that length, and
its work into one slice. Best response and exchanges change the queue a little at a time, and end where every other
queue would need several devices to go at once.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.city._kernels.exchange import go_elsewhere, take_out
from slicewright.slicing.city._kernels.problem import attach
from slicewright.slicing.city._kernels.response import TOLERANCE, cheapest_link
from slicewright.slicing.city._kernels.sweep import notice_move

QUEUES = np.array([0.4, 0.55, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0])
"""Lengths of the queue that are tried, in parts of the present one."""
MOST_MEMBERS = 64
"""Of a set; nodes with more are left to best response."""

# Rows of figures of a set by slice.
ROOTS, WORKS = 0, 1


@inlined
def cost_at(problem, j, n, queue, root, work):
    """Cost of a group with these sums under a queue; infinite where it is unstable."""
    left = problem.capacity[j, n] - queue * work
    return root * root / left if left > 0.0 else np.inf


@outlined
def choose_set(problem, j, queue, by_arrival, count, who, worth, chosen, slices, sums):
    """A set of the candidates ``who`` (count,) that suits a queue: its size.

    One device after the other that is worth most beyond what it adds to the cost, or most per arrival (``by_arrival``),
    while the queue has room for its arrivals. ``chosen`` holds the positions of candidates, ``slices`` their slices.
    """
    n_slices, size, room = problem.capacity.shape[1], 0, queue
    for n in range(n_slices):
        sums[ROOTS, n], sums[WORKS, n] = 0.0, 0.0
    while size < MOST_MEMBERS:
        best, choice, slice_ = 0.0, NOBODY, LOCAL
        for c in range(count):
            i = who[c]
            alpha = problem.arrival[i]
            if alpha > room:
                continue
            per = 1.0 / alpha if by_arrival else 1.0
            if not worth[c] * per > best:
                continue
            taken = False
            for k in range(size):
                taken = taken or chosen[k] == c
            if taken:
                continue
            for n in range(n_slices):
                work, root = problem.work[i, n], problem.work_root[i, n]
                after = cost_at(problem, j, n, queue, sums[ROOTS, n] + root, sums[WORKS, n] + work)
                if after == np.inf:
                    continue
                value = worth[c] - after + cost_at(problem, j, n, queue, sums[ROOTS, n], sums[WORKS, n])
                if value * per > best:
                    best, choice, slice_ = value * per, c, n
        if choice == NOBODY:
            break
        i = who[choice]
        sums[ROOTS, slice_] += problem.work_root[i, slice_]
        sums[WORKS, slice_] += problem.work[i, slice_]
        room -= problem.arrival[i]
        chosen[size], slices[size] = choice, slice_
        size += 1
    return size


@outlined
def gain_of_set(problem, j, size, who, worth, chosen, slices, sums):
    """What a set gains in the queue that it makes, 13b looked at only as far as a single device's time."""
    n_slices, gain, queue = problem.capacity.shape[1], 0.0, 0.0
    for n in range(n_slices):
        sums[ROOTS, n], sums[WORKS, n] = 0.0, 0.0
    for k in range(size):
        i, n = who[chosen[k]], slices[k]
        sums[ROOTS, n] += problem.work_root[i, n]
        sums[WORKS, n] += problem.work[i, n]
        queue += problem.arrival[i]
        gain += worth[chosen[k]]
    for n in range(n_slices):
        if sums[ROOTS, n] > 0.0:
            gain -= cost_at(problem, j, n, queue, sums[ROOTS, n], sums[WORKS, n])
    return gain


@outlined
def best_set(problem, j, queue, count, who, worth, room, sums):
    """The best set over lengths of the queue and both orders: (its gain, its size); it is left in rows 2 and 3."""
    best, size = 0.0, 0
    for q in range(QUEUES.size):
        for order in range(2):
            found = choose_set(
                problem, j, QUEUES[q] * queue, order == 1, count, who, worth, room[0], room[1], sums
            )
            gain = gain_of_set(problem, j, found, who, worth, room[0], room[1], sums)
            if gain > best:
                best, size = gain, found
                for k in range(found):
                    room[2, k], room[3, k] = room[0, k], room[1, k]
    return best, size


@inlined
def list_candidates(problem, state, on_node, j, who, worth):
    """The local devices that list node j and may save something by going there: how many."""
    count = 0
    for entry in range(on_node[0][j], on_node[0][j + 1]):
        i = on_node[1][entry]
        if state.link[i] == LOCAL:
            left = problem.local_time[i] - cheapest_link(problem, state, i)[0]
            if left > 0.0:
                who[count], worth[count] = i, left
                count += 1
    return count


@outlined
def put_back(problem, state, j, count, before):
    """Give former members of node j their places again; ``before`` holds device, link and slice."""
    for k in range(count):
        if state.link[before[0, k]] != LOCAL:
            take_out(problem, state, before[0, k])
    for k in range(count):
        attach(problem, state, before[0, k], before[1, k], j, before[2, k])


@inlined
def moved_by(count, before, size, who, chosen):
    """How many devices a new set of a node moves: those that go and those that come."""
    stay = 0
    for k in range(count):
        for m in range(size):
            if who[chosen[m]] == before[0, k]:
                stay += 1
    return count + size - 2 * stay


@outlined
def rebuild_node(problem, state, j, on_access_point, on_node, dirty, who, worth, room, sums, before, price):
    """Choose the devices of a node anew if that saves more than ``price``, s, for each that moves: s saved."""
    count, queue, slack = 0, state.arrivals[j], TOLERANCE * state.node_cost[j]
    for n in range(problem.capacity.shape[1]):
        member = state.head[j, n]
        while member != NOBODY:
            if count == MOST_MEMBERS:
                return 0.0
            before[0, count], before[1, count], before[2, count] = member, state.link[member], n
            slack += TOLERANCE * problem.local_time[member]
            count += 1
            member = state.after[member]
    if count == 0:
        return 0.0
    lost = 0.0
    for k in range(count):
        lost -= take_out(problem, state, before[0, k])
    for k in range(count):
        lost += go_elsewhere(problem, state, before[0, k], j)
    candidates = list_candidates(problem, state, on_node, j, who, worth)
    gain, size = best_set(problem, j, queue, candidates, who, worth, room, sums)
    slack += price * moved_by(count, before, size, who, room[2])
    if not gain > lost + slack:
        put_back(problem, state, j, count, before)
        return 0.0
    gained = 0.0
    for k in range(size):
        i, n = who[room[2, k]], room[3, k]
        radio, link = cheapest_link(problem, state, i)
        cost = state.node_cost[j]
        attach(problem, state, i, link, j, n)
        gained += problem.local_time[i] - radio - (state.node_cost[j] - cost)
    if not gained > lost + slack:
        for k in range(size):
            take_out(problem, state, who[room[2, k]])
        put_back(problem, state, j, count, before)
        return 0.0
    for k in range(count):
        notice_move(problem, state, before[0, k], before[1, k], j, on_access_point, on_node, dirty)
    for k in range(size):
        notice_move(problem, state, who[room[2, k]], LOCAL, LOCAL, on_access_point, on_node, dirty)
    return gained - lost


@kernel
def rebuild(problem, state, on_access_point, on_node, dirty, deadline, price):
    """One pass over all nodes: s saved. Whom a new set concerns becomes dirty.

    A set has to save more than ``price``, s, for each device that it moves.
    """
    saved, longest = 0.0, 0
    for j in range(problem.capacity.shape[0]):
        longest = max(longest, on_node[0][j + 1] - on_node[0][j])
    who, worth = np.empty(longest, np.int64), np.empty(longest)
    room, sums = np.empty((4, MOST_MEMBERS), np.int64), np.empty((2, problem.capacity.shape[1]))
    before = np.empty((3, MOST_MEMBERS), np.int64)
    for j in range(problem.capacity.shape[0]):
        saved += rebuild_node(
            problem, state, j, on_access_point, on_node, dirty, who, worth, room, sums, before, price
        )
        if (j & 15) == 15 and now_ns() > deadline:
            break
    return saved
