"""Iterated ruin and recreate with floors: the search behind ``auto``.

The tightest user of a node limits how many may use it, so good placements have a few nodes for urgent
tasks and others that are full of patient ones; going from one such division to another passes through bad
placements. An episode therefore swaps the users of two nodes, or sets floors on the limits that nodes
accept, drawn by the regrets of the lower bound, rearranges the tasks under them, drops them, and goes on
without. The best placement of all episodes is kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined, random_below, random_unit
from slicewright.placement._kernels.construct import (
    fill_by_price,
    insert,
    insert_by_price,
    keep,
    new_scratch,
    refill,
    sort_removed,
)
from slicewright.placement._kernels.problem import (
    REJECTED,
    attach,
    detach,
    empty_state,
    fits,
    restore,
    total_cost,
)

STEPS_PER_TASK = 3  # of an episode, half of them under the floors
SMALL_RUIN, LARGE_RUIN = 4, 8  # tasks taken off in one step, on average; an episode has one of them
WISHES = (
    0.3  # of the ruins make room for what a placed task would like better; those of tasks left out always do
)
BY_PRICE = 0.33  # of the steps put tasks where they are regretted least, the others where they are cheapest
AFRESH, SWAP = 0.2, 0.4  # of the episodes start from nothing, or with the users of two nodes swapped
NEW_FLOORS = 3  # nodes that get another floor when an episode starts from the best placement
THRESHOLD = 0.001  # an episode goes on from what is at most this much worse than its best
CLOCK_EVERY = 32  # steps between two looks at the clock


class Floors(NamedTuple):
    """What floors to try on each node: a few levels with the chance of each, cumulated."""

    count: Any  # (J,) int64
    level: Any  # (J, F) 1/s
    chance: Any  # (J, F) cumulative, ends at 1


@inlined
def take_off(problem, state, scratch, k, n):
    """Note a task as removed, placed or not; returns what it cost."""
    scratch.marked[k] = True
    scratch.removed[n] = k
    scratch.before[k] = state.chosen[k]
    if state.chosen[k] == REJECTED:
        return problem.rejection[k]
    cost = problem.cost[k, state.chosen[k]]
    detach(problem, state, k)
    return cost


@outlined
def tightest_user(problem, state, j):
    """The user of node j whose limit is smallest."""
    pick, tight = state.user[j, 0], np.inf
    for u in range(state.users[j]):
        k = state.user[j, u]
        side = 0 if problem.node[k, state.chosen[k], 0] == j else 1
        limit = problem.limit[k, state.chosen[k], side]
        if limit < tight:
            pick, tight = k, limit
    return pick


@outlined
def evict(problem, state, scratch, j, n, most, rng):
    """Take up to ``most`` users off node j, at random or the tightest first: (how many are off, what they cost)."""
    tightest = random_unit(rng) < 0.5
    cost = 0.0
    while most > 0 and state.users[j] > 0:
        pick = state.user[j, random_below(rng, state.users[j])]
        if tightest:
            pick = tightest_user(problem, state, j)
        cost += take_off(problem, state, scratch, pick, n)
        n += 1
        most -= 1
    return n, cost


@outlined
def wish(problem, state, guide, k, rng):
    """A candidate that task k does not have and would like: the least regretted of three drawn, or ``REJECTED``."""
    choice, least = REJECTED, np.inf
    for _ in range(3):
        c = random_below(rng, problem.count[k])
        if c != state.chosen[k] and guide.regret[k, c] < least:
            choice, least = c, guide.regret[k, c]
    return choice


@outlined
def ruin(problem, state, scratch, guide, mean, rng):
    """Take off tasks and users of the nodes they use or would like to: (how many, what they cost)."""
    target = min(guide.open.size, 1 + random_below(rng, 2 * mean - 1))
    n, cost = 0, 0.0
    while n < target:
        k = guide.open[random_below(rng, guide.open.size)]
        if scratch.marked[k]:
            continue
        c = state.chosen[k]
        if c == REJECTED or random_unit(rng) < WISHES:
            c = wish(problem, state, guide, k, rng)
            cost += take_off(problem, state, scratch, k, n)
            n += 1
            for side in range(2):
                if c != REJECTED and problem.node[k, c, side] != problem.n_nodes and n < target:
                    most = min(target - n, 1 + random_below(rng, 2))
                    n, more = evict(problem, state, scratch, problem.node[k, c, side], n, most, rng)
                    cost += more
            continue
        j = problem.node[k, c, random_below(rng, 2)]
        if j == problem.n_nodes:
            j = problem.node[k, c, 0]
        if j == problem.n_nodes:  # on its own device, where nobody else is
            cost += take_off(problem, state, scratch, k, n)
            n += 1
            continue
        n, more = evict(problem, state, scratch, j, n, min(target - n, 1 + random_below(rng, 4)), rng)
        cost += more
    return n, cost


@outlined
def give_order(problem, scratch, guide, n, kind, rng):
    """Keys of the removed tasks for one of five orders, each more or less at random."""
    for i in range(n):
        k = scratch.removed[i]
        noise = random_unit(rng)
        if kind == 1:
            noise = -problem.rejection[k] * (0.7 + 0.6 * noise)
        elif kind == 2:
            noise = problem.limit[k, 0, 0] * (0.7 + 0.6 * noise)
        elif kind == 3:
            noise = -guide.rejected[k] * (0.7 + 0.6 * noise)
        elif kind == 4:
            noise = -problem.arrival[k] * (0.7 + 0.6 * noise)
        scratch.key[k] = noise


@outlined
def recreate(problem, state, scratch, guide, n, rng):
    """Put the removed tasks back in some order, where it is cheapest or regretted least; returns what they cost."""
    kind = random_below(rng, 4)
    by_price = random_unit(rng) < BY_PRICE
    give_order(problem, scratch, guide, n, kind, rng)
    sort_removed(scratch, n)
    cost = 0.0
    for i in range(n):
        k = scratch.removed[i]
        scratch.marked[k] = False
        if by_price:
            cost += insert_by_price(problem, state, scratch.floor, guide, k, np.inf)
        else:
            cost += insert(problem, state, scratch.floor, k)
    return cost


@outlined
def undo(problem, state, scratch, n):
    """Put the removed tasks back where they were."""
    for i in range(n):
        if state.chosen[scratch.removed[i]] != REJECTED:
            detach(problem, state, scratch.removed[i])
    for i in range(n):
        k = scratch.removed[i]
        if scratch.before[k] != REJECTED:
            attach(problem, state, k, scratch.before[k])


@outlined
def descend(problem, state, scratch, guide, best, mean, rng, steps, deadline):
    """Ruin and recreate until the steps or the time end; leaves the state at ``best``, returns its cost."""
    cost = least = total_cost(problem, state)
    keep(state.chosen, best)
    for step in range(steps):
        if step % CLOCK_EVERY == 0 and now_ns() >= deadline:
            break
        n, before = ruin(problem, state, scratch, guide, mean, rng)
        after = recreate(problem, state, scratch, guide, n, rng)
        if cost - before + after <= least * (1.0 + THRESHOLD):
            cost += after - before
            if cost < least * (1.0 - 1e-12):
                least = cost
                keep(state.chosen, best)
        else:
            undo(problem, state, scratch, n)
    restore(problem, state, best)
    return total_cost(problem, state)


@outlined
def draw_floor(problem, state, scratch, floors, j, rng):
    """Set a floor on node j and take off the users below it; they come back with the next :func:`refill`."""
    at, u = 0, random_unit(rng)
    while at < floors.count[j] - 1 and floors.chance[j, at] <= u:
        at += 1
    scratch.floor[j] = floors.level[j, at]
    while state.users[j] > 0 and state.tight[j] < scratch.floor[j]:
        detach(problem, state, tightest_user(problem, state, j))


@outlined
def other_node(problem, state, j, rng):
    """A node that some user of node j could use instead at no greater cost, or j itself."""
    k = state.user[j, random_below(rng, state.users[j])]
    now = problem.cost[k, state.chosen[k]]
    seen, choice = 0, j
    for c in range(problem.count[k]):
        if problem.cost[k, c] > now:
            break
        for side in range(2):
            i = problem.node[k, c, side]
            if i != j and i != problem.n_nodes:
                seen += 1
                if random_below(rng, seen) == 0:
                    choice = i
    return choice


@outlined
def swap_roles(problem, state, scratch, a, b):
    """Send the users of node a to node b and those of b to a, as far as they fit; the others go anywhere."""
    n = 0
    for k in range(problem.count.size):
        c = state.chosen[k]
        if c == REJECTED:
            continue
        first, second = problem.node[k, c, 0], problem.node[k, c, 1]
        if first in (a, b) or second in (a, b):
            take_off(problem, state, scratch, k, n)
            n += 1
    for i in range(n):
        k = scratch.removed[i]
        scratch.marked[k] = False
        first = swapped(problem.node[k, scratch.before[k], 0], a, b)
        second = swapped(problem.node[k, scratch.before[k], 1], a, b)
        for c in range(problem.count[k]):
            same = problem.node[k, c, 0] == first and problem.node[k, c, 1] == second
            mirrored = problem.node[k, c, 0] == second and problem.node[k, c, 1] == first
            if same or mirrored:
                if fits(problem, state, k, c):
                    attach(problem, state, k, c)
                break
    for i in range(n):
        k = scratch.removed[i]
        if state.chosen[k] == REJECTED:
            insert(problem, state, scratch.floor, k)


@inlined
def swapped(j, a, b):
    if j == a:
        return b
    return a if j == b else j


@kernel
def search(problem, floors, guide, chosen, seed, deadline, iterations, enough):
    """Search until the deadline (ns), the number of steps, or an objective of at most ``enough``.

    Returns (K,) candidates of the best placement and the number of steps.
    """
    n_tasks = problem.count.size
    rng = np.array([seed], dtype=np.uint64)
    scratch = new_scratch(problem)
    state = empty_state(problem)
    best, found = chosen.copy(), np.empty(n_tasks, dtype=np.int64)
    restore(problem, state, best)
    for j in range(problem.n_nodes):
        if state.users[j] == 0:
            scratch.floor[j] = floors.level[j, 0]
    fill_by_price(problem, state, scratch, guide)
    scratch.floor[:] = -np.inf
    refill(problem, state, scratch)
    half = STEPS_PER_TASK * n_tasks // 2
    least, done, mean = np.inf, 0, SMALL_RUIN
    while True:
        steps = min(half, iterations - done)
        cost = descend(problem, state, scratch, guide, found, mean, rng, steps, deadline)
        done += steps
        if cost < least:
            least = cost
            keep(found, best)
        if least <= enough or done >= iterations or now_ns() >= deadline:
            break
        mean = SMALL_RUIN if random_below(rng, 2) == 0 else LARGE_RUIN
        kind = random_unit(rng)
        if kind < AFRESH:
            for k in range(n_tasks):
                found[k] = REJECTED
            restore(problem, state, found)
            for j in range(problem.n_nodes):
                draw_floor(problem, state, scratch, floors, j, rng)
            fill_by_price(problem, state, scratch, guide)
        elif kind < AFRESH + SWAP:
            restore(problem, state, best)
            j = random_below(rng, problem.n_nodes)
            if state.users[j] > 0:
                swap_roles(problem, state, scratch, j, other_node(problem, state, j, rng))
        else:
            restore(problem, state, best)
            for _ in range(NEW_FLOORS):
                draw_floor(problem, state, scratch, floors, random_below(rng, problem.n_nodes), rng)
        refill(problem, state, scratch)
        steps = min(half, iterations - done)
        descend(problem, state, scratch, guide, found, mean, rng, steps, deadline)
        done += steps
        scratch.floor[:] = -np.inf
        refill(problem, state, scratch)
    return best, done
