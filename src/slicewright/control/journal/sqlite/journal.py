"""A journal in SQLite files: every append is one transaction, on disk before it returns."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.chain import one_chain, one_line
from slicewright.control.journal.records import (
    GENESIS,
    TAIL_LENGTH,
    BrokenChainError,
    Record,
    hash_of,
    to_line,
)
from slicewright.control.journal.sqlite.damage import (
    SQLITE_ERRORS,
    Newest,
    as_text,
    move_damaged,
    note_newest,
    noted_newest,
    reading,
    tell_of_setback,
    told,
)
from slicewright.control.journal.sqlite.retention import retire
from slicewright.control.journal.sqlite.segments import before, segment_for, segments
from slicewright.control.journal.work_thread import WorkThread
from slicewright.control.state.events import Checkpoint, Restored

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
  sequence INTEGER PRIMARY KEY,
  checkpoint INTEGER NOT NULL,
  line TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS checkpoints ON journal (sequence) WHERE checkpoint = 1;
"""
_SEALED = 1
"""In a file's ``user_version``: it is full, and whoever writes goes on in the next one."""
LEAST_RECORDS = 50
"""A file holds at least so many records, however large they are: a checkpoint alone must not fill it."""
Result = TypeVar("Result")
_Row = tuple[int, int, str]
_PIECE = 200


class SqliteJournal:
    """A journal in a file, or in several if it rotates; one writer at a time, checked on every append.

    Args:
        path: of the first file; created if absent.
        segment_bytes: a file that has grown to this is sealed at the next checkpoint, and the next one begins with
            it; 0 never rotates.
        keep: so many finished files stay; older ones hold nothing that is needed to go on. None keeps all.
        archive: folder that older ones are moved to; without, they are removed.
        exclusive: no other process may open it exclusively until this one closes it or ends.

    Raises:
        JournalError: the file cannot be opened, is something else, or is another process's.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        segment_bytes: int = 0,
        keep: int | None = None,
        archive: Path | None = None,
        exclusive: bool = False,
    ) -> None:
        self.path, self._segment_bytes = Path(path), segment_bytes
        self._keep, self._archive = keep, archive
        self._lock = claim(self.path) if exclusive else None
        self._segment = self.path
        # A file is opened here and then used by one thread only: fsync must not block the event loop.
        self._thread = WorkThread("journal")
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")
        self.wants_checkpoint = False
        try:
            self._open()
        except (*SQLITE_ERRORS, OSError) as error:
            self._thread.end()
            self._reader.shutdown()
            if self._lock is not None:
                self._lock.close()
            raise JournalError(f"the journal {self.path} cannot be opened: {told(error)}") from None

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._enter((segments(self.path) or [self.path])[-1])
        noted = None if self._lock is None else noted_newest(self._lock)
        if noted is not None:
            query = "SELECT substr(line, ?) FROM journal WHERE sequence = ?"
            found = self._db.execute(query, (-TAIL_LENGTH, noted.sequence)).fetchone()
            there = None if found is None else _hash_or_none(found[0])
            tell_of_setback(self.path, noted, there, self._newest())

    def _enter(self, segment: Path) -> None:
        """Go on in a file."""
        database = sqlite3.connect(segment, isolation_level=None, timeout=5.0, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.executescript(_SCHEMA)
            database.text_factory = as_text
        except SQLITE_ERRORS:
            database.close()
            raise
        self._segment, self._db = segment, database

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await self._thread.do(work)

    async def _look(self, work: Callable[[], Result]) -> Result:
        """In a thread of its own: a long look holds up no append."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    async def append(self, records: Sequence[Record]) -> None:
        """Add records in one transaction."""
        if not records:
            return
        rows = [(r.sequence, int(isinstance(r.event, Checkpoint | Restored)), to_line(r)) for r in records]
        await self._run(lambda: self._append(rows, records[0].previous))

    def _append(self, rows: list[_Row], previous: str) -> None:
        try:
            self._go_on()
            finishes = bool(rows[0][1]) and self._full()
            if finishes:
                self._seal(rows, previous)
                self._go_on()
            self._insert(rows, previous)
            if self._lock is not None:
                note_newest(self._lock, Newest(rows[-1][0], hash_of(rows[-1][2][-TAIL_LENGTH:])))
            if finishes and self._keep is not None:
                self._reader.submit(retire, self.path, keep=self._keep, archive=self._archive)
            self.wants_checkpoint = self._full()
        except SQLITE_ERRORS as error:
            raise JournalError(f"the journal {self._segment} cannot be written: {told(error)}") from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _insert(self, rows: list[_Row], previous: str) -> None:
        self._begin(rows, previous)
        self._db.executemany("INSERT INTO journal VALUES (?, ?, ?)", rows)
        self._db.execute("COMMIT")

    def _begin(self, rows: list[_Row], previous: str) -> None:
        """A transaction for records that follow directly; the lock on the file makes the check hold."""
        self._db.execute("BEGIN IMMEDIATE")
        if self._is_sealed() or not self._follows(rows[0][0], previous):
            newest = self._newest()
            before = Newest(rows[0][0] - 1, previous)
            damaged = move_damaged(self._db, before, store=self._segment, now_s=time.time())
            if not damaged or self._is_sealed() or not self._follows(rows[0][0], previous):
                raise FencedError(
                    f"record {rows[0][0]} does not follow {newest}: another process writes this journal"
                )

    def _follows(self, sequence: int, previous: str) -> bool:
        """Whether a record would be the one after the newest that is kept, whatever has become of that one."""
        return sequence == self._newest() + 1 and self._newest_hash() in (previous, None)

    def _newest(self) -> int:
        found: int | None = self._db.execute("SELECT MAX(sequence) FROM journal").fetchone()[0]
        return before(self.path, self._segment) if found is None else found

    def _newest_hash(self) -> str | None:
        """Of the newest record; empty if it is damaged, None if a file was moved away that has it."""
        query = "SELECT substr(line, ?) FROM journal ORDER BY sequence DESC LIMIT 1"
        found = self._db.execute(query, (-TAIL_LENGTH,)).fetchone()
        if found is None and self._segment == self.path:
            return GENESIS
        if found is None:
            earlier = [
                file for file in segments(self.path) if file.name < self._segment.name or file == self.path
            ]
            if not earlier:
                return None
            with reading(earlier[-1]) as database:
                found = database.execute(query, (-TAIL_LENGTH,)).fetchone()
        return None if found is None else _hash_or_none(found[0]) or ""

    def _is_sealed(self) -> bool:
        return bool(self._db.execute("PRAGMA user_version").fetchone()[0] == _SEALED)

    def _full(self) -> bool:
        if self._segment_bytes <= 0 or self._newest() - before(self.path, self._segment) < LEAST_RECORDS:
            return False
        pages, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
        )
        return bool(pages * size >= self._segment_bytes)

    def _seal(self, rows: list[_Row], previous: str) -> None:
        """End this file. From here on another process that has it open can no longer write to it."""
        self._begin(rows, previous)
        self._db.execute(f"PRAGMA user_version={_SEALED}")
        self._db.execute("COMMIT")

    def _go_on(self) -> None:
        """To the file after a sealed one, whoever sealed it: files are never renamed while somebody has them open."""
        while self._is_sealed():
            following = segment_for(self.path, self._newest() + 1)
            sealed = self._db
            self._enter(following)
            sealed.close()

    async def read(self, after: int = 0) -> list[Record]:
        """Records after a sequence."""
        return await self._look(lambda: self._read(lambda _: after))

    async def read_from_checkpoint(self) -> list[Record]:
        """From the newest checkpoint on that is not damaged, in whatever file it is."""

        def start(database: sqlite3.Connection) -> int | None:
            query = "SELECT sequence, line FROM journal WHERE checkpoint = 1 ORDER BY sequence DESC"
            for sequence, line in database.execute(query):
                if one_line(line) is not None:
                    return int(sequence) - 1
            return None

        return await self._look(lambda: self._read(start))

    def _read(self, start: Callable[[sqlite3.Connection], int | None]) -> list[Record]:
        """Records from the newest files back to the one with the start in it, or to the oldest there is."""
        found: list[list[str]] = []
        try:
            for segment in reversed(segments(self.path)):
                with reading(segment) as database:
                    after = start(database)
                    query = "SELECT line FROM journal WHERE sequence > ? ORDER BY sequence"
                    lines = database.execute(query, (after or 0,)).fetchall()
                found.append([line for (line,) in lines])
                if after is not None and after >= before(self.path, segment):
                    break
        except SQLITE_ERRORS as error:
            raise BrokenChainError(f"{self.path} is no journal, or damaged: {told(error)}") from None
        lines_in_order = (line for segment_lines in reversed(found) for line in segment_lines)
        return one_chain(map(one_line, lines_in_order), store=str(self.path))

    async def lines(self, after: int = 0) -> AsyncIterator[list[str]]:
        """Lines, a few hundred at a time, each time looked up anew."""
        while rows := await self._look(partial(self._some_lines, after)):
            yield [line for _, line in rows]
            after = rows[-1][0]

    def _some_lines(self, after: int) -> list[tuple[int, str]]:
        """The next ones, from whatever file has them."""
        files = segments(self.path)
        at = [file for file in files if before(self.path, file) <= after][-1:] or files[:1]
        query = "SELECT sequence, line FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?"
        for file in files[files.index(at[0]) :] if at else ():
            try:
                with reading(file) as database:
                    rows: list[tuple[int, str]] = database.execute(query, (after, _PIECE)).fetchall()
            except SQLITE_ERRORS as error:
                raise JournalError(f"the journal {file} cannot be read: {told(error)}") from None
            if rows:
                return rows
        return []

    async def close(self) -> None:
        """Close the file."""
        await self._run(lambda: self._db.close())
        self._thread.end()
        self._reader.shutdown()
        if self._lock is not None:
            self._lock.close()


def _hash_or_none(tail: str) -> str | None:
    try:
        return hash_of(tail)
    except BrokenChainError:
        return None


def claim(path: Path) -> IO[bytes]:
    """A lock beside the journal, which the system lets go of when the process ends, however it ends.

    Raises:
        JournalError: another process has it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        lock = os.fdopen(handle, "r+b", buffering=0)
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be opened: {error}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise JournalError(f"the journal {path} is in use by another process") from None
    return lock
