"""An epoch of many copies of one network in one call: shares, movement, links, queues.

Copy c has the devices ``c * I`` to ``c * I + I - 1``; copies share the places of access points and nodes, nothing else.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.simulation._kernels.arrivals import arrive
from slicewright.simulation._kernels.movement import measure, move
from slicewright.simulation._kernels.regrants import regrant
from slicewright.simulation._kernels.service import serve
from slicewright.simulation._kernels.state import ARRIVALS, ARRIVED, DONE, LOCAL, TRANSMITTED

# Columns of the tally of a copy over an epoch.
INSIDE, DONE_TASKS, COMPLETION, LATE, MOVED, TALLIES = range(6)


class Network(NamedTuple):
    """What all copies are of."""

    bits: Any  # (I,) bit
    cycles: Any  # (I, N) cycle
    arrival: Any  # (I,) 1/s
    capacity: Any  # (J, N) cycle/s
    n_access_points: int
    shared_queue: bool  # Lambda_j counts all devices on node j


class Grid(NamedTuple):
    """What moves and is measured."""

    walk: Any
    around: Any
    walker: Any  # (C * I, columns)
    walker_random: Any
    link_random: Any
    access_point: Any  # (C * I, K)
    snr: Any
    rate: Any


@inlined
def _rate_on(grid, i, a):
    for k in range(grid.access_point.shape[1]):
        if grid.access_point[i, k] == a:
            return grid.rate[i, k]
    return 0.0


@kernel
def share(network, grid, choice, new):
    """Shares of every copy by the closed forms of SP1 and SP2, written into grants; a link out of reach is local.

    Compute shares are those without 13b, or in proportion to work where queues cannot be stable.
    """
    devices = network.bits.size
    nodes, slices = network.capacity.shape
    radio, arrivals = np.empty(network.n_access_points), np.empty(nodes)
    work, root, own = np.empty((nodes, slices)), np.empty((nodes, slices)), np.empty((nodes, slices))
    for copy in range(choice.size // devices):
        radio[:], arrivals[:], work[:], root[:], own[:] = 0.0, 0.0, 0.0, 0.0, 0.0
        for d in range(devices):
            i = copy * devices + d
            if choice[i] == 0:
                continue
            place = choice[i] - 1
            a, j, n = place // (nodes * slices), place // slices % nodes, place % slices
            rate = _rate_on(grid, i, a)
            if rate <= 0.0 or network.capacity[j, n] <= 0.0:
                choice[i] = 0
                continue
            radio[a] += math.sqrt(network.bits[d] / rate)
            arrivals[j] += network.arrival[d]
            work[j, n] += network.cycles[d, n]
            root[j, n] += math.sqrt(network.cycles[d, n])
            own[j, n] += network.arrival[d] * network.cycles[d, n]
        for d in range(devices):
            i = copy * devices + d
            if choice[i] == 0:
                new.server[i] = new.place[i] = LOCAL
                new.uplink_hz[i] = new.service_hz[i] = 0.0
                continue
            place = choice[i] - 1
            a, j, n = place // (nodes * slices), place // slices % nodes, place % slices
            new.server[i], new.place[i] = i, place
            sending = math.sqrt(network.bits[d] / _rate_on(grid, i, a))
            new.uplink_hz[i] = 1.0 / (sending * radio[a])
            queue = arrivals[j] if network.shared_queue else network.arrival[d]
            free = network.capacity[j, n] - (arrivals[j] * work[j, n] if network.shared_queue else own[j, n])
            if free > 0.0:
                new.service_hz[i] = free / (root[j, n] * math.sqrt(network.cycles[d, n])) + queue
            else:
                new.service_hz[i] = network.capacity[j, n] / work[j, n]


@inlined
def _count(network, grants, finished, links, count, tally):
    for k in range(count):
        i = links[k, 0]
        copy = i // network.bits.size
        tally[copy, DONE_TASKS] += 1.0
        tally[copy, COMPLETION] += finished[k, DONE] - finished[k, ARRIVED]
        if links[k, 1] >= 0 and finished[k, DONE] - finished[k, TRANSMITTED] > grants.local_s[i]:
            tally[copy, LATE] += 1.0


@kernel
def step(network, grid, demand, rules, queues, old, new, choice, finished, links, scratch, left, tally, clock,
         tick_s, ticks, handover_s, migration_s):  # fmt: skip
    """All copies go on for an epoch; returns whether it is over: if not, the pool of tasks must grow first.

    Args:
        network, grid, demand, rules, queues: see there.
        old, new: grants in force, and room for the next.
        choice: (C * I,) of every device from now on.
        finished, links, scratch: room, as in ``serve``.
        left: (C,) tasks that left each copy so far, written.
        tally: (C, TALLIES), written; begin with zeros.
        clock: (3,) ticks of this epoch done, device that arrivals go on with, s at the begin of the epoch.
        tick_s, ticks: s of a tick, ticks of an epoch.
        handover_s, migration_s: s that an uplink, a server stands still when its device goes elsewhere.
    """
    everybody, devices = choice.size, network.bits.size
    pause = np.zeros((everybody, 2))
    while clock[0] < ticks:
        now = clock[2] + clock[0] * tick_s
        if clock[1] == 0.0:
            share(network, grid, choice, new)
            pause[:] = 0.0
            if clock[0] == 0.0:
                for i in range(everybody):
                    if new.place[i] != old.place[i]:
                        tally[i // devices, MOVED] += 1.0
                        pause[i, 0], pause[i, 1] = handover_s, migration_s
            regrant(demand, rules, queues, old, new, now, pause, finished, links)
            old.uplink_hz[:], old.service_hz[:] = new.uplink_hz, new.service_hz
            old.server[:], old.place[:] = new.server, new.place
        first = arrive(demand, old, rules, queues, now + tick_s, np.int64(clock[1]))
        if first < everybody:
            clock[1] = first
            return False
        count = serve(old, rules, queues, now, now + tick_s, finished, links, scratch)
        _count(network, old, finished, links, count, tally)
        for k in range(count):
            left[links[k, 0] // devices] += 1
        for copy in range(everybody // devices):
            arrived = 0
            for d in range(devices):
                arrived += queues.device_links[copy * devices + d, ARRIVALS]
            tally[copy, INSIDE] += (arrived - left[copy]) / ticks
        move(grid.walk, grid.walker, grid.walker_random, tick_s)
        measure(grid.around, grid.walker, grid.link_random, grid.access_point, grid.snr, grid.rate)
        clock[0] += 1.0
        clock[1] = 0.0
    return True
