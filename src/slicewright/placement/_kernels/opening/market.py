"""A market for room on nodes: prices per node and urgency, a lower bound and a first idea of who goes where.

Every node sells room at prices that depend on how short a queue the buyer needs: the levels of a node fall into
``BUCKETS`` buckets with one price each. Each task buys where its cost and what it pays are least. Each node picks
the bucket of its most urgent customer, may then sell no more than that bucket's largest limit, and sells to the
buckets that pay most. What tasks pay in all, less what nodes can earn, is a lower bound of the objective for any
prices: the decomposition of :mod:`..bound` with one fee for all tasks of a bucket. It has a few hundred prices
however many tasks there are, so it settles in tens of steps, and each costs one pass over the candidates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import kernel, now_ns, outlined
from slicewright.placement._kernels.ascent import next_direction, next_scale
from slicewright.placement._kernels.problem import REJECTED

BUCKETS = 24
MEMORY = 0.7  # of the last direction in the next
NOTICED = 1e-4  # relative: a bound that is better by this much
PATIENCE = 6  # steps without a better bound before they shrink
SMALLEST_STEP = 0.02
REACH = 1.5  # times the best bound, the most that a step aims at: what is known to be feasible may be far too dear


class Market(NamedTuple):
    """What is on sale. Slot ``j * BUCKETS + b`` is bucket b of node j; the last slot is nowhere and costs nothing."""

    slot: Any  # (K, C, 2) int64, of either side of a candidate
    capacity: Any  # (slots,) 1/s, what may arrive at a node whose most urgent task is in the slot
    offered: Any  # (slots,) 1/s, arrivals of the tasks that may come in the slot


@kernel
def open_market(problem, copies):
    """Sort the levels of every node into buckets."""
    nodes = problem.n_nodes
    slots = nodes * BUCKETS + 1
    slot = np.full(problem.node.shape, slots - 1)
    capacity, offered = np.zeros(slots), np.zeros(slots)
    for j in range(nodes):
        for level in range(copies.levels[j]):
            capacity[j * BUCKETS + level * BUCKETS // copies.levels[j]] = copies.capacity[j, level]
    seen = np.full(slots, -1)
    for k in range(problem.count.size):
        for c in range(problem.count[k]):
            for side in range(2):
                j = problem.node[k, c, side]
                if j == nodes:
                    continue
                s = j * BUCKETS + copies.rank[k, j, copies.label[k, c, side]] * BUCKETS // copies.levels[j]
                slot[k, c, side] = s
                if seen[s] != k:
                    seen[s] = k
                    offered[s] += problem.arrival[k]
    return Market(slot, capacity, offered)


@outlined
def sell(market, price, order, j, first, served):
    """What node j earns if its most urgent customers are in bucket ``first``; takes what it sells off ``served``."""
    room, earned = market.capacity[j * BUCKETS + first], 0.0
    for i in range(BUCKETS):
        s = j * BUCKETS + order[i]
        if room <= 0.0 or price[s] <= 0.0:
            break
        if order[i] < first:
            continue
        sold = min(room, market.offered[s])
        earned += sold * price[s]
        room -= sold
        if served.size > 0:
            served[s] -= sold
    return earned


@outlined
def sort_prices(price, order, j):
    """Buckets of node j by falling price, nearly so since last time."""
    for i in range(1, BUCKETS):
        item, at = order[i], i - 1
        while at >= 0 and price[j * BUCKETS + order[at]] < price[j * BUCKETS + item]:
            order[at + 1] = order[at]
            at -= 1
        order[at + 1] = item


@outlined
def buy(problem, market, price, k):
    """The cheapest candidate of task k with what it pays: (cost, candidate)."""
    best, choice, own = problem.rejection[k], REJECTED, problem.arrival[k]
    for c in range(problem.count[k]):
        if problem.cost[k, c] >= best:
            break
        cost = problem.cost[k, c] + own * (price[market.slot[k, c, 0]] + price[market.slot[k, c, 1]])
        if cost < best:
            best, choice = cost, c
    return best, choice


@outlined
def clear_market(problem, market, price, order, excess, nothing):
    """The bound of the given prices; ``excess`` (slots,) receives demand less supply."""
    bound = 0.0
    for s in range(excess.size):
        excess[s] = 0.0
    for k in range(problem.count.size):
        cost, c = buy(problem, market, price, k)
        bound += cost
        if c != REJECTED:
            excess[market.slot[k, c, 0]] += problem.arrival[k]
            excess[market.slot[k, c, 1]] += problem.arrival[k]
    excess[excess.size - 1] = 0.0
    for j in range(problem.n_nodes):
        sort_prices(price, order[j], j)
        most, first = 0.0, -1
        for b in range(BUCKETS):
            earned = sell(market, price, order[j], j, b, nothing)
            if earned > most:
                most, first = earned, b
        bound -= most
        if first >= 0:
            sell(market, price, order[j], j, first, excess)
    return bound


@kernel
def trade(problem, market, target, iterations, deadline):
    """Move prices from 0 until the bound meets ``target``, the steps get small, or iterations or time (ns) end.

    Returns the best bound and its prices (slots,).
    """
    slots = market.capacity.size
    price, best_price = np.zeros(slots), np.zeros(slots)
    excess, previous, nothing = np.zeros(slots), np.zeros(slots), np.zeros(0)
    order = np.empty((problem.n_nodes, BUCKETS), dtype=np.int64)
    order[:] = np.arange(BUCKETS)
    best, scale, waiting = -np.inf, 1.0, 0
    for _ in range(iterations):
        bound = clear_market(problem, market, price, order, excess, nothing)
        scale, waiting = next_scale(bound, best, NOTICED, scale, waiting, PATIENCE, SMALLEST_STEP)
        if bound > best:
            best = bound
            best_price[:] = price
        if scale == 0.0 or target - best <= 1e-9 * abs(target) or now_ns() >= deadline:
            break
        norm = 0.0
        for s in range(slots):
            d = next_direction(excess[s], previous[s], price[s], MEMORY)
            previous[s] = d
            norm += d * d
        if norm <= 0.0:
            break
        step = scale * (min(target, max(REACH * best, 1e-9 * target)) - bound) / norm
        for s in range(slots):
            price[s] = max(0.0, price[s] + step * previous[s])
    return best, best_price


@kernel
def fees_of_prices(problem, copies, market, price):
    """(K, J + 1, CLASSES) fees of :mod:`..bound` by which every task pays the market's prices."""
    fee = np.zeros(copies.rank.shape)
    for k in range(problem.count.size):
        for c in range(problem.count[k]):
            for side in range(2):
                if problem.node[k, c, side] < problem.n_nodes:
                    paid = problem.arrival[k] * price[market.slot[k, c, side]]
                    fee[k, problem.node[k, c, side], copies.label[k, c, side]] = paid
    return fee
