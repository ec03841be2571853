"""A journal in a SQLite file: one writer, and no other file."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.records import chained
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.state.events import DevicesRemoved


def test_two_processes_cannot_write_one_store(tmp_path: Path) -> None:
    async def story() -> None:
        one, two = SqliteJournal(tmp_path / "j.db"), SqliteJournal(tmp_path / "j.db")
        await one.append(chained("0" * 64, 0, 1.0, [DevicesRemoved(("a",))]))
        with pytest.raises(FencedError, match="another process"):
            await two.append(chained("0" * 64, 0, 1.0, [DevicesRemoved(("b",))]))
        await one.close()
        await two.close()

    asyncio.run(story())


def test_a_store_that_is_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, " * 100)
    with pytest.raises(JournalError, match="cannot be opened"):
        SqliteJournal(file)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE journal (sequence TEXT)")
        other.commit()
