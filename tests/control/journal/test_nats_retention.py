"""A journal over NATS that forgets what is old, is copied while it is written, and comes back into a new stream."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slicewright.cli.main import app
from slicewright.control.journal.base import FencedError
from slicewright.control.journal.nats.backup import back_up_stream, restore_stream
from slicewright.control.journal.nats.journal import NatsJournal
from slicewright.control.journal.records import Position, verify
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.journal.sqlite.segments import segments
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Checkpoint, DevicesAdmitted
from slicewright.control.state.state import OrchestratorState, dump
from slicewright.control.transport.nats_connection import NatsConnection
from slicewright.control.views.replay import replay_log
from slicewright.errors import InvalidOptionError
from tests.control.journal.test_nats import START, after, removed, told
from tests.control.support.processes import needs_nats
from tests.control.support.scenes import scenario_of


async def written(journal: NatsJournal, here: Position, *, checkpoints: int, name: str = "d") -> Position:
    """Some records, a checkpoint that takes several messages, some more, and so on."""
    many = DevicesAdmitted(devices_of(scenario_of(60, 1)))
    for k in range(checkpoints):
        for events in ([many, removed(f"{name}{k}")], [Checkpoint()], [removed(f"{name}{k} after")]):
            made = [Checkpoint(dump(here.state)) if isinstance(e, Checkpoint) else e for e in events]
            records = after(here, *made)
            await journal.append(records)
            here = here.after(records)
            if journal._retiring is not None:
                await journal._retiring
    return here


@needs_nats
def test_only_so_many_checkpoints_stay_and_all_that_follows(tmp_path: Path) -> None:
    async def story(connection: NatsConnection, _: str) -> None:
        journal = NatsJournal(connection, keep=2)
        here = await written(journal, START, checkpoints=6)
        left = await NatsJournal(connection).read()
        assert [r.event.kind for r in left].count("checkpoint") == 2
        assert left[0].event.kind == "checkpoint"
        assert START.after(left).hash == here.hash
        assert START.after(await NatsJournal(connection).read_from_checkpoint()).hash == here.hash
        lines = [line async for piece in NatsJournal(connection).lines(here.sequence - 2) for line in piece]
        assert len(lines) == 2
        other = NatsJournal(connection, keep=2)
        await other.append(after(here, removed("by the next leader")))
        with pytest.raises(FencedError):
            await journal.append(after(here, removed("too late")))

    told(tmp_path, story, settings="max_payload: 4096")


@needs_nats
def test_a_stream_that_was_made_to_keep_all_does_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(connection: NatsConnection, _: str) -> None:
        here = await written(NatsJournal(connection), START, checkpoints=2)
        journal = NatsJournal(connection, keep=1)
        here = await written(journal, here, checkpoints=2)
        assert len(await journal.read()) == here.sequence
        # The way out: a copy, and a new stream.
        copied = await back_up_stream(journal, tmp_path / "b.db")
        assert (copied.newest, copied.hash) == (here.sequence, here.hash)
        with pytest.raises(InvalidOptionError, match="holds messages"):
            await restore_stream(tmp_path / "b.db", journal)
        await (await connection.jetstream()).delete_stream(journal.stream_name)
        anew = NatsJournal(connection, keep=1)
        await restore_stream(tmp_path / "b.db", anew)
        assert anew._retiring is not None
        await anew._retiring
        left = await NatsJournal(connection).read()
        assert START.after(left).hash == here.hash
        assert left[0].event.kind == "checkpoint"

    told(tmp_path, story)
    assert "back it up and restore it anew" in caplog.text


@needs_nats
def test_a_copy_of_a_journal_that_has_forgotten_is_whole_from_its_checkpoint_on(tmp_path: Path) -> None:
    async def story(connection: NatsConnection, url: str) -> None:
        journal = NatsJournal(connection, keep=1)
        here = await written(journal, START, checkpoints=3)
        await (await connection.client()).publish("slicewright.journal.records", b"hello")
        copy = tmp_path / "monday.db"
        said = await asyncio.to_thread(
            CliRunner().invoke, app, ["journal", "backup", url, str(copy)], catch_exceptions=False
        )
        assert f"up to {here.sequence} ({here.hash[:12]})" in said.output
        (file,) = segments(copy)
        assert file.name.startswith("monday-0")
        assert replay_log(read_log(copy)).differences == ()
        newer = await written(journal, here, checkpoints=1, name="after the copy")
        # The store is lost; the copy of before comes back under another prefix.
        where = ["--nats-prefix", "again", "--nats-keep", "3"]
        said = await asyncio.to_thread(
            CliRunner().invoke, app, ["journal", "restore", str(copy), url, *where], catch_exceptions=False
        )
        assert "every hash checked" in said.output
        back = NatsJournal(connection, deployment="again", keep=3)
        records = await back.read_from_checkpoint()
        restored = Position(OrchestratorState()).after(records)
        assert (restored.sequence, restored.hash) == (here.sequence, here.hash)
        assert len(list(verify(await back.read()))) == len(list(read_log(copy)))
        # Whoever has read further notices, instead of writing on.
        stale = NatsJournal(connection, deployment="again")
        with pytest.raises(FencedError):
            await stale.append(after(newer, removed("x")))
        assert not await stale.read(newer.sequence - 1)
        await back.append(after(restored, removed("goes on")))

    told(tmp_path, story)


@needs_nats
def test_nobody_deletes_single_records_and_no_copy_replaces_another(tmp_path: Path) -> None:
    async def story(connection: NatsConnection, _: str) -> None:
        journal = NatsJournal(connection, keep=5)
        await written(journal, START, checkpoints=2)
        stream = await connection.jetstream()
        there = (await stream.stream_info(journal.stream_name)).config
        assert there.deny_purge is False
        assert there.deny_delete is True
        with pytest.raises(InvalidOptionError, match="is there already"):
            (tmp_path / "c.db").write_bytes(b"")
            await back_up_stream(journal, tmp_path / "c.db")

    told(tmp_path, story)
