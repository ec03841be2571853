"""Search over offloading decisions: local search, then rounds of ruin and recreate; anytime (model page 1.4).

Every second round touches nodes alone, since for a fixed set of offloaded devices access points and nodes are two
separate problems. Where nodes are full, rounds end with ejections, which move two devices at once. Where the
devices that stay local cost most, most rounds insert with a view of everybody instead (:mod:`insertion`): a round
takes a fraction of the time, since local search follows only where it promises something. Where each device has a
queue of its own, promising plans are regrouped (:mod:`groups`): exact answers to small problems of whole groups.
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
from slicewright.slicing._kernels.groups.regroup import make_regrouping, mark_all, mark_changed, regroup
from slicewright.slicing._kernels.insertion import WIDTH, fill_bench, insert_from_bench, make_bench, vacate
from slicewright.slicing._kernels.problem import (
    HOPELESS,
    LOCAL,
    RADIO_BOUND,
    Problem,
    detach,
    empty_state,
    exact_cost,
    leave_group,
    leave_radio,
    nodes_part,
    offloaded_cost,
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
LEFT_BEHIND = 0.2
"""Who stays local is what counts where local devices are at least this part of the cost."""
INSERT_MOST_DEVICES = 200
"""In larger networks a bench sees too small a part of everybody."""
INSERTIONS = 3
"""So many rounds of insertion to one of the other kind."""
VACATE_MOST, FAVOUR = 10, 0.5
"""Devices that a round of insertion makes local at most; spread of the random factors of what insertions are worth."""
WANDER = 0.01
"""Insertions go on from plans up to this part above the best, to begin with; at the end from the best alone."""
WIDEN, NARROW = 3.0, 0.999
"""A new best plan widens the window to this multiple of the excess it came from; a vain attempt narrows it.

Within the window insertions are followed by local search and ejections if queues are shared. Where each device has a
queue of its own they are followed by neither: moves of whole groups find more in the same time."""
PROMISING = 0.1
"""Rounds that end within this part above the best plan are followed by moves of whole groups."""


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
        descend(problem, state, order, count, scratch, KEEP_LINKS, FOREVER // order.size, deadline)
    else:
        local_search(problem, state, order, near, scratch, deadline)


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


@inlined
def keep_plan(state, link, group):
    for i in range(link.size):
        link[i], group[i] = state.link[i], state.group[i]


@inlined
def saves(problem, state, best):
    """Whether the present plan is cheaper than ``best`` (an exact cost) by more than rounding."""
    if total_cost(problem, state) > best[0] * (1.0 + TOLERANCE):
        return False
    high, low = exact_cost(problem, state)
    return (best[0] - high) + (best[1] - low) > TOLERANCE * offloaded_cost(state)


@outlined
def insertion_round(problem, state, random, bench, taken):
    """Make some devices local, and insert them and others anew with a view of everybody."""
    count = vacate(problem, state, random, taken, random_below(random, 2) == 0, VACATE_MOST)
    m = fill_bench(problem, state, bench, random, taken, count, FAVOUR, True)
    insert_from_bench(problem, state, bench, m, random_below(random, 2) == 0)


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


@inlined
def local_part(problem, state):
    """The part of local devices in the cost, 0 to 1."""
    total = total_cost(problem, state)
    return 1.0 - offloaded_cost(state) / total if total > 0.0 else 0.0


@outlined
def construct(problem, state, random, bench, regrouping, taken, order, scratch, deadline, link, group):
    """More plans from nothing, searched locally; the best becomes the state.

    By gain and by regret; where groups are regrouped anyway, the one by regret is worth its time alone.
    """
    keep_plan(state, link, group)
    best = exact_cost(problem, state)
    for c in range(order.size):
        taken[c] = order[c]
    for by_regret in range(0 if problem.shared_queue else 1, 2):
        if now_ns() > deadline:
            break
        for i in range(order.size):
            if state.link[i] != LOCAL:
                detach(problem, state, i)
        m = fill_bench(problem, state, bench, random, taken, min(order.size, WIDTH), 0.0, False)
        insert_from_bench(problem, state, bench, m, by_regret == 1)
        local_search(problem, state, order, order.size, scratch, deadline)
        if not problem.shared_queue:
            mark_all(regrouping)
            regroup(problem, state, regrouping, random, order, order.size, scratch, deadline)
        if saves(problem, state, best):
            best = exact_cost(problem, state)
            keep_plan(state, link, group)
    rebuild(problem, state, link, group)


@kernel
def without_hopeless(problem):
    """The problem with a local time of next to nothing for devices that no node serves in time even alone.

    What they cost is the same in every plan. It may be more than all else by many orders, and would then hide what
    others save; and nobody need look at them again.
    """
    local_time = problem.local_time.copy()
    for i in range(local_time.size):
        hopeless = True
        for g in range(problem.capacity.size):
            work = problem.work[i, g // problem.n_nodes]
            if problem.capacity[g] - problem.arrival[i] * work >= work / local_time[i]:
                hopeless = False
                break
        if hopeless:
            local_time[i] = HOPELESS
    return Problem(
        problem.start, problem.access_point, problem.link_root, problem.work, problem.work_root, local_time,
        problem.arrival, problem.capacity, problem.n_nodes, problem.n_access_points, problem.shared_queue,
    )  # fmt: skip


@inlined
def time_left(began, deadline, done, rounds):
    """The part of the time, or of the rounds, that is left; without a deadline the clock plays no part."""
    used = done / rounds
    if deadline < FOREVER:
        used = max(used, (now_ns() - began) / max(deadline - began, 1))
    return 1.0 - used


# Over 60 lines: two kinds of rounds share the best plan, the present one and the window.
@kernel
def search_with_shares(problem, link, group, seed, rounds, deadline):
    """Improve a start until the deadline (ns, monotonic) or for a number of rounds.

    The start is searched from locally first, with ejections; where it matters who stays local, plans built by insertion
    are tried too. Then each round ruins a few decisions of the best plan so far, recreates them, searches locally, and
    keeps the result if it is better; rounds of insertion go on from plans a little above it. Without a deadline the
    result depends on the seed alone.
    """
    began = now_ns()
    whole, problem = problem, without_hopeless(problem)
    state = empty_state(problem)
    rebuild(problem, state, link, group)
    scratch = (np.empty(problem.n_nodes), np.empty((2, problem.capacity.size)))
    n_devices = link.size
    order = np.argsort(-problem.local_time, kind="mergesort")  # who would lose most chooses first
    random = np.array([seed], dtype=np.uint64)
    if not total_cost(problem, state) < np.inf:  # an infeasible start is dropped
        link, group = np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
        rebuild(problem, state, link, group)
    from_nothing = offloaded_cost(state) == 0.0
    rivals, changed = make_rivals(problem), np.zeros(problem.n_nodes, np.bool_)
    bench, taken = make_bench(problem), np.empty(n_devices, np.int64)
    regrouping = make_regrouping(problem)
    best_link, best_group = link.copy(), group.copy()
    near = min(n_devices, NEIGHBOURHOOD)
    local_search(problem, state, order, n_devices, scratch, deadline)
    nodes_count = nodes_part(state) > RADIO_BOUND
    regroups = nodes_count and not problem.shared_queue
    inserts = nodes_count and n_devices <= INSERT_MOST_DEVICES and local_part(problem, state) > LEFT_BEHIND
    if inserts and from_nothing:
        construct(
            problem, state, random, bench, regrouping, taken, order, scratch, deadline, best_link, best_group
        )
    climb(problem, state, rivals, regrouping, regroups, random, order, scratch, deadline)
    best = exact_cost(problem, state)
    keep_plan(state, best_link, best_group)
    now, now_link, now_group = best[0], best_link.copy(), best_group.copy()  # where insertions go on from
    done, window = 0, nodes_part(state)
    crowded = window > RADIO_BOUND  # elsewhere who chooses first hardly matters, and random orders try more
    period = np.int64(1)
    if inserts:
        period += INSERTIONS
    while done < rounds and n_devices > 1 and now_ns() < deadline:
        done += 1
        inserting = done % period != 0
        reach = window if problem.shared_queue or not inserts else 0.0
        if inserting:
            rebuild(problem, state, now_link, now_group)
            insertion_round(problem, state, random, bench, taken)
            cost = total_cost(problem, state)
            if cost < now * (1.0 + reach) and cost != now:
                local_search(problem, state, order, near, scratch, deadline)
        else:
            turn = done // period
            rebuild(problem, state, best_link, best_group)
            nodes_only, sorted_first = (turn & 1) == 0, crowded and (turn & 2) == 0
            ruin_and_recreate(
                problem, state, random, order, near, scratch, nodes_only, sorted_first, deadline
            )
        excess = total_cost(problem, state) / best[0] - 1.0
        if regroups and excess < PROMISING:
            mark_changed(state, regrouping, best_group)
            regroup(problem, state, regrouping, random, order, near, scratch, deadline)
            excess = total_cost(problem, state) / best[0] - 1.0
        if excess < reach:
            follow_with_ejections(
                problem, state, best_group, (1.0 + reach) * best[0], rivals, changed, order, near, scratch, deadline
            )  # fmt: skip
        if saves(problem, state, best):
            if excess < reach:
                window = max(window, min(WIDEN * excess, WIDEST))
            best = exact_cost(problem, state)
            keep_plan(state, best_link, best_group)
            now = best[0]
            keep_plan(state, now_link, now_group)
            continue
        if excess < reach:
            window = max(NARROW * window, NARROWEST)
        cost = total_cost(problem, state)
        if inserting and cost < max(now, best[0] * (1.0 + WANDER * time_left(began, deadline, done, rounds))):
            now = cost
            keep_plan(state, now_link, now_group)
    rebuild(whole, state, best_link, best_group)
    bandwidth, radio, compute = shares_of(whole, state)
    best = exact_cost(whole, state)
    return PackedPlan(best_link, best_group, bandwidth, radio, compute, best[0] + best[1], done)
