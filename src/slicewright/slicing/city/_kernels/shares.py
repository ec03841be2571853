"""Closed-form shares of decisions on lists of candidates: SP1 and SP2 (model page 1.3)."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing._kernels.shares import fill_surplus
from slicewright.slicing.city._kernels.listings import stretch
from slicewright.slicing.city._kernels.problem import budget


@kernel
def shares_of(problem, state):
    """Optimal shares of a state: (bandwidth (A, N), radio (I,), compute (I,)); zero where unused."""
    n_devices, n_slices = problem.work.shape
    bandwidth = np.zeros((problem.n_access_points, n_slices))
    radio, compute = np.zeros(n_devices), np.zeros(n_devices)
    for i in range(n_devices):
        if state.link[i] != LOCAL:
            bandwidth[problem.access_point[state.link[i]], state.slice[i]] += problem.link_root[state.link[i]]
    for i in range(n_devices):
        if state.link[i] != LOCAL:
            cell = bandwidth[problem.access_point[state.link[i]], state.slice[i]]
            radio[i] = problem.link_root[state.link[i]] / cell
    for a in range(bandwidth.shape[0]):
        total = bandwidth[a].sum()
        for n in range(n_slices):
            bandwidth[a, n] = bandwidth[a, n] / total if total > 0.0 else 0.0
    for j in range(problem.capacity.shape[0]):
        for n in range(n_slices):
            _fill_group(problem, state, j, n, compute)
    return bandwidth, radio, compute


@kernel
def _surplus_of(problem, state, j, n):
    """(Members of a group, service rate in tasks/s that each has beyond its queue)."""
    count, i = 0, state.head[j, n]
    while i != NOBODY:
        count += 1
        i = state.after[i]
    members = np.empty(count, np.int64)
    root, tau, surplus = np.empty(count), np.empty(count), np.empty(count)
    i = state.head[j, n]
    for k in range(count):
        members[k], root[k], tau[k] = i, problem.work_root[i, n], problem.local_time[i]
        i = state.after[i]
    if count > 0:
        fill_surplus(root, tau, budget(problem, state, j, n), surplus)
    return members, surplus


@kernel
def _fill_group(problem, state, j, n, compute):
    """Shares of one group's devices."""
    members, surplus = _surplus_of(problem, state, j, n)
    for k in range(members.size):
        i = members[k]
        queue = state.arrivals[j] if problem.shared_queue else problem.arrival[i]
        compute[i] = (surplus[k] + queue) * problem.work[i, n] / problem.capacity[j, n]


@kernel
def shares_at(problem, state, by_access_point, i):
    """One device's shares and times: (omega, phi of radio, phi of compute, transmission s, execution s)."""
    link = state.link[i]
    if link == LOCAL:
        return 0.0, 0.0, 0.0, 0.0, problem.local_time[i]
    a, j, n = problem.access_point[link], state.node[i], state.slice[i]
    cell = 0.0
    first, last = stretch(by_access_point, a)
    for at in range(first, last):
        entry = by_access_point.pool[at]
        other = entry // by_access_point.width
        if state.link[other] == entry and state.slice[other] == n:
            cell += problem.link_root[entry]
    own, share, execution = problem.link_root[link], 0.0, np.inf
    members, surplus = _surplus_of(problem, state, j, n)
    for k in range(members.size):
        if members[k] == i:
            queue = state.arrivals[j] if problem.shared_queue else problem.arrival[i]
            share = (surplus[k] + queue) * problem.work[i, n] / problem.capacity[j, n]
            execution = 1.0 / surplus[k]
    return cell / state.radio[a], own / cell, share, own * state.radio[a], execution
