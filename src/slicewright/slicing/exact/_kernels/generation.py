"""Column generation: prices from the master, sets from the pricing problems, until the bound is proven.

The bound is as tight as the linear programme over all sets of devices, which at published sizes is nearly integral.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, now_ns, outlined
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.exact._kernels.master import (
    add_entry,
    close_column,
    has_room,
    invert,
    set_prices,
    solve_master,
    start_basis,
)
from slicewright.slicing.exact._kernels.pricing import add_set, gather_offers, price_everything
from slicewright.slicing.exact._kernels.sets import NONE, clear, node_cost

MOST_EARLY_PROOFS = 3  # so many are tried before the master has converged
MOST_PROOFS = 200
SMOOTHING = 0.8  # weight of the best prices so far against those of the master
PRICING_PART = 1e-8  # pricing problems are solved to this part of the plan's cost
GAIN_PART = 1e-7  # columns must be worth this part of the plan's cost
MARGIN_PART = 0.02  # a bound may lose this part of the gap that the master leaves open
LEAST_MARGIN = 1e-6  # and this part of the plan's cost
GATHER_SMOOTHING = 0.5  # of cheap offers: weight of the prices so far against the master's
SINGLES = 1.5  # devices alone on a node are columns from the start up to this part of their first price
MOST_PIVOTS = 5000
TAIL_PART = 1e-6  # the master has converged when it is this near (relative) to the bound


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
    """Columns of a plan and, beside them, devices that stay local and devices alone on a node; the plan's basis."""
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
    well = invert(master, n_cover)
    set_prices(master)
    return well


@outlined
def mix_prices(master, weight, best, prices):
    """Prices between the best so far and those of the master."""
    n_devices = best.radio.size
    for i in range(n_devices):
        prices.radio[i] = weight * best.radio[i] + (1.0 - weight) * max(0.0, master.price[i])
        prices.compute[i] = weight * best.compute[i] + (1.0 - weight) * max(0.0, master.price[n_devices + i])


@outlined
def keep_prices(prices, best):
    for i in range(best.radio.size):
        best.radio[i], best.compute[i] = prices.radio[i], prices.compute[i]


@kernel
def add_pool(problem, pool, master):
    """Make columns of the sets that a walk to good prices met."""
    n_devices, n_cover = problem.local_time.size, 2 * problem.local_time.size
    for j in range(problem.n_nodes):
        for k in range(pool.count[j]):
            size = pool.size[j, k]
            if size > 0 and has_room(master, size + 1):
                for m in range(size):
                    add_entry(master, n_devices + pool.device[j, k, m], pool.slice[j, k, m])
                add_entry(master, n_cover + problem.n_access_points + j, 0)
                close_column(master, pool.cost[j, k], problem.n_access_points + j)


@outlined
def begin_columns(
    problem, choices, master, best, prices, buffers, tolerance, least, n_cover, rounds, deadline
):
    """Rounds of cheap offers, at prices that leave those to begin with step by step, until few are found."""
    well, few = True, 0
    for done in range(rounds):
        mix_prices(master, GATHER_SMOOTHING if done > 0 else 1.0, best, prices)
        keep_prices(prices, best)
        _, added = gather_offers(problem, choices, prices, buffers, master, tolerance, least)
        few = few + 1 if added == 0 else 0
        if now_ns() > deadline or few == 3:
            return well
        if added > 0 or done == 0:
            _, well = solve_master(master, n_cover, least, MOST_PIVOTS, deadline)
            if not well:
                return well
    return well


@kernel
def raise_bound(problem, choices, master, best, prices, buffers, cost, target, rounds, deadline):
    """Generate columns until the bound reaches ``target``, the master's is proven or the deadline has come.

    Rounds hope: their offers come from local search. Where the hope reaches the target, and where it meets the master,
    a bound is proven at the best prices; if that finds better offers, rounds go on.

    ``best`` holds prices to begin with and is left with those of the best bound hoped for.

    Returns:
        The best bound seen.
    """
    n_cover = 2 * problem.local_time.size
    tolerance, least = PRICING_PART * cost, GAIN_PART * cost
    bound, hope, objective, well = -np.inf, -np.inf, np.inf, True
    weight, proofs = 1.0, 0  # the first round only asks what the prices to begin with are good for
    well = begin_columns(
        problem, choices, master, best, prices, buffers, tolerance, least, n_cover, rounds, deadline
    )
    objective = set_prices(master)
    while True:
        mix_prices(master, weight, best, prices)
        hoped, added = gather_offers(problem, choices, prices, buffers, master, tolerance, least)
        if hoped > hope:
            hope = hoped
            keep_prices(prices, best)
        if now_ns() > deadline or not well:
            return bound
        met = objective - hope < TAIL_PART * cost or (added == 0 and weight == 0.0)
        margin = 0.5 * (hope - target)
        early = proofs < MOST_EARLY_PROOFS and margin > n_cover * tolerance
        if met or early:
            if not margin > n_cover * tolerance:
                margin = max(MARGIN_PART * (cost - hope), LEAST_MARGIN * cost)
            found, hope, better = price_everything(
                problem, choices, best, buffers, master, margin, tolerance, least, deadline
            )
            bound, proofs = max(bound, found), proofs + 1
            if bound >= target or (met and better == 0) or proofs == MOST_PROOFS or now_ns() > deadline:
                return bound
            added += better
        if added > 0 or weight == 1.0:
            objective, well = solve_master(master, n_cover, least, MOST_PIVOTS, deadline)
            weight = SMOOTHING
        elif weight > 0.0:
            weight = weight - 0.3 if weight > 0.3 else 0.0
