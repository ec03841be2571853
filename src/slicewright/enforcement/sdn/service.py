"""The state of the application: tasks that run, switches that are there, and what each must be told.

Knows no controller library: a switch is a :class:`Channel`. What a switch should have is always the rules of the
tasks that run, so a switch that comes back, perhaps with all or nothing of what it had, is wiped and told everything.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from slicewright.enforcement.sdn.decision import PlacementSettings, Request, decide
from slicewright.enforcement.sdn.fabric import Fabric, Hop
from slicewright.enforcement.sdn.rules import FIRST_PORT, LAST_PORT, Part, Rules, rules_of, task_rules
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


class Channel(Protocol):
    """A connected switch."""

    def reset(self, rules: Rules) -> Ticket:
        """Forget everything of ours, then know these rules."""
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
        number: its identity.
        request: what was asked for.
        nodes: indices of its executors, ascending.
        port: TCP and UDP port that marks its traffic.
        parts: ways to its executors.
        rules: what each switch on these ways must know.
        since: s, wall clock.
    """

    number: int
    request: Request
    nodes: tuple[int, ...]
    port: int
    parts: tuple[Part, ...]
    rules: Mapping[str, Rules]
    since: float


@dataclass
class Service:
    """Places tasks and keeps the switches told. Safe to call from any thread.

    Attributes:
        fabric: the network.
        settings: how decisions are made.
        confirm_s: s that a switch may take to confirm.
    """

    fabric: Fabric
    settings: PlacementSettings = field(default_factory=PlacementSettings)
    confirm_s: float = CONFIRM_S
    _tasks: dict[int, Running] = field(default_factory=dict, init=False)
    _channels: dict[str, Channel] = field(default_factory=dict, init=False)
    _timers: dict[int, threading.Timer] = field(default_factory=dict, init=False)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1), init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)

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
            results = [
                answer if isinstance(answer, str) else self._record(request, answer)
                for request, answer in zip(requests, answers, strict=True)
            ]
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
        """Remove a task's flows and meters; False if there is no such task."""
        with self._lock:
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
            channel.reset(rules_of((task.rules for task in self._tasks.values()), name))
        _log.info("switch %s is there", name)

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
                {"name": name, "datapath_id": f"{dpid:016x}", "connected": name in self._channels}
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

    def _record(self, request: Request, nodes: tuple[int, ...]) -> Running:
        number = next(self._numbers)
        parts = tuple(
            Part(executor[-1], self._way(request, executor), 2 * number + k)
            for k, executor in enumerate(self._orders(request, nodes))
        )
        port = self._free_port()
        rules = task_rules(
            self.fabric,
            number=number,
            access_point=request.access_point,
            port=port,
            rate_bps=request.rate_bps,
            parts=parts,
        )
        self._tasks[number] = Running(number, request, nodes, port, parts, rules, time.time())
        return self._tasks[number]

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

    def _free_port(self) -> int:
        taken = {task.port for task in self._tasks.values()}
        for port in range(FIRST_PORT, LAST_PORT + 1):
            if port not in taken:
                return port
        raise EnforcementError("all task ports are in use")

    def _tell(self, tasks: Sequence[Running], verb: str) -> list[tuple[str, Ticket]]:
        """Send every switch concerned its part of these tasks; switches that are away hear it when they return."""
        names = dict.fromkeys(name for task in tasks for name in task.rules)
        return [
            (name, getattr(self._channels[name], verb)(rules_of((task.rules for task in tasks), name)))
            for name in names
            if name in self._channels
        ]

    def _schedule_end(self, task: Running) -> None:
        if task.request.duration_s is None:
            return
        timer = threading.Timer(task.request.duration_s, self.end, (task.number,))
        timer.daemon = True
        with self._lock:
            if task.number in self._tasks:
                self._timers[task.number] = timer
                timer.start()
