"""A store and a transport as servers keep them, and the ways of processes to them: slow, cut, silent, gone back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from slicewright.control.journal import records
from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.chain import one_chain
from slicewright.control.journal.records import GENESIS, Record, from_line, to_line
from slicewright.control.state.clock import Clock
from slicewright.control.state.events import Checkpoint, Event, Restored
from slicewright.control.transport.base import Entry, TransportError
from slicewright.control.transport.memory import MemoryTransport

LATER: ContextVar[bool] = ContextVar("later", default=False)
"""Whether what runs here is of a later version."""
_MORE = b'{"of_a_later_version":[1,{"two":null}],'
_written = records._written


def written_by_version(event: Event) -> str:
    """An event as its writer's version puts it down."""
    text = _written(event)
    return _MORE.decode() + text[1:] if LATER.get() else text


@dataclass
class Process:
    """What happens to one process on its way to the servers.

    Attributes:
        name: of it. life: distinguishes it from those before of its name. cut: nothing gets through.
        running: unset while it stands still; what it was about to say is said when it goes on.
        later: it is of a later version, which says more in whatever it writes and sends.
    """

    name: str
    life: int
    cut: bool = False
    running: asyncio.Event = field(default_factory=asyncio.Event)
    later: bool = False

    def __post_init__(self) -> None:
        self.running.set()


class Store:
    """Records as a server keeps them: bytes, an append all or nothing, each after the hash that it names.

    Args:
        heard: told of every append that is on disk, and by whom.
    """

    def __init__(self, heard: Callable[[Sequence[Record], Process], None]) -> None:
        self.appends: list[tuple[Record, ...]] = []
        self.full = False
        self.by_number_only = False
        self.unsynced = 0
        self.syncs = True
        self._heard = heard

    @property
    def records(self) -> list[Record]:
        """All of them."""
        return [record for batch in self.appends for record in batch]

    def append(self, records: Sequence[Record], process: Process) -> None:
        """Write durably, or say why not."""
        if self.full:
            raise JournalError("no space is left on the device")
        newest = self.appends[-1][-1] if self.appends else None
        number, before = (0, GENESIS) if newest is None else (newest.sequence, newest.hash)
        follows = records[0].sequence == number + 1 and (self.by_number_only or records[0].previous == before)
        if not follows:
            raise FencedError(f"record {records[0].sequence} does not follow record {number}")
        written = tuple(from_line(to_line(record)) for record in records)
        self.appends.append(written)
        self.unsynced = 0 if self.syncs else self.unsynced + 1
        self._heard(written, process)

    def lose(self, appends: int) -> list[Record]:
        """The newest appends are gone; what was in them."""
        start = len(self.appends) - appends
        gone = [record for batch in self.appends[start:] for record in batch]
        del self.appends[start:]
        return gone


class SimulatedJournal:
    """One orchestrator's way to the store."""

    wants_checkpoint = False

    def __init__(self, store: Store, process: Process, chance: random.Random, trouble: Trouble) -> None:
        self._store, self._process, self._chance, self._trouble = store, process, chance, trouble

    async def _pass(self) -> None:
        await asyncio.sleep(self._chance.expovariate(1 / 0.01))
        await self._process.running.wait()
        if self._process.cut:
            raise JournalError("the journal cannot be reached")

    async def append(self, records: Sequence[Record]) -> None:
        """Send, write, answer: each may fail."""
        await self._pass()
        if self._chance.random() < self._trouble.lost:
            raise JournalError("the journal did not take it")
        self._store.append(records, self._process)
        if self._chance.random() < self._trouble.lost:
            raise FencedError("the journal did not answer")
        await asyncio.sleep(self._chance.expovariate(1 / 0.01))
        await self._process.running.wait()

    async def read(self, after: int = 0) -> list[Record]:
        """Records after a sequence."""
        await self._pass()
        found = [list(batch) for batch in self._store.appends if batch[-1].sequence > after]
        return [record for record in one_chain(found, store="simulated") if record.sequence > after]

    async def read_from_checkpoint(self) -> list[Record]:
        """From the newest checkpoint on."""
        await self._pass()
        appends = self._store.appends
        starts = [k for k, batch in enumerate(appends) if isinstance(batch[0].event, Checkpoint | Restored)]
        return one_chain(map(list, appends[starts[-1] if starts else 0 :]), store="simulated")

    async def lines(self, after: int = 0) -> AsyncIterator[list[str]]:
        """Lines."""
        yield [to_line(record) for record in await self.read(after)]

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Trouble:
    """How bad things are, as probabilities.

    Attributes:
        lost: a message to a server, or its answer. twice: an entry of a watch comes again, after newer ones.
    """

    lost: float = 0.0
    twice: float = 0.0


class Values(MemoryTransport):
    """The transport's server: values can go back in time, leases of the dead are not given back."""

    def __init__(self, clock: Clock, heard: Callable[[str, bytes], None]) -> None:
        super().__init__(clock, lease_s=3.0)
        self._heard = heard
        self._snapshot: dict[str, Entry] = {}

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        """Put, and tell."""
        revision = await super().put(key, value, after=after)
        self._heard(key, value)
        return revision

    def remember(self) -> None:
        """What a backup would hold."""
        self._snapshot = dict(self._values)

    def go_back(self) -> None:
        """Values and their revisions are those of the backup; watchers are told nothing."""
        self._values = dict(self._snapshot)
        start = max((entry.revision for entry in self._values.values()), default=0) + 1
        self._revisions = iter(range(start, 10**12))  # type: ignore[assignment]


class Wire:
    """One process's way to the transport."""

    def __init__(self, values: Values, process: Process, chance: random.Random, trouble: Trouble) -> None:
        self._values, self._process, self._chance, self._trouble = values, process, chance, trouble
        self.lease_s = values.lease_s

    async def _pass(self) -> None:
        await asyncio.sleep(self._chance.expovariate(1 / 0.02))
        await self._process.running.wait()
        if self._process.cut or self._chance.random() < self._trouble.lost:
            raise TransportError("the wire is cut")

    def _answer(self) -> None:
        if self._chance.random() < self._trouble.lost:
            raise TransportError("the answer is lost")

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        """Put."""
        await self._pass()
        value = _MORE + value[1:] if self._process.later else value
        revision = await self._values.put(key, value, after=after)
        self._answer()
        return revision

    async def get(self, key: str) -> Entry | None:
        """Get."""
        await self._pass()
        return await self._values.get(key)

    async def keys(self, prefix: str) -> Mapping[str, int]:
        """List."""
        await self._pass()
        return await self._values.keys(prefix)

    async def remove(self, key: str, revision: int) -> None:
        """Remove."""
        await self._pass()
        await self._values.remove(key, revision)

    async def watch(self, prefix: str) -> AsyncIterator[Entry]:
        """Entries, some of them again after newer ones; now and then the watch ends."""
        again: list[Entry] = []
        async for entry in self._values.watch(prefix):
            await asyncio.sleep(self._chance.expovariate(1 / 0.02))
            await self._process.running.wait()
            if self._process.cut or self._chance.random() < self._trouble.lost:
                raise TransportError("the watch is lost")
            yield entry
            for overtaken in again:
                yield overtaken
            again = [entry] if self._chance.random() < self._trouble.twice else []

    async def acquire(self, name: str, holder: str) -> bool:
        """Take a lease."""
        await self._pass()
        got = await self._values.acquire(name, holder)
        self._answer()
        return got

    async def surrender(self, name: str, holder: str) -> None:
        """A process that ends in this world has crashed: it gives nothing back."""

    async def close(self) -> None:
        """Nothing to close."""
