"""Search over offloading decisions: local search, then rounds of ruin and recreate; anytime (model page 1.4).

Every second round touches nodes alone, since for a fixed set of offloaded devices access points and nodes are two
separate problems. Where nodes are full, rounds end with ejections, which move two devices at once.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined, random_below
from slicewright.slicing._kernels.best_response import (
    FOREVER,
    KEEP_LINKS,
    ONE_PASS,
    TOLERANCE,
    descend,
    draw_to_front,
    local_search,
)
from slicewright.slicing._kernels.ejection import eject_each, make_rivals
from slicewright.slicing._kernels.problem import (
    LOCAL,
    RADIO_BOUND,
    detach,
    empty_state,
    leave_group,
    leave_radio,
    nodes_part,
    rebuild,
    total_cost,
    update_costs,
)
from slicewright.slicing._kernels.shares import PackedPlan, shares_of

RUIN_MOST = 12
"""At most so many devices are taken out in one round; they are put back best first come, first served."""
NEIGHBOURHOOD = 96
"""After a round, so many devices are asked again: everybody at published sizes, a random part in large networks."""
NARROWEST, WIDEST = 0.005, 0.5
"""Ejections follow where a round ends within a window above the best plan; it adapts between these (relative).

It begins with the nodes' part of what offloading costs: where radio is what counts, ejections rarely pay."""
WIDEN, NARROW = 3.0, 0.997
"""A new best plan widens the window to this multiple of the excess it came from; a vain attempt narrows it."""


@inlined
def ruin_nodes(problem, state, random, order, most):
    """Take the devices of two random nodes off them, links kept; they become the first of ``order``, shuffled."""
    one, two = random_below(random, problem.n_nodes), random_below(random, problem.n_nodes)
    count = 0
    for c in range(order.size):
        i = order[c]
        if state.link[i] != LOCAL and count < most:
            j = state.group[i] % problem.n_nodes
            if j in (one, two):
                order[count], order[c] = order[c], order[count]
                count += 1
    for c in range(count - 1, 0, -1):
        other = random_below(random, c + 1)
        order[c], order[other] = order[other], order[c]
    for c in range(count):
        leave_group(problem, state, order[c])
    update_costs(problem, state, one)
    update_costs(problem, state, two)
    return count


@outlined
def changed_to_front(problem, state, best_group, changed, order):
    """Bring the devices of nodes that differ from the best plan to the front of ``order``; how many they are."""
    n_nodes = problem.n_nodes
    for j in range(n_nodes):
        changed[j] = False
    for i in range(order.size):
        if state.group[i] != best_group[i]:
            if state.group[i] != LOCAL:
                changed[state.group[i] % n_nodes] = True
            if best_group[i] != LOCAL:
                changed[best_group[i] % n_nodes] = True
    count = 0
    for c in range(order.size):
        i = order[c]
        if state.group[i] != LOCAL and changed[state.group[i] % n_nodes]:
            order[count], order[c] = order[c], order[count]
            count += 1
    return count


@inlined
def longest_first(problem, order, count):
    """Sort the first ``count`` devices of ``order`` by falling local time: who would lose most chooses first."""
    for c in range(1, count):
        i = order[c]
        p = c - 1
        while p >= 0 and problem.local_time[order[p]] < problem.local_time[i]:
            order[p + 1] = order[p]
            p -= 1
        order[p + 1] = i


@inlined
def keep_stranded_local(problem, state, order, count):
    """Devices that no node took back give up their link."""
    for c in range(count):
        i = order[c]
        if state.link[i] != LOCAL and state.group[i] == LOCAL:
            leave_radio(problem, state, i)


@outlined
def ruin_and_recreate(
    problem, state, random, order, near, scratch, slack, nodes_only, sorted_first, deadline
):
    """Take some decisions back, make them anew one after the other, and search locally from there."""
    if nodes_only:
        count = ruin_nodes(problem, state, random, order, RUIN_MOST)
    else:
        count = min(order.size, 2 + random_below(random, RUIN_MOST - 1))
        draw_to_front(random, order, count)
        for c in range(count):
            if state.link[order[c]] != LOCAL:
                detach(problem, state, order[c])
    if sorted_first:
        longest_first(problem, order, count)
    descend(problem, state, order, count, scratch, slack, nodes_only, ONE_PASS, FOREVER)
    keep_stranded_local(problem, state, order, count)
    if nodes_only:
        descend(problem, state, order, count, scratch, slack, KEEP_LINKS, FOREVER // order.size, deadline)
    else:
        local_search(problem, state, order, near, scratch, slack, deadline)


@outlined
def follow_with_ejections(
    problem, state, best_group, most_cost, rivals, changed, order, near, scratch, slack, deadline
):
    """Ejections on nodes that differ from the best plan, while that helps and the cost is below ``most_cost``."""
    while total_cost(problem, state) < most_cost:
        count = min(changed_to_front(problem, state, best_group, changed, order), near)
        if count == 0 or eject_each(problem, state, rivals, order, count, slack, deadline) == 0.0:
            return
        local_search(problem, state, order, near, scratch, slack, deadline)


@kernel
def search_with_shares(problem, link, group, seed, rounds, deadline):
    """Improve a start until the deadline (ns, monotonic) or for a number of rounds.

    The start is searched from locally first, with ejections. Then each round ruins a few decisions of the best plan so
    far, recreates them, searches locally, and keeps the result if it is better. Without a deadline the result depends
    on the seed alone.
    """
    state = empty_state(problem)
    rebuild(problem, state, link, group)
    scratch = (np.empty(problem.n_nodes), np.empty((2, problem.capacity.size)))
    n_devices = link.size
    order = np.argsort(-problem.local_time, kind="mergesort")  # who would lose most chooses first
    random = np.array([seed], dtype=np.uint64)
    slack = TOLERANCE * total_cost(problem, state)
    if not slack < np.inf:  # an infeasible start is dropped
        link, group = np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
        rebuild(problem, state, link, group)
        slack = TOLERANCE * total_cost(problem, state)
    rivals, changed = make_rivals(problem), np.zeros(problem.n_nodes, np.bool_)
    near = min(n_devices, NEIGHBOURHOOD)
    local_search(problem, state, order, n_devices, scratch, slack, deadline)
    while now_ns() < deadline and eject_each(problem, state, rivals, order, n_devices, slack, deadline) > 0.0:
        local_search(problem, state, order, n_devices, scratch, slack, deadline)
    best, best_link, best_group = total_cost(problem, state), state.link.copy(), state.group.copy()
    done, window = 0, nodes_part(state)
    crowded = window > RADIO_BOUND  # elsewhere who chooses first hardly matters, and random orders try more
    while done < rounds and n_devices > 1 and now_ns() < deadline:
        done += 1
        nodes_only, sorted_first = (done & 1) == 0, crowded and (done & 2) == 0
        ruin_and_recreate(
            problem, state, random, order, near, scratch, slack, nodes_only, sorted_first, deadline
        )
        excess = total_cost(problem, state) / best - 1.0
        follow_with_ejections(
            problem, state, best_group, (1.0 + window) * best, rivals, changed, order, near, scratch, slack, deadline
        )  # fmt: skip
        cost = total_cost(problem, state)
        if cost < best - slack:
            if excess < window:
                window = max(window, min(WIDEN * excess, WIDEST))
            best = cost
            best_link[:] = state.link
            best_group[:] = state.group
        else:
            if excess < window:
                window = max(NARROW * window, NARROWEST)
            rebuild(problem, state, best_link, best_group)
    rebuild(problem, state, best_link, best_group)
    bandwidth, radio, compute = shares_of(problem, state)
    return PackedPlan(best_link, best_group, bandwidth, radio, compute, best, done)
