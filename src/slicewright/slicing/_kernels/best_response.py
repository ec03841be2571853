"""Best response: the moves of single devices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined, random_below
from slicewright.slicing._kernels.group_cost import filled_cost
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import (
    ARRIVAL,
    CAPACITY,
    COST,
    FLOOR,
    LOCAL,
    OWN,
    PEAK,
    ROOT,
    WORK,
    join_group,
    join_radio,
    leave_group,
    leave_radio,
    refresh_peak,
    update_costs,
)  # fmt: skip

TOLERANCE = 1e-12
"""A move must save more than this part of the costs that it compares, or rounding could make search go in circles.

Of those costs, not of the total: a device whose local time dwarfs all others must not hide what others save."""
FOREVER = np.int64(2**62)
"""A deadline that never comes."""
# Typed constants: a bare True or 1 would have numba compile the callee once more for that very value.
KEEP_LINKS, MOVE_LINKS, ONE_PASS = np.bool_(True), np.bool_(False), np.int64(1)


class Pricing(NamedTuple):
    """What a best response writes its working out on."""

    others: Any  # (J,) s
    growth: Any  # (2, N * J) s


@kernel
def make_pricing(problem):
    """Allocate."""
    return Pricing(np.empty(problem.n_nodes), np.empty((2, problem.capacity.size)))


@inlined
def cheapest_of(problem, state, first, end):
    """Of links first to end - 1 that whose access point's cost (sum sqrt T)^2 grows least: (growth, link)."""
    best, choice = np.inf, LOCAL
    for link in range(first, end):
        root = problem.link_root[link]
        growth = root * (root + 2.0 * state.radio[problem.access_point[link]])
        if growth < best:
            best, choice = growth, link
    return best, choice


@inlined
def cheapest_link(problem, state, i):
    """The link of device i that costs least: (growth, link)."""
    return cheapest_of(problem, state, problem.start[i], problem.start[i + 1])


@inlined
def price_shared(sums, node_cost, work, root, tau, alpha, others, growth):
    """Variant "node": what each node's cost grows by when a device joins one of its groups, 13b not counted.

    The newcomer lengthens the queue of the node's other slices too. ``growth`` has two rows: the cost of a group
    under the longer queue without the newcomer, and the answer. Branch-free, so that it compiles to vectors.
    """
    n_groups, n_nodes = sums.shape[1], node_cost.size
    for g in range(n_groups):
        q = sums[ROOT, g]
        left = sums[CAPACITY, g] - (sums[ARRIVAL, g] + alpha) * sums[WORK, g]
        cost = q * q / left
        growth[0, g] = cost if left >= sums[FLOOR, g] else np.inf
    for j in range(n_nodes):
        others[j] = -node_cost[j]
    for first in range(0, n_groups, n_nodes):
        for j in range(n_nodes):
            others[j] += growth[0, first + j]
    for n in range(work.size):
        first, more_work, more_root, least = n * n_nodes, work[n], root[n], work[n] / tau
        for j in range(n_nodes):
            g = first + j
            q = sums[ROOT, g] + more_root
            left = sums[CAPACITY, g] - (sums[ARRIVAL, g] + alpha) * (sums[WORK, g] + more_work)
            grown = q * q / left + (others[j] - growth[0, g])
            growth[1, g] = grown if left > sums[FLOOR, g] + least else np.inf


@inlined
def price_own(sums, n_nodes, work, root, tau, alpha, growth):
    """Variant "device": as :func:`price_shared`, where a newcomer's queue is its own affair."""
    for n in range(work.size):
        first, more_work, more_root, least = n * n_nodes, work[n], root[n], work[n] / tau
        for j in range(n_nodes):
            g = first + j
            q = sums[ROOT, g] + more_root
            left = sums[CAPACITY, g] - sums[OWN, g] - alpha * more_work
            grown = q * q / left - sums[COST, g]
            growth[1, g] = grown if left > sums[FLOOR, g] + least else np.inf


@inlined
def load_after(problem, state, i, g, joined):
    """Queue load of group g once device i has joined group ``joined`` of the same node."""
    s, alpha = state.sums, problem.arrival[i]
    extra = problem.work[i, g // problem.n_nodes] if g == joined else 0.0
    if problem.shared_queue:
        return (s[ARRIVAL, g] + alpha) * (s[WORK, g] + extra)
    return s[OWN, g] + alpha * extra


@inlined
def binds(problem, state, i, joined):
    """Whether 13b may bind somewhere on the node once device i has joined the group."""
    s = state.sums
    for g in range(joined % problem.n_nodes, problem.capacity.size, problem.n_nodes):
        root, peak = s[ROOT, g], s[PEAK, g]
        if g == joined:
            n = g // problem.n_nodes
            root += problem.work_root[i, n]
            peak = max(peak, problem.work_root[i, n] / problem.local_time[i])
        if s[CAPACITY, g] - load_after(problem, state, i, g, joined) < peak * root:
            return True
    return False


@outlined
def exact_growth(problem, state, i, joined):
    """What the node's cost grows by when device i joins the group, 13b included."""
    j = joined % problem.n_nodes
    total = -state.node_cost[j]
    for g in range(j, problem.capacity.size, problem.n_nodes):
        left = state.sums[CAPACITY, g] - load_after(problem, state, i, g, joined)
        total += filled_cost(problem, state, g, g // problem.n_nodes, left, i if g == joined else NOBODY)
    return total


@inlined
def cheapest_group(problem, state, i, scratch, limit):
    """The group whose node's cost grows least when device i joins: (growth, group), nothing at or above ``limit``.

    Prices ignore 13b at first. Since 13b can only add cost, the cheapest price is right as soon as 13b does not
    bind there; otherwise its true cost replaces it and the next cheapest is looked at.
    """
    others, growth = scratch.others, scratch.growth
    tau, alpha = problem.local_time[i], problem.arrival[i]
    if problem.shared_queue:
        price_shared(
            state.sums, state.node_cost, problem.work[i], problem.work_root[i], tau, alpha, others, growth
        )
    else:
        price_own(state.sums, problem.n_nodes, problem.work[i], problem.work_root[i], tau, alpha, growth)
    while True:
        best, choice = limit, LOCAL
        for g in range(problem.capacity.size):
            if growth[1, g] < best:
                best, choice = growth[1, g], g
        if choice == LOCAL or not binds(problem, state, i, choice):
            return best, choice
        for g in range(choice % problem.n_nodes, problem.capacity.size, problem.n_nodes):
            refresh_peak(problem, state, g)
        if not binds(problem, state, i, choice):
            return best, choice
        true = exact_growth(problem, state, i, choice)
        if true <= best + 1e-12 * abs(best):
            return true, choice
        growth[1, choice] = true


@inlined
def respond(problem, state, i, scratch, keep_link):
    """Best response: give device i its cheapest option if that saves more than rounding; returns what was saved.

    With ``keep_link`` only the node changes; a device that holds a link but no group (it was just taken off its
    node) then takes the cheapest group there is.
    """
    link, group = state.link[i], state.group[i]
    tau = problem.local_time[i]
    paid, compared = 0.0, 0.0
    if group != LOCAL:
        j = group % problem.n_nodes
        paid = compared = state.node_cost[j]
        leave_group(problem, state, i)
        update_costs(problem, state, j)
        paid -= state.node_cost[j]
    elif keep_link:
        paid = np.inf
    if keep_link:
        radio, new_link, limit = 0.0, link, paid
    else:
        if link != LOCAL:
            leave_radio(problem, state, i)
            root = problem.link_root[link]
            growth = root * (root + 2.0 * state.radio[problem.access_point[link]])
            paid, compared = paid + growth, compared + growth
        else:
            paid = compared = tau
        radio, new_link = cheapest_link(problem, state, i)
        limit = min(tau, paid) - radio
    new_group, compute = LOCAL, 0.0
    if limit > 0.0 and new_link != LOCAL:
        compute, new_group = cheapest_group(problem, state, i, scratch, limit)
    if new_group != LOCAL:
        asked = radio + compute
        if asked > paid - TOLERANCE * (compared + state.node_cost[new_group % problem.n_nodes]):
            asked, new_link, new_group = paid, link, group
    elif not keep_link and tau < paid - TOLERANCE * compared:
        return paid - tau
    else:
        asked, new_link, new_group = paid, link, group
    if new_group != LOCAL:
        if not keep_link:
            join_radio(problem, state, i, new_link)
        join_group(problem, state, i, new_group)
        update_costs(problem, state, new_group % problem.n_nodes)
    return paid - asked if paid > asked else 0.0


@outlined
def respond_alone(problem, state, i, scratch, keep_link):
    """:func:`respond`, for those who seldom call it."""
    return respond(problem, state, i, scratch, keep_link)


@outlined
def descend(problem, state, order, count, scratch, keep_link, passes, deadline):
    """Best response of the first ``count`` devices of ``order``, in turn, until a whole round brings nothing.

    Stops after ``passes`` rounds or at the deadline. With ``keep_link`` local devices stay local.
    """
    quiet, k, steps = 0, 0, 0
    while quiet < count and steps < passes * count:
        i = order[k]
        k = k + 1 if k + 1 < count else 0
        quiet += 1
        steps += 1
        if keep_link and state.link[i] == LOCAL:
            continue
        if respond(problem, state, i, scratch, keep_link) > 0.0:
            quiet = 0
        if (steps & 31) == 0 and now_ns() > deadline:
            break


@inlined
def draw_to_front(random, order, count):
    """A random sample without replacement as the first ``count`` of ``order``."""
    for c in range(count):
        other = c + random_below(random, order.size - c)
        order[c], order[other] = order[other], order[c]
