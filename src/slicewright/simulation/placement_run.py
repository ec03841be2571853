"""Placement over time: streams of tasks come and go, are placed as they come, and every instance's delay is simulated.

A stream is a task of the problem: its instances arrive as a Poisson process, each is executed on one node, on the
stream's own device, or divided between two nodes and done when both are. A node serves what reaches it one after the
other, whichever stream it is of, with exponential work: the queue that the model's formula describes, here with the
streams' own rates and under changing placements. Where sending takes time, an instance is sent over its device's
uplink after those before it, which the formula does not know, and on from there without waiting: links have no queues.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.placement import REJECTED, Tasks, choice_of, judge
from slicewright.policies.placement import place
from slicewright.types import BoolArray, FloatArray, IntArray

PLACEMENT_DEFINITIONS: Mapping[str, str] = {
    "instances": "instances that arrived after the warm-up, of streams that were there",
    "rejected": "part of the instances that arrived while their stream was placed nowhere",
    "late": "part of the placed instances whose simulated delay exceeded their deadline",
    "missed": "part of all instances that were rejected or late",
    "mean_delay_s": "mean over placed instances of the simulated delay, s",
    "planned_delay_s": "mean over the same instances of the delay that the formula gave their stream, s",
    "objective_bit_hops": "mean over time of the objective (8) with what rejected streams count, bit hops",
    "changes": "streams that went to other nodes though they stayed, over the streams that were asked",
    "decision_s": "mean wall time of a decision, s",
}
"""What each figure of a run of placement means."""


@dataclass(frozen=True)
class Churn:
    """How streams come and go, and when they are placed.

    Attributes:
        stay_s: s, mean time (exponential) for which a stream is there.
        away_s: s, mean time (exponential) for which it is away.
        every_s: s between two placements of all streams; 0 places anew at every arrival and departure. Streams that
            come in between wait until then, and their instances count as rejected.

    Raises:
        InvalidOptionError: a time out of range.
    """

    stay_s: float = 60.0
    away_s: float = 60.0
    every_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("stay_s", "away_s"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise InvalidOptionError(name, "must be a positive number", value=getattr(self, name))
        if not 0.0 <= self.every_s < np.inf:
            raise InvalidOptionError("every_s", "must be 0 or more", value=self.every_s)


@dataclass(frozen=True, eq=False)
class PlacementRun:
    """What became of the instances.

    Attributes:
        figures: by the names of ``PLACEMENT_DEFINITIONS``.
        stream: (k,) index of each placed instance's stream.
        arrived_s, delay_s: (k,) s.
        placements: how often streams were placed.
    """

    figures: Mapping[str, float]
    stream: IntArray
    arrived_s: FloatArray
    delay_s: FloatArray
    placements: int


# Over 60 lines by its options and what is told about them.
def simulate_placement(
    tasks: Tasks,
    method: str = "auto",
    *,
    churn: Churn | None = None,
    horizon_s: float = 600.0,
    warm_up_s: float = 0.0,
    budget_s: float | None = None,
    one_work: bool = True,
    uplink_queue: bool = True,
    seed: int = 0,
) -> PlacementRun:
    """Simulate streams that come and go under a method that places those that are there.

    Who is there and when instances arrive depends on the seed alone, so that methods and ways to split can be held
    against each other on the same streams; the run repeats bit for bit where the method does.

    Args:
        tasks: all streams, there or not; ``tasks.with_(split="none")`` places without splitting.
        method: a name of :func:`slicewright.placement_methods`.
        churn: how streams come and go.
        horizon_s: s that are simulated.
        warm_up_s: s left out of the figures.
        budget_s: s for a decision; the method's own by default.
        one_work: an instance has one amount of work, of which each side of a divided one gets its part; else each side
            has an amount of its own.
        uplink_queue: a device sends one instance after the other; else all at once, as the formula has it.
        seed: of streams, instances and work.

    Raises:
        UnknownNameError: no such method.
        InvalidOptionError: a time out of range.
    """
    if not 0.0 <= warm_up_s < horizon_s < np.inf:
        raise InvalidOptionError("horizon_s", "must be longer than the warm-up", value=horizon_s)
    rule = churn or Churn()
    present, change_s = _presence(tasks.n_tasks, rule, horizon_s, seed)
    times = np.unique(np.concatenate([[0.0], change_s if rule.every_s == 0.0 else _epochs(rule, horizon_s)]))
    nodes = _Nodes(tasks, one_work, uplink_queue, seed)
    choice = np.full(tasks.n_tasks, REJECTED)
    spent, changed, asked, objective = [], 0, 0, 0.0
    for k, begin in enumerate(times):
        end = float(times[k + 1]) if k + 1 < times.size else horizon_s
        there = _there(present, float(begin))
        before, began = choice.copy(), time.perf_counter()
        choice = _placed(tasks, method, there, budget_s, seed)
        spent.append(time.perf_counter() - began)
        stayed = there & (before != REJECTED)
        changed += int((choice[stayed] != before[stayed]).sum())
        asked += int(stayed.sum())
        judged = judge(tasks, choice)
        objective += (judged.cost_bit_hops + float(tasks.rejection_cost[there & (choice < 0)].sum())) * (
            end - begin
        )
        nodes.admit(choice, judged.delay_s, present, float(begin), end)
    return nodes.result(
        warm_up_s,
        {
            "objective_bit_hops": objective / horizon_s,
            "changes": changed / max(asked, 1),
            "decision_s": float(np.mean(spent)),
        },
        placements=times.size,
    )


def _presence(streams: int, churn: Churn, horizon_s: float, seed: int) -> tuple[list[FloatArray], FloatArray]:
    """For each stream the instants at which it comes (even) and goes (odd); and all of them in order."""
    toggles = []
    for k in range(streams):
        draw = np.random.default_rng([seed, 31, k])
        here = draw.random() < churn.stay_s / (churn.stay_s + churn.away_s)
        at, instants = 0.0, [0.0] if here else []
        while at < horizon_s:
            at += draw.exponential(churn.stay_s if here else churn.away_s)
            instants.append(min(at, horizon_s))
            here = not here
        toggles.append(np.array(instants))
    inner = np.concatenate(toggles)
    return toggles, inner[(inner > 0.0) & (inner < horizon_s)]


def _epochs(churn: Churn, horizon_s: float) -> FloatArray:
    return np.arange(churn.every_s, horizon_s, churn.every_s)


def _there(toggles: list[FloatArray], now_s: float) -> BoolArray:
    """(K,) streams that are there at an instant."""
    return np.array([np.searchsorted(instants, now_s, side="right") % 2 == 1 for instants in toggles])


def _placed(tasks: Tasks, method: str, there: BoolArray, budget_s: float | None, seed: int) -> IntArray:
    """(K,) options; rejected where a stream is not there."""
    choice = np.full(tasks.n_tasks, REJECTED)
    who = np.flatnonzero(there)
    if who.size:
        part = tasks.take(who)
        found = place(part, method, budget_s=budget_s, seed=seed, certify=False)
        choice[who] = choice_of(part, found.nodes)
        choice[choice < 0] = REJECTED
    return choice


class _Nodes:
    """All instances' way through uplinks and queues; what is on its way outlives placements.

    Where instances go does not depend on queues, so these are worked out at the end, each in the order of its arrivals.
    """

    def __init__(self, tasks: Tasks, one_work: bool, uplink_queue: bool, seed: int) -> None:
        self._tasks, self._one_work, self._uplink_queue = tasks, one_work, uplink_queue
        self._arrivals = [np.random.default_rng([seed, 37, k]) for k in range(tasks.n_tasks)]
        self._work = [np.random.default_rng([seed, 41, k]) for k in range(tasks.n_tasks)]
        self._next = np.array(
            [
                draw.exponential(1.0 / rate)
                for draw, rate in zip(self._arrivals, tasks.arrival_rate_hz, strict=True)
            ]
        )
        self._parts: list[tuple[IntArray, FloatArray, IntArray, FloatArray, FloatArray]] = []
        self._rejected: list[FloatArray] = []

    def admit(
        self, choice: IntArray, planned_s: FloatArray, present: list[FloatArray], begin: float, end: float
    ) -> None:
        """Instances that arrive from ``begin`` to ``end``, under one placement."""
        streams, arrived = self._arriving(present, begin, end)
        placed = choice[streams] != REJECTED
        self._rejected.append(arrived[~placed])
        streams, arrived = streams[placed], arrived[placed]
        work = np.array([self._work[k].exponential(1.0, 2) for k in streams]).reshape(-1, 2)
        if self._one_work:
            work[:, 1] = work[:, 0]
        self._parts.append((streams, arrived, choice[streams], work, planned_s[streams]))

    def _done(self, stream: IntArray, arrived: FloatArray, option: IntArray, work: FloatArray) -> FloatArray:
        """(k,) s, when every placed instance is done on all its sides."""
        options, tasks = self._tasks.options, self._tasks
        server = options.nodes[option].copy()
        on_device = option == options.device
        server[on_device, 0] = tasks.topology.n_nodes + stream[on_device]
        waited = np.zeros(arrived.size)
        if self._uplink_queue and tasks.uplink_bps is not None:
            sent = np.flatnonzero(~on_device)
            waited[sent] = _waiting(stream[sent], arrived[sent], tasks.uplink_s[stream[sent]])
        ready = (arrived + waited)[:, None] + options.sent_s[stream, option]
        service = work / options.rate[stream, option]
        row, side = np.nonzero(server >= 0)
        done = np.full(server.shape, -np.inf)
        at, takes = ready[row, side], service[row, side]
        done[row, side] = at + takes + _waiting(server[row, side], at, takes)
        return np.asarray(done.max(axis=1))

    def result(self, warm_up_s: float, figures: Mapping[str, float], *, placements: int) -> PlacementRun:
        """Sum up."""
        stream, arrived, option, work, planned = (
            np.concatenate(column) for column in zip(*self._parts, strict=True)
        )
        delay = self._done(stream, arrived, option, work) - arrived
        rejected = np.concatenate(self._rejected)
        kept = arrived >= warm_up_s
        turned_away = int((rejected >= warm_up_s).sum())
        late = delay[kept] > self._tasks.deadline_s[stream[kept]]
        total = int(kept.sum()) + turned_away
        measured = {
            "instances": float(total),
            "rejected": turned_away / max(total, 1),
            "late": float(late.mean()) if late.size else float("nan"),
            "missed": (turned_away + int(late.sum())) / max(total, 1),
            "mean_delay_s": float(delay[kept].mean()) if late.size else float("nan"),
            "planned_delay_s": float(planned[kept].mean()) if late.size else float("nan"),
        }
        return PlacementRun(measured | dict(figures), stream, arrived, delay, placements)

    def _arriving(self, present: list[FloatArray], begin: float, end: float) -> tuple[IntArray, FloatArray]:
        """Streams and times of the instances of a stretch of time, in the order of arrival."""
        streams, times = [], []
        for k, draw in enumerate(self._arrivals):
            scale = 1.0 / float(self._tasks.arrival_rate_hz[k])
            while self._next[k] < end:
                if np.searchsorted(present[k], self._next[k], side="right") % 2 == 1:
                    streams.append(k)
                    times.append(self._next[k])
                self._next[k] += draw.exponential(scale)
        at = np.array(times, dtype=np.float64)
        order = np.argsort(at, kind="stable")
        return np.array(streams, dtype=np.int64)[order], at[order]


def _waiting(server: IntArray, at_s: FloatArray, takes_s: FloatArray) -> FloatArray:
    """(k,) s that each waits at its server, first come first served (Lindley)."""
    waited = np.zeros(at_s.size)
    order = np.lexsort((at_s, server))
    for row in np.split(order, np.flatnonzero(np.diff(server[order])) + 1):
        total = np.cumsum(takes_s[row])
        free = np.maximum.accumulate(at_s[row] - total + takes_s[row])
        waited[row] = np.maximum(0.0, free + total - takes_s[row] - at_s[row])
    return waited
