"""Search over offloading decisions: local search, then rounds of ruin and recreate; anytime (model page 1.4).

Every second round touches nodes alone, since for a fixed set of offloaded devices access points and nodes are two
separate problems. Where nodes are full, rounds end with ejections, which move two devices at once. Where the
devices that stay local cost most, most rounds insert with a view of everybody instead (:mod:`insertion`): a round
takes a fraction of the time, since local search follows only where it promises something, and where there is time for
it several plans grow apart and take over nodes from each other (:mod:`islands`). Where each device has a queue of its
own, promising plans are regrouped (:mod:`groups`): exact answers to small problems of whole groups.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined, random_below, random_unit
from slicewright.slicing._kernels.best_response import FOREVER
from slicewright.slicing._kernels.ejection.prices import make_rivals
from slicewright.slicing._kernels.groups.regroup import make_regrouping, mark_all, mark_changed, regroup
from slicewright.slicing._kernels.insertion import make_bench
from slicewright.slicing._kernels.islands import (
    MOST,
    best_island,
    cross,
    is_elsewhere,
    keep_best,
    keep_next,
    leave_all_but,
    make_islands,
    saves,
    settle,
)
from slicewright.slicing._kernels.local_search.exchange import local_search, make_workspace
from slicewright.slicing._kernels.problem import (
    HOPELESS,
    LOCAL,
    RADIO_BOUND,
    Problem,
    empty_state,
    exact_cost,
    nodes_part,
    offloaded_cost,
    rebuild,
    total_cost,
)
from slicewright.slicing._kernels.rounds import (
    FAVOUR,
    climb,
    follow_with_ejections,
    insert_all,
    insertion_round,
    ruin_and_recreate,
)
from slicewright.slicing._kernels.shares import PackedPlan, shares_of

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
WANDER = 0.01
"""Insertions go on from plans up to this part above the best, to begin with; at the end from the best alone."""
WIDEN, NARROW = 3.0, 0.999
"""A new best plan widens the window to this multiple of the excess it came from; a vain attempt narrows it.

Within the window insertions are followed by local search and ejections if queues are shared. Where each device has a
queue of its own they are followed by neither: moves of whole groups find more in the same time."""
PROMISING = 0.1
"""Rounds that end within this part above the best plan are followed by moves of whole groups."""
ALONE_FIRST = 32
"""After so many rounds it is known how many there will be, and islands are settled."""
ROUNDS_EACH = 100
"""An island is worth its time where it has so many rounds."""
STAY = 32
"""So many rounds on one island before the next: prices of its nodes are known by then."""
CROSSINGS = 0.2
"""The part of rounds that are crossings where there are islands."""
ALONE_LAST = 0.2
"""In the last part of the time the best island is searched alone."""


@inlined
def local_part(problem, state):
    """The part of local devices in the cost, 0 to 1."""
    total = total_cost(problem, state)
    return 1.0 - offloaded_cost(state) / total if total > 0.0 else 0.0


@outlined
def construct(problem, state, islands, random, bench, regrouping, taken, order, scratch, deadline):
    """More plans from nothing, searched locally; the best becomes the state.

    By gain and by regret; where groups are regrouped anyway, the one by regret is worth its time alone.
    """
    keep_best(problem, state, islands, 0)
    for by_regret in range(0 if problem.shared_queue else 1, 2):
        if now_ns() > deadline:
            break
        insert_all(problem, state, random, bench, taken, 0.0, by_regret == 1)
        local_search(problem, state, order, order.size, scratch, deadline)
        if not problem.shared_queue:
            mark_all(regrouping)
            regroup(problem, state, regrouping, random, order, order.size, scratch, deadline)
        if saves(problem, state, islands.cost[0, 0], islands.cost[0, 1]):
            keep_best(problem, state, islands, 0)
    rebuild(problem, state, islands.link[0], islands.group[0])


@outlined
def populate(
    problem,
    state,
    islands,
    count,
    random,
    bench,
    rivals,
    regrouping,
    regroups,
    taken,
    order,
    scratch,
    deadline,
):
    """Settle islands up to ``count`` with plans made from nothing in random ways; how many there are then."""
    for k in range(1, count):
        if now_ns() > deadline:
            return k
        insert_all(problem, state, random, bench, taken, FAVOUR, (k & 1) == 1)
        local_search(problem, state, order, order.size, scratch, deadline)
        climb(problem, state, rivals, regrouping, regroups, random, order, scratch, deadline)
        settle(problem, state, islands, k)
    return count


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


@inlined
def islands_worthwhile(done, left):
    """How many islands have rounds enough, if ``done`` of them left this part of the time."""
    expected = done / max(1.0 - left, 1e-12)
    return max(1, min(MOST, np.int64(expected / ROUNDS_EACH)))


# Over 60 lines: the kinds of rounds share an island's plans and its window.
@kernel
def search_with_shares(problem, link, group, seed, rounds, deadline):
    """Improve a start until the deadline (ns, monotonic) or for a number of rounds.

    The start is searched from locally first, with ejections; where it matters who stays local, plans built by insertion
    are tried too. Then each round ruins a few decisions of the best plan so far, recreates them, searches locally, and
    keeps the result if it is better; rounds of insertion go on from plans a little above it. Where there is time for
    hundreds of rounds, several plans are improved so in turn, and some rounds cross two of them. Without a deadline the
    result depends on the seed alone.
    """
    began = now_ns()
    whole, problem = problem, without_hopeless(problem)
    state = empty_state(problem)
    rebuild(problem, state, link, group)
    n_devices = link.size
    order = np.argsort(-problem.local_time, kind="mergesort")  # who would lose most chooses first
    random = np.array([seed], dtype=np.uint64)
    if not total_cost(problem, state) < np.inf:  # an infeasible start is dropped
        link, group = np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
        rebuild(problem, state, link, group)
    from_nothing = offloaded_cost(state) == 0.0
    rivals, marked = make_rivals(problem), np.zeros(problem.n_nodes, np.bool_)
    scratch = make_workspace(problem, rivals)
    bench, taken = make_bench(problem), np.empty(n_devices, np.int64)
    regrouping, islands = make_regrouping(problem), make_islands(n_devices)
    near = min(n_devices, NEIGHBOURHOOD)
    local_search(problem, state, order, n_devices, scratch, deadline)
    nodes_count = nodes_part(state) > RADIO_BOUND
    regroups = nodes_count and not problem.shared_queue
    inserts = nodes_count and n_devices <= INSERT_MOST_DEVICES and local_part(problem, state) > LEFT_BEHIND
    if inserts and from_nothing:
        construct(problem, state, islands, random, bench, regrouping, taken, order, scratch, deadline)
    climb(problem, state, rivals, regrouping, regroups, random, order, scratch, deadline)
    settle(problem, state, islands, 0)
    # Where nodes are not crowded it hardly matters who chooses first, and random orders try more.
    crowded = islands.window[0] > RADIO_BOUND
    period, done, count = np.int64(1), 0, np.int64(1)
    if inserts:
        period += INSERTIONS
    while done < rounds and n_devices > 1 and now_ns() < deadline:
        done += 1
        left = time_left(began, deadline, done, rounds)
        if inserts and done == ALONE_FIRST:
            count = populate(
                problem, state, islands, islands_worthwhile(done, left), random, bench, rivals, regrouping, regroups,
                taken, order, scratch, deadline,
            )  # fmt: skip
        if count > 1 and left < ALONE_LAST:
            leave_all_but(islands, best_island(islands, count))
            count = np.int64(1)
        k = done // STAY % count
        crossing = count > 1 and random_unit(random) < CROSSINGS
        inserting = not crossing and done % period != 0
        best, best_group, reach = islands.cost[k, 0], islands.group[k], 0.0
        if problem.shared_queue or not inserts:
            reach = islands.window[k]
        if crossing:
            other = (k + 1 + random_below(random, count - 1)) % count
            cross(problem, state, islands, k, other, random, bench, taken, marked)
            if total_cost(problem, state) < best * (1.0 + reach):
                local_search(problem, state, order, near, scratch, deadline)
        elif inserting:
            rebuild(problem, state, islands.next_link[k], islands.next_group[k])
            insertion_round(problem, state, random, bench, taken)
            cost = total_cost(problem, state)
            if cost < islands.next_cost[k] * (1.0 + reach) and cost != islands.next_cost[k]:
                local_search(problem, state, order, near, scratch, deadline)
        else:
            turn = done // period
            rebuild(problem, state, islands.link[k], best_group)
            nodes_only, sorted_first = (turn & 1) == 0, crowded and (turn & 2) == 0
            ruin_and_recreate(
                problem, state, random, order, near, scratch, nodes_only, sorted_first, deadline
            )
        excess = total_cost(problem, state) / best - 1.0
        if regroups and excess < PROMISING:
            mark_changed(state, regrouping, best_group)
            regroup(problem, state, regrouping, random, order, near, scratch, deadline)
            excess = total_cost(problem, state) / best - 1.0
        if excess < reach:
            follow_with_ejections(
                problem, state, best_group, (1.0 + reach) * best, rivals, marked, order, near, scratch, deadline
            )  # fmt: skip
        if saves(problem, state, best, islands.cost[k, 1]) and not is_elsewhere(
            problem, state, islands, k, count
        ):
            if excess < reach:
                islands.window[k] = max(islands.window[k], min(WIDEN * excess, WIDEST))
            keep_best(problem, state, islands, k)
            continue
        if excess < reach:
            islands.window[k] = max(NARROW * islands.window[k], NARROWEST)
        cost = total_cost(problem, state)
        if inserting and cost < max(islands.next_cost[k], best * (1.0 + WANDER * left)):
            keep_next(state, islands, k, cost)
    k = best_island(islands, count)
    rebuild(whole, state, islands.link[k], islands.group[k])
    bandwidth, radio, compute = shares_of(whole, state)
    high, low = exact_cost(whole, state)
    return PackedPlan(islands.link[k], islands.group[k], bandwidth, radio, compute, high + low, done)
