"""The journal as one process knows it: read to its end, written to, and noticed when it is not what it was."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from functools import partial

from slicewright.control.journal.base import FencedError, Journal, JournalError
from slicewright.control.journal.feed import Feed
from slicewright.control.journal.records import Position, Record, chained
from slicewright.control.orchestrator.journal_memory import Hashes, Setback
from slicewright.control.state.clock import Clock
from slicewright.control.state.events import Checkpoint, Decided, DecisionChanged, DevicesAdmitted, Event
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState, dump

logger = logging.getLogger(__name__)
CHECKPOINT_RETRY_S = 10.0
MOST_NAMED = 50
MANY_DEVICES = 1000
_LARGE = Checkpoint | Decided | DecisionChanged | DevicesAdmitted
"""What takes long to write down where there are many devices; leases are renewed meanwhile."""


def named(devices: Sequence[str]) -> str:
    """Some of them by name, for the log."""
    more = f" and {len(devices) - MOST_NAMED} more" if len(devices) > MOST_NAMED else ""
    return ", ".join(devices[:MOST_NAMED]) + more or "no device"


class KnownJournal:
    """What this process has read of a journal, and what it writes to it.

    Attributes:
        position: the newest record that is known, and the state there.
        setback: the last time that the journal was not what it had been.
        fault: why the last attempt to write failed; empty since one has not.
        feed: what is told to those who only watch.
    """

    def __init__(
        self, journal: Journal, *, clock: Clock, instance: str, options: ControlOptions, threads: bool = True
    ) -> None:
        self._journal, self._clock, self._instance, self._options = journal, clock, instance, options
        self._threads = threads
        self.position = Position(OrchestratorState())
        self.setback: Setback | None = None
        self.fault = ""
        self.feed = Feed()
        self._hashes = Hashes()
        self._since_checkpoint = 0
        self._next_checkpoint_s = 0.0

    async def catch_up(self) -> bool:
        """Read what the journal has in addition to what is known; False if it has another past, which counts now."""
        if self.position.sequence == 0:
            records = await self._journal.read_from_checkpoint()
            if records:
                self.feed.start_at(records[0].sequence - 1)
        else:
            records = await self._journal.read(self.position.sequence - 1)
            if not records or records[0].hash != self.position.hash:
                return await self._look_back()
            del records[0]
        self._follow(records)
        return True

    def _follow(self, records: Sequence[Record]) -> None:
        self._be_at(self.position.after(records), records)

    def _be_at(self, position: Position, records: Sequence[Record]) -> None:
        """These records have led there."""
        self.position = position
        self._hashes.add(records)
        self.feed.add(records)

    async def _look_back(self) -> bool:
        """The newest record that is known is not where it was: the journal was shortened, or has gone back in time.

        Returns:
            Whether what was known counts still.
        """
        records = await self._journal.read_from_checkpoint()
        found = Position(OrchestratorState()).after(records)
        if found.sequence > self.position.sequence and records[0].sequence > self.position.sequence:
            logger.info("%s goes on at record %d: those before are not kept", self._instance, found.sequence)
        else:
            written_s = records[-1].time_s if records else -math.inf
            setback = self._hashes.setback(self.position, found, written_s)
            if self.setback is None or self.setback.found.hash != found.hash:
                logger.error("%s: %s", self._instance, setback.sentence)
            self.setback = setback
            if setback.ours:
                return True  # what is known here is kept until somebody leads, and written down if that is this process
            logger.error("gone: %s", named(setback.gone))
            logger.error("withdrawn here, or admitted there since: %s", named(setback.others))
        self._hashes.forget()
        self.position = Position(OrchestratorState())
        self.feed.start_over(records[0].sequence - 1 if records else 0)
        self._follow(records)
        return False

    async def restore(self) -> None:
        """Write down what the journal has lost, before anything else is written to it."""
        setback = self.setback
        if setback is None or not setback.ours or setback.known is not self.position:
            return
        found = setback.found
        records = chained(found.hash, found.sequence, self._clock.now(), (setback.remedy,))
        await self._journal.append(records)
        self.position = found.after(records)
        self._hashes.add(records)
        self.feed.start_over(found.sequence)
        self.feed.add(records)
        logger.error("%s has restored the journal from memory: %s", self._instance, setback.sentence)

    async def check(self) -> None:
        """See that the journal is still where it was, also while there is nothing to write.

        Raises:
            FencedError: it is not; what has become of it is found out before this process leads again.
        """
        here = self.position
        try:
            records = await self._journal.read(here.sequence - 1)
        except JournalError as error:
            logger.warning("%s: %s", self._instance, error)
            return
        if not records or records[0].hash != here.hash:
            raise FencedError(f"record {here.sequence} is not in the journal any more")

    async def append(self, events: Sequence[Event], state: OrchestratorState) -> None:
        """Write down what leads to a state."""
        if not events:
            return
        here = self.position
        chain = partial(chained, here.hash, here.sequence, self._clock.now(), events)
        many = len(state.devices) > MANY_DEVICES and any(isinstance(e, _LARGE) for e in events)
        records = await asyncio.to_thread(chain) if many and self._threads else chain()
        await self._journal.append(records)
        self._be_at(Position(state, records[-1].sequence, records[-1].hash), records)
        self.fault = ""
        self._since_checkpoint = (
            0 if isinstance(events[0], Checkpoint) else self._since_checkpoint + len(records)
        )

    async def checkpoint(self) -> None:
        """Write one if it is due. What was asked for is in the journal already, whatever becomes of this."""
        due = self._since_checkpoint >= self._options.checkpoint_every > 0
        if not due and not self._journal.wants_checkpoint:
            return
        if self._clock.monotonic() < self._next_checkpoint_s:
            return
        try:
            await self.append((Checkpoint(dump(self.position.state)),), self.position.state)
        except FencedError:
            raise
        except JournalError as error:
            self._next_checkpoint_s = self._clock.monotonic() + CHECKPOINT_RETRY_S
            logger.error("%s goes on without a new checkpoint: %s", self._instance, error)
