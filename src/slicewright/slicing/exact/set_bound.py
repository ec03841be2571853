"""The bound from whole sets of devices: prices by a walk, and proofs of what nodes gain at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.slicing._kernels.problem import Problem
from slicewright.slicing.exact._kernels.ascent import Pool, ascend, make_pool, marginal_prices
from slicewright.slicing.exact._kernels.certify import certify
from slicewright.slicing.exact._kernels.pricing import Choices, Prices, PricingBuffers, make_buffers
from slicewright.slicing.search import UNLIMITED
from slicewright.types import IntArray

RELAXED = 0.04
"""Prices of the relaxation are where the walk begins if it leaves less than this, else what the plan's devices cost."""
TOLERANCE = 1e-4
"""Part of the plan's cost to which gains of resources, all together, are worked out."""
WALK_ROUNDS = 200
FIRST_WALK, LONG_WALK, LOOK_AROUND = 60, 120, 2
"""Rounds of the walk before the first proof: from what a plan costs, the same where there is time for one proof only
(at most the walk's part of it), and from prices that are good already."""
MOST_EFFORTS = 8
FAR_OFF = 0.03
"""Prices that promise less than the plan's cost by more than this part are walked on from before anything is proven."""


@dataclass(frozen=True)
class SetBound:
    """What is proven, and what is worth keeping.

    Attributes:
        bound: s, no feasible plan is cheaper.
        prices: that prove it, or nearly.
        pool: sets that nodes would serve at such prices.
        buffers: with each node's last set.
    """

    bound: float
    prices: Prices
    pool: Pool
    buffers: PricingBuffers


def bound_of_sets(
    problem: Problem,
    choices: Choices,
    link: IntArray,
    group: IntArray,
    relaxed: Prices,
    *,
    relaxed_bound: float,
    cost: float,
    target: float,
    rounds: int = WALK_ROUNDS,
    begin: Prices | None = None,
    efforts: int = MOST_EFFORTS,
    most_work: int = UNLIMITED,
    deadline: int,
) -> SetBound:
    """Bound the cost of every plan.

    Args:
        link, group: (I,) a plan's decisions; the better, the sooner prices are good.
        relaxed, relaxed_bound: prices and bound, s, of the convex relaxation.
        cost: s, of the plan, or more.
        target: s, a bound that is enough.
        rounds: of the walk, at most.
        begin: prices that may be good already: proofs follow after a look around if they are, else a walk comes first,
            from them or from where it would begin without, whichever promises more.
        efforts: how often the search over a node's sets is made longer, at most.
        most_work: candidates and sets looked at in all, beyond which no search is made longer.
        deadline: ns.
    """
    n_devices, n_nodes = link.size, problem.n_nodes
    buffers, pool = make_buffers(n_devices, n_nodes, problem.work.shape[1]), make_pool(n_nodes)
    served = np.flatnonzero(group >= 0)
    buffers.warm[group[served] % n_nodes, served] = group[served] // n_nodes
    first, best = (Prices(np.zeros(n_devices), np.zeros(n_devices)) for _ in range(2))
    tolerance = TOLERANCE * cost / (problem.n_access_points + n_nodes)
    walk = FIRST_WALK if deadline == UNLIMITED else LONG_WALK

    def hope_of(prices: Prices) -> float:
        start = _copy(prices)
        hope = ascend(problem, choices, start, best, buffers, pool, cost, tolerance, LOOK_AROUND, deadline)
        return float(hope)

    promised = -np.inf if begin is None else hope_of(begin)
    if begin is not None and promised > (1.0 - FAR_OFF) * cost:
        first, walk = _copy(begin), LOOK_AROUND
    else:
        near = cost <= relaxed_bound * (1.0 + RELAXED)
        if near or not marginal_prices(problem, link, group, buffers, first):
            first = _copy(relaxed)
        if begin is not None and promised > hope_of(first):
            first = _copy(begin)
    bound = certify(
        problem, choices, first, best, buffers, pool, cost, target, tolerance, walk, rounds, efforts, most_work,
        deadline,
    )  # fmt: skip
    return SetBound(float(bound), best, pool, buffers)


def _copy(prices: Prices) -> Prices:
    return Prices(prices.radio.copy(), prices.compute.copy())
