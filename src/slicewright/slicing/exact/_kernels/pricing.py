"""What resources offer at given prices, and the bound that follows.

For any prices (radio_i, compute_i >= 0) no plan is cheaper than

    sum_i min(tau_i, radio_i + compute_i) - sum over resources of the largest gain at these prices

(Lagrangian relaxation of "every device is served by an access point and by a node, unless it stays local").
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.exact._kernels.access_point import price_access_point
from slicewright.slicing.exact._kernels.master import add_entry, close_column, has_room
from slicewright.slicing.exact._kernels.node.parts import make_node_scratch
from slicewright.slicing.exact._kernels.node.search import search_node
from slicewright.slicing.exact._kernels.sets import (
    NONE,
    Offer,
    clear,
    copy_places,
    fill_by_density,
    improve_set,
    keep_if_better,
    make_scratch,
    node_cost,
)

FIRST_PARTS, FIRST_SETS = 6, 300  # effort of the search over a node's sets in a round, to begin with
MOST_PARTS, MOST_SETS = 20_000, 20_000  # when a gain is to be proven
STARTS = 4  # of local search for each node's set in a round
MORE_EFFORT = 2  # times what it was, where a proof finds a better set than the rounds before
ROUNDED = (
    8.0 * np.finfo(np.float64).eps
)  # times the number of terms and their sum: more than rounding can add


class Choices(NamedTuple):
    """What devices may do in a part of the search tree."""

    links: Any  # (A, I) int64, link of the device to the access point, or LOCAL
    alone: Any  # (I, N * J) s, infinite where it may not go
    home: Any  # (I,) bool, may stay local


class Prices(NamedTuple):
    """What devices offer."""

    radio: Any  # (I,) s
    compute: Any  # (I,) s


class PricingBuffers(NamedTuple):
    """Room to work in, and what is worth keeping between rounds."""

    offer: Any
    scratch: Any
    nodes: Any  # scratch of the search over a node's sets
    warm: Any  # (J, I) int64, the last set offered by each node
    gains: Any  # (2, J) s, gain of each node's offer and its bound
    effort: Any  # (2, J) int64, parts and sets that a round looks at


@kernel
def make_buffers(n_devices, n_nodes, n_slices):
    """Allocate."""
    effort = np.full((2, n_nodes), FIRST_PARTS)
    effort[1] = FIRST_SETS
    return PricingBuffers(
        Offer(np.full(n_devices, NONE), np.zeros(1)), make_scratch(n_devices, n_slices),
        make_node_scratch(n_devices, n_slices),
        np.full((n_nodes, n_devices), NONE), np.zeros((2, n_nodes)), effort,
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
def price_node(problem, j, choices, prices, buffers, tolerance, deadline):
    """Best set of a node, from the one in ``buffers.offer`` on, and a bound of its gain: loose if it takes long."""
    offer, scratch, gains, price = buffers.offer, buffers.scratch, buffers.gains, prices.compute
    copy_places(offer.place, scratch.tested)
    improve_set(problem, j, choices.alone, price, scratch.tested, scratch, True)
    clear(offer.place)
    offer.cost[0] = 0.0
    best = keep_if_better(problem, j, price, scratch.tested, offer, 0.0)
    gains[1, j] = search_node(
        problem, j, choices.alone, price, offer, scratch, buffers.nodes, best, best, tolerance,
        buffers.effort[0, j], buffers.effort[1, j], deadline,
    )  # fmt: skip
    gains[0, j] = gain_of(offer, price)


@outlined
def begin_set(problem, j, choices, price, buffers, start):
    """Fill ``tested`` with a set to search from: the node's last offer, nothing, by density, its neighbour's offer."""
    tested = buffers.scratch.tested
    if start == 0:
        copy_places(buffers.warm[j], tested)
    elif start == 1:
        clear(tested)
    elif start == 2:
        fill_by_density(problem, j, choices.alone, price, tested, buffers.scratch)
    else:
        copy_places(buffers.warm[(j + problem.n_nodes - 1) % problem.n_nodes], tested)


@outlined
def gather_offers(problem, choices, prices, buffers, master, tolerance, least):
    """Columns from local search alone, from several starts at each node: (the hope, how many were added).

    Nothing is known of what was missed, so no bound follows; but a round takes a fraction of the time.
    """
    n_devices, n_aps = problem.local_time.size, problem.n_access_points
    offer, price, tested = buffers.offer, prices.compute, buffers.scratch.tested
    n_cover, added = 2 * n_devices, 0
    hope = settle(problem, choices, prices)
    for a in range(n_aps):
        hope -= price_access_point(problem, choices.links[a], prices.radio, offer, buffers.scratch, tolerance)
        added += keep_offer(master, offer, a, 0, n_cover, least)
    for j in range(problem.n_nodes):
        best = 0.0
        clear(offer.place)
        offer.cost[0] = 0.0
        for start in range(STARTS):
            begin_set(problem, j, choices, price, buffers, start)
            improve_set(problem, j, choices.alone, price, tested, buffers.scratch, True)
            before, best = best, keep_if_better(problem, j, price, tested, offer, best)
            if (
                best > before
            ):  # every set on the way to the best is a column: dives fill gaps with the lesser ones
                added += keep_offer(master, offer, n_aps + j, n_devices, n_cover, least)
        copy_places(offer.place, buffers.warm[j])
        hope -= best
        added += offer_elsewhere(problem, j, choices, offer, master, n_cover, least)
    return hope, added


@outlined
def prove_node(problem, j, choices, prices, buffers, margin, tolerance, deadline):
    """The same from the last offer on, with an effort that proves its gain to ``margin`` (s) as a rule."""
    offer, gains, price, hoped = buffers.offer, buffers.gains, prices.compute, buffers.gains[0, j]
    offer.cost[0] = node_cost(problem, j, offer.place)
    bound = search_node(
        problem, j, choices.alone, price, offer, buffers.scratch, buffers.nodes, gains[0, j], gains[0, j] + margin,
        tolerance, MOST_PARTS, MOST_SETS, deadline,
    )  # fmt: skip
    gains[1, j] = min(gains[1, j], bound)
    gains[0, j] = gain_of(offer, price)
    if gains[0, j] > hoped + tolerance:
        buffers.effort[0, j] = min(MORE_EFFORT * buffers.effort[0, j], MOST_PARTS)
        buffers.effort[1, j] = min(MORE_EFFORT * buffers.effort[1, j], MOST_SETS)


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
def offer_elsewhere(problem, j, choices, offer, master, n_cover, least):
    """Make a node's set a column of every other node where it pays too: COIN nodes are much alike."""
    added, here = 0, offer.cost[0]
    for other in range(problem.n_nodes):
        if other == j:
            continue
        for i in range(offer.place.size):
            n = offer.place[i]
            if n != NONE and choices.alone[i, n * problem.n_nodes + other] == np.inf:
                break
        else:
            offer.cost[0] = node_cost(problem, other, offer.place)
            added += keep_offer(
                master, offer, problem.n_access_points + other, offer.place.size, n_cover, least
            )
    offer.cost[0] = here
    return added


@outlined
def price_everything(problem, choices, prices, buffers, master, margin, tolerance, least, deadline):
    """Offers of all resources at these prices, as columns if they pay at the master's prices.

    Nodes are searched quickly, and then, if a ``margin`` (s) is given, until their gains together are proven to it.

    Returns:
        The bound, what it would be if every offer were proven to be the best, and the number of columns added.
    """
    n_devices, n_aps = problem.local_time.size, problem.n_access_points
    offer, gains = buffers.offer, buffers.gains
    n_cover = 2 * n_devices
    total = settle(problem, choices, prices)
    hoped, size, added, loose = total, total, 0, 0
    for a in range(n_aps):
        gain = price_access_point(problem, choices.links[a], prices.radio, offer, buffers.scratch, tolerance)
        hoped -= gain
        size += gain
        added += keep_offer(master, offer, a, 0, n_cover, least)
    for j in range(problem.n_nodes):
        copy_places(buffers.warm[j], offer.place)
        price_node(problem, j, choices, prices, buffers, tolerance, deadline)
        copy_places(offer.place, buffers.warm[j])
        added += keep_offer(master, offer, n_aps + j, n_devices, n_cover, least)
        added += offer_elsewhere(problem, j, choices, offer, master, n_cover, least)
        loose += gains[1, j] > gains[0, j] + 2.0 * tolerance
    bound = hoped
    for j in range(problem.n_nodes):
        if margin > 0.0 and gains[1, j] > gains[0, j] + 2.0 * tolerance:
            copy_places(buffers.warm[j], offer.place)
            prove_node(problem, j, choices, prices, buffers, margin / loose, tolerance, deadline)
            copy_places(offer.place, buffers.warm[j])
            added += keep_offer(master, offer, n_aps + j, n_devices, n_cover, least)
        hoped -= gains[0, j]
        bound -= gains[1, j]
        size += gains[1, j]
    return bound - ROUNDED * (n_devices + n_aps + problem.n_nodes) * size, hoped, added
