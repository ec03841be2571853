"""Whole methods as single kernels: from a packed problem to decisions and shares in one call."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, now_ns
from slicewright.slicing._kernels.best_response import (
    FOREVER,
    MOVE_LINKS,
    ONE_PASS,
    cheapest_link,
    descend,
    draw_to_front,
    make_pricing,
)  # fmt: skip
from slicewright.slicing._kernels.problem import (
    LOCAL,
    empty_state,
    join_radio,
    leave_radio,
    rebuild,
    total_cost,
)
from slicewright.slicing._kernels.shares import PackedPlan, shares_of


@kernel
def best_responses(problem, seed, runs, deadline):
    """Best response from all local in several orders; the cheapest result, with its shares."""
    n_devices = problem.local_time.size
    state = empty_state(problem)
    scratch = make_pricing(problem)
    random = np.array([seed], dtype=np.uint64)
    order = np.arange(n_devices)
    local = np.full(n_devices, LOCAL)
    best, link, group = np.inf, local.copy(), local.copy()
    done = 0
    for run in range(runs):
        if run > 0:
            if now_ns() > deadline:
                break
            draw_to_front(random, order, n_devices)
        rebuild(problem, state, local, local)
        descend(problem, state, order, n_devices, scratch, MOVE_LINKS, FOREVER // n_devices, deadline)
        cost = total_cost(problem, state)
        done += 1
        if cost < best:
            best = cost
            link[:] = state.link
            group[:] = state.group
    rebuild(problem, state, link, group)
    bandwidth, radio, compute = shares_of(problem, state)
    return PackedPlan(link, group, bandwidth, radio, compute, best, done)


@kernel
def insert_greedily(problem, forced):
    """Every device once, in order, to its cheapest option; ``forced`` ignores that local may be cheaper."""
    n_devices = problem.local_time.size
    state = empty_state(problem)
    scratch = make_pricing(problem)
    order = np.arange(n_devices)
    if forced:
        for i in range(n_devices):
            _, link = cheapest_link(problem, state, i)
            if link != LOCAL:
                join_radio(problem, state, i, link)
    descend(problem, state, order, n_devices, scratch, forced, ONE_PASS, FOREVER)
    for i in range(n_devices):
        if state.link[i] != LOCAL and state.group[i] == LOCAL:  # no node takes it in time
            leave_radio(problem, state, i)
    bandwidth, radio, compute = shares_of(problem, state)
    return PackedPlan(state.link, state.group, bandwidth, radio, compute, total_cost(problem, state), 1)
