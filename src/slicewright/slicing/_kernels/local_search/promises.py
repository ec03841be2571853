"""Best response of those alone to whom prices promise something: most devices are best off where they are."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, now_ns, outlined
from slicewright.slicing._kernels.best_response import TOLERANCE, respond_alone
from slicewright.slicing._kernels.ejection.prices import keep_up, note_move
from slicewright.slicing._kernels.problem import LOCAL


@inlined
def cheapest_elsewhere(problem, r, i):
    """The least that the cost of another node grows by when device i joins it."""
    least = np.inf
    for j in range(problem.n_nodes):
        growth = r.entered[j, i]
        least = growth if growth < least and j != r.node[i] else least
    return least


@inlined
def promises(problem, state, r, i, keep_link):
    """Whether prices promise device i a better place than it has: never wrongly that there is none."""
    tau, link, group = problem.local_time[i], state.link[i], state.group[i]
    if group == LOCAL and keep_link:
        return True  # it has no place
    growth, radio = cheapest_elsewhere(problem, r, i), np.inf
    paid = compared = tau
    own, root = LOCAL, 0.0
    if group != LOCAL:
        growth = min(growth, r.back[i])
        paid, compared = r.relief[i], state.node_cost[r.node[i]]
        if keep_link:
            return growth < paid - TOLERANCE * compared
        own, root = problem.access_point[link], problem.link_root[link]
        way = root * (2.0 * state.radio[own] - root)
        paid, compared = paid + way, compared + way
    for candidate in range(problem.start[i], problem.start[i + 1]):
        a, other = problem.access_point[candidate], problem.link_root[candidate]
        radio = min(radio, other * (other + 2.0 * (state.radio[a] - (root if a == own else 0.0))))
    return min(tau, growth + radio) < paid - TOLERANCE * compared


@outlined
def descend_by_price(problem, state, r, order, count, scratch, keep_link, deadline):
    """As :func:`descend` until nobody gains, where prices are kept."""
    keep_up(problem, state, r)
    quiet, k, steps = 0, 0, 0
    while quiet < count:
        i = order[k]
        k = k + 1 if k + 1 < count else 0
        quiet += 1
        if (keep_link and state.link[i] == LOCAL) or not promises(problem, state, r, i, keep_link):
            continue
        before = state.group[i]
        if respond_alone(problem, state, i, scratch, keep_link) > 0.0:
            quiet = 0
            if state.group[i] != before:
                note_move(problem, state, r, i, before)
        steps += 1
        if (steps & 7) == 0 and now_ns() > deadline:
            break
