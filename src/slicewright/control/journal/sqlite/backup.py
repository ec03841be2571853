"""Copies of a SQLite journal, made while somebody writes it, and put back; none counts before its chain is checked."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from slicewright.control.journal.base import JournalError
from slicewright.control.journal.records import BrokenChainError, verify
from slicewright.control.journal.sqlite.damage import SQLITE_ERRORS, Newest, note_newest
from slicewright.control.journal.sqlite.journal import claim
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.journal.sqlite.segments import before, segment_for, segments
from slicewright.errors import InvalidOptionError

_BESIDE = ("", "-wal", "-shm")
"""What SQLite keeps beside a file, by the ends of the names."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds.

    Attributes:
        files: of the journal. records: in them. newest: number of the last record, 0 if there is none.
        hash: of the last record. aside: where the journal that was there before is now.
    """

    files: tuple[Path, ...]
    records: int
    newest: int
    hash: str
    aside: Path | None = None


def back_up(store: Path, target: Path) -> Copied:
    """Copy a journal as it is at one moment; whoever writes it goes on meanwhile.

    Args:
        store: the journal. target: the copy's first file; further ones get their numbers as the journal's have.

    Raises:
        InvalidOptionError: there is no journal, or something else is where the copy should be.
        BrokenChainError: what is there is no journal, or was altered.
        JournalError: it cannot be copied now.
    """
    if not segments(store):
        raise InvalidOptionError("STORE", "is not there", value=str(store))
    if store.is_dir():
        raise InvalidOptionError(
            "STORE", "is a folder", value=str(store), fix="name the journal's file, as serve --store has it"
        )
    if segments(target):
        raise InvalidOptionError("TARGET", "is there already", value=str(target), fix="name another file")
    return _copy(store, target)


def restore(backup: Path, store: Path) -> Copied:
    """Put a copy where a journal is kept; what was there is put aside, not removed.

    Args:
        backup: made by :func:`back_up`. store: the journal; nobody may have it open.

    Raises:
        InvalidOptionError: there is no such backup.
        BrokenChainError: it was altered.
        JournalError: somebody has the journal open, or it cannot be written.
    """
    if not segments(backup):
        raise InvalidOptionError("BACKUP", "is not there", value=str(backup))
    with claim(store) as lock:
        with _told_of(f"{backup} is no backup that can be trusted"):
            checked(segments(backup))
        aside = _put_aside(store)
        copied = _copy(backup, store)
        note_newest(
            lock, Newest(copied.newest, copied.hash)
        )  # what was written before it does not count any more
    return Copied(copied.files, copied.records, copied.newest, copied.hash, aside)


def _copy(source: Path, target: Path) -> Copied:
    """Oldest file first: one that is finished meanwhile is copied whole, and what comes after it is left out."""
    partial: list[tuple[Path, Path]] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for file in segments(source):
            final = segment_for(target, before(source, file) + 1)
            draft = final.with_name(f"{final.name}.partial")
            partial.append((draft, final))
            _copy_file(file, draft)
        with _told_of(f"{source} cannot be copied to {target}"):
            counted = checked([draft for draft, _ in partial])
        for draft, final in partial:
            draft.replace(final)
        _sync_folder(target.parent)
    except (*SQLITE_ERRORS, OSError) as error:
        raise JournalError(f"{source} cannot be copied to {target}: {error}") from None
    finally:
        for draft, _ in partial:
            draft.unlink(missing_ok=True)
    return Copied(tuple(final for _, final in partial), *counted)


@contextmanager
def _told_of(what: str) -> Iterator[None]:
    """What a chain of hashes finds names the file that was given, not a copy that nobody has heard of."""
    try:
        yield
    except BrokenChainError as error:
        raise BrokenChainError(f"{what}: {error}") from error


def _copy_file(file: Path, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, whole in itself
    with draft.open("rb") as written:
        os.fsync(written.fileno())


def checked(files: list[Path]) -> tuple[int, int, str]:
    """Records, number and hash of the newest."""
    count, newest, digest = 0, 0, ""
    for record in verify(read_log(*files)):
        count, newest, digest = count + 1, record.sequence, record.hash
    return count, newest, digest


def _put_aside(store: Path) -> Path | None:
    """Move a journal into a folder beside it."""
    there = segments(store)
    if not there:
        return None
    number = 1
    while (folder := store.with_name(f"{store.name}.before-{number}")).exists():
        number += 1
    try:
        folder.mkdir()
        for file in there:
            for end in _BESIDE:
                part = file.with_name(file.name + end)
                if part.exists():
                    shutil.move(part, folder / part.name)
        _sync_folder(store.parent)
    except OSError as error:
        raise JournalError(f"{store} cannot be put aside: {error}") from None
    return folder


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
