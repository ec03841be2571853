"""A followed city with a journal: what is answered is on disk, and a restart goes on where the journal ends.

Changes are applied one after the other; those that wait together are written together. What could not be written has
not happened: the city is then read again from its saved file and the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from slicewright.control.city.followed import Change, FollowedCity, digest_of
from slicewright.control.city.overview import MOST_CHANGES, Moment, Recent, moment_of
from slicewright.control.city.recovery import (
    DecidesOtherwiseError,
    check_beginning,
    decide_again,
    first_record,
    follow,
    go_on,
)
from slicewright.control.city.saved import SavedCities, parts_of
from slicewright.control.journal.base import Journal, JournalError
from slicewright.control.journal.records import GENESIS, chained
from slicewright.control.requests.commands import KeyReusedError
from slicewright.control.state.clock import Clock
from slicewright.control.state.errors import ControlError, NotLeadingError
from slicewright.control.state.events import Event
from slicewright.control.state.events.city import CityBegan, CityChanged, CityProven
from slicewright.errors import SlicewrightError
from slicewright.files.documents import finite
from slicewright.network.scenario import Scenario
from slicewright.slicing.city.live import LiveCity

logger = logging.getLogger(__name__)
MOST_TOGETHER = 256
"""So many changes are written in one transaction at most."""
SAVE_EVERY = 10_000
"""Records from one saved file to the next."""
IDLE_S, PLAN_S, PROOF_S = 5.0, 2.0, 2.0
"""After so long without a change a better plan and better prices are sought, for so long each."""


class CityAnswer(NamedTuple):
    """What came of a change.

    Attributes:
        event: the difference; None where its key was known.
        document: what is told about it.
    """

    event: CityChanged | None
    document: dict[str, Any]


class CityControl:
    """Runs one city.

    Args:
        scenario: that it begins with; the same one at every start.
        journal: the durable state.
        clock: wall clock of records.
        saves: journal file beside which the city is saved; None saves nothing.
        save_every: records from one saved file to the next.
        idle_s: after so long without a change a better plan and better prices are sought; infinite: never.
    """

    def __init__(
        self,
        scenario: Scenario,
        journal: Journal,
        *,
        clock: Clock,
        saves: Path | None = None,
        save_every: int = SAVE_EVERY,
        idle_s: float = IDLE_S,
    ) -> None:
        self._scenario, self.journal, self.clock = scenario, journal, clock
        self._digest = digest_of(scenario)
        self._saved = None if saves is None else SavedCities(saves, self._digest)
        self._save_every, self._idle_s = save_every, idle_s
        self._waiting: asyncio.Queue[tuple[Change, asyncio.Future[CityAnswer]]] = asyncio.Queue()
        self._beside = ThreadPoolExecutor(1, "city")
        self._tasks: list[asyncio.Task[None]] = []
        self._writing: asyncio.Future[None] | None = None
        self.city: FollowedCity | None = None
        self.sequence, self._hash, self._saved_at = 0, GENESIS, 0
        self.recent: deque[Recent] = deque(maxlen=MOST_CHANGES)
        self._changed_s = time.monotonic()
        self._on_disk, self._appending = asyncio.Event(), asyncio.Lock()
        self.fatal = ""
        self.on_fatal: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Read the city, or begin it; then take changes. Nothing where that was done already."""
        if self._tasks:
            return
        await self._recover()
        self._on_disk.set()
        works = (self._work(), self._improve_in_idle_time(self._changed_s))
        self._tasks = [asyncio.create_task(work) for work in works]

    async def stop(self) -> None:
        """Take no more changes; those that wait are refused."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._waiting.empty():
            self._refuse([self._waiting.get_nowait()], NotLeadingError("the city is stopping"))
        self._beside.shutdown()
        await self.journal.close()

    async def read(self) -> FollowedCity:
        """The city, at a moment when all of it is on disk; look at it before waiting for anything else.

        Raises:
            NotLeadingError: it is being read again.
        """
        while not self._on_disk.is_set():
            await self._on_disk.wait()
        return self._here

    async def moment(self) -> Moment:
        """What the dashboard shows, copied at a moment when all of it is on disk.

        Raises:
            NotLeadingError: the city is being read again.
        """
        return moment_of(await self.read(), self.sequence, self.recent)

    @property
    def _here(self) -> FollowedCity:
        if self.city is None:
            raise NotLeadingError("the city is being read from its journal")
        return self.city

    async def submit(self, change: Change) -> CityAnswer:
        """Have a change made; returns once it is on disk.

        Raises:
            JournalError: it could not be recorded, and has not happened.
            SlicewrightError: it was refused.
        """
        answered: asyncio.Future[CityAnswer] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((change, answered))
        return await answered

    async def _work(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST_TOGETHER and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                await self._carry_out(batch)
            except Exception as error:
                logger.exception("the city has stopped")
                self._refuse(batch, error)
                self.fatal = f"{type(error).__name__}: {error}"
                self.on_fatal()
                raise

    async def _carry_out(self, batch: Sequence[tuple[Change, asyncio.Future[CityAnswer]]]) -> None:
        """Apply, write down, answer."""
        city = self._here
        events: list[Event] = []
        done: list[tuple[asyncio.Future[CityAnswer], int, CityChanged | None, tuple[str, ...]]] = []
        for change, answered in batch:
            try:
                event = self._applied(city, change)
            except SlicewrightError as error:
                self._refuse([(change, answered)], error)
                continue
            if event is not None:
                events.append(event)
            known = city.keys.get(change.key or "")
            ids = tuple(new.device.id for new in change.admitted) if known is None else known.devices
            done.append((answered, len(events), event, ids))
        self._on_disk.clear()
        try:
            before = await self._append(events) - len(events)
        except JournalError as error:
            logger.error("%s", error)
            for answered, *_ in done:
                self._refuse_one(answered, error)
            if events:
                self.city = None
                self._on_disk.set()
                await self._recover()
            return
        finally:
            self._on_disk.set()
        for answered, count, event, ids in done:
            if not answered.done():
                answered.set_result(CityAnswer(event, _told(city, before + count, event, ids)))
        self._save_when_due()

    def _applied(self, city: FollowedCity, change: Change) -> CityChanged | None:
        """The difference; None where the change was made before, under the same key."""
        known = None if change.key is None else city.keys.get(change.key)
        if known is not None and not known.expired(change.asked_s):
            if known.request_digest != change.request_digest:
                raise KeyReusedError("this Idempotency-Key was used for another request")
            return None
        event = city.apply(change)
        self._changed_s = (
            time.monotonic()
        )  # only now: what was refused leaves nothing to look at in idle time
        return event

    async def _append(self, events: Sequence[Event]) -> int:
        """Write events down; the number of the last of them, or of the newest record where there are none."""
        if not events:
            return self.sequence
        async with self._appending:  # a proof found in idle time and a change may come to be written at once
            records = chained(self._hash, self.sequence, self.clock.now(), events)
            await self.journal.append(records)
            self.sequence, self._hash = records[-1].sequence, records[-1].hash
            self.recent.extend(
                (r.sequence, r.event) for r in records if isinstance(r.event, CityChanged | CityProven)
            )
        return records[-1].sequence

    async def _recover(self) -> None:
        """The city as the journal has it."""
        city, at = await self._where_to_begin()
        if at == 0:
            self.sequence, self._hash = 0, GENESIS
            await self._append((self._began(city),))
            if self._saved is not None:  # a restart would plan and prove anew
                with contextlib.suppress(OSError):
                    await self._aside(self._saved.save, parts_of(city), self.sequence, self._hash)
                    self._saved_at = self.sequence
            self.city = city
            return
        read = partial(go_on, journal=self.journal, aside=self._aside)
        try:
            newest = await read(city, at=at, step=decide_again)
        except DecidesOtherwiseError as error:
            logger.warning("%s: its decisions are kept, not made anew", error)
            city, at = await self._where_to_begin()
            newest = await read(city, at=at, step=follow)
        if newest is None:
            raise ControlError("the journal was emptied while it was read")
        self.sequence, self._hash = newest.sequence, newest.hash
        self._saved_at = at if at > 1 else 0
        self.city = city

    async def _where_to_begin(self) -> tuple[FollowedCity, int]:
        """A city, and the number of the record at which it was so; 0 where the journal is empty."""
        saved = None if self._saved is None else await self._aside(self._saved.newest, self._scenario)
        if saved is not None:
            city, sequence, hash_ = saved
            there = await first_record(self.journal, sequence - 1)
            if there is not None and there.hash == hash_:
                return city, sequence
            logger.warning("the saved city is of another journal, and does not count")
        first = await first_record(self.journal)
        if first is not None:
            check_beginning(first, self._digest)
        return await self._aside(FollowedCity, self._scenario), 0 if first is None else first.sequence

    def _began(self, city: FollowedCity) -> CityBegan:
        live = city.live
        return CityBegan(
            self._digest, self._scenario.n_devices, live.moving_price_s, live.cost_s, live.bound_s
        )

    async def _aside(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._beside, work, *arguments)

    def _save_when_due(self) -> None:
        """Copy the city and write it in a thread, unless one is being written."""
        busy = self._writing is not None and not self._writing.done()
        if self._saved is None or busy or self.sequence - self._saved_at < self._save_every:
            return
        self._saved_at = self.sequence
        parts = parts_of(self._here)
        self._writing = asyncio.get_running_loop().run_in_executor(
            self._beside, self._saved.save, parts, self.sequence, self._hash
        )
        self._writing.add_done_callback(_tell_failure)

    async def _improve_in_idle_time(self, tried_s: float) -> None:
        """Seek a better plan and better prices when nobody has asked for long; what happens meanwhile counts more.

        Nothing that was changed until ``tried_s`` is looked at.
        """
        while True:
            await asyncio.sleep(min(self._idle_s, 60.0) / 2)
            idle = time.monotonic() - self._changed_s >= self._idle_s
            if self.city is None or not idle or tried_s >= self._changed_s:
                continue
            tried_s, city = self._changed_s, self.city
            twin = city.live.twin()
            await self._aside(_improve, twin)
            if self.city is city and self._waiting.empty() and not self._appending.locked():
                await self._take(city, twin)

    async def _take(self, city: FollowedCity, twin: LiveCity) -> None:
        """Have what was found in idle time, and write it down before anybody can see it."""
        before = city.live.bound_s
        if not city.live.take(twin) or not (city.live.moved_others or city.live.bound_s > before):
            return
        live = city.live
        event = CityProven(live.bound_s, live.gap, city.places(sorted(live.moved_others)), live.cost_s)
        self._on_disk.clear()
        try:
            await self._append((event,))
        except JournalError as error:
            logger.error("%s", error)
            self.city = None
            self._on_disk.set()
            await self._recover()
        finally:
            self._on_disk.set()

    def _refuse(self, batch: Sequence[tuple[Change, asyncio.Future[CityAnswer]]], error: Exception) -> None:
        for _, answered in batch:
            self._refuse_one(answered, error)

    @staticmethod
    def _refuse_one(answered: asyncio.Future[CityAnswer], error: Exception) -> None:
        if not answered.done():
            answered.set_exception(error)


def _told(
    city: FollowedCity, sequence: int, event: CityChanged | None, admitted: Sequence[str]
) -> dict[str, Any]:
    """The devices that were asked for, whom else that has moved, and what the plan costs now."""
    moved = () if event is None else event.moved
    places = city.places([city.slots[name] for name in moved if name in city.slots])
    return {
        "devices": [city.document(name) for name in admitted if name in city.slots],
        "moved": {name: None if place is None else asdict(place) for name, place in places.items()},
        "cost_s": city.live.cost_s,
        "lower_bound_s": city.live.bound_s,
        "gap": finite(city.live.gap),
        "sequence": sequence,
        "decision_s": None if event is None else event.duration_s,
    }


def _improve(twin: LiveCity) -> None:
    twin.improve_plan(budget_s=PLAN_S)
    twin.improve_bound(budget_s=PROOF_S)


def _tell_failure(written: asyncio.Future[None]) -> None:
    error = None if written.cancelled() else written.exception()
    if error is not None:
        logger.error("the city could not be saved; a restart will take longer: %s", error)
