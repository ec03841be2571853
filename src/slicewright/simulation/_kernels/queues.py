"""Queues of tasks on uplinks and servers, first come first served, at rates that change now and then.

Between two changes of rates a queue needs no event list: a task departs at ``max(arrival, previous departure) +
service`` (Lindley's recursion), device by device, in one pass. Tasks wait in linked lists inside one pool. What is in
service is kept as the time since when it is served at the present rate and the part that was left then, and departures
are worked out from these alone: where a run is interrupted makes no difference, bit for bit. Every device draws from
random streams of its own, so neither does the order in which devices are served.

Sizes and work are in units of a device's mean: an uplink sends ``uplink_hz`` mean tasks a second.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel

NOWHERE = -1
LOCAL, ABSENT = -1, -2

# Kinds of distributions of sizes and work, all with mean 1.
FIXED, EXPONENTIAL, LOGNORMAL, SAMPLED = range(4)
# Kinds of arrivals.
POISSON, MODULATED, PERIODIC, TRACED = range(4)

# Columns of Queues.device, s unless said otherwise.
NEXT_ARRIVAL, NEXT_SWITCH, UP_SINCE, UP_LEFT, UP_FREE, LOCAL_FREE, DEVICE_TIMES = range(7)
# Columns of Queues.device_links.
UP_HEAD, UP_TAIL, LOCAL_HEAD, LOCAL_TAIL, BUSY_PHASE, TRACE_AT, ARRIVALS, DEVICE_LINKS = range(8)
# Columns of Queues.server and Queues.server_links.
SINCE, LEFT, FREE, SERVER_TIMES = range(4)
HEAD, TAIL, SERVER_LINKS = range(3)
# Columns of Queues.task: one cache line for each task.
ARRIVED, SIZE, WORK, SENT_FROM, TRANSMITTED, SERVED_FROM, DONE, SPEED, TASK_TIMES = range(9)
# Columns of Queues.task_links.
DEVICE, NEXT, PLACE, TASK_LINKS = range(4)
# Random streams of a device.
OF_ARRIVALS, OF_SIZES, OF_WORK, STREAMS = range(4)


class Demand(NamedTuple):
    """What arrives."""

    arrival_hz: Any  # (I,) 1/s, mean
    arrival_kind: int
    burst: Any  # (4,) factor of the rate in the busy phase, in the quiet one, 1/s rates of leaving each
    trace_start: Any  # (I + 1,) arrivals of device i are trace_s[trace_start[i]:trace_start[i + 1]]
    trace_s: Any  # s
    trace_size: Any  # of the task that arrives then, of the device's mean; empty where sizes are drawn
    trace_work: Any  # likewise
    size_kind: int
    size_spread: float  # of LOGNORMAL: standard deviation of the logarithm
    size_samples: Any  # of SAMPLED, with mean 1
    work_kind: int
    work_spread: float
    work_samples: Any


class Grants(NamedTuple):
    """Who may use what: a plan as the queues see it."""

    uplink_hz: Any  # (I,) 1/s, mean tasks that the granted radio share transmits
    server: Any  # (I,) index of the queue on a node, LOCAL or ABSENT
    service_hz: Any  # (I,) 1/s, mean tasks that the granted compute share executes
    local_s: Any  # (I,) s, a mean task on the device itself
    place: Any  # (I,) what is written beside a task: where it is executed


class Rules(NamedTuple):
    """What queues there are."""

    own_servers: bool  # server i serves device i alone
    uplink_queue: (
        bool  # tasks of a device wait for each other on the uplink; else each has the rate to itself
    )
    local_queue: bool  # and on the device


class Queues(NamedTuple):
    """The whole state, as arrays that can be written to disk."""

    random: Any  # (I, STREAMS) uint64
    device: Any  # (I, DEVICE_TIMES)
    device_links: Any  # (I, DEVICE_LINKS)
    server: Any  # (S, SERVER_TIMES)
    server_links: Any  # (S, SERVER_LINKS)
    task: Any  # (P, TASK_TIMES)
    task_links: Any  # (P, TASK_LINKS)
    free: Any  # (1,) first unused task, or NOWHERE


@inlined
def uniform(random, i, stream):
    """A number in (0, 1] from a device's stream: one step of splitmix64."""
    random[i, stream] += np.uint64(0x9E3779B97F4A7C15)
    z = random[i, stream]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(11)) + 1.0) * (1.0 / 9007199254740992.0)


@inlined
def _draw(random, i, stream, kind, spread, samples):
    """A size or an amount of work, mean 1."""
    if kind == FIXED:
        return 1.0
    u = uniform(random, i, stream)
    if kind == EXPONENTIAL:
        return -math.log(u)
    if kind == LOGNORMAL:
        angle = 2.0 * math.pi * uniform(random, i, stream)
        return math.exp(spread * math.sqrt(-2.0 * math.log(u)) * math.cos(angle) - 0.5 * spread * spread)
    return samples[np.int64((1.0 - u) * samples.size)]


@inlined
def _next_arrival(demand, queues, i, now):
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


@inlined
def _stay_local(grants, rules, queues, i, t, now):
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
def _wait_for_uplink(grants, rules, queues, i, t):
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
                task[t, SIZE] = _draw(
                    queues.random, i, OF_SIZES, demand.size_kind, demand.size_spread, demand.size_samples
                )
            if demand.trace_work.size:
                task[t, WORK] = demand.trace_work[recorded]
            else:
                task[t, WORK] = _draw(
                    queues.random, i, OF_WORK, demand.work_kind, demand.work_spread, demand.work_samples
                )
            task[t, SENT_FROM] = task[t, TRANSMITTED] = now
            task[t, SERVED_FROM] = task[t, DONE] = np.inf
            queues.task_links[t, DEVICE] = i
            queues.device_links[i, ARRIVALS] += 1
            if grants.server[i] == LOCAL:
                _stay_local(grants, rules, queues, i, t, now)
            else:
                _wait_for_uplink(grants, rules, queues, i, t)
            queues.device[i, NEXT_ARRIVAL] = _next_arrival(demand, queues, i, now)
    return grants.server.size


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
def _finish(queues, t, finished, finished_links, count):
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
        count = _finish(queues, t, finished, finished_links, count)
    return count


@inlined
def _serve_locally(queues, i, until, finished, finished_links, count):
    task, links, heads = queues.task, queues.task_links, queues.device_links
    before, t = NOWHERE, heads[i, LOCAL_HEAD]
    while t != NOWHERE:
        after = links[t, NEXT]
        if task[t, DONE] <= until:
            if before == NOWHERE:
                heads[i, LOCAL_HEAD] = after
            else:
                links[before, NEXT] = after
            if heads[i, LOCAL_TAIL] == t:
                heads[i, LOCAL_TAIL] = before
            count = _finish(queues, t, finished, finished_links, count)
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
            if before == NOWHERE:
                heads[i, UP_HEAD] = after
            else:
                links[before, NEXT] = after
            if heads[i, UP_TAIL] == t:
                heads[i, UP_TAIL] = before
            crossing[crossed] = t
            crossed += 1
        else:
            before = t
        t = after
    return crossed


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
    direct = rules.own_servers and rules.uplink_queue
    device, heads = queues.device, queues.device_links
    for i in range(grants.server.size):
        if heads[i, LOCAL_HEAD] != NOWHERE:
            count = _serve_locally(queues, i, until, finished, finished_links, count)
        if not rules.uplink_queue:
            crossed = _transmit_together(queues, i, until, scratch[0], crossed)
            continue
        while heads[i, UP_HEAD] != NOWHERE:
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


@inlined
def _change_speed(queues, s, t, rate, now, pause):
    """A task on a server goes on at another rate; what is in service keeps what has been done."""
    task, server, ends = queues.task, queues.server, queues.server_links
    if ends[s, HEAD] == t:
        if server[s, SINCE] < now:
            server[s, LEFT] = max(0.0, server[s, LEFT] - task[t, SPEED] * (now - server[s, SINCE]))
            server[s, SINCE] = now
        server[s, SINCE] = max(server[s, SINCE], now + pause)
    task[t, SPEED] = rate


@inlined
def _abandon_uplink(queues, i, finished, finished_links, count):
    """A device leaves: what it has not sent, and what it computes itself, is lost."""
    heads, links = queues.device_links, queues.task_links
    for head in (UP_HEAD, LOCAL_HEAD):
        t = heads[i, head]
        while t != NOWHERE:
            after = links[t, NEXT]
            queues.task[t, DONE] = np.nan
            links[t, PLACE] = ABSENT
            count = _finish(queues, t, finished, finished_links, count)
            t = after
        heads[i, head] = NOWHERE
    queues.device[i, NEXT_ARRIVAL] = np.inf
    # What was to arrive next has not: a device that comes back before then has it still before it.
    queues.device_links[i, TRACE_AT] = max(0, queues.device_links[i, TRACE_AT] - 1)
    return count


@kernel
def regrant(demand, rules, queues, old, new, now, pause, finished, finished_links):
    """Rates, servers and presence of devices change at one instant; returns the number of abandoned tasks.

    Args:
        demand, rules, queues: see there; everything up to ``now`` is served.
        old, new: grants before and after.
        now: s.
        pause: (I, 2) s, how long uplink and server of a device stand still: handover, and moving to another node.
        finished: (P, SPEED) and finished_links: (P, 2), as in :func:`serve`, for the abandoned.
    """
    count = 0
    device, heads, links = queues.device, queues.device_links, queues.task_links
    for i in range(new.server.size):
        if new.server[i] == ABSENT:
            if old.server[i] != ABSENT:
                count = _abandon_uplink(queues, i, finished, finished_links, count)
            continue
        if old.server[i] == ABSENT:
            queues.device[i, NEXT_ARRIVAL] = _next_arrival(demand, queues, i, now)
        t = heads[i, UP_HEAD]
        if new.server[i] == LOCAL:
            while t != NOWHERE:
                after = links[t, NEXT]
                queues.task[t, TRANSMITTED] = now
                _stay_local(new, rules, queues, i, t, now)
                t = after
            heads[i, UP_HEAD] = NOWHERE
            continue
        if old.uplink_hz[i] != new.uplink_hz[i] or pause[i, 0] > 0.0:
            if t != NOWHERE:
                if device[i, UP_SINCE] < now:
                    sent = old.uplink_hz[i] * (now - device[i, UP_SINCE])
                    device[i, UP_LEFT] = max(0.0, device[i, UP_LEFT] - sent)
                    device[i, UP_SINCE] = now
                device[i, UP_SINCE] = max(device[i, UP_SINCE], now + pause[i, 0])
            elif pause[i, 0] > 0.0:
                device[i, UP_FREE] = now + pause[i, 0]
    for s in range(queues.server.shape[0]):
        t = queues.server_links[s, HEAD]
        while t != NOWHERE:
            i = links[t, DEVICE]
            moved = pause[i, 1] if rules.own_servers else 0.0
            if new.server[i] == s and (queues.task[t, SPEED] != new.service_hz[i] or moved > 0.0):
                _change_speed(queues, s, t, new.service_hz[i], now, moved)
            t = links[t, NEXT]
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
            queues.device[i, NEXT_ARRIVAL] = _next_arrival(demand, queues, i, 0.0)
