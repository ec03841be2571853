"""The control plane of one process: an orchestrator, managers, or both, on one transport."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric

from slicewright.control.journal.base import Journal
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.plane.first_requests import FirstRequests
from slicewright.control.plane.instance_name import InstanceName
from slicewright.control.sharing.rules import share_rule
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import Clock, end
from slicewright.control.state.errors import ControlError, NotLeadingError
from slicewright.control.state.options import DEFAULTS, ControlOptions
from slicewright.control.transport.base import Transport
from slicewright.control.views.drift import drift_gauges
from slicewright.control.views.metrics import Metrics, picture_gauges
from slicewright.control.views.picture import Picture, View

logger = logging.getLogger(__name__)
_POLL_S = 0.02


class ControlPlane:
    """Starts and stops the tasks of this process, and gives views of the state.

    Args:
        journal: of the orchestrator.
        transport: shared by everybody.
        clock: time.
        instance: name of this process.
        options: settings.
        first: what an empty journal starts with.
        managers: slices to manage in this process; None for all of the network's, as they come.
        threads: see :class:`~slicewright.control.orchestrator.loop.Orchestrator`.
    """

    def __init__(
        self,
        journal: Journal,
        transport: Transport,
        *,
        clock: Clock,
        instance: str,
        options: ControlOptions = DEFAULTS,
        first: FirstRequests | None = None,
        managers: Sequence[str] | None = None,
        threads: bool = True,
    ) -> None:
        self.metrics = Metrics(self._gauges)
        self.orchestrator = Orchestrator(
            journal,
            transport,
            clock=clock,
            instance=instance,
            options=options,
            threads=threads,
            observe=self.metrics.observe,
        )
        self.journal, self.transport, self.clock, self.options = journal, transport, clock, options
        self._instance, self._first = instance, first
        self._name = InstanceName(transport, instance, clock=clock)
        self._wanted = managers
        self.managers: dict[str, SliceManager] = {}
        self.fatal = ""
        self.on_fatal: Callable[[], None] = lambda: None
        self._tasks: list[asyncio.Task[None]] = []
        self._pictures: dict[View, tuple[str, Picture]] = {}

    async def start(self) -> None:
        """Start everything; returns at once."""
        self._spawn(self._begin())

    async def _begin(self) -> None:
        """Nothing is done under a name that is another process's."""
        await self._name.take()
        self._spawn(self.orchestrator.run())
        self._spawn(self._settle_in())
        await self._name.keep(self.options.heartbeat_s)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part that ends by an error takes the process with it: a restart goes on from the journal."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        ours = isinstance(
            error, ControlError
        )  # a sentence that says what to do: where it was raised does not matter
        logger.critical("stopping: %s", error, exc_info=None if ours else error)
        self.fatal = str(error) if ours else f"{type(error).__name__}: {error}"
        self.orchestrator.feed.close()
        self.on_fatal()

    async def _settle_in(self) -> None:
        """Put in the first requests, and run a manager for every slice that this process is to manage."""
        feed, cursor = self.orchestrator.feed, -1
        while not feed.closed:
            if self._first is not None and self.orchestrator.leading:
                with contextlib.suppress(NotLeadingError):
                    await self.orchestrator.submit(self._first, wait=False)
                    self._first = None
            for name in self._wanted if self._wanted is not None else self.orchestrator.state.accounts:
                if name not in self.managers:
                    self._manage(name)
            if self._first is not None:
                await asyncio.sleep(_POLL_S)
            elif cursor == feed.newest:
                await feed.wait()
            cursor = feed.newest

    def _manage(self, name: str) -> None:
        manager = SliceManager(
            name,
            self.transport,
            clock=self.clock,
            instance=self._instance,
            options=self.options,
            rule=share_rule(
                self.options.shares, limit_s=self.options.share_limit_s, timer=self.clock.monotonic
            ),
        )
        self.managers[name] = manager
        self._spawn(manager.run())

    async def stop(self) -> None:
        """Stop every task, then close the transport and the journal."""
        await end(self._tasks)
        await self._name.give_back()
        await self.transport.close()
        await self.journal.close()

    def picture(self, view: View = "granted") -> Picture:
        """A consistent look at the state now; made once per change."""
        here = self.orchestrator.position
        cached = self._pictures.get(view)
        if cached is None or cached[0] != here.hash:  # a journal that went back has the same numbers again
            cached = (here.hash, Picture(here.state, view))
            self._pictures[view] = cached
        return cached[1]

    @property
    def faults(self) -> list[str]:
        """Why this process is not ready; empty if it is."""
        o = self.orchestrator
        out = [self.fatal] if self.fatal else []
        if o.journal_fault:
            out.append(o.journal_fault)
        if not o.leading and not o.led_elsewhere:
            out.append("no orchestrator leads")
        if not o.leading and o.setback is not None and o.setback.known is o.position:
            out.append(o.setback.sentence)
        if o.position.sequence == 0:
            out.append("the journal has not been read yet")
        elif o.state.network is None:
            out.append("there is no network yet")
        elif o.leading and o.state.last is None:
            out.append("no decision has been made yet")
        return out

    def away(self) -> dict[str, str]:
        """Slices that the last decision could not change, with the reason."""
        last = self.orchestrator.state.last
        pinned = () if last is None else last.pinned
        return dict.fromkeys(pinned, "its manager does not answer")

    def _gauges(self) -> Iterator[Metric]:
        o = self.orchestrator
        leading = GaugeMetricFamily(
            "slicewright_leading", "1 while this process leads.", value=float(o.leading)
        )
        yield leading
        yield GaugeMetricFamily(
            "slicewright_faults", "Reasons why this process is not ready.", value=float(len(self.faults))
        )
        yield GaugeMetricFamily(
            "slicewright_slices_away",
            "Slices that the last decision could not change.",
            value=float(len(self.away())),
        )
        model = GaugeMetricFamily("slicewright_model_info", "Methods in use.", labels=["version", "role"])
        for role in ("active", "previous", "canary"):
            method = getattr(o.state.methods, role)
            if method is not None:
                model.add_metric([method, role], 1.0)
        yield model
        if o.state.network is not None:
            yield from picture_gauges(self.picture())
            if o.leading:  # a follower does not hear the managers
                yield from drift_gauges(self.picture("desired"), self.picture(), dict(o.statuses))
