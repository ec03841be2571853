"""A city's bound made tighter at its prices: whole sets of devices are looked at where the relaxation loses most.

The relaxation of a node splits devices. Where a node serves a dozen of them near the pole of its queue, that is most of
what a bound loses. Nodes are independent at given prices, so that each may take the lesser of both gains.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from slicewright.judging import ROUNDING
from slicewright.slicing._kernels.problem import total_cost
from slicewright.slicing.city._kernels.bound import ROUNDED, payments
from slicewright.slicing.city._kernels.problem import Problem, State, listing
from slicewright.slicing.city._kernels.whole_sets import prove_sets, relaxed_gains
from slicewright.slicing.city.bound import CityProof
from slicewright.slicing.city.search import FOREVER

CLOSE_ENOUGH = 0.005
"""Part of the bound: a plan that lies no farther above it needs no sets."""
EFFORTS = ((14, 100), (42, 300), (126, 900))
"""Parts and sets that the searches of a node look at, one after the other where much is left."""
# Sets that are found say how much proofs can lower gains at most. With 1,000 devices that is 68 % of what is open in
# `city/balanced` after the first searches, and the next ones close a third of it in a second; in `city/realistic` it
# is 41 %, and they close a sixth in three seconds.
WORTH = 0.5
"""Part of what is open that searches have to be able to close, or no more are made unless a budget is given."""
LOOSE = 0.5
"""Of the average: nodes that leave less open than this part are left alone."""
MOST_LISTERS = 3_000
"""Of a node whose sets are looked at: searches keep an array of all of them for every part."""
MOST_WORK = 8e6
"""Parts times listers of all searches where no budget ends them: 30 s (balanced) to 50 s (realistic) of a processor."""
TOLERANCE = 1e-4
"""Part of the plan's cost to which gains of nodes, all together, are worked out."""


def tighten(
    problem: Problem,
    state: State,
    proof: CityProof,
    *,
    most_work: float = MOST_WORK,
    budget_s: float | None = None,
    threads: int | None = None,
) -> float:
    """A bound that is at least that of a proof, s.

    Args:
        problem: the city.
        state: a plan; where its nodes' sets begin, and how far above the bound it lies.
        proof: prices and multipliers.
        most_work: parts times listers that searches may look at together, where no budget ends them.
        budget_s: stop after this time, s. Without it the bound does not depend on the clock.
        threads: by default one for each processor. The bound does not depend on it.
    """
    cost = float(total_cost(problem, state))
    if cost <= proof.bound_s * (1.0 + CLOSE_ENOUGH):
        return proof.bound_s
    deadline = FOREVER if budget_s is None else time.perf_counter_ns() + int(min(budget_s, 1e9) * 1e9)
    nodes, numbers = problem.capacity.shape[0], proof.multipliers
    first, rows = listing(problem.node_start, problem.node_end, problem.node, nodes)
    gains, found = np.empty(nodes), np.zeros(nodes)
    relaxed_gains(problem, numbers, first, rows, 0, nodes, gains)
    taken, spread = np.empty(problem.local_time.size), np.zeros(problem.n_access_points)
    paid = float(payments(problem, numbers, 0, problem.local_time.size, taken, spread))
    radio = float((numbers.radio**2).sum())
    tolerance = TOLERANCE * cost / max(1, nodes)

    def search(j: int, parts: int, sets: int) -> None:
        if time.perf_counter_ns() < deadline:
            found[j], most = prove_sets(
                problem, numbers.compute, state, j, first, rows, tolerance, parts, sets, deadline
            )
            gains[j] = min(gains[j], most)

    listers, worked = np.diff(first), 0.0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for parts, sets in EFFORTS:
            left = np.where(listers <= MOST_LISTERS, gains - found, 0.0)
            wanted = np.flatnonzero(left > max(LOOSE * float(left.mean()), 2.0 * tolerance))
            worked += float(parts * listers[wanted].sum())
            if budget_s is None and worked > most_work:
                break
            by_left = wanted[np.argsort(-left[wanted], kind="stable")].tolist()
            list(pool.map(search, by_left, [parts] * len(by_left), [sets] * len(by_left)))
            proven = paid - radio - float(gains.sum())
            if cost <= proven * (1.0 + CLOSE_ENOUGH):
                break
            if budget_s is None and (gains - found)[wanted].sum() < WORTH * (cost - proven):
                break
    terms = problem.local_time.size + gains.size + numbers.radio.size
    value = paid - radio - float(gains.sum()) - ROUNDED * terms * (paid + radio + float(gains.sum()))
    return float(max(proof.bound_s, max(value, 0.0) * (1.0 - ROUNDING)))
