"""The state of the application: tasks that run, switches that are there, and what each must be told.

Knows no controller library: a switch is a :class:`Channel`. What a switch should have is always the rules of the
tasks that run. A switch that comes back, perhaps with all or nothing of what it had, is asked for what it has, and only
what differs is changed: traffic that is right goes on undisturbed, also when it is the controller that comes back.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

from slicewright.enforcement.sdn.decision import PlacementSettings, Request, decide
from slicewright.enforcement.sdn.fabric import Fabric, Hop
from slicewright.enforcement.sdn.rules import (
    FIRST_PORT,
    LAST_PORT,
    Changes,
    Part,
    Rules,
    rules_of,
    task_rules,
)
from slicewright.enforcement.sdn.task_store import NoStore, StoredTask, TaskStore
from slicewright.errors import EnforcementError
from slicewright.types import Document

CONFIRM_S = 3.0
"""How long a switch may take to confirm; then the task is not installed."""
_log = logging.getLogger(__name__)


class Ticket(Protocol):
    """The answer of a switch to come."""

    def wait(self, timeout_s: float) -> str | None:
        """None when the switch has done everything, else what went wrong."""
        ...


Wanted: TypeAlias = Callable[[], AbstractContextManager[Rules]]
"""Gives what a switch should have, which stays so until the block ends."""
Told: TypeAlias = Callable[[Changes, Ticket | None], None]
"""Takes what differed, and the switch's answer to come if anything did."""


class Channel(Protocol):
    """A connected switch."""

    def synchronise(self, wanted: Wanted, told: Told) -> None:
        """Ask what there is and change what differs from what is wanted by then; returns at once."""
        ...

    def install(self, rules: Rules) -> Ticket:
        """Know these rules too."""
        ...

    def remove(self, rules: Rules) -> Ticket:
        """Forget these rules."""
        ...


@dataclass(frozen=True, eq=False)
class Running:
    """A task that was placed.

    Attributes:
        stored: the task as it is kept.
        rules: what each switch on its ways must know.
    """

    stored: StoredTask
    rules: Mapping[str, Rules]

    @property
    def number(self) -> int:
        """Its identity."""
        return self.stored.number

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.stored.request

    @property
    def nodes(self) -> tuple[int, ...]:
        """Indices of its executors, ascending."""
        return self.stored.nodes

    @property
    def port(self) -> int:
        """TCP and UDP port that marks its traffic."""
        return self.stored.port

    @property
    def parts(self) -> tuple[Part, ...]:
        """Ways to its executors."""
        return self.stored.parts

    @property
    def since(self) -> float:
        """s since 1970."""
        return self.stored.since


@dataclass
class SwitchChecks:
    """How often a switch was compared with what it should have, and how many differences were found and mended."""

    checks: int = 0
    repairs: int = 0


@dataclass
class Service:
    """Places tasks and keeps the switches told. Safe to call from any thread.

    Attributes:
        fabric: the network.
        settings: how decisions are made.
        confirm_s: s that a switch may take to confirm.
        store: where tasks are kept for the next controller; those that it has run on from the beginning.

    Raises:
        EnforcementError: the store cannot be read.
    """

    fabric: Fabric
    settings: PlacementSettings = field(default_factory=PlacementSettings)
    confirm_s: float = CONFIRM_S
    store: TaskStore = field(default_factory=NoStore)
    _tasks: dict[int, Running] = field(default_factory=dict, init=False)
    _channels: dict[str, Channel] = field(default_factory=dict, init=False)
    _timers: dict[int, threading.Timer] = field(default_factory=dict, init=False)
    _numbers: itertools.count[int] = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)
    _checks: dict[str, SwitchChecks] = field(init=False)

    def __post_init__(self) -> None:
        self._checks = {name: SwitchChecks() for name in self.fabric.switches}
        highest, kept = self.store.load(self.fabric)
        self._numbers = itertools.count(highest + 1)
        for stored in kept:
            task = self._running(stored)
            self._tasks[task.number] = task
            self._schedule_end(task)

    def submit(self, requests: Sequence[Request]) -> list[Running | str]:
        """Place tasks and install their flows and meters; returns when the switches have confirmed.

        Args:
            requests: decided together; none of the tasks that run already is moved.

        Returns:
            For every request the running task, or the reason why it was rejected.

        Raises:
            EnforcementError: a switch refused or did not confirm; nothing of these requests is left behind.
        """
        with self._lock:
            present = [(task.request, task.nodes) for task in self._tasks.values()]
            answers = decide(self.fabric.topology, present, requests, self.settings, self._reachable)
            results = self._recorded(requests, answers)
            placed = [task for task in results if isinstance(task, Running)]
            tickets = self._tell(placed, "install")
        # Confirmations arrive in the thread that also reports lost switches: it must not find the lock taken.
        refusals = [f"{name}: {said}" for name, ticket in tickets if (said := ticket.wait(self.confirm_s))]
        if refusals:
            for task in placed:
                self.end(task.number)
            raise EnforcementError(f"a switch did not take the rules: {'; '.join(refusals)}")
        for task in placed:
            self._schedule_end(task)
        return results

    def end(self, number: int) -> bool:
        """Remove a task's flows and meters; False if there is no such task.

        Raises:
            EnforcementError: the store does not take it; the task runs on.
        """
        with self._lock:
            if number in self._tasks:
                self.store.remove(number)
            task = self._tasks.pop(number, None)
            timer = self._timers.pop(number, None)
            if timer is not None:
                timer.cancel()
            tickets = self._tell([task], "remove") if task else []
        for name, ticket in tickets:
            if said := ticket.wait(self.confirm_s):
                _log.warning("switch %s did not confirm the end of task %d: %s", name, number, said)
        return task is not None

    def connected(self, dpid: int, channel: Channel) -> None:
        """A switch is there, for the first time or again: bring it to what it should have."""
        name = self.fabric.names.get(dpid)
        if name is None:
            _log.warning("switch %016x is not part of the fabric and is left alone", dpid)
            return
        with self._lock:
            self._channels[name] = channel
        _log.info("switch %s is there", name)
        self._synchronise(name, channel)

    def synchronise(self) -> None:
        """Compare every switch that is there with what it should have, and mend what differs; returns at once."""
        with self._lock:
            present = dict(self._channels)
        for name, channel in present.items():
            self._synchronise(name, channel)

    def _synchronise(self, name: str, channel: Channel) -> None:
        channel.synchronise(partial(self._wanted, name), partial(self._compared, name))

    @contextmanager
    def _wanted(self, name: str) -> Iterator[Rules]:
        with self._lock:
            yield rules_of((task.rules for task in self._tasks.values()), name)

    def _compared(self, name: str, changes: Changes, ticket: Ticket | None) -> None:
        # Called by the thread that confirmations arrive in: the ticket must not be waited for here. What the switch
        # refuses is found again the next time.
        with self._lock:
            self._checks[name].checks += 1
            self._checks[name].repairs += changes.count
        if changes.count:
            _log.warning("switch %s differed in %d flows and meters, which were mended", name, changes.count)

    def disconnected(self, dpid: int, channel: Channel) -> None:
        """A switch is away. What it has forwards on; new tasks avoid it until it is back."""
        name = self.fabric.names.get(dpid)
        with self._lock:
            # A switch that has reconnected already has a new channel; the old one's end is no news.
            if name is not None and self._channels.get(name) is channel:
                del self._channels[name]
                _log.warning("switch %s is away", name)

    def task(self, number: int) -> Document | None:
        """A task that runs, as JSON, or None."""
        with self._lock:
            task = self._tasks.get(number)
            return None if task is None else self.describe(task)

    def tasks(self) -> list[Document]:
        """All tasks that run, as JSON."""
        with self._lock:
            return [self.describe(task) for task in self._tasks.values()]

    def switches(self) -> list[Document]:
        """All switches of the fabric, as JSON."""
        with self._lock:
            return [
                {
                    "name": name,
                    "datapath_id": f"{dpid:016x}",
                    "connected": name in self._channels,
                    "checks": self._checks[name].checks,
                    "repairs": self._checks[name].repairs,
                }
                for name, dpid in self.fabric.switches.items()
            ]

    def describe(self, task: Running) -> Document:
        """A task as JSON: where to send what, and whether all switches on the way are there."""
        away = sorted(name for name in task.rules if name not in self._channels)
        return {
            "id": task.number,
            "state": "degraded" if away else "active",
            "switches_away": away,
            "access_point": task.request.access_point,
            "rate_bps": task.request.rate_bps,
            "duration_s": task.request.duration_s,
            "since": task.since,
            "executors": [
                {
                    "node": part.executor,
                    "address": self.fabric.hosts[part.executor].ip,
                    "port": task.port,
                    "path": [hop.switch for hop in part.hops],
                    "meter": part.meter_id,
                }
                for part in task.parts
            ],
        }

    def _recorded(
        self, requests: Sequence[Request], answers: Sequence[tuple[int, ...] | str]
    ) -> list[Running | str]:
        """Tasks of answers that are places, in the store and among those that run; all or none."""
        results: list[Running | str] = []
        taken = {task.port for task in self._tasks.values()}
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, str):
                results.append(answer)
                continue
            stored = self._draft(request, answer, _free_port(taken))
            taken.add(stored.port)
            results.append(self._running(stored))
        fresh = [task for task in results if isinstance(task, Running)]
        self.store.add([task.stored for task in fresh])
        self._tasks.update((task.number, task) for task in fresh)
        return results

    def _draft(self, request: Request, nodes: tuple[int, ...], port: int) -> StoredTask:
        number = next(self._numbers)
        parts = tuple(
            Part(executor[-1], self._way(request, executor), 2 * number + k)
            for k, executor in enumerate(self._orders(request, nodes))
        )
        return StoredTask(number, request, nodes, port, parts, time.time())

    def _running(self, stored: StoredTask) -> Running:
        rules = task_rules(
            self.fabric,
            number=stored.number,
            access_point=stored.request.access_point,
            port=stored.port,
            rate_bps=stored.request.rate_bps,
            parts=stored.parts,
        )
        return Running(stored, rules)

    def _orders(self, request: Request, nodes: tuple[int, ...]) -> list[tuple[str, ...]]:
        """Executors to pass for each part: the nearer one, and the farther one by way of the nearer (8)."""
        topology = self.fabric.topology
        reach = topology.access_point_to_node[topology.access_points.index(request.access_point)]
        names = [topology.nodes[j] for j in sorted(nodes, key=lambda j: float(reach[j]))]
        return [tuple(names[: k + 1]) for k in range(len(names))]

    def _reachable(self, request: Request, nodes: tuple[int, ...]) -> bool:
        usable = self._channels.__contains__
        return all(
            self.fabric.way(request.access_point, executors, usable) is not None
            for executors in self._orders(request, nodes)
        )

    def _way(self, request: Request, executors: tuple[str, ...]) -> tuple[Hop, ...]:
        way = self.fabric.way(request.access_point, executors, self._channels.__contains__)
        if way is None:
            raise EnforcementError(f"there is no way from {request.access_point} to {executors[-1]}")
        return way

    def _tell(self, tasks: Sequence[Running], verb: str) -> list[tuple[str, Ticket]]:
        """Send every switch concerned its part of these tasks; switches that are away hear it when they return."""
        names = dict.fromkeys(name for task in tasks for name in task.rules)
        return [
            (name, getattr(self._channels[name], verb)(rules_of((task.rules for task in tasks), name)))
            for name in names
            if name in self._channels
        ]

    def _schedule_end(self, task: Running) -> None:
        """At its time, also if that has passed while no controller was there."""
        if task.request.duration_s is None:
            return
        left_s = task.since + task.request.duration_s - time.time()
        timer = threading.Timer(
            min(max(left_s, 0.0), threading.TIMEOUT_MAX), self._end_by_itself, (task.number,)
        )
        timer.daemon = True
        with self._lock:
            if task.number in self._tasks:
                self._timers[task.number] = timer
                timer.start()

    def _end_by_itself(self, number: int) -> None:
        try:
            self.end(number)
        except EnforcementError as error:
            _log.error("task %d does not end: %s", number, error)


def _free_port(taken: set[int]) -> int:
    for port in range(FIRST_PORT, LAST_PORT + 1):
        if port not in taken:
            return port
    raise EnforcementError("all task ports are in use")
