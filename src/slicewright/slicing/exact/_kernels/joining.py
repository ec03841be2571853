"""What a device adds to a node's cost by joining a set: one device in one slice, and all devices in all slices at once.

A slice costs Q^2 / L, L = F - Lambda W (or F less its own load). With a device more, Q grows by its root, W by its
work and Lambda, which all slices of a node share, by its arrivals. Searches ask for this more than for anything else;
in rows, a slice after the other, it is arithmetic that processors do on several numbers at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined


class Lanes(NamedTuple):
    """Devices that could pay at a node, side by side; what they would gain is filled in by :func:`fill_gains`."""

    count: Any  # (1,) int64
    device: Any  # (I,) int64
    arrival: Any  # (I,) 1/s
    offered: Any  # (N, I) s, its price; minus infinity where it could not pay
    work: Any  # (N, I)
    root: Any  # (N, I)
    dearer: Any  # (N, I) s, by how much the slice costs more for its arrivals alone
    size: Any  # (N,) capacity


@kernel
def make_lanes(n_devices, n_slices):
    """Allocate."""
    return Lanes(
        np.zeros(1, np.int64), np.empty(n_devices, np.int64), np.empty(n_devices), np.empty((n_slices, n_devices)),
        np.empty((n_slices, n_devices)), np.empty((n_slices, n_devices)), np.empty((n_slices, n_devices)),
        np.empty(n_slices),
    )  # fmt: skip


@inlined
def charge(problem, g, root, work, own, arrivals):
    """Cost of group g with these sums, 13b not counted; infinite where its queue is unstable."""
    if root <= 0.0:
        return 0.0
    left = problem.capacity[g] - (arrivals * work if problem.shared_queue else own)
    return root * root / left if left > 0.0 else np.inf


@inlined
def gain_of_joining(problem, j, sums, i, n, price, enough):
    """By how much the value of a set grows if device i joins slice n; where that is not above ``enough``, or less.

    The other slices can only become dearer, so that they are looked at where the device's own is not dear already.
    """
    n_slices, n_nodes = problem.work.shape[1], problem.n_nodes
    alpha, work = problem.arrival[i], problem.work[i, n]
    arrivals = sums[4 * n_slices] + alpha
    gain = price + sums[3 * n_slices + n]
    gain -= charge(
        problem, n * n_nodes + j, sums[n] + problem.work_root[i, n], sums[n_slices + n] + work,
        sums[2 * n_slices + n] + alpha * work, arrivals,
    )  # fmt: skip
    if problem.shared_queue:
        for m in range(n_slices):
            if m != n and gain > enough:
                gain += sums[3 * n_slices + m]
                gain -= charge(problem, m * n_nodes + j, sums[m], sums[n_slices + m], 0.0, arrivals)
    return gain


@outlined
def list_devices(problem, j, alone, price, lanes):
    """Put every device that could pay at node j alone, in any slice, into a lane, in their order."""
    n_slices, count = problem.work.shape[1], 0
    for n in range(n_slices):
        lanes.size[n] = problem.capacity[n * problem.n_nodes + j]
    for i in range(price.size):
        some = False
        for n in range(n_slices):
            pays = alone[i, n * problem.n_nodes + j] < price[i]
            lanes.offered[n, count] = price[i] if pays else -np.inf
            some |= pays
        if some:
            lanes.device[count], lanes.arrival[count] = i, problem.arrival[i]
            for n in range(n_slices):
                lanes.work[n, count], lanes.root[n, count] = problem.work[i, n], problem.work_root[i, n]
            count += 1
    lanes.count[0] = count


@outlined
def fill_gains(lanes, shared_queue, sums, first, gains):
    """(N, I) s. By how much the value of a set grows if a device joins a slice; for lanes from ``first`` on.

    Args:
        sums: of the set, of finite cost; see ``sets``. Gains of its members mean nothing.
    """
    n_slices, count = gains.shape[0], lanes.count[0]
    arrivals, arrival = sums[4 * n_slices], lanes.arrival
    for n in range(n_slices):
        queue, work, size = arrivals, sums[n_slices + n], lanes.size[n]
        root, cost, own = sums[n], sums[3 * n_slices + n], sums[2 * n_slices + n]
        row, works, roots, offered = gains[n], lanes.work[n], lanes.root[n], lanes.offered[n]
        if shared_queue:
            dearer, square = lanes.dearer[n], root * root
            for k in range(first, count):
                left = size - (queue + arrival[k]) * work
                dearer[k] = square / left - cost if left > 0.0 else np.inf
            for k in range(first, count):
                joined, left = root + roots[k], size - (queue + arrival[k]) * (work + works[k])
                row[k] = offered[k] + cost - (joined * joined / left if left > 0.0 else np.inf)
        else:
            for k in range(first, count):
                joined, left = root + roots[k], size - own - arrival[k] * works[k]
                row[k] = offered[k] + cost - (joined * joined / left if left > 0.0 else np.inf)
    if shared_queue:
        for m in range(n_slices):
            if sums[m] > 0.0:
                for n in range(n_slices):
                    if n != m:
                        for k in range(first, count):
                            gains[n, k] -= lanes.dearer[m, k]
