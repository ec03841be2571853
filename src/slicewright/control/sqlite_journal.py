"""A journal in one SQLite file: every append is one transaction, on disk before it returns."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from slicewright.control.events import Checkpoint
from slicewright.control.journal import (
    BrokenChainError,
    FencedError,
    JournalError,
    Record,
    from_line,
    to_line,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
  sequence INTEGER PRIMARY KEY,
  checkpoint INTEGER NOT NULL,
  line TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS checkpoints ON journal (sequence) WHERE checkpoint = 1;
"""
Result = TypeVar("Result")


class SqliteJournal:
    """A journal in a file; one writer at a time, checked on every append.

    Args:
        path: of the file; created if absent.

    Raises:
        JournalError: the file cannot be opened, or is something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        # SQLite objects belong to one thread, and fsync must not block the event loop.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        try:
            self._thread.submit(self._open).result()
        except (sqlite3.Error, OSError) as error:
            self._thread.shutdown()
            raise JournalError(f"the journal {self.path} cannot be opened: {error}") from None

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self.path, isolation_level=None, timeout=5.0)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def append(self, records: Sequence[Record]) -> None:
        """Add records in one transaction."""
        if not records:
            return
        rows = [(r.sequence, int(isinstance(r.event, Checkpoint)), to_line(r)) for r in records]
        await self._run(lambda: self._append(rows))

    def _append(self, rows: list[tuple[int, int, str]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            newest = self._db.execute("SELECT COALESCE(MAX(sequence), 0) FROM journal").fetchone()[0]
            if rows[0][0] != newest + 1:
                raise FencedError(
                    f"record {rows[0][0]} does not follow {newest}: another process writes this journal"
                )
            self._db.executemany("INSERT INTO journal VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error}") from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    async def read(self, after: int = 0) -> list[Record]:
        """Records after a sequence."""
        return await self._run(lambda: self._select(after))

    async def read_from_checkpoint(self) -> list[Record]:
        """From the newest checkpoint on."""

        def work() -> list[Record]:
            row = self._db.execute("SELECT MAX(sequence) FROM journal WHERE checkpoint = 1").fetchone()
            return self._select((row[0] or 1) - 1)

        return await self._run(work)

    def _select(self, after: int) -> list[Record]:
        query = "SELECT line FROM journal WHERE sequence > ? ORDER BY sequence"
        try:
            return [from_line(line) for (line,) in self._db.execute(query, (after,))]
        except sqlite3.Error as error:
            raise BrokenChainError(f"{self.path} is not a journal: {error}") from None

    async def close(self) -> None:
        """Close the file."""
        await self._run(lambda: self._db.close())
        self._thread.shutdown()
