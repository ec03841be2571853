"""Closed-form shares for given decisions: SP1 and SP2 (model page 1.3)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import kernel
from slicewright.slicing._kernels.problem import ARRIVAL, LOCAL, budget, empty_state, rebuild, total_cost


class PackedPlan(NamedTuple):
    """What a search found, in the indices of the packed problem."""

    link: Any  # (I,), LOCAL where a device computes itself
    group: Any  # (I,)
    bandwidth: Any  # (A, N)
    radio: Any  # (I,)
    compute: Any  # (I,)
    cost: float  # s
    rounds: int  # that it took


@kernel
def fill_surplus(root, local_time, available, surplus):
    """Service-rate surplus x = max(1 / tau, nu / sqrt(L)) with sum L x = available; False if the floors exceed it.

    Minimises sum 1 / x subject to x >= 1 / tau (13b). The level nu falls as devices are fixed at their floor, so
    each is fixed at most once and the loop is finite.
    """
    level = np.inf
    while True:
        free_root, free = 0.0, available
        for k in range(root.size):
            if root[k] > level * local_time[k]:
                free -= root[k] * root[k] / local_time[k]
            else:
                free_root += root[k]
        if free < 0.0 or (free_root > 0.0 and free <= 0.0):
            return False
        if free_root == 0.0 or free >= level * free_root * (1.0 - 1e-14):
            break
        level = free / free_root
    for k in range(root.size):
        surplus[k] = 1.0 / local_time[k] if root[k] > level * local_time[k] else level / root[k]
    return True


@kernel
def shares_of(problem, state):
    """Optimal shares of a state: (bandwidth (A, N), radio (I,), compute (I,)); zero where unused."""
    n_devices, n_slices = problem.work.shape
    n_nodes = problem.n_nodes
    bandwidth = np.zeros((problem.n_access_points, n_slices))
    radio, compute = np.zeros(n_devices), np.zeros(n_devices)
    for i in range(n_devices):
        if state.link[i] != LOCAL:
            n = state.group[i] // n_nodes
            bandwidth[problem.access_point[state.link[i]], n] += problem.link_root[state.link[i]]
    for i in range(n_devices):
        if state.link[i] != LOCAL:
            n = state.group[i] // n_nodes
            radio[i] = problem.link_root[state.link[i]] / bandwidth[problem.access_point[state.link[i]], n]
    for a in range(bandwidth.shape[0]):
        total = 0.0
        for n in range(n_slices):
            total += bandwidth[a, n]
        for n in range(n_slices):
            bandwidth[a, n] = bandwidth[a, n] / total if total > 0.0 else 0.0
    members = np.empty(n_devices, np.int64)
    for g in range(problem.capacity.size):
        count, i = 0, state.head[g]
        while i != LOCAL:
            members[count] = i
            count += 1
            i = state.after[i]
        if count == 0:
            continue
        n = g // n_nodes
        root, tau, surplus = np.empty(count), np.empty(count), np.empty(count)
        for k in range(count):
            root[k], tau[k] = problem.work_root[members[k], n], problem.local_time[members[k]]
        fill_surplus(root, tau, budget(problem, state, g), surplus)
        for k in range(count):
            i = members[k]
            queue = state.sums[ARRIVAL, g] if problem.shared_queue else problem.arrival[i]
            compute[i] = (surplus[k] + queue) * problem.work[i, n] / problem.capacity[g]
    return bandwidth, radio, compute


@kernel
def best_shares(problem, link, group):
    """Cost and optimal shares of given decisions; the cost is infinite where no shares are feasible."""
    state = empty_state(problem)
    rebuild(problem, state, link, group)
    cost = total_cost(problem, state)
    bandwidth, radio, compute = shares_of(problem, state)
    return cost, bandwidth, radio, compute
