"""What becomes of tasks when grants change at one instant: other rates, other servers, devices that come and go."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.simulation._kernels.arrivals import next_arrival, stay_local
from slicewright.simulation._kernels.service import finish
from slicewright.simulation._kernels.state import (
    ABSENT,
    DEVICE,
    DONE,
    HEAD,
    LEFT,
    LOCAL,
    LOCAL_HEAD,
    NEXT,
    NEXT_ARRIVAL,
    NOWHERE,
    PLACE,
    SINCE,
    SPEED,
    TRACE_AT,
    TRANSMITTED,
    UP_FREE,
    UP_HEAD,
    UP_LEFT,
    UP_SINCE,
)


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
            count = finish(queues, t, finished, finished_links, count)
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
            queues.device[i, NEXT_ARRIVAL] = next_arrival(demand, queues, i, now)
        t = heads[i, UP_HEAD]
        if new.server[i] == LOCAL:
            while t != NOWHERE:
                after = links[t, NEXT]
                queues.task[t, TRANSMITTED] = now
                stay_local(new, rules, queues, i, t, now)
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
