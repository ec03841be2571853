"""Column generation: prices from the master, sets from the pricing problems, until the bound is proven.

The bound is as tight as the linear programme over all sets of devices, which at published sizes is nearly integral.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, now_ns, outlined
from slicewright.slicing.exact._kernels.master import set_prices, solve_master
from slicewright.slicing.exact._kernels.pricing import gather_offers, price_everything
from slicewright.slicing.exact._kernels.solution import penalise

MOST_EARLY_PROOFS = 3  # so many are tried before the master has converged
MOST_PROOFS = 200
SMOOTHING = 0.8  # weight of the best prices so far against those of the master
PRICING_PART = 1e-8  # pricing problems are solved to this part of the plan's cost
GAIN_PART = 1e-7  # columns must be worth this part of the plan's cost
MARGIN_PART = 0.02  # a bound may lose this part of the gap that the master leaves open
LEAST_MARGIN = 1e-6  # and this part of the plan's cost
GATHER_SMOOTHING = 0.5  # of cheap offers: weight of the prices so far against the master's
MOST_PIVOTS = 5000
PENALTY = 10.0  # times the plan's cost: makes the linear programme leave columns that are forbidden
TAIL_PART = 1e-6  # the master has converged when it is this near (relative) to the bound


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


@outlined
def begin_columns(
    problem, choices, master, best, prices, buffers, tolerance, least, target, n_cover, rounds, deadline
):
    """Rounds of cheap offers, at prices that leave those to begin with step by step, until few are found.

    Or until the hope reaches ``target``, s: ``best`` is left with the prices of the last round.
    """
    well, few = True, 0
    for done in range(rounds):
        mix_prices(master, GATHER_SMOOTHING if done > 0 else 1.0, best, prices)
        keep_prices(prices, best)
        hoped, added = gather_offers(problem, choices, prices, buffers, master, tolerance, least)
        few = few + 1 if added == 0 else 0
        if now_ns() > deadline or few == 3 or hoped >= target:
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
        problem, choices, master, best, prices, buffers, tolerance, least, target, n_cover, rounds, deadline
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


@kernel
def gather_columns(problem, choices, master, best, prices, buffers, cost, target, early, rounds, deadline):
    """Cheap columns from the prices ``best`` on: ``early`` rounds, then others around the prices of the greatest hope.

    Returns:
        The master's objective, s, and whether the hope has reached ``target``, s, or met the master.
    """
    n_cover, least, tolerance = 2 * problem.local_time.size, GAIN_PART * cost, PRICING_PART * cost
    penalise(problem, choices, master, PENALTY * cost)
    well = begin_columns(
        problem, choices, master, best, prices, buffers, tolerance, least, target, n_cover, early, deadline
    )
    objective, hope, weight = set_prices(master), -np.inf, 1.0
    for _ in range(rounds):
        if not well or now_ns() > deadline:
            break
        mix_prices(master, weight, best, prices)
        hoped, added = gather_offers(problem, choices, prices, buffers, master, tolerance, least)
        if hoped > hope:
            hope = hoped
            keep_prices(prices, best)
        met = objective - hope < TAIL_PART * cost or (added == 0 and weight == 0.0)
        if met or hope >= target:
            return objective, True
        if added > 0 or weight == 1.0:
            objective, well = solve_master(master, n_cover, least, MOST_PIVOTS, deadline)
            weight = SMOOTHING
        else:
            weight = weight - 0.3 if weight > 0.3 else 0.0
    return objective, False


@kernel
def step_down(problem, choices, master, best, prices, buffers, cost, rounds, deadline):
    """Solve the master under what ``choices`` leave, then rounds of cheap columns; whether that ended well, in time."""
    n_devices = problem.local_time.size
    n_cover, least, tolerance = 2 * n_devices, GAIN_PART * cost, PRICING_PART * cost
    penalise(problem, choices, master, PENALTY * cost)
    _, well = solve_master(master, n_cover, least, MOST_PIVOTS, deadline)
    if not well or now_ns() > deadline:
        return False
    mix_prices(master, 0.0, best, prices)
    keep_prices(prices, best)
    well = begin_columns(
        problem, choices, master, best, prices, buffers, tolerance, least, np.inf, n_cover, rounds, deadline
    )
    return well and now_ns() < deadline
