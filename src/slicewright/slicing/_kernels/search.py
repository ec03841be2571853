"""Search over offloading decisions: best response, ruin and recreate, anytime (model page 1.4, 1.5)."""

from __future__ import annotations

import numpy as np

from slicewright.slicing._kernels.problem import (
    LOCAL,
    TOLERANCE,
    attach,
    detach,
    empty_state,
    filled_cost,
    group_cost,
    rebuild,
    refresh_peak,
    total_cost,
)
from slicewright.compiled import inlined, kernel, now_ns, random_below, random_unit, shuffle


@inlined
def cheapest_link(problem, state, i):  # type: ignore[no-untyped-def]
    """The access point whose cost (sum sqrt T)^2 grows least when device i joins: (growth, link)."""
    best, choice = np.inf, LOCAL
    for link in range(problem.start[i], problem.start[i + 1]):
        root = problem.link_root[link]
        growth = root * (root + 2.0 * state.radio[problem.access_point[link]])
        if growth < best:
            best, choice = growth, link
    return best, choice


@inlined
def price_groups(problem, state, i, scratch, others, growth):  # type: ignore[no-untyped-def]
    """Fill ``growth`` (N, J) with a lower bound on what node j's cost grows by when device i joins group (n, j).

    The bound is exact wherever 13b binds in no group of the node; infeasible groups get infinity.
    """
    n_slices, n_nodes = problem.capacity.shape
    alpha = problem.arrival[i]
    if problem.shared_queue:
        others[:] = 0.0
        for n in range(n_slices):
            for j in range(n_nodes):
                budget = problem.capacity[n, j] - (state.arrival[j] + alpha) * state.work[n, j]
                root = state.root[n, j]
                cost = root * root / budget if budget > 0.0 else np.inf
                cost = cost if budget >= state.floor[n, j] else np.inf
                cost = cost if root > 0.0 else 0.0
                scratch[n, j] = cost
        for n in range(n_slices):
            for j in range(n_nodes):
                others[j] += scratch[n, j]
        for n in range(n_slices):
            work, root_i = problem.work[i, n], problem.work_root[i, n]
            least = work / problem.local_time[i]
            for j in range(n_nodes):
                budget = problem.capacity[n, j] - (state.arrival[j] + alpha) * (state.work[n, j] + work)
                root = state.root[n, j] + root_i
                cost = root * root / budget if budget > 0.0 else np.inf
                cost = cost if budget >= state.floor[n, j] + least else np.inf
                growth[n, j] = cost + (others[j] - scratch[n, j]) - state.node_cost[j] if cost < np.inf and others[j] < np.inf else np.inf
    else:
        for n in range(n_slices):
            work, root_i = problem.work[i, n], problem.work_root[i, n]
            least = work / problem.local_time[i]
            for j in range(n_nodes):
                before = problem.capacity[n, j] - state.own[n, j]
                budget = before - alpha * work
                root = state.root[n, j] + root_i
                cost = root * root / budget if budget > 0.0 else np.inf
                cost = cost if budget >= state.floor[n, j] + least else np.inf
                old = group_cost(problem, state, n, j)
                growth[n, j] = cost - old


@inlined
def binds(problem, state, i, n, j):  # type: ignore[no-untyped-def]
    """Whether 13b may bind somewhere on node j once device i has joined its group of slice n."""
    alpha = problem.arrival[i]
    for m in range(problem.capacity.shape[0]):
        if not problem.shared_queue and m != n:
            continue
        root, peak = state.root[m, j], state.peak[m, j]
        load = (state.arrival[j] + alpha) * state.work[m, j] if problem.shared_queue else state.own[m, j]
        if m == n:
            root += problem.work_root[i, n]
            peak = max(peak, problem.work_root[i, n] / problem.local_time[i])
            load += (state.arrival[j] + alpha if problem.shared_queue else alpha) * problem.work[i, n]
        if problem.capacity[m, j] - load < peak * root:
            return True
    return False


@inlined
def exact_growth(problem, state, i, n, j):  # type: ignore[no-untyped-def]
    """What node j's cost grows by when device i joins group (n, j), 13b included."""
    alpha = problem.arrival[i]
    total = 0.0
    for m in range(problem.capacity.shape[0]):
        if problem.shared_queue:
            load = (state.arrival[j] + alpha) * state.work[m, j]
        else:
            load = state.own[m, j]
        if m == n:
            load += (state.arrival[j] + alpha if problem.shared_queue else alpha) * problem.work[i, n]
            total += filled_cost(problem, state, m, j, problem.capacity[m, j] - load, i)
        elif state.root[m, j] > 0.0:
            total += filled_cost(problem, state, m, j, problem.capacity[m, j] - load, LOCAL)
    return total - state.node_cost[j]


@inlined
def cheapest_group(problem, state, i, scratch, others, growth, limit):  # type: ignore[no-untyped-def]
    """The group whose node's cost grows least when device i joins: (growth, group), nothing at or above ``limit``.

    Prices ignore 13b at first. Since 13b can only add cost, the cheapest price is right as soon as 13b does not
    bind there; otherwise its true cost replaces it and the next cheapest is looked at.
    """
    price_groups(problem, state, i, scratch, others, growth)
    n_slices, n_nodes = problem.capacity.shape
    while True:
        best, choice = limit, LOCAL
        for n in range(n_slices):
            for j in range(n_nodes):
                if growth[n, j] < best:
                    best, choice = growth[n, j], n * n_nodes + j
        if choice == LOCAL:
            return np.inf, LOCAL
        n, j = choice // n_nodes, choice % n_nodes
        if not binds(problem, state, i, n, j):
            return best, choice
        for m in range(n_slices):
            refresh_peak(problem, state, m, j)
        if not binds(problem, state, i, n, j):
            return best, choice
        true = exact_growth(problem, state, i, n, j)
        if true <= best * (1.0 + 1e-12) + 1e-15:
            return true, choice
        growth[n, j] = true


@inlined
def place_best(problem, state, i, scratch, others, growth):  # type: ignore[no-untyped-def]
    """Give a detached device its cheapest option; returns what the system cost grows by over its absence."""
    radio, link = cheapest_link(problem, state, i)
    tau = problem.local_time[i]
    if radio < tau:
        compute, group = cheapest_group(problem, state, i, scratch, others, growth, tau - radio)
        if group != LOCAL:
            attach(problem, state, i, link, group)
            return radio + compute
    return tau


@inlined
def descend(problem, state, order, scratch, others, growth, deadline):  # type: ignore[no-untyped-def]
    """Best response in turn until nobody gains (or the deadline); returns the passes' number of moves."""
    n_devices = order.size
    moves, quiet, k = 0, 0, 0
    slack = TOLERANCE * total_cost(problem, state)
    while quiet < n_devices:
        i = order[k]
        k = k + 1 if k + 1 < n_devices else 0
        link, group = state.link[i], state.group[i]
        if link == LOCAL:
            place_best(problem, state, i, scratch, others, growth)
            if state.link[i] == LOCAL:
                quiet += 1
                continue
        else:
            j = group % problem.capacity.shape[1]
            node_before = state.node_cost[j]
            detach(problem, state, i)
            root = problem.link_root[link]
            saved = root * (root + 2.0 * state.radio[problem.access_point[link]]) + node_before - state.node_cost[j]
            grown = place_best(problem, state, i, scratch, others, growth)
            if state.link[i] == link and state.group[i] == group:
                quiet += 1
                continue
            if not grown < saved - slack:
                if state.link[i] != LOCAL:
                    detach(problem, state, i)
                attach(problem, state, i, link, group)
                quiet += 1
                continue
        moves += 1
        quiet = 0
        if deadline > 0 and (moves & 15) == 0 and now_ns() > deadline:
            break
    return moves


@kernel
def best_response(problem, n_access_points, order, link, group, deadline):  # type: ignore[no-untyped-def]
    state = empty_state(problem, n_access_points)
    rebuild(problem, state, link, group)
    scratch, growth = np.empty(problem.capacity.shape), np.empty(problem.capacity.shape)
    others = np.empty(problem.capacity.shape[1])
    descend(problem, state, order, scratch, others, growth, deadline)
    return state


@kernel
def iterate(problem, n_access_points, link, group, seed, deadline, rounds, kmax, temperature):  # type: ignore[no-untyped-def]
    state = empty_state(problem, n_access_points)
    rebuild(problem, state, link, group)
    scratch, growth = np.empty(problem.capacity.shape), np.empty(problem.capacity.shape)
    others = np.empty(problem.capacity.shape[1])
    n_devices = link.size
    order = np.arange(n_devices)
    rng = np.array([seed], dtype=np.uint64)
    descend(problem, state, order, scratch, others, growth, deadline)
    current = total_cost(problem, state)
    best = current
    best_link, best_group = state.link.copy(), state.group.copy()
    cur_link, cur_group = state.link.copy(), state.group.copy()
    done = 0
    while done < rounds and now_ns() < deadline:
        done += 1
        count = 2 + random_below(rng, kmax - 1)
        if count > n_devices:
            count = n_devices
        # ruin
        for c in range(count):
            o = c + random_below(rng, n_devices - c)
            order[c], order[o] = order[o], order[c]
        for c in range(count):
            if state.link[order[c]] != LOCAL:
                detach(problem, state, order[c])
        for c in range(count):
            place_best(problem, state, order[c], scratch, others, growth)
        descend(problem, state, order, scratch, others, growth, deadline)
        cost = total_cost(problem, state)
        if cost < best - TOLERANCE * best:
            best = cost
            best_link[:] = state.link
            best_group[:] = state.group
        if cost < current * (1.0 + temperature * random_unit(rng)):
            current = cost
            cur_link[:] = state.link
            cur_group[:] = state.group
        else:
            rebuild(problem, state, cur_link, cur_group)
    rebuild(problem, state, best_link, best_group)
    return state, done
