"""A journal in memory: for tests, and for planes that need not survive."""

from __future__ import annotations

from collections.abc import Sequence

from slicewright.control.journal.base import FencedError
from slicewright.control.journal.records import Record
from slicewright.control.state.events import Checkpoint


class MemoryJournal:
    """A journal that dies with the process."""

    wants_checkpoint = False

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def append(self, records: Sequence[Record]) -> None:
        """Add records."""
        newest = self.records[-1].sequence if self.records else 0
        if records and records[0].sequence != newest + 1:
            raise FencedError(f"record {records[0].sequence} does not follow {newest}")
        self.records.extend(records)

    async def read(self, after: int = 0) -> list[Record]:
        """Records after a sequence."""
        return self.records[after:]

    async def read_from_checkpoint(self) -> list[Record]:
        """From the newest checkpoint on."""
        starts = [k for k, r in enumerate(self.records) if isinstance(r.event, Checkpoint)]
        return self.records[starts[-1] if starts else 0 :]

    async def close(self) -> None:
        """Nothing to close."""
