"""A journal in files that is not what it was: said in a sentence, never followed blindly, and written again."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.records import BrokenChainError, Position, Record, chained
from slicewright.control.journal.sqlite.backup import back_up, restore
from slicewright.control.journal.sqlite.journal import LEAST_RECORDS, SqliteJournal
from slicewright.control.journal.sqlite.segments import segments
from slicewright.control.orchestrator.known_journal import KnownJournal
from slicewright.control.serve.process import serve_forever
from slicewright.control.serve.settings import ServeSettings
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import Checkpoint, Event, TookOver
from slicewright.control.state.options import DEFAULTS
from slicewright.control.state.state import OrchestratorState, dump

START = Position(OrchestratorState())
Result = TypeVar("Result")
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "torn": lambda line: line[: len(line) // 2],
    "empty": lambda line: b"",
    "zeros": lambda line: bytes(len(line)),
    "another digit": lambda line: line.replace(b'"term":', b'"term":9', 1),
    "no text": lambda line: line.replace(b"sro", b"s\xffo", 1),
    "another hash": lambda line: line[:-6] + (b"0" if line[-6:-5] != b"0" else b"1") + line[-5:],
    "no end": lambda line: line[:-2],
}


def damage(file: Path, sequence: int, how: Callable[[bytes], bytes]) -> None:
    """Change what a file has of a record, as a disk does: nobody is asked."""
    with closing(sqlite3.connect(file)) as database, database:
        query = "SELECT CAST(line AS BLOB) FROM journal WHERE sequence = ?"
        (line,) = database.execute(query, (sequence,)).fetchone()
        changed = how(line)
        assert changed != line
        database.execute("UPDATE journal SET line = CAST(? AS TEXT) WHERE sequence = ?", (changed, sequence))


def grown(store: Path, records: int, *, checkpoint_at: int = 0, segment_bytes: int = 0) -> list[Position]:
    """A journal of one process, and where it was after each record; closed."""

    async def story() -> list[Position]:
        journal, here = SqliteJournal(store, segment_bytes=segment_bytes, exclusive=True), [START]
        for k in range(1, records + 1):
            wanted = k == checkpoint_at or journal.wants_checkpoint
            event: Event = Checkpoint(dump(here[-1].state)) if wanted else TookOver(f"sro-{k}", k)
            made = chained(here[-1].hash, here[-1].sequence, float(k), [event])
            await journal.append(made)
            here.append(here[-1].after(made))
        await journal.close()
        return here

    return asyncio.run(story())


def opened(store: Path, work: Callable[[SqliteJournal], Result]) -> Result:
    """What a new process does with a journal."""
    journal = SqliteJournal(store, exclusive=True)
    try:
        return work(journal)
    finally:
        asyncio.run(journal.close())


def gone_on(store: Path) -> tuple[list[Record], list[Record]]:
    """What a new process reads, and what the next one reads after the first has written two records."""

    async def story(journal: SqliteJournal) -> list[Record]:
        found = await journal.read_from_checkpoint()
        here = START.after(found)
        for name in ("next", "after"):
            made = chained(here.hash, here.sequence, 99.0, [TookOver(name, here.state.term + 1)])
            await journal.append(made)
            here = here.after(made)
        return found

    found = opened(store, lambda journal: asyncio.run(story(journal)))
    return found, opened(store, lambda journal: asyncio.run(journal.read_from_checkpoint()))


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("last_is_a_checkpoint", [False, True])
def test_a_damaged_last_record_is_put_aside_and_the_journal_goes_on_before_it(
    kind: str, last_is_a_checkpoint: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / "journal.db"
    here = grown(store, 6, checkpoint_at=6 if last_is_a_checkpoint else 3)
    if last_is_a_checkpoint and kind in ("another digit", "no text"):
        damage(store, 6, lambda line: line.replace(b"checkpoint", b"chec\xffpoint", 1))
    else:
        damage(store, 6, DAMAGES[kind])
    found, again = gone_on(store)
    assert found[-1].hash == here[5].hash, "nothing that is damaged was believed"
    assert [record.sequence for record in again[-2:]] == [6, 7]
    assert START.after(again).sequence == 7
    with closing(sqlite3.connect(store)) as database:
        database.text_factory = bytes
        assert [row[0] for row in database.execute("SELECT sequence FROM damaged")] == [6]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert any("record 6 is damaged and put aside" in text for text in told), told
    assert back_up(store, tmp_path / "copy.db").newest == 7


def test_a_damaged_checkpoint_at_the_beginning_of_a_file_costs_nothing_but_itself(tmp_path: Path) -> None:
    store = tmp_path / "journal.db"
    records = LEAST_RECORDS + 1
    here = grown(store, records, segment_bytes=1)
    assert len(segments(store)) == 2
    damage(segments(store)[-1], records, DAMAGES["torn"])
    found, again = gone_on(store)
    assert found[-1].hash == here[-2].hash
    assert again[-1].sequence == records + 1
    assert dump(START.after(found).state) == dump(here[-2].state)


def test_what_a_later_version_has_written_is_not_taken_for_damage(tmp_path: Path) -> None:
    store, here = tmp_path / "journal.db", grown(tmp_path / "journal.db", 3)[-1]
    event = '{"kind": "of-tomorrow"}'
    digest = hashlib.sha256(f"{here.hash} 4 7.5 ".encode() + event.encode()).hexdigest()
    line = (
        f'{{"sequence": 4, "time_s": 7.5, "event": {event}, "previous": "{here.hash}", "hash": "{digest}"}}'
    )
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("INSERT INTO journal VALUES (4, 0, ?)", (line,))
    with pytest.raises(BrokenChainError, match=r"record 4 .* this version does not know"):
        gone_on(store)
    damage(store, 4, DAMAGES["another hash"])
    gone_on(store)


def test_a_process_that_cannot_go_on_says_so_in_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grown(tmp_path / "journal.db", 6)
    damage(tmp_path / "journal.db", 4, DAMAGES["torn"])
    settings = ServeSettings("paper-slicing", port=0, store=tmp_path / "journal.db")
    with pytest.raises(ControlError, match=r"has stopped: the record after 3 .* damaged.*journal restore"):
        serve_forever(settings, say=lambda line: None)
    assert not [record for record in caplog.records if record.exc_info]


def test_a_hole_is_named_and_nothing_is_written_after_it(tmp_path: Path) -> None:
    store = tmp_path / "journal.db"
    here = grown(store, 6)
    damage(store, 4, DAMAGES["another digit"])
    with pytest.raises(BrokenChainError, match=r"record after 3 .* damaged.*journal restore"):
        gone_on(store)
    made = chained(here[3].hash, 3, 1.0, [TookOver("x", 9)])

    def append(journal: SqliteJournal) -> None:
        asyncio.run(journal.append(made))

    with pytest.raises(FencedError):
        opened(store, append)
    with closing(sqlite3.connect(store)) as database:
        assert database.execute("SELECT COUNT(*) FROM journal").fetchone() == (6,)


@pytest.mark.parametrize("kind", DAMAGES)
def test_who_wrote_what_is_damaged_now_writes_it_down_again(kind: str, tmp_path: Path) -> None:
    store = tmp_path / "journal.db"

    async def story() -> None:
        journal = SqliteJournal(store, exclusive=True)
        known = KnownJournal(journal, clock=SystemClock(), instance="sro", options=DEFAULTS, threads=False)
        await known.catch_up()
        for k in range(1, 5):
            await known.append((TookOver(f"sro-{k}", k),), OrchestratorState(leader=f"sro-{k}", term=k))
        damage(store, 4, DAMAGES[kind])
        with pytest.raises(FencedError):
            await known.check()
        await known.catch_up()
        await known.restore()
        await known.check()
        await known.append((TookOver("sro-5", 5),), OrchestratorState(leader="sro-5", term=5))
        await journal.close()

    asyncio.run(story())
    found = opened(store, lambda journal: asyncio.run(journal.read_from_checkpoint()))
    assert START.after(found).state.leader == "sro-5"


def test_an_older_copy_and_a_lost_end_are_noticed_and_a_restored_backup_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, copy, cut = tmp_path / "journal.db", tmp_path / "copy.db", tmp_path / "cut.db"
    here = grown(store, 4)
    back_up(store, copy)
    shutil.copyfile(store, cut)

    async def go_on(journal: SqliteJournal) -> None:
        await journal.append(chained(here[4].hash, 4, 1.0, [TookOver("a", 8), TookOver("b", 9)]))

    opened(store, lambda journal: asyncio.run(go_on(journal)))
    assert not caplog.records
    shutil.copyfile(cut, store)
    found, again = gone_on(store)
    assert found[-1].sequence == 4, "what is there counts"
    assert again[-1].sequence == 6
    assert "ends at record 4, and had been written up to record 6" in caplog.text
    assert "journal restore" in caplog.text
    caplog.clear()
    restore(copy, store)
    gone_on(store)
    store.write_bytes(b"")
    assert not caplog.records, "what was put back is where the journal is now"
    gone_on(store)
    assert "ends at record 0, and had been written up to record 6" in caplog.text


def test_another_journal_in_its_place_is_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, other = tmp_path / "journal.db", tmp_path / "other" / "journal.db"
    grown(store, 4)
    grown(other, 7, checkpoint_at=2)
    shutil.copyfile(other, store)
    found, _ = gone_on(store)
    assert found[-1].sequence == 7
    assert "has another record 4 than was written to it" in caplog.text


def test_no_byte_of_the_file_leads_anybody_astray(tmp_path: Path) -> None:
    """Whatever is flipped or cut: what is read is a beginning of what was written, or the error is one of ours."""
    store, whole, random = tmp_path / "journal.db", tmp_path / "whole.db", Random(5)
    hashes = [position.hash for position in grown(store, 12, checkpoint_at=4)][1:]
    shutil.copyfile(store, whole)
    data, ends = whole.read_bytes(), {"read": 0, "refused": 0}
    for k in range(60):
        changed = bytearray(data)
        at = random.randrange(len(data))
        if k % 3 == 0:
            changed = changed[:at]
        else:
            changed[at] ^= 1 << random.randrange(8)
        for file in tmp_path.glob("journal.db*"):
            file.unlink()
        store.write_bytes(changed)
        try:
            found, again = gone_on(store)
        except ControlError as error:
            assert isinstance(error, JournalError | BrokenChainError)
            ends["refused"] += 1
            continue
        ends["read"] += 1
        first = 1 if not found else found[0].sequence
        assert [record.hash for record in found] == hashes[first - 1 : first - 1 + len(found)]
        assert [record.hash for record in again[:-2]] == [record.hash for record in found][-len(again) + 2 :]
    assert min(ends.values()) > 3, ends
