"""Column generation: prices from the master, sets from the pricing problems, and the bound that follows.

For any prices (radio_i, compute_i >= 0) no plan is cheaper than

    sum_i min(tau_i, radio_i + compute_i) - sum over resources of the largest gain at these prices

(Lagrangian relaxation of "every device is served by an access point and by a node, unless it stays local"). This
bound is as tight as the linear programme over all sets of devices, which at these sizes is nearly integral.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.exact._kernels.access_point import price_access_point
from slicewright.slicing.exact._kernels.master import (
    add_entry,
    close_column,
    has_room,
    invert,
    solve_master,
    start_basis,
)
from slicewright.slicing.exact._kernels.node_sets import make_node_scratch, search_node
from slicewright.slicing.exact._kernels.sets import (
    NONE,
    Offer,
    clear,
    copy_places,
    improve_set,
    keep_if_better,
    make_scratch,
    node_cost,
)

FIRST_PARTS = 30  # parts of the search over a node's sets, in every round
MOST_PARTS = 20_000  # the same when a proof is in reach
MOST_FAILURES = 3  # so many proofs are tried before branching
SMOOTHING = 0.8  # weight of the best prices so far against those of the master
PRICING_PART = 1e-8  # pricing problems are solved to this part of the plan's cost
GAIN_PART = 1e-7  # columns must be worth this part of the plan's cost
SINGLES = 1.5  # devices alone on a node are columns from the start up to this part of their first price
MOST_PIVOTS = 5000
TAIL_PART = 1e-6  # the master has converged when it is this near (relative) to the bound


class Choices(NamedTuple):
    """What devices may do in a part of the search tree."""

    links: Any  # (A, I) int64, link of the device to the access point, or LOCAL
    alone: Any  # (I, N * J) s, infinite where it may not go
    home: Any  # (I,) bool, may stay local


class Prices(NamedTuple):
    """What devices offer."""

    radio: Any  # (I,) s
    compute: Any  # (I,) s


class Room(NamedTuple):
    """Room to work in, and what is worth keeping between rounds."""

    offer: Any
    scratch: Any
    nodes: Any  # scratch of the search over a node's sets
    warm: Any  # (J, I) int64, the last set offered by each node
    gains: Any  # (2, J) s, gain of each node's offer and its bound
    effort: Any


@kernel
def make_room(n_devices, n_nodes, n_slices):
    """Allocate."""
    return Room(
        Offer(np.full(n_devices, NONE), np.zeros(1)), make_scratch(n_devices, n_slices),
        make_node_scratch(n_devices, n_slices),
        np.full((n_nodes, n_devices), NONE), np.zeros((2, n_nodes)), np.array([30, 300, 20000, 2000]),
    )  # fmt: skip


@outlined
def settle(problem, choices, prices):
    """Cut prices that together exceed the local time, which can only tighten the bound; returns their sum."""
    total = 0.0
    for i in range(problem.local_time.size):
        tau = problem.local_time[i]
        prices.radio[i] = max(0.0, prices.radio[i])
        prices.compute[i] = max(0.0, prices.compute[i])
        if choices.home[i]:
            prices.compute[i] = min(prices.compute[i], tau)
            prices.radio[i] = min(prices.radio[i], tau - prices.compute[i])
        total += prices.radio[i] + prices.compute[i]
    return total


@outlined
def add_set(master, place, cost, e, shift, n_cover):
    """A resource's set as a column; LOCAL if there is no room."""
    if not has_room(master, place.size + 1):
        return LOCAL
    for i in range(place.size):
        if place[i] != NONE:
            add_entry(master, shift + i, place[i])
    add_entry(master, n_cover + e, 0)
    return close_column(master, cost, e)


@inlined
def offer_pays(master, place, cost, e, shift, n_cover, least):
    """Whether a set is worth more than ``least`` at the master's own prices."""
    gain = master.price[n_cover + e] - cost
    for i in range(place.size):
        if place[i] != NONE:
            gain += master.price[shift + i]
    return gain > least


@outlined
def price_node(problem, j, choices, prices, room, tolerance, deadline):
    """Best set of a node, from the one in ``room.offer`` on, and a bound of its gain: loose if it takes many parts."""
    offer, scratch, gains, price = room.offer, room.scratch, room.gains, prices.compute
    copy_places(offer.place, scratch.tested)
    improve_set(problem, j, choices.alone, price, scratch.tested, scratch)
    clear(offer.place)
    offer.cost[0] = 0.0
    best = keep_if_better(problem, j, price, scratch.tested, offer, 0.0)
    gains[1, j] = search_node(
        problem, j, choices.alone, price, offer, scratch, room.nodes, best, best, tolerance, room.effort[0], room.effort[1], deadline
    )
    gains[0, j] = gain_of(offer, price)


@inlined
def gain_of(offer, price):
    gain = -offer.cost[0]
    for i in range(price.size):
        if offer.place[i] != NONE:
            gain += price[i]
    return gain


@outlined
def keep_offer(master, offer, e, shift, n_cover, least):
    """Make the offer a column if it pays; 1 if so."""
    if not offer_pays(master, offer.place, offer.cost[0], e, shift, n_cover, least):
        return 0
    return 0 if add_set(master, offer.place, offer.cost[0], e, shift, n_cover) == LOCAL else 1


@outlined
def price_everything(problem, choices, prices, room, master, target, tolerance, least, deadline):  # fmt: skip
    """Offers of all resources at these prices, as columns if they pay at the master's prices.

    The bound of a node that serves many devices is only made tight if that can lift the whole bound to ``target``.

    Returns:
        The bound, what it would be if every offer were proven to be the best, and the number of columns added.
    """
    n_devices, n_aps = problem.local_time.size, problem.n_access_points
    offer, gains = room.offer, room.gains
    n_cover = 2 * n_devices
    hoped, added = settle(problem, choices, prices), 0
    for a in range(n_aps):
        gain = price_access_point(problem, choices.links[a], prices.radio, offer, room.scratch, tolerance)
        hoped -= gain
        added += keep_offer(master, offer, a, 0, n_cover, least)
    loose = 0
    for j in range(problem.n_nodes):
        copy_places(room.warm[j], offer.place)
        price_node(problem, j, choices, prices, room, tolerance, deadline)
        copy_places(offer.place, room.warm[j])
        hoped -= gains[0, j]
        added += keep_offer(master, offer, n_aps + j, n_devices, n_cover, least)
        loose += gains[1, j] > gains[0, j] + 2.0 * tolerance
    for j in range(problem.n_nodes):
        if hoped < target:
            break
        if gains[1, j] > gains[0, j] + 2.0 * tolerance:
            allowed = gains[0, j] + (hoped - target) / loose
            copy_places(room.warm[j], offer.place)
            offer.cost[0] = node_cost(problem, j, offer.place)
            gains[1, j] = search_node(
                problem, j, choices.alone, prices.compute, offer, room.scratch, room.nodes, gains[0, j], allowed,
                tolerance, room.effort[2], room.effort[3], deadline,
            )  # fmt: skip
            hoped -= gains[1, j] - gains[0, j]
            gains[0, j] = gains[1, j]
            loose -= 1
            copy_places(offer.place, room.warm[j])
            added += keep_offer(master, offer, n_aps + j, n_devices, n_cover, least)
    bound = hoped
    for j in range(problem.n_nodes):
        bound -= gains[1, j] - gains[0, j]
    return bound, hoped, added


@outlined
def set_cost(problem, place, link, e):
    """True cost of a set on a resource."""
    if e >= problem.n_access_points:
        return node_cost(problem, e - problem.n_access_points, place)
    total = 0.0
    for i in range(place.size):
        if place[i] != NONE:
            total += problem.link_root[link[i]]
    return total * total


@kernel
def start_master(problem, alone, master, link, group, compute):
    """Columns of a plan and, beside them, devices at home and devices alone on a node; the plan's basis."""
    n_devices, n_aps, n_nodes = problem.local_time.size, problem.n_access_points, problem.n_nodes
    n_cover = 2 * n_devices
    chosen, count = np.empty(n_devices + n_aps + n_nodes, np.int64), 0
    place = np.empty(n_devices, np.int64)
    for i in range(n_devices):
        add_entry(master, i, 0)
        add_entry(master, n_devices + i, 0)
        c = close_column(master, problem.local_time[i], NONE - i)
        if link[i] == LOCAL:
            chosen[count] = c
            count += 1
    for e in range(n_aps + n_nodes):
        some = False
        for i in range(n_devices):
            place[i] = NONE
            if link[i] != LOCAL:
                if e < n_aps and problem.access_point[link[i]] == e:
                    place[i], some = 0, True
                if e >= n_aps and group[i] % n_nodes == e - n_aps:
                    place[i], some = group[i] // n_nodes, True
        if some:
            chosen[count] = add_set(
                master, place, set_cost(problem, place, link, e), e, 0 if e < n_aps else n_devices, n_cover
            )
            count += 1
    clear(place)
    for i in range(n_devices):
        for g in range(problem.capacity.size):
            if alone[i, g] < SINGLES * compute[i] and has_room(master, 2):
                place[i] = g // n_nodes
                add_set(master, place, alone[i, g], n_aps + g % n_nodes, n_devices, n_cover)
                place[i] = NONE
    start_basis(master, chosen, count, n_cover)
    return invert(master, n_cover)


@outlined
def mix_prices(master, weight, best, prices):
    """Prices between the best so far and those of the master."""
    n_devices = best.radio.size
    for i in range(n_devices):
        prices.radio[i] = weight * best.radio[i] + (1.0 - weight) * max(0.0, master.price[i])
        prices.compute[i] = weight * best.compute[i] + (1.0 - weight) * max(0.0, master.price[n_devices + i])


@kernel
def raise_bound(problem, choices, master, best, prices, room, cost, target, deadline):
    """Generate columns until the bound reaches ``target``, the master has converged or the deadline has come.

    ``best`` holds prices to begin with and is left with those of the best bound hoped for.

    Returns:
        The best bound seen.
    """
    n_cover = 2 * problem.local_time.size
    tolerance, least = PRICING_PART * cost, GAIN_PART * cost
    bound, hope, objective, well = -np.inf, -np.inf, np.inf, True
    weight, failures = 1.0, 0  # the first round only asks what the prices to begin with are good for
    while True:
        mix_prices(master, weight, best, prices)
        aim = target + 2.0 * n_cover * tolerance if failures < MOST_FAILURES else np.inf
        found, hoped, added = price_everything(
            problem, choices, prices, room, master, aim, tolerance, least, deadline
        )
        if found > bound:  # and never when it is not a number
            bound = found
        if hoped > hope:
            hope = hoped
            for i in range(best.radio.size):
                best.radio[i], best.compute[i] = prices.radio[i], prices.compute[i]
        if bound >= target or now_ns() > deadline or not well:
            return bound
        failures += hoped >= aim
        if added > 0 or weight == 1.0:
            objective, well = solve_master(master, n_cover, least, MOST_PIVOTS, deadline)
            weight = SMOOTHING
        elif weight > 0.0:
            weight = weight - 0.3 if weight > 0.3 else 0.0
        else:
            return bound
        if objective - hope < TAIL_PART * cost and (hope < target or failures >= MOST_FAILURES):
            return bound
