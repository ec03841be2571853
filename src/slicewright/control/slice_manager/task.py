"""A slice manager as a process or task: watches its grant and measurements, applies, acknowledges or refuses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator

from pydantic import ValidationError

from slicewright.control.messages.details import DETAILS, Details
from slicewright.control.messages.keys import (
    DETAILS_KEYS,
    GRANT_KEYS,
    MEASUREMENT_KEYS,
    STATUS_KEYS,
    slice_key,
)
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.messages.status import STATUS
from slicewright.control.sharing.rules import CLOSED_FORM, ShareRule
from slicewright.control.slice_manager.state import ManagerState, status_of, take
from slicewright.control.state.clock import Clock, end, pause
from slicewright.control.state.grants import GRANT, Grant
from slicewright.control.state.options import DEFAULTS, ControlOptions
from slicewright.control.transport.base import Entry, Transport, TransportError

logger = logging.getLogger(__name__)


class SliceManager:
    """Runs one manager on a transport.

    Args:
        name: of the slice.
        transport: how to reach the orchestrator.
        clock: for the heartbeat.
        instance: distinguishes processes that could manage the same slice; one at a time does, by a lease.
        options: heartbeat.
        rule: how to share.
    """

    def __init__(
        self,
        name: str,
        transport: Transport,
        *,
        clock: Clock,
        instance: str,
        options: ControlOptions = DEFAULTS,
        rule: ShareRule = CLOSED_FORM,
    ) -> None:
        self.state = ManagerState.fresh(name, rule=rule)
        self._transport, self._clock, self._instance, self._options = transport, clock, instance, options
        self._rule = rule
        self._changed = asyncio.Event()
        self.leading = False
        self._seen = 0
        self._awake_s, self._doubtful = clock.monotonic(), False
        self._life, self._beat = int(clock.now() * 1000), 0

    async def run(self) -> None:
        """Manage until cancelled; waits while another instance manages the slice."""
        lease = f"manager.{self.state.slice.encode().hex()}"
        try:
            while True:
                if not await self._hold(lease):
                    await asyncio.sleep(self._options.heartbeat_s)
                    continue
                try:
                    await self._manage(lease)
                except TransportError as error:
                    logger.info("slice %s begins again: %s", self.state.slice, error)
        finally:
            if self.leading:
                await self._surrender(lease)

    async def _hold(self, lease: str) -> bool:
        try:
            return await self._transport.acquire(lease, self._instance)
        except TransportError:
            return False

    async def _surrender(self, lease: str) -> None:
        try:
            await self._transport.surrender(lease, self._instance)
        except TransportError as error:
            logger.warning("slice %s: %s", self.state.slice, error)

    async def _manage(self, lease: str) -> None:
        """Go on from the last status, then follow grants and measurements until the lease is lost."""
        self.leading = True
        await self._resume()
        own = slice_key(GRANT_KEYS, self.state.slice)
        work = [self._follow(own), self._follow(MEASUREMENT_KEYS), self._report(), self._keep(lease, own)]
        if self._rule is not CLOSED_FORM:
            work.append(self._follow(slice_key(DETAILS_KEYS, self.state.slice)))
        tasks = [asyncio.create_task(part) for part in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = await end(tasks)
        self.leading = False
        for error in ended:
            if error is not None:
                raise error

    async def _keep(self, lease: str, own: str) -> None:
        """Renew the lease; returns when somebody else manages the slice."""
        while await self._hold_on(lease):
            self._note_the_time()
            await self._reconcile(own)
            await asyncio.sleep(self._options.heartbeat_s)

    async def _hold_on(self, lease: str) -> bool:
        """False only when somebody else has the lease: an unreachable server is no reason to stop."""
        try:
            return await self._transport.acquire(lease, self._instance)
        except TransportError:
            self._doubtful = True
            return True

    async def _reconcile(self, own: str) -> None:
        """Read the grant now and then besides watching it: a watch may have died without a word."""
        with contextlib.suppress(TransportError):
            began_s = -math.inf
            while (
                self._clock.monotonic() - began_s > self._options.heartbeat_s
            ):  # an answer that lay there is old
                began_s = self._clock.monotonic()
                entry = await self._transport.get(own)
            self._note_the_time()
            self._doubtful = False
            if entry is not None and entry.revision != self._seen:  # less, if the transport has gone back
                self.apply(entry)

    def _note_the_time(self) -> None:
        """Notice that this process has stood still: it was taken to be away, and what it is told now may be old."""
        now_s = self._clock.monotonic()
        self._doubtful |= now_s - self._awake_s > 2 * self._options.heartbeat_s
        self._awake_s = now_s

    async def _take(self, entry: Entry) -> None:
        """Apply what a watch brings, or what is there now if that may be something else.

        While this process stood still or was cut off, others may have been given what a grant on its way gives.
        """
        self._note_the_time()
        if entry.key.startswith(f"{GRANT_KEYS}.") and (self._doubtful or entry.revision < self._seen):
            await self._reconcile(entry.key)
        else:
            self.apply(entry)

    async def _resume(self) -> None:
        entry = await self._transport.get(slice_key(STATUS_KEYS, self.state.slice))
        if entry is not None and entry.value:
            with contextlib.suppress(ValidationError):
                status = STATUS.validate_json(entry.value)
                self._life = max(self._life, status.life + 1)
                if status.held.order >= self.state.grant.order:
                    self.state = ManagerState.resumed(status, rule=self._rule)
        self._changed.set()

    async def _follow(self, prefix: str) -> None:
        """Apply entries as they come; when the transport is cut, keep what there is and try again."""
        while True:
            try:
                async for entry in self._entries(prefix):
                    await self._take(entry)
            except TransportError as error:
                self._doubtful = True
                logger.info("slice %s keeps its shares: %s", self.state.slice, error)
            await asyncio.sleep(self._options.heartbeat_s)

    def _entries(self, prefix: str) -> AsyncIterator[Entry]:
        return self._transport.watch(prefix)

    def apply(self, entry: Entry) -> None:
        """Take a grant, details or a measurement in; what cannot be read is ignored, with a line in the log."""
        if not entry.value:
            return
        if entry.key.startswith(f"{GRANT_KEYS}."):
            self._seen = entry.revision
        try:
            message = _message(entry)
        except ValidationError as error:
            logger.error("slice %s: %s is not readable: %s", self.state.slice, entry.key, error)
            return
        self.state, report = take(self.state, message)
        if report:
            self._changed.set()

    async def _report(self) -> None:
        """Send the status after every change, and as a heartbeat."""
        key = slice_key(STATUS_KEYS, self.state.slice)
        while True:
            await pause(self._changed, self._options.heartbeat_s)
            self._changed.clear()
            self._beat += 1
            status = status_of(self.state, self._instance, life=self._life, beat=self._beat)
            try:
                self._note_the_time()
                await self._transport.put(key, STATUS.dump_json(status, by_alias=True))
            except TransportError as error:
                self._doubtful = True
                logger.info("slice %s cannot report: %s", self.state.slice, error)
                self._changed.set()
                await asyncio.sleep(self._options.heartbeat_s)


def _message(entry: Entry) -> Grant | Details | Measurement:
    if entry.key.startswith(f"{GRANT_KEYS}."):
        return GRANT.validate_json(entry.value)
    if entry.key.startswith(f"{DETAILS_KEYS}."):
        return DETAILS.validate_json(entry.value)
    return MEASUREMENT.validate_json(entry.value)
