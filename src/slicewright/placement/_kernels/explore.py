"""Search over the levels of nodes: settle them from a few beginnings, then disturb some and settle again.

The division of a network into nodes for urgent tasks and nodes for patient ones is most of what makes a placement
good, and single tasks that move hardly ever change it. Here a step gives one to three nodes other levels, lets the
others answer, builds the placement that the resulting prices suggest, packs it where arrival rates differ
(:mod:`.packing`), and polishes it by a short search. Levels whose programme is dearer than the best placement are not
built: no placement of theirs is better.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, now_ns, outlined, random_below, random_unit
from slicewright.placement._kernels.construct import Guide, fill_by_price, keep, new_scratch, refill
from slicewright.placement._kernels.levels import PASSES, respond, settle, settled_regrets, value_at
from slicewright.placement._kernels.packing import STEPS_PER_TASK as PACKING_PER_TASK
from slicewright.placement._kernels.packing import pack
from slicewright.placement._kernels.problem import REJECTED, empty_state, restore, total_cost
from slicewright.placement._kernels.search import SMALL_RUIN, descend

BEGINNINGS = np.array([0.25, 0.0, 0.1, 0.5])
"""Prices to begin with, as parts of what a typical task would pay not to be rejected."""
SKETCHED = -1  # in place of how many beginnings are over
FIRST_SWEEPS, SWEEPS = 10, 3
ROUGH = (
    0.5  # of the steps let all nodes answer at once, unseen prices or not; more nodes change, for less time
)
MOST_DISTURBED = 3  # nodes in one step
STUBBORN = 0.5  # of the steps leave the disturbed nodes the levels they were given
POLISH_PER_TASK = 2  # steps of the short search
WORTH_PACKING = 0.1  # relative: of placements that are further above the value of their programme
WEIGHT_PER_TASK = 3  # steps that settling and building count as, where steps are limited


@outlined
def disturb(copies, levels, fixed, rng):
    """Draw other levels and prices for a few nodes and mark these."""
    for j in range(fixed.size):
        fixed[j] = False
    for _ in range(1 + random_below(rng, MOST_DISTURBED)):
        j = random_below(rng, fixed.size)
        if copies.levels[j] > 0:
            fixed[j] = True
            levels.level[j] = random_below(rng, copies.levels[j])
            levels.price[j] *= 2.0 * random_unit(rng)


@outlined
def build(problem, copies, levels, state, scratch, guide, found, value, packing, rng, deadline):
    """Make the state what the levels and their prices suggest; returns the steps of packing, of ``packing`` at most.

    Nothing is packed where the placement is near the ``value`` of the programme as it is.
    """
    settled_regrets(problem, copies, levels, guide.regret, guide.rejected)
    for k in range(problem.count.size):
        found[k] = REJECTED
    restore(problem, state, found)
    for j in range(problem.n_nodes):
        if copies.levels[j] > 0:
            scratch.floor[j] = copies.floor[j, levels.level[j]]
    fill_by_price(problem, state, scratch, guide)
    packed = packing if total_cost(problem, state) > value * (1.0 + WORTH_PACKING) else 0
    if packed > 0:
        pack(problem, state, scratch, guide, found, rng, packed, deadline)
    for j in range(problem.n_nodes):
        scratch.floor[j] = -np.inf
    refill(problem, state, scratch)
    return packed


@kernel
def sketch(copies, grid, levels, typical, rounds, seed, deadline):
    """Leave the best levels of a sample of the tasks in ``levels``, by their programme alone: nothing is built.

    Two beginnings are made whatever the time (ns).
    """
    nodes = copies.levels.size
    rng = np.array([seed], dtype=np.uint64)
    fixed, free = np.zeros(nodes, dtype=np.bool_), np.zeros(nodes, dtype=np.bool_)
    level, price = levels.level.copy(), levels.price.copy()
    dearest = grid.rejection.sum()
    least = np.inf
    for turn in range(rounds):
        if turn > 1 and now_ns() >= deadline:
            break
        j = random_below(rng, nodes)
        if turn < BEGINNINGS.size:
            levels.level[:] = 0
            levels.price[:nodes] = BEGINNINGS[turn] * typical
            settle(copies, grid, levels, free, FIRST_SWEEPS, deadline)
            value = value_at(copies, grid, levels, dearest, 2 * PASSES)
        else:
            levels.level[:], levels.price[:] = level, price
            disturb(copies, levels, fixed, rng)
            value = value_at(copies, grid, levels, 2.0 * least, PASSES)
            value = respond(copies, grid, levels, fixed, value, j, deadline)
        value = respond(copies, grid, levels, free, value, j, deadline)
        if value < least:
            least = value
            level[:], price[:] = levels.level, levels.price
    levels.level[:], levels.price[:] = level, price


# Over 60 lines by what is told about its arguments, and by the best levels, which every kind of trial reads and writes.
@kernel
def explore(
    problem, copies, grid, levels, some, chosen, typical, begun, rounds, seed, deadline, steps, enough
):
    """Search from ``chosen`` (K,) until the rounds, the time (ns) or the steps end, or ``enough`` is reached.

    ``begun`` beginnings are over, and without any there is one whatever the time. ``levels`` holds the best levels
    known when it is above 0, and afterwards; ``SKETCHED`` means that they are those of a sample, to begin with.
    Returns (K,) candidates of the best placement, the rounds and the steps made.
    """
    n_tasks, nodes = problem.count.size, problem.n_nodes
    rng = np.array([seed], dtype=np.uint64)
    scratch, state = new_scratch(problem), empty_state(problem)
    guide = Guide(np.empty(problem.cost.shape), np.empty(n_tasks), some)
    fixed, free = np.zeros(nodes, dtype=np.bool_), np.zeros(nodes, dtype=np.bool_)
    level, price = levels.level.copy(), levels.price.copy()
    best, found = chosen.copy(), np.empty(n_tasks, dtype=np.int64)
    restore(problem, state, best)
    least = total_cost(problem, state)
    at = least if begun > 0 else np.inf
    packing = 0  # where rates are equal it gained nothing that could be measured
    if (problem.arrival != problem.arrival[0]).any():
        packing = PACKING_PER_TASK * n_tasks
    done = turn = 0
    while turn < rounds and done < steps and least > enough:
        if (begun > 0 or turn > 0) and now_ns() >= deadline:  # there is always time for one beginning
            break
        j = random_below(rng, nodes)
        if begun + turn == SKETCHED:
            value = value_at(copies, grid, levels, least, PASSES)
            value = respond(copies, grid, levels, free, value, j, deadline)
        elif begun + turn < BEGINNINGS.size:
            levels.level[:] = 0
            levels.price[:nodes] = BEGINNINGS[begun + turn] * typical
            settle(copies, grid, levels, free, FIRST_SWEEPS, deadline)
            value = value_at(copies, grid, levels, least, 2 * PASSES)
            value = respond(copies, grid, levels, free, value, j, deadline)
        else:
            levels.level[:], levels.price[:] = level, price
            disturb(copies, levels, fixed, rng)
            if random_unit(rng) < ROUGH:
                settle(copies, grid, levels, fixed, 1, deadline)
                settle(copies, grid, levels, fixed if random_unit(rng) < STUBBORN else free, SWEEPS, deadline)
                value = value_at(copies, grid, levels, least, PASSES)
            else:
                value = value_at(copies, grid, levels, 2.0 * least, PASSES)
                value = respond(copies, grid, levels, fixed, value, j, deadline)
                if random_unit(rng) >= STUBBORN:
                    value = respond(copies, grid, levels, free, value, j, deadline)
        turn += 1
        done += WEIGHT_PER_TASK * n_tasks
        if value >= least:
            continue
        most = min(packing, steps - done)
        done += build(problem, copies, levels, state, scratch, guide, found, value, most, rng, deadline)
        polish = min(POLISH_PER_TASK * n_tasks, steps - done)
        cost = descend(problem, state, scratch, guide, found, SMALL_RUIN, rng, polish, deadline)
        done += polish
        if cost <= at:
            at = cost
            level[:], price[:] = levels.level, levels.price
        if cost < least:
            least = cost
            keep(found, best)
    levels.level[:], levels.price[:] = level, price
    return best, turn, done
