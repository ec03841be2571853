"""The queues of a plan once more, the plain way: one list of events, one event at a time, for static grants.

Reads arrivals, sizes and work from a finished run, so that both see the same tasks; the rest is worked out here.
"""

from __future__ import annotations

import heapq

import numpy as np

from slicewright.simulation import Disciplines, FinishedTasks
from slicewright.simulation._kernels import state as kernels


def replay(tasks: FinishedTasks, grants: kernels.Grants, disciplines: Disciplines) -> np.ndarray:
    """(k,) s. When every task is done, in the order of ``tasks``; all tasks that ever arrive must be there."""
    arrived, size, work = (tasks.times[:, c] for c in (kernels.ARRIVED, kernels.SIZE, kernels.WORK))
    done = np.full(len(tasks), np.inf)
    busy: dict[tuple[str, int], int] = {}
    waiting: dict[tuple[str, int], list[int]] = {}
    events = [(float(arrived[t]), 0, int(tasks.device[t]), t, "arrives") for t in range(len(tasks))]
    heapq.heapify(events)

    def length(station: tuple[str, int], t: int) -> float:
        i = int(tasks.device[t])
        if station[0] == "uplink":
            return float(size[t] / grants.uplink_hz[i])
        if station[0] == "device":
            return float(work[t] * grants.local_s[i])
        return float(work[t] / grants.service_hz[i])

    def enter(station: tuple[str, int], queue: bool, now: float, t: int, then: str) -> None:
        if queue and station in busy:
            waiting.setdefault(station, []).append(t)
            return
        if queue:
            busy[station] = t
        heapq.heappush(events, (now + length(station, t), 1, int(tasks.device[t]), t, then))

    def leave(station: tuple[str, int], now: float, then: str) -> None:
        busy.pop(station, None)
        if waiting.get(station):
            enter(station, True, now, waiting[station].pop(0), then)

    while events:
        now, _, i, t, what = heapq.heappop(events)
        local = grants.server[i] == kernels.LOCAL
        server = ("device", i) if local else ("server", int(grants.server[i]))
        queued = disciplines.local_queue if local else True
        if what == "arrives" and not local:
            enter(("uplink", i), disciplines.uplink_queue, now, t, "sent")
        elif what in ("arrives", "sent"):
            if what == "sent" and disciplines.uplink_queue:
                leave(("uplink", i), now, "sent")
            enter(server, queued, now, t, "done")
        else:
            done[t] = now
            if queued:
                leave(server, now, "done")
    return done
