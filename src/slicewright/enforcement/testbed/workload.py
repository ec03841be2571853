"""Tasks to send, and what the model says of exactly these tasks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.types import FloatArray

Work: TypeAlias = Literal["exponential", "fixed"]
WORKS: tuple[Work, ...] = ("exponential", "fixed")


@dataclass(frozen=True, eq=False)
class Workload:
    """The tasks of one device.

    Attributes:
        arrival_s: (k,) s after the start, ascending.
        work: (k,) work of each task in multiples of the device's mean L_in.
    """

    arrival_s: FloatArray
    work: FloatArray


@dataclass(frozen=True, eq=False)
class Timeline:
    """What happened, or should happen, to the tasks of one device; all times in s after the start.

    Attributes:
        arrival_s: (k,) the task exists.
        received_s: (k,) its last bit is at the node.
        finished_s: (k,) its work is done.
    """

    arrival_s: FloatArray
    received_s: FloatArray
    finished_s: FloatArray

    @property
    def _start_s(self) -> FloatArray:
        """A device sends one task at a time, so transmission begins when the task before it is over."""
        before = np.concatenate([[-np.inf], self.received_s[:-1]])
        return np.asarray(np.maximum(self.arrival_s, before))

    @property
    def wait_s(self) -> FloatArray:
        """(k,) s before transmission, behind earlier tasks of the same device. The model has no such queue."""
        return self._start_s - self.arrival_s

    @property
    def transmit_s(self) -> FloatArray:
        """(k,) s of transmission."""
        return self.received_s - self._start_s

    @property
    def execute_s(self) -> FloatArray:
        """(k,) s at the node, waiting there included."""
        return self.finished_s - self.received_s

    @property
    def completion_s(self) -> FloatArray:
        """(k,) s from the task's arrival to the end of its work."""
        return self.finished_s - self.arrival_s


def draw_workload(
    arrival_rate_hz: float, duration_s: float, *, seed: tuple[int, ...], work: Work = "exponential"
) -> Workload:
    """Poisson arrivals; exponential work makes the node's queue the M/M/1 of the model.

    Args:
        arrival_rate_hz: 1/s, alpha of the device.
        duration_s: s during which tasks arrive.
        seed: of this device's tasks.
        work: ``exponential`` or ``fixed`` (every task has the mean work, M/D/1).

    Raises:
        InvalidOptionError: no such kind of work, or a duration that is not positive.
    """
    if work not in WORKS:
        raise InvalidOptionError("work", f"must be one of {', '.join(WORKS)}", value=work)
    if not duration_s > 0:
        raise InvalidOptionError("duration", "must be positive", value=duration_s)
    rng = np.random.default_rng(seed)
    count = int(rng.poisson(arrival_rate_hz * duration_s))
    arrival = np.sort(rng.uniform(0.0, duration_s, count))
    return Workload(arrival, rng.exponential(1.0, count) if work == "exponential" else np.ones(count))


def replay(workload: Workload, *, transmit_s: float, service_s: float) -> Timeline:
    """The model applied to the very tasks that were drawn, free of sampling noise.

    Args:
        workload: the tasks.
        transmit_s: s that one task takes on the uplink.
        service_s: s that a task of mean work takes on its share of the node, alone.
    """
    received = _serve(workload.arrival_s, np.full(workload.arrival_s.size, transmit_s))
    return Timeline(workload.arrival_s, received, _serve(received, workload.work * service_s))


def _serve(arrival: FloatArray, service: FloatArray) -> FloatArray:
    """(k,) s. Departures from a single server in order of arrival (Lindley)."""
    done, free = np.empty_like(arrival), -np.inf
    for k in range(arrival.size):
        free = max(free, arrival[k]) + service[k]
        done[k] = free
    return done
