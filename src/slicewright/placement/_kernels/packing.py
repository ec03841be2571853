"""Packing tasks of different arrival rates into nodes whose levels are given: annealing under floors, by prices.

The linear programme of given levels takes a few tasks in parts, and where rates differ no rounding one task at a time
comes near it: to let one more large task in, users of several nodes have to change places, by way of placements that
leave another one out. Worse placements are therefore accepted while the search is hot (simulated annealing); the
floors keep the nodes at their levels, and the prices of the programme send the tasks where the others want to go least.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import now_ns, outlined, random_below, random_unit
from slicewright.placement._kernels.construct import insert_by_price, keep, sort_removed
from slicewright.placement._kernels.problem import restore, total_cost
from slicewright.placement._kernels.search import CLOCK_EVERY, SMALL_RUIN, give_order, ruin, undo

STEPS_PER_TASK = 8
HOT, COLD = 3.0, 0.1  # temperature in the beginning and at the end, of what a task costs on average
ORDERS = 5  # in which removed tasks are put back, one of them by arrival rate
LEFT_OUT = 0.5  # of the tasks whose rejection is cheaper than anything at the prices are rejected


@outlined
def repack(problem, state, scratch, guide, n, rng):
    """Put the removed tasks back in some order, where the prices regret it least; returns what they cost."""
    give_order(problem, scratch, guide, n, random_below(rng, ORDERS), rng)
    sort_removed(scratch, n)
    cost = 0.0
    for i in range(n):
        k = scratch.removed[i]
        scratch.marked[k] = False
        most = guide.rejected[k] if random_unit(rng) < LEFT_OUT else np.inf
        cost += insert_by_price(problem, state, scratch.floor, guide, k, most)
    return cost


@outlined
def pack(problem, state, scratch, guide, best, rng, steps, deadline):
    """Anneal under the floors until the steps or the time (ns) end; leaves the state at ``best`` (K,) candidates."""
    cost = least = total_cost(problem, state)
    keep(state.chosen, best)
    hot = HOT * cost / problem.count.size
    temperature = hot
    for step in range(steps):
        if step % CLOCK_EVERY == 0:
            if now_ns() >= deadline:
                break
            temperature = hot * (COLD / HOT) ** (step / steps)
        n, before = ruin(problem, state, scratch, guide, SMALL_RUIN, rng)
        after = repack(problem, state, scratch, guide, n, rng)
        if after - before < -temperature * np.log(1.0 - random_unit(rng)):
            cost += after - before
            if cost < least * (1.0 - 1e-12):
                least = cost
                keep(state.chosen, best)
        else:
            undo(problem, state, scratch, n)
    restore(problem, state, best)
