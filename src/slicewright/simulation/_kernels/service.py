"""Queues of tasks on uplinks and servers, first come first served, between two changes of rates.

No event list is needed: a task departs at ``max(arrival, previous departure) + service`` (Lindley's recursion), device
by device, in one pass. Tasks wait in linked lists inside one pool. What is in service is kept as the time since when it
is served at the present rate and the part that was left then, and departures are worked out from these alone: where a
run is interrupted makes no difference, bit for bit.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.simulation._kernels.state import (
    ARRIVED,
    DEVICE,
    DONE,
    FREE,
    HEAD,
    LEFT,
    LOCAL_HEAD,
    LOCAL_TAIL,
    NEXT,
    NOWHERE,
    PLACE,
    SENT_FROM,
    SERVED_FROM,
    SINCE,
    SIZE,
    SPEED,
    TAIL,
    TRANSMITTED,
    UP_FREE,
    UP_HEAD,
    UP_LEFT,
    UP_SINCE,
    UP_TAIL,
    WORK,
)


@inlined
def _departure(since, left, rate):
    return since + left / rate if left > 0.0 else since


@inlined
def _enter_server(grants, queues, s, t, i):
    task, links, server, ends = queues.task, queues.task_links, queues.server, queues.server_links
    links[t, NEXT] = NOWHERE
    links[t, PLACE] = grants.place[i]
    task[t, SPEED] = grants.service_hz[i]
    if ends[s, HEAD] == NOWHERE:
        ends[s, HEAD] = t
        server[s, SINCE] = max(task[t, TRANSMITTED], server[s, FREE])
        server[s, LEFT] = task[t, WORK]
        task[t, SERVED_FROM] = server[s, SINCE]
    else:
        links[ends[s, TAIL], NEXT] = t
    ends[s, TAIL] = t


@inlined
def finish(queues, t, finished, finished_links, count):
    """Write a task out and give its place in the pool back."""
    task, links = queues.task, queues.task_links
    for column in range(SPEED):
        finished[count, column] = task[t, column]
    finished_links[count, 0] = links[t, DEVICE]
    finished_links[count, 1] = links[t, PLACE]
    links[t, NEXT] = queues.free[0]
    queues.free[0] = t
    return count + 1


@inlined
def _leave_uplink(queues, i, until):
    """The next task that is transmitted by then, in the order of arrival, or NOWHERE."""
    task, links, heads, device = queues.task, queues.task_links, queues.device_links, queues.device
    t = heads[i, UP_HEAD]
    task[t, TRANSMITTED] = device[i, UP_FREE]
    heads[i, UP_HEAD] = links[t, NEXT]
    if heads[i, UP_HEAD] != NOWHERE:
        following = heads[i, UP_HEAD]
        device[i, UP_SINCE] = max(task[following, ARRIVED], device[i, UP_FREE])
        device[i, UP_LEFT] = task[following, SIZE]
        task[following, SENT_FROM] = device[i, UP_SINCE]
    return t


@inlined
def _serve(queues, s, until, finished, finished_links, count):
    """Everything that a server completes by then."""
    task, links, server, ends = queues.task, queues.task_links, queues.server, queues.server_links
    while ends[s, HEAD] != NOWHERE:
        t = ends[s, HEAD]
        done = _departure(server[s, SINCE], server[s, LEFT], task[t, SPEED])
        if not done <= until:
            break
        task[t, DONE] = server[s, FREE] = done
        ends[s, HEAD] = links[t, NEXT]
        if ends[s, HEAD] != NOWHERE:
            following = ends[s, HEAD]
            server[s, SINCE] = max(task[following, TRANSMITTED], done)
            server[s, LEFT] = task[following, WORK]
            task[following, SERVED_FROM] = server[s, SINCE]
        count = finish(queues, t, finished, finished_links, count)
    return count


@inlined
def _unlink(links, heads, i, head, tail, before, t):
    """Take a task out of a list of device i; ``before`` is the one before it."""
    if before == NOWHERE:
        heads[i, head] = links[t, NEXT]
    else:
        links[before, NEXT] = links[t, NEXT]
    if heads[i, tail] == t:
        heads[i, tail] = before


@inlined
def _serve_locally(queues, i, until, finished, finished_links, count):
    task, links, heads = queues.task, queues.task_links, queues.device_links
    before, t = NOWHERE, heads[i, LOCAL_HEAD]
    while t != NOWHERE:
        after = links[t, NEXT]
        if task[t, DONE] <= until:
            _unlink(links, heads, i, LOCAL_HEAD, LOCAL_TAIL, before, t)
            count = finish(queues, t, finished, finished_links, count)
        else:
            before = t
        t = after
    return count


@inlined
def _transmit_together(queues, i, until, crossing, crossed):
    """Tasks that do not wait for each other leave the uplink, in any order."""
    task, links, heads = queues.task, queues.task_links, queues.device_links
    before, t = NOWHERE, heads[i, UP_HEAD]
    while t != NOWHERE:
        after = links[t, NEXT]
        if task[t, TRANSMITTED] <= until:
            _unlink(links, heads, i, UP_HEAD, UP_TAIL, before, t)
            crossing[crossed] = t
            crossed += 1
        else:
            before = t
        t = after
    return crossed


@inlined
def _sort_own(task, crossing, crossed):
    """Put one device's tasks in the order in which they were transmitted; they nearly are. Ties stay as they came."""
    for k in range(1, crossed):
        t, place = crossing[k], k - 1
        at = task[t, TRANSMITTED]
        while place >= 0 and task[crossing[place], TRANSMITTED] > at:
            crossing[place + 1] = crossing[place]
            place -= 1
        crossing[place + 1] = t


@inlined
def _in_order(queues, crossing, crossed, began, until, counts, ordered):
    """Sort tasks by the time at which they were transmitted: buckets, then insertion. Ties go by device."""
    task, links = queues.task, queues.task_links
    scale = crossed / (until - began) if until > began else 0.0
    counts[: crossed + 1] = 0
    for k in range(crossed):
        bucket = np.int64(max(0.0, min((task[crossing[k], TRANSMITTED] - began) * scale, crossed - 1.0)))
        counts[bucket + 1] += 1
    for k in range(crossed):
        counts[k + 1] += counts[k]
    for k in range(crossed):
        bucket = np.int64(max(0.0, min((task[crossing[k], TRANSMITTED] - began) * scale, crossed - 1.0)))
        ordered[counts[bucket]] = crossing[k]
        counts[bucket] += 1
    for k in range(1, crossed):
        t, place = ordered[k], k - 1
        at = task[t, TRANSMITTED]
        while place >= 0:
            other = ordered[place]
            if task[other, TRANSMITTED] < at or (
                task[other, TRANSMITTED] == at and links[other, DEVICE] <= links[t, DEVICE]
            ):
                break
            ordered[place + 1] = other
            place -= 1
        ordered[place + 1] = t


@kernel
def serve(grants, rules, queues, began, until, finished, finished_links, scratch):
    """Transmit and execute up to a time; returns the number of finished tasks, written in ``finished``.

    Args:
        grants, rules, queues: see there; all arrivals up to ``until`` are in.
        began, until: s.
        finished: (P, SPEED) times of tasks. finished_links: (P, 2) device and place.
        scratch: (3, P + 1) int64.
    """
    count, crossed = 0, 0
    direct = rules.own_servers  # nobody else's tasks come between those of a device
    device, heads = queues.device, queues.device_links
    for i in range(grants.server.size):
        if heads[i, LOCAL_HEAD] != NOWHERE:
            count = _serve_locally(queues, i, until, finished, finished_links, count)
        if not rules.uplink_queue:
            crossed = _transmit_together(queues, i, until, scratch[0], crossed)
            if direct:
                _sort_own(queues.task, scratch[0], crossed)
                for k in range(crossed):
                    _enter_server(grants, queues, i, scratch[0, k], i)
                crossed = 0
        while rules.uplink_queue and heads[i, UP_HEAD] != NOWHERE:
            sent = _departure(device[i, UP_SINCE], device[i, UP_LEFT], grants.uplink_hz[i])
            if not sent <= until:
                break
            device[i, UP_FREE] = sent
            t = _leave_uplink(queues, i, until)
            if direct:
                _enter_server(grants, queues, i, t, i)
            else:
                scratch[0, crossed] = t
                crossed += 1
        if direct:
            count = _serve(queues, i, until, finished, finished_links, count)
    if not direct:
        _in_order(queues, scratch[0], crossed, began, until, scratch[1], scratch[2])
        for k in range(crossed):
            t = scratch[2, k]
            i = queues.task_links[t, DEVICE]
            _enter_server(grants, queues, grants.server[i], t, i)
        for s in range(queues.server.shape[0]):
            count = _serve(queues, s, until, finished, finished_links, count)
    return count


@kernel
def count_inside(queues, counts):
    """Tasks of each device on its uplink, on a node and on the device itself: (I, 3) whole numbers, written."""
    counts[:] = 0
    links = queues.task_links
    for i in range(counts.shape[0]):
        for column, head in ((0, UP_HEAD), (2, LOCAL_HEAD)):
            t = queues.device_links[i, head]
            while t != NOWHERE:
                counts[i, column] += 1
                t = links[t, NEXT]
    for s in range(queues.server.shape[0]):
        t = queues.server_links[s, HEAD]
        while t != NOWHERE:
            counts[links[t, DEVICE], 1] += 1
            t = links[t, NEXT]
