"""A journal in several files: one chain across them, whoever moves, alters or writes them; old files as they are."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from slicewright.control.journal.base import FencedError
from slicewright.control.journal.records import Position, Record, chained, to_line
from slicewright.control.journal.sqlite.journal import LEAST_RECORDS, SqliteJournal
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.journal.sqlite.segments import segments
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Checkpoint, DevicesAdmitted, DevicesRemoved, Event
from slicewright.control.state.state import OrchestratorState, dump
from slicewright.control.views.replay import replay_log
from slicewright.errors import InvalidOptionError
from tests.control.support.running import QUICK, running
from tests.control.support.scenes import DATA, as_body, moved, scenario_of

SCENARIO = scenario_of(6, 3)
SMALL = 100_000
"""Bytes of a file; a few seconds of traffic fill several."""


async def traffic(store: Path, requests: int, seed: int = 0) -> None:
    """A control plane on a store that rotates, asked so many times."""
    rng, devices = np.random.default_rng(seed), devices_of(SCENARIO)
    journal = SqliteJournal(store, segment_bytes=SMALL)
    async with running(SCENARIO, journal=journal, options=replace(QUICK, rounds=2)) as (_, client):
        for k in range(requests):
            body = {"devices": [as_body(moved(devices[k % len(devices)], rng))]}
            assert (await client.post("/v1/requests", json=body)).status_code == 201


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal in at least three files, written by two processes one after the other."""
    store = tmp_path_factory.mktemp("rotated") / "journal.db"
    asyncio.run(traffic(store, 60))
    asyncio.run(traffic(store, 40, seed=1))
    return store


def lines_of(segment: Path) -> list[str]:
    with closing(sqlite3.connect(segment)) as database:
        return [line for (line,) in database.execute("SELECT line FROM journal ORDER BY sequence")]


def replay(*logs: Path) -> tuple[int, str]:
    program = "from slicewright.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "replay", *map(str, logs)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_file_begins_with_a_checkpoint_that_carries_the_hash_before(rotated: Path) -> None:
    files = segments(rotated)
    assert len(files) >= 3
    for earlier, later in pairwise(files):
        last, first = json.loads(lines_of(earlier)[-1]), json.loads(lines_of(later)[0])
        assert first["previous"] == last["hash"]
        assert first["sequence"] == last["sequence"] + 1
        assert first["event"]["kind"] == "checkpoint", "so that earlier files may be moved elsewhere"
        assert later.name == f"journal-{first['sequence']:012d}.db"
        assert len(lines_of(earlier)) >= LEAST_RECORDS


def test_replay_reads_a_folder_a_journal_and_a_list_of_files(rotated: Path, tmp_path: Path) -> None:
    whole = replay_log(read_log(rotated))
    assert whole.differences == ()
    assert whole.decisions >= 100
    assert whole.records == sum(len(lines_of(file)) for file in segments(rotated))
    backwards = reversed(segments(rotated))
    assert replay_log(read_log(*backwards)) == whole
    assert replay_log(read_log(rotated.parent)) == whole
    code, said = replay(rotated.parent)
    assert code == 0, said
    assert f"{whole.records} records" in said
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for k, file in enumerate(segments(rotated)):
        if k % 2:
            (mixed / f"{k}.jsonl").write_text("\n".join(lines_of(file)))
        else:
            shutil.copy(file, mixed / file.name)
    assert replay_log(read_log(mixed)) == whole
    with pytest.raises(InvalidOptionError, match="a folder without a file"):
        list(read_log(tmp_path))


def test_later_files_stand_alone_and_a_missing_one_in_between_is_found(rotated: Path, tmp_path: Path) -> None:
    for file in segments(rotated):
        shutil.copy(file, tmp_path)
    first, second, *_ = segments(tmp_path / rotated.name)
    first.unlink()
    report = replay_log(read_log(tmp_path))
    assert report.differences == ()
    assert report.decisions > 10
    shutil.copy(rotated, tmp_path)
    second.unlink()
    report = replay_log(read_log(tmp_path))
    assert [d.what for d in report.differences] == ["chain"]
    code, said = replay(tmp_path)
    assert code == 1, said


def test_an_altered_record_in_an_old_file_is_found(rotated: Path, tmp_path: Path) -> None:
    for file in segments(rotated):
        shutil.copy(file, tmp_path)
    with closing(sqlite3.connect(tmp_path / rotated.name)) as database:
        database.execute(
            "UPDATE journal SET line = replace(line, '\"seed\":0', '\"seed\":7') WHERE sequence ="
            " (SELECT MAX(sequence) FROM journal WHERE line LIKE '%\"decided\"%')"
        )
        database.commit()
    assert [d.what for d in replay_log(read_log(tmp_path)).differences] == ["chain"]


def test_a_restart_goes_on_with_what_is_left_of_the_files(rotated: Path, tmp_path: Path) -> None:
    for file in segments(rotated)[1:]:
        shutil.copy(file, tmp_path)
    store = tmp_path / rotated.name

    async def story() -> None:
        before = SqliteJournal(rotated)
        known = Position(OrchestratorState()).after(await before.read_from_checkpoint())
        await before.close()
        journal = SqliteJournal(store, segment_bytes=SMALL)
        assert Position(OrchestratorState()).after(await journal.read_from_checkpoint()).hash == known.hash
        assert [r.sequence for r in await journal.read(known.sequence - 3)] == [
            known.sequence - k for k in (2, 1, 0)
        ]
        await journal.close()
        await traffic(store, 3)
        assert not store.exists()

    asyncio.run(story())
    assert replay_log(read_log(tmp_path)).differences == ()


def records_after(here: Position, *events: Event) -> list[Record]:
    return chained(here.hash, here.sequence, 1.0, events)


def test_a_file_sealed_by_another_process_takes_nothing_more(tmp_path: Path) -> None:
    async def story() -> None:
        here = Position(OrchestratorState())
        one, two = (SqliteJournal(tmp_path / "j.db", segment_bytes=1) for _ in range(2))
        many = records_after(here, *[DevicesRemoved((f"d{k}",)) for k in range(LEAST_RECORDS)])
        await one.append(many)
        assert one.wants_checkpoint
        here = here.after(many)
        fork = records_after(here, DevicesAdmitted(devices_of(SCENARIO)[:1]))
        checkpoint = records_after(here, Checkpoint(dump(here.state)))
        await one.append(checkpoint)
        assert len(segments(tmp_path / "j.db")) == 2
        with pytest.raises(FencedError, match="another process"):
            await two.append(fork)
        assert await two.read(here.sequence) == checkpoint
        here = here.after(checkpoint)
        more = records_after(here, DevicesRemoved(("x",)))
        await two.append(more)
        assert await one.read(here.sequence) == more
        await one.close()
        await two.close()

    asyncio.run(story())


def test_a_crash_between_sealing_and_the_next_file_is_made_good(tmp_path: Path) -> None:
    async def story() -> None:
        here = Position(OrchestratorState())
        one = SqliteJournal(tmp_path / "j.db", segment_bytes=1)
        many = records_after(here, *[DevicesRemoved((f"d{k}",)) for k in range(LEAST_RECORDS)])
        await one.append(many)
        await one.close()
        with closing(sqlite3.connect(tmp_path / "j.db")) as database:
            database.execute("PRAGMA user_version=1")
        again = SqliteJournal(tmp_path / "j.db", segment_bytes=1)
        here = here.after(await again.read_from_checkpoint())
        more = records_after(here, DevicesRemoved(("x",)))
        await again.append(more)
        assert await again.read() == [*many, *more]
        await again.close()
        assert [len(lines_of(file)) for file in segments(tmp_path / "j.db")] == [LEAST_RECORDS, 1]

    asyncio.run(story())


def test_a_journal_of_before_stays_readable_and_is_continued(tmp_path: Path) -> None:
    """The file as the first release wrote it: no version, one table."""
    lines = (DATA / "log-0.1.0.jsonl").read_text().splitlines()
    store = tmp_path / "journal.db"
    with closing(sqlite3.connect(store)) as database:
        database.execute(
            "CREATE TABLE journal (sequence INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL, line TEXT)"
        )
        rows = [(json.loads(x)["sequence"], int('"kind":"checkpoint"' in x), x) for x in lines]
        database.executemany("INSERT INTO journal VALUES (?, ?, ?)", rows)
        database.commit()

    async def story() -> None:
        journal = SqliteJournal(store, segment_bytes=SMALL)
        async with running(journal=journal) as (plane, client):
            assert len(plane.orchestrator.state.devices) == 2
            assert [to_line(r) for r in await journal.read()][: len(lines)] == lines
            assert (await client.delete("/v1/requests/device-1")).status_code == 204

    asyncio.run(story())
    report = replay_log(read_log(store))
    assert report.differences == ()
    assert report.decisions >= 3
