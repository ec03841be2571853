"""Columns that are known before anything is priced: those of plans, of devices alone, and of a walk to good prices."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, outlined
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.exact._kernels.master import (
    add_entry,
    close_column,
    has_room,
    invert,
    set_prices,
    start_basis,
)
from slicewright.slicing.exact._kernels.pricing import add_set
from slicewright.slicing.exact._kernels.sets import NONE, clear, node_cost

SINGLES = 1.5  # devices alone on a node are columns from the start up to this part of their first price


@outlined
def set_cost(problem, place, link, e):
    """True cost of a set on a resource."""
    if e >= problem.n_access_points:
        return node_cost(problem, e - problem.n_access_points, place)
    total = 0.0
    for i in range(place.size):
        if place[i] != NONE:
            total += problem.link_root[link[i]]
    return total * total


@outlined
def add_served(problem, master, link, group, e, place):
    """Make the set that a plan gives a resource a column: its number, or LOCAL if it is empty or there is no room."""
    n_devices, n_aps, n_nodes, some = link.size, problem.n_access_points, problem.n_nodes, False
    for i in range(n_devices):
        place[i] = NONE
        if link[i] == LOCAL:
            continue
        if e < n_aps and problem.access_point[link[i]] == e:
            place[i], some = 0, True
        if e >= n_aps and group[i] % n_nodes == e - n_aps:
            place[i], some = group[i] // n_nodes, True
    if not some:
        return LOCAL
    shift = 0 if e < n_aps else n_devices
    return add_set(master, place, set_cost(problem, place, link, e), e, shift, 2 * n_devices)


@kernel
def add_plan(problem, master, link, group):
    """Make the sets of a plan columns."""
    place = np.empty(link.size, np.int64)
    for e in range(problem.n_access_points + problem.n_nodes):
        add_served(problem, master, link, group, e, place)


@kernel
def start_master(problem, alone, master, link, group, compute):
    """Columns of a plan and, beside them, devices that stay local and devices alone on a node; the plan's basis."""
    n_devices, n_aps, n_nodes = problem.local_time.size, problem.n_access_points, problem.n_nodes
    n_cover = 2 * n_devices
    chosen, count = np.empty(n_devices + n_aps + n_nodes, np.int64), 0
    place = np.empty(n_devices, np.int64)
    for i in range(n_devices):
        add_entry(master, i, 0)
        add_entry(master, n_devices + i, 0)
        c = close_column(master, problem.local_time[i], NONE - i)
        if link[i] == LOCAL:
            chosen[count] = c
            count += 1
    for e in range(n_aps + n_nodes):
        c = add_served(problem, master, link, group, e, place)
        if c != LOCAL:
            chosen[count] = c
            count += 1
    clear(place)
    for i in range(n_devices):
        for g in range(problem.capacity.size):
            if alone[i, g] < SINGLES * compute[i] and has_room(master, 2):
                place[i] = g // n_nodes
                add_set(master, place, alone[i, g], n_aps + g % n_nodes, n_devices, n_cover)
                place[i] = NONE
    start_basis(master, chosen, count, n_cover)
    well = invert(master, n_cover)
    set_prices(master)
    return well


@kernel
def add_pool(problem, pool, master):
    """Make columns of the sets that a walk to good prices met."""
    n_devices, n_cover = problem.local_time.size, 2 * problem.local_time.size
    for j in range(problem.n_nodes):
        for k in range(pool.count[j]):
            size = pool.size[j, k]
            if size > 0 and has_room(master, size + 1):
                for m in range(size):
                    add_entry(master, n_devices + pool.device[j, k, m], pool.slice[j, k, m])
                add_entry(master, n_cover + problem.n_access_points + j, 0)
                close_column(master, pool.cost[j, k], problem.n_access_points + j)
