"""Prices by a subgradient walk towards the cost of a plan: a few dozen rounds of local search, no linear programme.

The bound that prices give (:mod:`pricing`) is concave in them, and a subgradient is plain: for each device, what it
would pay at most, less how often resources want it at its price. Its greatest value is within a hair of the best
plan's cost, so that the step of Polyak (1969), whose length is right where the greatest value is known, is nearly
right; the direction leaves out what would undo the step before (Camerini, Fratta and Maffioli 1975). Steps are scaled
by what devices offer to begin with. Sets come from local search, so that the values are hopes, not bounds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.exact._kernels.access_point import price_access_point
from slicewright.slicing.exact._kernels.pricing import gain_of, settle
from slicewright.slicing.exact._kernels.sets import (
    NONE,
    clear,
    copy_places,
    improve_set,
    keep_if_better,
    node_cost,
)

PATIENCE = 8  # rounds without a better value before steps are shortened
SHORTER = 0.6
DEFLECTION = 1.5  # of the direction, away from one that turns back
EXCHANGE_EVERY, SELDOM, MANY = 4, 12, 128  # rounds; with many devices less often
MET = 1e-4  # of the plan's cost: a hope this near to it ends the walk
LEAST_SCALE = 1e-3  # of the largest offer, below which a device's steps are not scaled down

POOLED, MOST_MEMBERS = 32, 64  # sets kept of each node, and of so many devices at most


class Pool(NamedTuple):
    """Sets of nodes that were good at some prices: where local search begins at others."""

    count: Any  # (J,) int64
    size: Any  # (J, POOLED) int64
    cost: Any  # (J, POOLED) s
    device: Any  # (J, POOLED, MOST_MEMBERS) int64
    slice: Any  # (J, POOLED, MOST_MEMBERS) int64


@kernel
def make_pool(n_nodes):
    """Allocate; no sets yet."""
    return Pool(
        np.zeros(n_nodes, np.int64), np.zeros((n_nodes, POOLED), np.int64), np.zeros((n_nodes, POOLED)),
        np.zeros((n_nodes, POOLED, MOST_MEMBERS), np.int64), np.zeros((n_nodes, POOLED, MOST_MEMBERS), np.int64),
    )  # fmt: skip


@inlined
def pooled_gain(pool, j, k, price):
    gain = -pool.cost[j, k]
    for m in range(pool.size[j, k]):
        gain += price[pool.device[j, k, m]]
    return gain


@outlined
def start_from_pool(pool, j, price, place, gain):
    """Replace ``place``, a set of this gain, by the best one pooled, if that is better."""
    best, choice = gain, NONE
    for k in range(pool.count[j]):
        there = pooled_gain(pool, j, k, price)
        if there > best:
            best, choice = there, k
    if choice != NONE:
        clear(place)
        for m in range(pool.size[j, choice]):
            place[pool.device[j, choice, m]] = pool.slice[j, choice, m]
    return best


@outlined
def add_to_pool(pool, j, price, place, cost):
    """Keep a set, in the place of the least useful one at these prices if there is no room."""
    size = 0
    for i in range(place.size):
        size += place[i] != NONE
    if size > MOST_MEMBERS:
        return
    k, least = pool.count[j], np.inf
    if k == POOLED:
        for other in range(POOLED):
            gain = pooled_gain(pool, j, other, price)
            if gain < least:
                least, k = gain, other
    else:
        pool.count[j] += 1
    pool.size[j, k], pool.cost[j, k], m = size, cost, 0
    for i in range(place.size):
        if place[i] != NONE:
            pool.device[j, k, m], pool.slice[j, k, m] = i, place[i]
            m += 1


@outlined
def keep_offered(j, price, buffers, pool):
    """Make the offer a node's last set, and pool it if it gains more than every set there."""
    gain = gain_of(buffers.offer, price)
    copy_places(buffers.offer.place, buffers.warm[j])
    if gain > start_from_pool(pool, j, price, buffers.scratch.tested, 0.0):
        add_to_pool(pool, j, price, buffers.offer.place, buffers.offer.cost[0])


@kernel
def marginal_prices(problem, link, group, buffers, prices):
    """Prices from a plan: what others would save without the device; those at home offer their local time.

    The parts of that offer are those that radio and computing have in the whole; False if nobody offloads.
    """
    n_devices, place, radio_all, compute_all = link.size, buffers.scratch.trial, 0.0, 0.0
    for i in range(n_devices):
        prices.radio[i], prices.compute[i] = 0.0, 0.0
    for a in range(problem.n_access_points):
        root = 0.0
        for i in range(n_devices):
            if link[i] != LOCAL and problem.access_point[link[i]] == a:
                root += problem.link_root[link[i]]
        for i in range(n_devices):
            if link[i] != LOCAL and problem.access_point[link[i]] == a:
                own = problem.link_root[link[i]]
                prices.radio[i] = own * (2.0 * root - own)
                radio_all += prices.radio[i]
    for j in range(problem.n_nodes):
        clear(place)
        some = False
        for i in range(n_devices):
            if group[i] != LOCAL and group[i] % problem.n_nodes == j:
                place[i], some = group[i] // problem.n_nodes, True
        if not some:
            continue
        whole = node_cost(problem, j, place)
        for i in range(n_devices):
            n = place[i]
            if n != NONE:
                place[i] = NONE
                prices.compute[i] = max(0.0, whole - node_cost(problem, j, place))
                place[i] = n
                compute_all += prices.compute[i]
    if not 0.0 < radio_all + compute_all < np.inf:
        return False
    part = radio_all / (radio_all + compute_all)
    for i in range(n_devices):
        if link[i] == LOCAL:
            prices.radio[i] = part * problem.local_time[i]
            prices.compute[i] = problem.local_time[i] - prices.radio[i]
    return True


@outlined
def hope_of_node(problem, j, choices, price, buffers, pool, done):
    """The largest gain of a node that is found from the last set, from the pool, and at its turn from nothing."""
    offer, tested = buffers.offer, buffers.scratch.tested
    clear(offer.place)
    offer.cost[0] = 0.0
    copy_places(buffers.warm[j], tested)
    before = keep_if_better(problem, j, price, tested, offer, 0.0)
    before = start_from_pool(pool, j, price, tested, before)
    every = EXCHANGE_EVERY if price.size < MANY else SELDOM
    improve_set(problem, j, choices.alone, price, tested, buffers.scratch, (done + j) % every == 0)
    best = keep_if_better(problem, j, price, tested, offer, 0.0)
    if done % problem.n_nodes == j:
        clear(tested)
        improve_set(problem, j, choices.alone, price, tested, buffers.scratch, True)
        best = keep_if_better(problem, j, price, tested, offer, best)
    if best > before:
        add_to_pool(pool, j, price, offer.place, offer.cost[0])
    copy_places(offer.place, buffers.warm[j])
    return max(best, before)


@outlined
def hope_at(problem, choices, prices, buffers, pool, wanted, tolerance, done):
    """The bound at these prices if every set found were the best, s; ``wanted`` (2, I): how often devices are."""
    offer = buffers.offer
    total = settle(problem, choices, prices)
    for i in range(prices.radio.size):
        wanted[0, i], wanted[1, i] = 0.0, 0.0
    for a in range(problem.n_access_points):
        price_access_point(problem, choices.links[a], prices.radio, offer, buffers.scratch, tolerance)
        total -= gain_of(offer, prices.radio)
        for i in range(prices.radio.size):
            wanted[0, i] += offer.place[i] != NONE
    for j in range(problem.n_nodes):
        total -= hope_of_node(problem, j, choices, prices.compute, buffers, pool, done)
        for i in range(prices.radio.size):
            wanted[1, i] += buffers.warm[j, i] != NONE
    return total


@outlined
def scale_of_prices(problem, prices, scale):
    """s, (I,), in which steps of prices are measured: what devices offer to begin with, within reason."""
    longest = 0.0
    for i in range(scale.size):
        scale[i] = min(problem.local_time[i], prices.radio[i] + prices.compute[i])
        longest = max(longest, scale[i])
    for i in range(scale.size):
        scale[i] = max(scale[i], LEAST_SCALE * longest)


@outlined
def turn_direction(problem, choices, prices, wanted, direction, scales):
    """Make ``direction``, (2, I), the next; returns its square in the scale of prices."""
    along, before, square = 0.0, 0.0, 0.0
    for i in range(prices.radio.size):
        tau, scale = problem.local_time[i], scales[i]
        # what it pays grows with either price until it would rather stay local
        pays = not (choices.home[i] and prices.radio[i] + prices.compute[i] >= tau * (1.0 - 1e-12))
        for k in range(2):
            most = 1.0 if pays else min(1.0, wanted[k, i])
            wanted[k, i] = most - wanted[k, i]
            along += scale * wanted[k, i] * direction[k, i]
            before += scale * direction[k, i] * direction[k, i]
    back = max(0.0, -DEFLECTION * along / before) if before > 0.0 else 0.0
    for i in range(prices.radio.size):
        for k in range(2):
            direction[k, i] = wanted[k, i] + back * direction[k, i]
            square += scales[i] * direction[k, i] * direction[k, i]
    return square


@kernel
def ascend(problem, choices, prices, best, buffers, pool, cost, tolerance, rounds, deadline):
    """Walk from ``prices`` for so many rounds; ``best`` is left with those of the greatest hope, which is returned.

    Args:
        cost: s, of a plan.
        tolerance: s, of access points' sets.
        deadline: ns.
    """
    n_devices = prices.radio.size
    wanted, direction, scales = np.zeros((2, n_devices)), np.zeros((2, n_devices)), np.empty(n_devices)
    scale_of_prices(problem, prices, scales)
    hope, length, waited, back = -np.inf, 1.0, 0, False
    for done in range(rounds):
        value = hope_at(problem, choices, prices, buffers, pool, wanted, tolerance, done)
        if value > hope or back:  # sets found since may have shown that the best value was none
            hope, waited, back = value, 0, False
            for i in range(n_devices):
                best.radio[i], best.compute[i] = prices.radio[i], prices.compute[i]
        else:
            waited += 1
            if waited >= PATIENCE:
                length, waited, back = length * SHORTER, 0, True
                for i in range(n_devices):
                    prices.radio[i], prices.compute[i] = best.radio[i], best.compute[i]
                    direction[0, i], direction[1, i] = 0.0, 0.0
                if now_ns() > deadline:
                    return hope
                continue
        if (not value < cost * (1.0 - MET) and value == hope) or now_ns() > deadline:
            return hope
        square = turn_direction(problem, choices, prices, wanted, direction, scales)
        if square == 0.0:
            return hope
        step = length * max(cost - value, MET * cost) / square
        for i in range(n_devices):
            scale = step * scales[i]
            prices.radio[i] = max(0.0, prices.radio[i] + scale * direction[0, i])
            prices.compute[i] = max(0.0, prices.compute[i] + scale * direction[1, i])
    return hope
