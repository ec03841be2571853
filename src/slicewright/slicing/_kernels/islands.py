"""Islands: several plans that search improves in turn, each by itself, and what they take over from each other.

A single plan that is improved for long ends in a valley which rounds that change a dozen devices do not leave: where
nodes are full, better plans differ from it on most nodes. Plans that grew apart are mostly right on different nodes; a
crossing gives a plan some whole nodes of another one, and whoever is in the way is inserted anew.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined, random_below
from slicewright.slicing._kernels.best_response import TOLERANCE
from slicewright.slicing._kernels.insertion import WIDTH, fill_bench, insert_from_bench
from slicewright.slicing._kernels.problem import (
    LOCAL,
    attach,
    detach,
    exact_cost,
    nodes_part,
    offloaded_cost,
    rebuild,
    total_cost,
)

MOST = 6
"""So many islands at most."""
CROSS_MOST = 4
"""Draws of nodes that a crossing takes over, at most."""
ALIKE = 1e-9
"""Two plans whose costs differ by no more than this part are taken for one and the same."""
FAVOUR = 0.25
"""Spread of the random factors of what insertions are worth."""


class Islands(NamedTuple):
    """By island: its best plan, and the one from which rounds of insertion go on."""

    link: Any  # (K, I) int64, of the best plan
    group: Any  # (K, I) int64
    cost: Any  # (K, 2) s, its exact cost (sum, what rounding took from it)
    window: Any  # (K,) rounds that end within this part above the best are followed further
    next_link: Any  # (K, I) int64, of the plan from which insertions go on
    next_group: Any  # (K, I) int64
    next_cost: Any  # (K,) s


@kernel
def make_islands(n_devices):
    """Allocate; nobody lives there yet."""
    return Islands(
        np.full((MOST, n_devices), LOCAL), np.full((MOST, n_devices), LOCAL), np.full((MOST, 2), np.inf),
        np.zeros(MOST), np.full((MOST, n_devices), LOCAL), np.full((MOST, n_devices), LOCAL), np.full(MOST, np.inf),
    )  # fmt: skip


@inlined
def keep_next(state, islands, k, cost):
    """Insertions on island k go on from the present plan."""
    islands.next_cost[k] = cost
    for i in range(state.link.size):
        islands.next_link[k, i], islands.next_group[k, i] = state.link[i], state.group[i]


@inlined
def keep_best(problem, state, islands, k):
    """The present plan is the best of island k."""
    islands.cost[k] = exact_cost(problem, state)
    for i in range(state.link.size):
        islands.link[k, i], islands.group[k, i] = state.link[i], state.group[i]
    keep_next(state, islands, k, islands.cost[k, 0])


@inlined
def settle(problem, state, islands, k):
    """The present plan is the first on island k."""
    keep_best(problem, state, islands, k)
    islands.window[k] = nodes_part(state)


@inlined
def saves(problem, state, high, low):
    """Whether the present plan is cheaper than a plan of exact cost (high, low) by more than rounding."""
    if total_cost(problem, state) > high * (1.0 + TOLERANCE):
        return False
    now_high, now_low = exact_cost(problem, state)
    return (high - now_high) + (low - now_low) > TOLERANCE * offloaded_cost(state)


@inlined
def is_elsewhere(problem, state, islands, k, count):
    """Whether the present plan seems to be the best of another one of the first ``count`` islands already."""
    cost, found = total_cost(problem, state), False
    for x in range(count):
        found = found or (x != k and abs(cost - islands.cost[x, 0]) <= ALIKE * cost)
    return found


@inlined
def best_island(islands, count):
    """Which of the first ``count`` has the cheapest plan."""
    best = 0
    for k in range(1, count):
        if (islands.cost[best, 0] - islands.cost[k, 0]) + (islands.cost[best, 1] - islands.cost[k, 1]) > 0.0:
            best = k
    return best


@outlined
def leave_all_but(islands, k):
    """Island 0 becomes what island k was."""
    islands.cost[0, 0], islands.cost[0, 1] = islands.cost[k, 0], islands.cost[k, 1]
    islands.window[0], islands.next_cost[0] = islands.window[k], islands.next_cost[k]
    for i in range(islands.link.shape[1]):
        islands.link[0, i], islands.group[0, i] = islands.link[k, i], islands.group[k, i]
        islands.next_link[0, i], islands.next_group[0, i] = islands.next_link[k, i], islands.next_group[k, i]


@outlined
def cross(problem, state, islands, k, other, random, bench, taken, chosen):
    """Give the best plan of island k some nodes of another island's; those in the way are inserted anew.

    Args:
        taken: (I,) scratch, devices.
        chosen: (J,) scratch, whether a node is taken over.
    """
    rebuild(problem, state, islands.link[k], islands.group[k])
    n_nodes, group, theirs = problem.n_nodes, state.group, islands.group[other]
    for j in range(n_nodes):
        chosen[j] = False
    for _ in range(1 + random_below(random, CROSS_MOST)):
        chosen[random_below(random, n_nodes)] = True
    homeless, comers = 0, group.size  # the former fill ``taken`` from its front, the latter from its end
    for i in range(group.size):
        if group[i] == theirs[i]:
            continue
        comes = theirs[i] != LOCAL and chosen[theirs[i] % n_nodes]
        goes = group[i] != LOCAL and chosen[group[i] % n_nodes]
        if group[i] != LOCAL and (comes or goes):
            detach(problem, state, i)
        if comes:
            comers -= 1
            taken[comers] = i
        elif goes:
            taken[homeless] = i
            homeless += 1
    for c in range(comers, group.size):
        attach(problem, state, taken[c], islands.link[other, taken[c]], theirs[taken[c]])
    m = fill_bench(problem, state, bench, random, taken, min(homeless, WIDTH), FAVOUR, True)
    insert_from_bench(problem, state, bench, m, random_below(random, 2) == 0)
