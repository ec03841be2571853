"""Journals that are not what they were: damaged ends, and files that have gone back in time.

SQLite finds a page that makes no sense, but not a byte that another one has taken the place of, nor an older copy of
the whole file. Records have hashes, and the newest one that was written is noted beside the file.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from slicewright.control.journal.chain import REMEDY, one_chain, one_line
from slicewright.control.journal.records import BrokenChainError, is_signed

logger = logging.getLogger(__name__)
_NOTE = re.compile(rb"(\d{20}) ([0-9a-f]{64})\n")
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What the library raises for a damaged file: its message may quote what is no text any more."""
_TABLE = """
CREATE TABLE IF NOT EXISTS damaged (
  sequence INTEGER NOT NULL,
  found_s REAL NOT NULL,
  line TEXT NOT NULL
) STRICT
"""


class Newest(NamedTuple):
    """A record by its number and hash."""

    sequence: int
    hash: str


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads. What is no text any more is replaced: the hash of its record tells."""
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        database.text_factory = as_text
        yield database
    finally:
        database.close()


def as_text(raw: bytes) -> str:
    """Text of a column, whatever has become of it."""
    return raw.decode("utf-8", "replace")


def move_damaged(database: sqlite3.Connection, before: Newest, *, store: Path, now_s: float) -> bool:
    """Put aside what is kept after a record and does not belong to the chain, within the transaction that is open.

    Args:
        database: of the file that is written to.
        before: the record that somebody wants to go on after; sequence 0 for none.
        store: the file, for the log.
        now_s: s since 1970.

    Returns:
        Whether something was put aside. Nothing is where the chain goes on after that record, or has a hole there.

    Raises:
        BrokenChainError: what is kept there is whole, and of a kind that this version does not know.
    """
    query = "SELECT sequence, line FROM journal WHERE sequence >= ? ORDER BY sequence"
    rows = database.execute(query, (before.sequence,)).fetchall()
    known = [line for sequence, line in rows if sequence == before.sequence]
    stray = [(sequence, line) for sequence, line in rows if sequence > before.sequence]
    try:
        chain = one_chain(map(one_line, (*known, *(line for _, line in stray))), store=str(store))
    except BrokenChainError:
        return False
    newest = chain[-1] if chain else None
    # The record before may be in an earlier file: then whoever goes on after it has read it there.
    goes_on = newest is not None and (newest.sequence, newest.hash) != before
    if goes_on or not stray:
        return False
    for number, line in stray:
        if one_line(line) is None and is_signed(line):
            raise BrokenChainError(
                f"record {number} of {store} is of a kind that this version does not know: run the one that wrote it,"
                " or a later one"
            )
    database.execute(_TABLE)
    database.executemany("INSERT INTO damaged VALUES (?, ?, ?)", [(n, now_s, line) for n, line in stray])
    database.execute("DELETE FROM journal WHERE sequence > ?", (before.sequence,))
    numbers = ", ".join(str(n) for n, _ in stray[:10]) + (", ..." if len(stray) > 10 else "")
    logger.error(
        "%s: what was kept as record %s is damaged and put aside, into its table `damaged`; the journal goes on after"
        " record %d. What was asked for there is lost, unless it is asked for again",
        store,
        numbers,
        before.sequence,
    )
    return True


def told(error: Exception) -> str:
    """What SQLite says, and what to do about a file that is damaged."""
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    if isinstance(error, UnicodeDecodeError):
        return f"it is damaged; {REMEDY}"
    return f"{error}; {REMEDY}" if getattr(error, "sqlite_errorcode", None) in damaged else str(error)


def note_newest(lock: IO[bytes], newest: Newest) -> None:
    """Note what was written, in the lock beside the journal; not synced, so it is never ahead of what was."""
    os.pwrite(lock.fileno(), f"{newest.sequence:020d} {newest.hash}\n".encode(), 0)


def noted_newest(lock: IO[bytes]) -> Newest | None:
    """What was noted last; None before the first note, or where it cannot be read."""
    found = _NOTE.fullmatch(os.pread(lock.fileno(), 100, 0))
    return None if found is None else Newest(int(found[1]), found[2].decode())


def tell_of_setback(store: Path, noted: Newest, there: str | None, newest: int) -> None:
    """Say that a journal is not where it was left; what is there counts.

    Args:
        store: its file. noted: the newest record when it was last written to.
        there: hash that the record of this number has now; None where there is none.
        newest: number of the newest record now.
    """
    if newest < noted.sequence:
        logger.error(
            "%s ends at record %d, and had been written up to record %d: its end is lost, or an older copy is in its"
            " place. What is there counts; %s if there is a later one",
            store,
            newest,
            noted.sequence,
            REMEDY,
        )
    elif there is not None and there != noted.hash:
        logger.error(
            "%s has another record %d than was written to it: another journal is in its place, and counts",
            store,
            noted.sequence,
        )
