"""Power loss, as it is for a disk: of every file what was synced is left, and in that every acknowledged record."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slicewright.control.journal.nats.journal import NatsJournal
from slicewright.control.journal.records import Position, Record
from slicewright.control.journal.sqlite.journal import SqliteJournal
from tests.control.journal.test_syncs_and_losses import START, appended
from tests.control.support.power import STRACE, Disk, needs_strace
from tests.control.support.processes import (
    ENDS_WITH_US,
    NATS,
    nats_addresses,
    nats_server,
    needs_nats,
    patient_connection,
)
from tests.waiting import PATIENCE_S, wait_for

PROGRAM = """
import asyncio, os, sys
from slicewright.control.journal.records import Position, chained
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.state.events import Checkpoint, TookOver
from slicewright.control.state.state import OrchestratorState, dump

async def story():
    journal, here = SqliteJournal(sys.argv[1], segment_bytes=30_000), Position(OrchestratorState())
    for k in range(120):
        event = Checkpoint(dump(here.state)) if journal.wants_checkpoint else TookOver(str(k), k + 1)
        records = chained(here.hash, here.sequence, 1.5, [event])
        await journal.append(records)
        here = here.after(records)
        os.write(2, f"acknowledged {here.sequence} {here.hash}\\n".encode())
    os._exit(0)  # no closing: the power fails

asyncio.run(story())
"""


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


@needs_strace
def test_a_journal_in_files_has_every_acknowledged_record_when_the_power_fails(tmp_path: Path) -> None:
    trace, store = tmp_path / "trace", tmp_path / "store"
    store.mkdir()
    command = [*STRACE, "-o", str(trace), sys.executable, "-c", PROGRAM, str(store / "journal.db")]
    ran = subprocess.run(command, capture_output=True, text=True)
    acknowledged = [line.split()[1:] for line in ran.stderr.splitlines() if line.startswith("acknowledged")]
    assert len(acknowledged) == 120, ran.stderr
    lines = trace.read_text().splitlines()
    said = [k for k, line in enumerate(lines) if hexed("acknowledged ") in line]
    disk, begin = Disk(str(store)), 0
    for (number, digest), end in zip(acknowledged, said, strict=True):
        disk.follow(lines[begin:end])
        begin = end
        if int(number) % 10 and int(number) < 115:
            continue
        left = tmp_path / f"left-{number}"
        disk.restore(left)
        records = asyncio.run(_read(left / "journal.db"))
        assert (records[-1].sequence, records[-1].hash) == (int(number), digest)
        assert [r.sequence for r in records] == list(range(1, int(number) + 1))


async def _read(store: Path) -> list[Record]:
    journal = SqliteJournal(store)
    try:
        return await journal.read()
    finally:
        await journal.close()


@needs_nats
@needs_strace
@pytest.mark.parametrize("sync", ["always", "2m"])
def test_a_journal_over_nats_has_them_if_the_server_syncs_and_not_if_it_does_not(
    tmp_path: Path, sync: str
) -> None:
    assert NATS is not None
    trace, store = tmp_path / "trace", tmp_path / "nats"
    config = tmp_path / "traced.conf"
    config.write_text(f'jetstream {{ store_dir: "{store}", sync_interval: "{sync}" }}\n')
    traced_nats = [*STRACE, "-o", str(trace), *ENDS_WITH_US, NATS]
    command = [*ENDS_WITH_US, *traced_nats, "-c", str(config), "-a", "127.0.0.1", "-p", "-1"]
    said = (tmp_path / "said").open("wb")
    command += ["--ports_file_dir", str(tmp_path)]
    traced = subprocess.Popen(command, stderr=said, stdout=said, start_new_session=True)
    try:
        wait_for(lambda: _addresses(tmp_path) or traced.poll() is not None, "nats-server")
        assert traced.poll() is None, (tmp_path / "said").read_text()[:300]
        ((url, _),) = _addresses(tmp_path)
        here = asyncio.run(_appended(url))
        # A call is in the trace before its thread goes on, so before what it answers; the last line may be half there.
        lines = trace.read_text(errors="replace").rpartition("\n")[0].splitlines()
    finally:
        os.killpg(traced.pid, signal.SIGKILL)  # the server, too: one whose strace dies goes on alone
        traced.wait(PATIENCE_S)
        said.close()
    disk = Disk(str(tmp_path))
    disk.follow(lines)
    left = tmp_path / "left"
    disk.restore(left)
    (left / "nats").mkdir(parents=True, exist_ok=True)
    with nats_server(left) as again:
        found = asyncio.run(_read_nats(again))
    if sync == "always":
        assert (found.sequence, found.hash) == (here.sequence, here.hash)
    else:
        assert found.sequence < here.sequence, "this is why servers with such an interval are refused"


def _addresses(folder: Path) -> list[tuple[str, str]]:
    """Of the server that runs under strace, whose process id nobody knows."""
    return [found for file in folder.glob("*.ports") if (found := nats_addresses(file)) is not None]


async def _appended(url: str) -> Position:
    connection = patient_connection(url)
    try:
        return await appended(NatsJournal(connection), START, *(f"n{k}" for k in range(12)))
    finally:
        await connection.close()


async def _read_nats(url: str) -> Position:
    connection = patient_connection(url)
    try:
        return START.after(await NatsJournal(connection).read())
    finally:
        await connection.close()
