"""When tasks arrive, how large they are, and where each waits first: on an uplink or for its own device."""

from __future__ import annotations

import math

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.simulation._kernels.random_streams import draw, uniform
from slicewright.simulation._kernels.state import (
    ABSENT,
    ARRIVALS,
    ARRIVED,
    BUSY_PHASE,
    DEVICE,
    DONE,
    LOCAL,
    LOCAL_FREE,
    LOCAL_HEAD,
    LOCAL_TAIL,
    MODULATED,
    NEXT,
    NEXT_ARRIVAL,
    NEXT_SWITCH,
    NOWHERE,
    OF_ARRIVALS,
    OF_SIZES,
    OF_WORK,
    PERIODIC,
    PLACE,
    POISSON,
    SENT_FROM,
    SERVED_FROM,
    SIZE,
    TRACE_AT,
    TRACED,
    TRANSMITTED,
    UP_FREE,
    UP_HEAD,
    UP_LEFT,
    UP_SINCE,
    UP_TAIL,
    WORK,
)


@inlined
def next_arrival(demand, queues, i, now):
    """Time of the arrival after ``now``; infinite after the end of a trace."""
    rate = demand.arrival_hz[i]
    if demand.arrival_kind == POISSON:
        return now - math.log(uniform(queues.random, i, OF_ARRIVALS)) / rate
    if demand.arrival_kind == PERIODIC:
        return now + 1.0 / rate
    if demand.arrival_kind == TRACED:
        at = demand.trace_start[i] + queues.device_links[i, TRACE_AT]
        while at < demand.trace_start[i + 1] and demand.trace_s[at] <= now:
            at += 1
        queues.device_links[i, TRACE_AT] = at + 1 - demand.trace_start[i]
        return demand.trace_s[at] if at < demand.trace_start[i + 1] else np.inf
    while True:
        busy = queues.device_links[i, BUSY_PHASE]
        factor = demand.burst[0] if busy else demand.burst[1]
        wait = -math.log(uniform(queues.random, i, OF_ARRIVALS)) / (rate * factor) if factor > 0.0 else np.inf
        if now + wait <= queues.device[i, NEXT_SWITCH]:
            return now + wait
        now = queues.device[i, NEXT_SWITCH]
        queues.device_links[i, BUSY_PHASE] = 1 - busy
        leaving = demand.burst[3] if busy else demand.burst[2]
        queues.device[i, NEXT_SWITCH] = now - math.log(uniform(queues.random, i, OF_ARRIVALS)) / leaving


@kernel
def first_arrivals(demand, queues, server):
    """Set every present device's first arrival; bursts begin in the quiet phase or the busy one as in the long run."""
    for i in range(server.size):
        if demand.arrival_kind == MODULATED:
            leave_busy, leave_quiet = demand.burst[2], demand.burst[3]
            busy = uniform(queues.random, i, OF_ARRIVALS) <= leave_quiet / (leave_busy + leave_quiet)
            queues.device_links[i, BUSY_PHASE] = busy
            leaving = leave_busy if busy else leave_quiet
            queues.device[i, NEXT_SWITCH] = -math.log(uniform(queues.random, i, OF_ARRIVALS)) / leaving
        if server[i] == ABSENT:
            queues.device[i, NEXT_ARRIVAL] = np.inf
        elif demand.arrival_kind == PERIODIC:
            queues.device[i, NEXT_ARRIVAL] = uniform(queues.random, i, OF_ARRIVALS) / demand.arrival_hz[i]
        else:
            queues.device[i, NEXT_ARRIVAL] = next_arrival(demand, queues, i, 0.0)


@inlined
def stay_local(grants, rules, queues, i, t, now):
    """A task is executed on its device; it may not begin before ``now``."""
    task, links, heads = queues.task, queues.task_links, queues.device_links
    start = max(task[t, ARRIVED], now)
    if rules.local_queue:
        start = max(start, queues.device[i, LOCAL_FREE])
    task[t, SERVED_FROM] = start
    task[t, DONE] = start + task[t, WORK] * grants.local_s[i]
    queues.device[i, LOCAL_FREE] = task[t, DONE]
    links[t, PLACE] = LOCAL
    links[t, NEXT] = NOWHERE
    if heads[i, LOCAL_HEAD] == NOWHERE:
        heads[i, LOCAL_HEAD] = t
    else:
        links[heads[i, LOCAL_TAIL], NEXT] = t
    heads[i, LOCAL_TAIL] = t


@inlined
def wait_for_uplink(grants, rules, queues, i, t):
    task, links, heads, device = queues.task, queues.task_links, queues.device_links, queues.device
    links[t, NEXT] = NOWHERE
    if not rules.uplink_queue:
        task[t, SENT_FROM] = task[t, ARRIVED]
        task[t, TRANSMITTED] = task[t, ARRIVED] + task[t, SIZE] / grants.uplink_hz[i]
    if heads[i, UP_HEAD] == NOWHERE:
        heads[i, UP_HEAD] = t
        device[i, UP_SINCE] = max(task[t, ARRIVED], device[i, UP_FREE])
        device[i, UP_LEFT] = task[t, SIZE]
        task[t, SENT_FROM] = device[i, UP_SINCE] if rules.uplink_queue else task[t, ARRIVED]
    else:
        links[heads[i, UP_TAIL], NEXT] = t
    heads[i, UP_TAIL] = t


@kernel
def arrive(demand, grants, rules, queues, until, first):
    """Let tasks arrive up to a time; returns the device to go on with once the pool is larger, I when all are in."""
    for i in range(first, grants.server.size):
        while queues.device[i, NEXT_ARRIVAL] <= until:
            t = queues.free[0]
            if t == NOWHERE:
                return i
            queues.free[0] = queues.task_links[t, NEXT]
            task, now = queues.task, queues.device[i, NEXT_ARRIVAL]
            task[t, ARRIVED] = now
            recorded = demand.trace_start[i] + queues.device_links[i, TRACE_AT] - 1
            if demand.trace_size.size:
                task[t, SIZE] = demand.trace_size[recorded]
            else:
                task[t, SIZE] = draw(
                    queues.random, i, OF_SIZES, demand.size_kind, demand.size_spread, demand.size_samples
                )
            if demand.trace_work.size:
                task[t, WORK] = demand.trace_work[recorded]
            else:
                task[t, WORK] = draw(
                    queues.random, i, OF_WORK, demand.work_kind, demand.work_spread, demand.work_samples
                )
            task[t, SENT_FROM] = task[t, TRANSMITTED] = now
            task[t, SERVED_FROM] = task[t, DONE] = np.inf
            queues.task_links[t, DEVICE] = i
            queues.device_links[i, ARRIVALS] += 1
            if grants.server[i] == LOCAL:
                stay_local(grants, rules, queues, i, t, now)
            else:
                wait_for_uplink(grants, rules, queues, i, t)
            queues.device[i, NEXT_ARRIVAL] = next_arrival(demand, queues, i, now)
    return grants.server.size
