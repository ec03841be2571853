"""The queues' whole state as arrays, what arrives in them and what is granted: columns, kinds and tuples.

Sizes and work are in units of a device's mean: an uplink sends ``uplink_hz`` mean tasks a second.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
