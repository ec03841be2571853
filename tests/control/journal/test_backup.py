"""Backups of a journal that is in use, what is put back, and what becomes of finished files."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slicewright.cli.main import app
from slicewright.control.journal.base import JournalError
from slicewright.control.journal.records import BrokenChainError, Position, chained, verify
from slicewright.control.journal.sqlite.backup import back_up, restore
from slicewright.control.journal.sqlite.journal import LEAST_RECORDS, SqliteJournal
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.journal.sqlite.segments import segments
from slicewright.control.state.events import Checkpoint, Event, TookOver
from slicewright.control.state.state import OrchestratorState, dump
from slicewright.errors import InvalidOptionError


async def written(journal: SqliteJournal, records: int, here: Position | None = None) -> Position:
    """So many more records, with the checkpoints that the journal wants."""
    here = here or Position(OrchestratorState())
    for k in range(records):
        event: Event = (
            Checkpoint(dump(here.state)) if journal.wants_checkpoint else TookOver(f"sro-{k}", k + 1)
        )
        made = chained(here.hash, here.sequence, float(k), [event])
        await journal.append(made)
        here = here.after(made)
    return here


def grown(store: Path, records: int, *, keep: int | None = None, archive: Path | None = None) -> Position:
    """A journal in several files; closed."""

    async def story() -> Position:
        journal = SqliteJournal(store, segment_bytes=20_000, keep=keep, archive=archive, exclusive=True)
        try:
            return await written(journal, records)
        finally:
            await journal.close()

    return asyncio.run(story())


def test_a_backup_is_made_while_the_journal_is_written_and_goes_on_where_it_ends(tmp_path: Path) -> None:
    store, copy = tmp_path / "journal.db", tmp_path / "away" / "monday.db"

    async def story() -> tuple[Position, Position]:
        journal = SqliteJournal(store, segment_bytes=20_000, exclusive=True)
        then = await written(journal, 3 * LEAST_RECORDS)
        made = await asyncio.to_thread(back_up, store, copy)
        assert (made.newest, made.hash, made.records) == (then.sequence, then.hash, then.sequence)
        assert len(made.files) == len(segments(store)) > 1
        now = await written(journal, 10, then)
        with pytest.raises(JournalError, match="in use"):
            restore(copy, store)
        await journal.close()
        return then, now

    then, now = asyncio.run(story())
    put_back = restore(copy, store)
    assert put_back.newest == then.sequence
    assert put_back.aside is not None
    aside = list(verify(read_log(put_back.aside / "journal.db")))
    assert aside[-1].hash == now.hash, "what was there before is kept"

    async def again() -> None:
        journal = SqliteJournal(store, segment_bytes=20_000, exclusive=True)
        await written(journal, 5, then)
        await journal.close()

    asyncio.run(again())
    assert list(verify(read_log(store)))[-1].sequence == then.sequence + 5


def test_what_was_altered_is_neither_copied_nor_put_back(tmp_path: Path) -> None:
    store, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    grown(store, 10)
    back_up(store, copy)
    with pytest.raises(InvalidOptionError, match="there already"):
        back_up(store, copy)
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("UPDATE journal SET line = replace(line, 'sro-3', 'sro-4') WHERE sequence = 4")
    before = store.read_bytes()
    with pytest.raises(BrokenChainError):
        restore(copy, store)
    assert store.read_bytes() == before
    with pytest.raises(BrokenChainError):
        back_up(copy, tmp_path / "other.db")
    assert not [file for file in tmp_path.iterdir() if "other" in file.name]


def test_old_files_go_to_the_archive_or_nowhere_and_the_rest_is_enough(tmp_path: Path) -> None:
    whole, kept, archive = tmp_path / "a" / "journal.db", tmp_path / "b" / "journal.db", tmp_path / "archive"
    grown(whole, 6 * LEAST_RECORDS, keep=1)
    here = grown(kept, 6 * LEAST_RECORDS, keep=1, archive=archive)
    for store in (whole, kept):
        assert len(segments(store)) == 2
        records = list(verify(read_log(store)))
        assert records[0].sequence > 1
        assert dump(Position(OrchestratorState()).after(records).state) == dump(here.state)
    both = list(verify(read_log(archive, kept.parent)))
    assert [both[0].sequence, both[-1].hash] == [1, here.hash], "one chain across archive and journal"


def test_backup_and_restore_are_commands(tmp_path: Path) -> None:
    store, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    grown(store, 10)
    run = CliRunner().invoke
    made = run(app, ["journal", "backup", str(store), str(copy)])
    assert made.exit_code == 0, made.output
    assert "10 records up to 10" in made.output
    put_back = run(app, ["journal", "restore", str(copy), str(store)])
    assert put_back.exit_code == 0, put_back.output
    assert "journal.db.before-1" in put_back.output.replace("\n", "")
