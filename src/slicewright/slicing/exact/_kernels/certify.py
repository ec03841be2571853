"""A proven bound from prices: a walk to good prices, then proofs of what nodes gain at them, dearest first."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, now_ns, outlined
from slicewright.slicing.exact._kernels.access_point import price_access_point
from slicewright.slicing.exact._kernels.ascent import ascend, keep_offered
from slicewright.slicing.exact._kernels.node.search import FEW, search_node
from slicewright.slicing.exact._kernels.node.small_sets import count_members
from slicewright.slicing.exact._kernels.pricing import ROUNDED, gain_of, price_node, settle
from slicewright.slicing.exact._kernels.sets import copy_places, node_cost

NEXT_WALK = 30  # rounds
WALK_PART = 0.4  # of the time left
MOST_TURNS = 7  # of walk and proof
FIRST_PARTS, FIRST_SETS = (
    14,
    100,
)  # effort of a first look at a node's sets: the whole queue in a dozen intervals
MORE_EFFORT = 3  # times what it was
MOST_PARTS, MOST_SETS = 20_000, 900  # of a node; of a slice in each
LOOSE = 0.5  # of the average: a node that leaves less open than this part is left alone
PRICED = 0.5  # of what is open: if prices leave less than this to be gained, proofs are what is needed


@outlined
def look_at_nodes(problem, choices, prices, buffers, pool, tolerance, deadline):
    """Bound at these prices from a quick look at every node's sets; returns (bound, hope)."""
    total = settle(problem, choices, prices)
    size, hope = total, total
    for a in range(problem.n_access_points):
        gain = price_access_point(
            problem, choices.links[a], prices.radio, buffers.offer, buffers.scratch, tolerance
        )
        hope -= gain
        size += gain
    bound = hope
    for j in range(problem.n_nodes):
        copy_places(buffers.warm[j], buffers.offer.place)
        buffers.effort[0, j], buffers.effort[1, j] = FIRST_PARTS, FIRST_SETS
        if count_members(buffers.offer.place) > FEW:  # of many members so few parts say hardly more than one
            buffers.effort[0, j], buffers.effort[1, j] = MORE_EFFORT * FIRST_PARTS, MORE_EFFORT * FIRST_SETS
        price_node(problem, j, choices, prices, buffers, tolerance, deadline)
        keep_offered(j, prices.compute, buffers, pool)
        hope -= buffers.gains[0, j]
        bound -= buffers.gains[1, j]
        size += buffers.gains[1, j]
    return bound - ROUNDED * (prices.radio.size + problem.n_access_points + problem.n_nodes) * size, hope


@outlined
def look_closer(problem, choices, prices, buffers, pool, tolerance, most_work, deadline):
    """Raise the effort where nodes leave most open: (by how much the bound rises, by how much the hope falls)."""
    n_nodes, gains, offer, price = problem.n_nodes, buffers.gains, buffers.offer, prices.compute
    left = 0.0
    for j in range(n_nodes):
        left += gains[1, j] - gains[0, j]
    risen, fallen, least = 0.0, 0.0, LOOSE * left / n_nodes
    for j in range(n_nodes):
        if not gains[1, j] - gains[0, j] > max(least, 2.0 * tolerance) or now_ns() > deadline:
            continue
        parts = MORE_EFFORT * buffers.effort[0, j]
        if parts > MOST_PARTS or buffers.nodes.slices.work[0] > most_work:
            continue
        buffers.effort[0, j] = parts
        buffers.effort[1, j] = min(MORE_EFFORT * buffers.effort[1, j], MOST_SETS)
        copy_places(buffers.warm[j], offer.place)
        offer.cost[0] = node_cost(problem, j, offer.place)
        bound = search_node(
            problem, j, choices.alone, price, offer, buffers.scratch, buffers.nodes, gains[0, j], gains[0, j],
            tolerance, buffers.effort[0, j], buffers.effort[1, j], deadline,
        )  # fmt: skip
        risen += max(0.0, gains[1, j] - bound)
        gains[1, j] = min(gains[1, j], bound)
        fallen += gain_of(offer, price) - gains[0, j]
        gains[0, j] = gain_of(offer, price)
        keep_offered(j, price, buffers, pool)
    return risen, fallen


@kernel
def certify(
    problem,
    choices,
    prices,
    best,
    buffers,
    pool,
    cost,
    target,
    tolerance,
    first_walk,
    rounds,
    efforts,
    most_work,
    deadline,
):
    """The best bound found from ``prices`` on, s; ``best`` is left with the prices of the last proof.

    Args:
        cost: s, of a plan.
        target: s, a bound that is enough.
        tolerance: s, nearer than this no gain is proven.
        first_walk: rounds of the walk before the first proof.
        rounds: of the walk, at most.
        efforts: how often the search over a node's sets is made longer, at most.
        most_work: candidates and sets looked at in all, beyond which no search is made longer.
        deadline: ns.
    """
    bound = -np.inf
    for turn in range(MOST_TURNS):
        walk = min(rounds, first_walk if turn == 0 else NEXT_WALK)
        rounds -= walk
        began = now_ns()
        until = began + np.int64(WALK_PART * (deadline - began))
        ascend(problem, choices, prices, best, buffers, pool, cost, tolerance, walk, until)
        found, hope = look_at_nodes(problem, choices, best, buffers, pool, tolerance, deadline)
        bound = max(bound, found)
        now = now_ns()
        # Where there is no time for another turn like this, proofs at these prices are what is left to do.
        last = turn == MOST_TURNS - 1 or now + (now - began) > deadline
        for _ in range(efforts):
            enough = bound >= target or now_ns() > deadline
            if enough or (cost - hope > PRICED * (cost - found) and rounds > 0 and not last):
                break
            risen, fallen = look_closer(problem, choices, best, buffers, pool, tolerance, most_work, deadline)
            found, hope = found + risen, hope - fallen
            bound = max(bound, found)
        else:
            return bound
        if enough:
            return bound
        for i in range(best.radio.size):
            prices.radio[i], prices.compute[i] = best.radio[i], best.compute[i]
    return bound
