"""What rounds of search do: ruin and recreate, insertion with a view of everybody, and what follows (:mod:`search`)."""

from __future__ import annotations

from slicewright.compiled import inlined, now_ns, outlined, random_below
from slicewright.slicing._kernels.best_response import (
    FOREVER,
    KEEP_LINKS,
    ONE_PASS,
    descend,
    draw_to_front,
)
from slicewright.slicing._kernels.ejection.eject import eject_each
from slicewright.slicing._kernels.groups.regroup import mark_all, regroup
from slicewright.slicing._kernels.insertion import WIDTH, fill_bench, insert_from_bench, vacate
from slicewright.slicing._kernels.local_search.exchange import descend_to_the_end, local_search
from slicewright.slicing._kernels.problem import (
    LOCAL,
    detach,
    leave_group,
    leave_radio,
    total_cost,
    update_costs,
)

RUIN_MOST = 12
"""At most so many devices are taken out in one round; they are put back best first come, first served."""
VACATE_MOST, FAVOUR = 10, 0.5
"""Devices that a round of insertion makes local at most; spread of the random factors of what insertions are worth."""


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
def ruin_and_recreate(problem, state, random, order, near, scratch, nodes_only, sorted_first, deadline):
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
    descend(problem, state, order, count, scratch, nodes_only, ONE_PASS, FOREVER)
    keep_stranded_local(problem, state, order, count)
    if nodes_only:
        descend_to_the_end(problem, state, order, count, scratch, KEEP_LINKS, deadline)
    else:
        local_search(problem, state, order, near, scratch, deadline)


@outlined
def insertion_round(problem, state, random, bench, taken):
    """Make some devices local, and insert them and others anew with a view of everybody."""
    count = vacate(problem, state, random, taken, random_below(random, 2) == 0, VACATE_MOST)
    m = fill_bench(problem, state, bench, random, taken, count, FAVOUR, True)
    insert_from_bench(problem, state, bench, m, random_below(random, 2) == 0)


@outlined
def insert_all(problem, state, random, bench, taken, noise, by_regret):
    """Everybody anew by insertion, from nothing; ``noise`` spreads random factors of what insertions are worth."""
    for i in range(state.link.size):
        taken[i] = i
        if state.link[i] != LOCAL:
            detach(problem, state, i)
    m = fill_bench(problem, state, bench, random, taken, min(state.link.size, WIDTH), noise, False)
    insert_from_bench(problem, state, bench, m, by_regret)


@outlined
def follow_with_ejections(
    problem, state, best_group, most_cost, rivals, changed, order, near, scratch, deadline
):
    """Ejections on nodes that differ from the best plan, while that helps and the cost is below ``most_cost``."""
    while total_cost(problem, state) < most_cost:
        count = min(changed_to_front(problem, state, best_group, changed, order), near)
        if count == 0 or eject_each(problem, state, rivals, order, count, deadline) == 0.0:
            return
        local_search(problem, state, order, near, scratch, deadline)


@outlined
def climb(problem, state, rivals, regrouping, regroups, random, order, scratch, deadline):
    """Moves of whole groups, ejections of everybody and local search in turn until nothing helps."""
    while True:
        if regroups:
            mark_all(regrouping)
            regroup(problem, state, regrouping, random, order, order.size, scratch, deadline)
        if now_ns() > deadline or eject_each(problem, state, rivals, order, order.size, deadline) == 0.0:
            return
        local_search(problem, state, order, order.size, scratch, deadline)
