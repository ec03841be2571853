"""A journal in memory: for tests, and for planes that need not survive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from slicewright.control.journal.base import FencedError
from slicewright.control.journal.records import GENESIS, Record, to_line
from slicewright.control.state.events import Checkpoint, Restored

_PIECE = 100


class MemoryJournal:
    """A journal that dies with the process."""

    wants_checkpoint = False

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def append(self, records: Sequence[Record]) -> None:
        """Add records."""
        newest, before = (self.records[-1].sequence, self.records[-1].hash) if self.records else (0, GENESIS)
        if records and (records[0].sequence != newest + 1 or records[0].previous != before):
            raise FencedError(f"record {records[0].sequence} does not follow {newest}")
        self.records.extend(records)

    async def read(self, after: int = 0) -> list[Record]:
        """Records after a sequence."""
        return [record for record in self.records if record.sequence > after]

    async def lines(self, after: int = 0) -> AsyncIterator[list[str]]:
        """Lines, a hundred at a time."""
        records = await self.read(after)
        for start in range(0, len(records), _PIECE):
            yield [to_line(record) for record in records[start : start + _PIECE]]
            await asyncio.sleep(0)

    async def read_from_checkpoint(self) -> list[Record]:
        """From the newest checkpoint on."""
        starts = [k for k, r in enumerate(self.records) if isinstance(r.event, Checkpoint | Restored)]
        return self.records[starts[-1] if starts else 0 :]

    async def close(self) -> None:
        """Nothing to close."""
