"""Copies of a journal over NATS as a SQLite journal, made while somebody writes it, and put back into a new stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from slicewright.control.journal.base import JournalError
from slicewright.control.journal.nats.journal import NatsJournal
from slicewright.control.journal.records import BrokenChainError, Record, from_line, verify
from slicewright.control.journal.sqlite.backup import Copied, checked
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.journal.sqlite.segments import segment_for, segments
from slicewright.control.state.events import Checkpoint, Restored
from slicewright.errors import InvalidOptionError

_AT_ONCE = 200


async def back_up_stream(journal: NatsJournal, target: Path) -> Copied:
    """Copy what is there into a file, and check every hash of the copy. Nothing is there unless all of it is.

    Args:
        journal: over NATS; whoever writes it goes on meanwhile.
        target: the copy. A stream that does not go back to the first record gets the number of its first one in the
            file's name, as the later files of a journal have.

    Raises:
        InvalidOptionError: something else is where the copy should be.
        BrokenChainError: the stream has a hole.
        JournalError: it cannot be read now, or holds nothing, or the copy cannot be written.
    """
    if segments(target):
        raise InvalidOptionError("TARGET", "is there already", value=str(target), fix="name another file")
    draft = target.with_name(f"{target.stem}.partial{target.suffix}")
    for left in segments(draft):
        left.unlink()
    copy: SqliteJournal | None = None
    try:
        async for records in _chain(journal):
            if copy is None:
                final, partial = (segment_for(file, records[0].sequence) for file in (target, draft))
                partial.parent.mkdir(parents=True, exist_ok=True)
                partial.touch()
                copy = SqliteJournal(draft)
            await copy.append(records)
    finally:
        if copy is not None:
            await copy.close()
    if copy is None:
        raise JournalError(f"stream {journal.stream_name} holds no records")
    counted = checked([partial])
    partial.replace(final)
    return Copied((final,), *counted)


async def _chain(journal: NatsJournal) -> AsyncIterator[list[Record]]:
    """Records in order, some at a time; what is foreign is left out, and nothing may be missing."""
    newest: Record | None = None
    aside = 0
    async for lines in journal.lines():
        try:
            records = [from_line(line) for line in lines]
        except BrokenChainError:
            continue
        if newest is not None and (records[0].sequence, records[0].previous) != (
            newest.sequence + 1,
            newest.hash,
        ):
            aside = max(aside, records[-1].sequence)
            continue
        newest = records[-1]
        yield records
    if newest is not None and aside > newest.sequence:
        raise BrokenChainError(f"records follow on record {newest.sequence} that are not there")


async def restore_stream(backup: Path, journal: NatsJournal) -> Copied:
    """Put a copy into a stream that is not there yet, or empty.

    Raises:
        InvalidOptionError: there is no such backup, or the stream holds records.
        BrokenChainError: the backup was altered.
        JournalError: the stream cannot be written.
    """
    files = segments(backup)
    if not files:
        raise InvalidOptionError("BACKUP", "is not there", value=str(backup))
    counted = checked(files)
    records = iter(verify(read_log(*files)))
    first = next(records, None)
    if first is None:
        raise InvalidOptionError("BACKUP", "holds no records", value=str(backup))
    if not await journal.begin_after(first.previous):
        raise InvalidOptionError(
            "STORE",
            f"is stream {journal.stream_name}, which holds messages",
            fix="back it up and remove it, or restore under another `nats_prefix`",
        )
    for batch in _appends(first, records):
        await journal.append(batch)
    return Copied((), *counted)


def _appends(first: Record, records: Iterator[Record]) -> Iterator[list[Record]]:
    """Records for one append each: a checkpoint is the first of its own."""
    batch = [first]
    for record in records:
        if len(batch) == _AT_ONCE or isinstance(record.event, Checkpoint | Restored):
            yield batch
            batch = []
        batch.append(record)
    yield batch
