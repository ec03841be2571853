"""Against real servers: syncs before acknowledgements, a store that goes back, a cluster that loses a node."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.nats.journal import NatsJournal
from slicewright.control.journal.records import Position, Record, chained
from slicewright.control.state.events import TookOver
from slicewright.control.state.state import OrchestratorState
from slicewright.control.transport.base import TransportError
from slicewright.control.transport.nats_connection import REQUEST_TIMEOUT_S, NatsAddress, NatsConnection
from tests.control.support.power import needs_strace
from tests.control.support.processes import ENDS_WITH_US, NATS, nats_server, needs_nats
from tests.loopback import own_loopback
from tests.waiting import PATIENCE_S, wait_for

START = Position(OrchestratorState())
SYNCS = "trace=fsync,fdatasync"


def after(here: Position, name: str) -> list[Record]:
    return chained(here.hash, here.sequence, 1.5, [TookOver(name, here.sequence + 1)])


async def appended(journal: NatsJournal, here: Position, *names: str) -> Position:
    for name in names:
        records = after(here, name)
        await journal.append(records)
        here = here.after(records)
    return here


@contextmanager
def opened(
    url: str, *, replicas: int = 1, patience_s: float = PATIENCE_S
) -> Iterator[tuple[asyncio.Runner, NatsJournal, NatsConnection]]:
    with asyncio.Runner() as runner:
        connection = NatsConnection(NatsAddress(url), "test", patience_s=patience_s)
        try:
            yield runner, NatsJournal(connection, replicas=replicas), connection
        finally:
            runner.run(connection.close())


def pid_of(folder: Path) -> int:
    """Of the server whose store is there."""
    newest = max(folder.glob("*.ports"), key=lambda file: file.stat().st_mtime)
    return int(newest.stem.rpartition("_")[2])


@contextmanager
def syncs_of(pid: int, folder: Path) -> Iterator[Path]:
    """A file with a line for every sync of a process, from here on."""
    out, said = folder / "syncs", folder / "strace"
    with said.open("wb") as stderr:
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", str(out), "-e", SYNCS, "-p", str(pid)], stderr=stderr
        )
        try:
            wait_for(lambda: "attached" in said.read_text() or tracer.poll() is not None, "strace")
            if tracer.poll() is not None:
                assert "Operation not permitted" in said.read_text(), said.read_text()
                pytest.skip("strace may not look at other processes")
            yield out
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(PATIENCE_S)


def count(out: Path) -> int:
    return sum("sync(" in line for line in out.read_text().splitlines())


@needs_nats
@needs_strace
@pytest.mark.parametrize("sync", ["always", "2m"])
def test_a_nats_server_syncs_before_every_acknowledgement_if_it_is_told_to(tmp_path: Path, sync: str) -> None:
    with nats_server(tmp_path, sync=sync) as url, opened(url) as (runner, journal, _):
        here = runner.run(appended(journal, START, "a"))
        with syncs_of(pid_of(tmp_path), tmp_path) as out:
            for k in range(1, 6):
                here = runner.run(appended(journal, here, f"b{k}"))
                if sync == "always":
                    assert count(out) >= k, "acknowledged, and not on disk"
        if sync != "always":
            assert count(out) == 0, "this is why servers with such an interval are refused"


@needs_strace
def test_sqlite_syncs_at_every_append(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from slicewright.control.journal.records import Position, chained
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.state.events import TookOver
from slicewright.control.state.state import OrchestratorState

async def story():
    journal, here = SqliteJournal(sys.argv[1]), Position(OrchestratorState())
    for k in range(5):
        records = chained(here.hash, here.sequence, 1.5, [TookOver(str(k), k + 1)])
        sys.stderr.write(f"append {k}\\n")
        await journal.append(records)
        here = here.after(records)
    sys.stderr.write("append 5\\n")
    await journal.close()

asyncio.run(story())
"""
    out = tmp_path / "calls"
    trace = ["strace", "-f", "--seccomp-bpf", "-o", str(out), "-e", f"{SYNCS},write"]
    ran = subprocess.run(
        [*trace, sys.executable, "-c", program, str(tmp_path / "journal.db")], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    between = out.read_text().split('write(2, "append ')
    assert len(between) == 7
    assert all("fdatasync(" in part or "fsync(" in part for part in between[1:6]), "acknowledged, not on disk"


@needs_nats
def test_a_store_that_went_back_takes_nothing_from_who_knew_what_is_lost(tmp_path: Path) -> None:
    """The server is killed, its store is that of a while ago, others write: numbers fit again, hashes do not."""
    store, copy = tmp_path / "nats", tmp_path / "copy"
    with nats_server(tmp_path) as url, opened(url) as (runner, journal, _):
        then = runner.run(appended(journal, START, "a", "b"))
        shutil.copytree(store, copy)
        known = runner.run(appended(journal, then, "c", "d"))
        os.kill(pid_of(tmp_path), signal.SIGKILL)
    shutil.rmtree(store)
    copy.rename(store)
    with nats_server(tmp_path) as url, opened(url) as (runner, journal, connection):
        assert [r.hash for r in runner.run(journal.read(then.sequence - 1))] == [then.hash]
        other = NatsJournal(connection)
        now = runner.run(appended(other, then, "e", "f"))
        assert now.sequence == known.sequence
        for behind in (known, then):
            with pytest.raises(FencedError):
                runner.run(journal.append(after(behind, "g")))
        assert runner.run(journal.read())[-1].hash == now.hash


@needs_nats
@pytest.mark.slow
def test_a_cluster_of_three_goes_on_without_the_node_that_led_it(tmp_path: Path) -> None:
    with (
        cluster(tmp_path) as (urls, nodes),
        # A node that dies answers nothing more: whoever asked it asks again after a while.
        opened(urls[0], replicas=3, patience_s=REQUEST_TIMEOUT_S) as (runner, journal, connection),
    ):
        here = START
        acknowledged: list[str] = []

        async def leader() -> str:
            found = await (await connection.jetstream()).stream_info(journal.stream_name)
            assert found.cluster is not None
            return found.cluster.leader or ""

        for k in range(20):
            if k == 8:
                nodes[runner.run(leader())].kill()
            here = runner.run(persistent(journal, here, f"r{k}"))
            acknowledged.append(here.hash)
        kept = [record.hash for record in runner.run(journal.read())]
        assert set(acknowledged) <= set(kept)
        assert len(kept) == len(set(kept)) == here.sequence


async def persistent(journal: NatsJournal, here: Position, name: str) -> Position:
    """Append as a leader does: after an answer that is lost, look what is there."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await appended(journal, here, name)
        except FencedError:
            assert time.monotonic() < until
            with contextlib.suppress(JournalError):
                if there := await journal.read(here.sequence):
                    return here.after(there)
        except (JournalError, TransportError):
            assert time.monotonic() < until
        await asyncio.sleep(0.3)


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[list[str], dict[str, subprocess.Popen[bytes]]]]:
    """Three servers; their URLs, and processes by name."""
    assert NATS is not None
    host = own_loopback()
    with ExitStack() as stack:
        free = [stack.enter_context(socket.create_server((host, 0))) for _ in range(6)]
        ports = [listener.getsockname()[1] for listener in free]
    routes = ", ".join(f'"nats://{host}:{port}"' for port in ports[3:])
    nodes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for k in range(3):
            file = folder / f"{k}.conf"
            file.write_text(
                f'server_name: n{k}\nlisten: "{host}:{ports[k]}"\n'
                f'jetstream {{ store_dir: "{folder / str(k)}", sync_interval: always }}\n'
                f'cluster {{ name: c, listen: "{host}:{ports[3 + k]}", routes: [{routes}] }}\n'
            )
            log = str(folder / f"{k}.log")
            nodes[f"n{k}"] = subprocess.Popen([*ENDS_WITH_US, NATS, "-c", str(file), "-l", log])
        urls = [f"nats://{host}:{port}" for port in ports[:3]]
        wait_for(lambda: "cluster_leader" in leads(folder) or "metadata leader" in leads(folder), "a cluster")
        yield urls, nodes
    finally:
        for node in nodes.values():
            node.kill()
            node.wait(PATIENCE_S)


def leads(folder: Path) -> str:
    """What the servers have said so far."""
    return "".join(file.read_text() for file in folder.glob("*.log"))
