"""A journal in a NATS stream: small messages, foreign and damaged ones, stores of before, servers that are refused."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.client import ServerVersion

from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.chain import one_chain
from slicewright.control.journal.nats.journal import NatsJournal
from slicewright.control.journal.records import BrokenChainError, Position, Record, chained, to_line
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Checkpoint, DevicesAdmitted, DevicesRemoved, Event
from slicewright.control.state.state import OrchestratorState, dump
from slicewright.control.transport.nats_connection import NatsAddress, NatsConnection, RefusedError
from slicewright.control.transport.nats_server import NatsDeployment, check_durability, check_version
from slicewright.control.transport.packing import pack, unpack
from slicewright.errors import InvalidOptionError
from tests.control.support.processes import nats_server, needs_nats, over_nats, patient_connection
from tests.control.support.scenes import scenario_of

START = Position(OrchestratorState())


def after(here: Position, *events: Event) -> list[Record]:
    return chained(here.hash, here.sequence, 1.5, events)


def removed(name: str) -> Event:
    return DevicesRemoved((name,))


def told(folder: Path, story: Callable[[NatsConnection, str], Awaitable[None]], **server: Any) -> None:
    async def tell(url: str) -> None:
        connection = patient_connection(url)
        try:
            await story(connection, url)
        finally:
            await connection.close()

    with nats_server(folder, **server) as url:
        asyncio.run(tell(url))


@needs_nats
def test_appends_of_any_size_fit_small_messages_and_unfinished_ones_do_not_count(tmp_path: Path) -> None:
    async def story(connection: NatsConnection, _: str) -> None:
        journal, here = NatsJournal(connection), START
        many = DevicesAdmitted(devices_of(scenario_of(400, 1)))
        for events in ([removed("a")], [many], [removed("b")]):
            records = after(here, *events)
            await journal.append(records)
            here = here.after(records)
        checkpoint = after(here, Checkpoint(dump(here.state)), removed("c"))
        await journal.append(checkpoint)
        here = here.after(checkpoint)
        client = await connection.jetstream()
        state = (await client.stream_info(journal.stream_name)).state
        assert state.messages > 20, "cut into many"
        assert START.after(await NatsJournal(connection).read()).hash == here.hash
        assert START.after(await NatsJournal(connection).read_from_checkpoint()).hash == here.hash
        lines = [line async for piece in NatsJournal(connection).lines(1) for line in piece]
        assert len(lines) == here.sequence - 1
        await client.publish("slicewright.journal.part", b"of an append that a crash has cut off")
        other = NatsJournal(connection)
        records = after(here, removed("d"))
        await other.append(records)
        with pytest.raises(FencedError):
            await journal.append(after(here, removed("e")))
        assert (await journal.read())[-1] == records[-1]

    told(tmp_path, story, settings="max_payload: 4096")


@needs_nats
def test_what_is_foreign_or_damaged_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(connection: NatsConnection, _: str) -> None:
        journal, here = NatsJournal(connection), START
        client = None
        bomb = b"z" + zlib.compress(bytes(50_000_000), 9)
        stray = to_line(after(START, removed("somebody else's"))[0]).encode()
        for k, foreign in enumerate((b"", b"hello", b"p{}", b"z123", bomb, b"p" + stray, b"p\xff")):
            records = after(here, removed(f"d{k}"))
            await journal.append(records)
            here = here.after(records)
            client = client or await connection.jetstream()
            await client.publish("slicewright.journal.records", foreign)
        assert START.after(await NatsJournal(connection).read()).hash == here.hash
        await NatsJournal(connection).append(after(here, removed("x")))
        assert len([line async for piece in journal.lines() for line in piece]) >= here.sequence + 1

    told(tmp_path, story)
    assert "passed over" in caplog.text


@needs_nats
def test_a_stream_of_the_release_before_is_continued(tmp_path: Path) -> None:
    """It had no parts and no ids; its writer named the number of the message before."""

    async def story(connection: NatsConnection, _: str) -> None:
        client = await connection.jetstream()
        await client.add_stream(
            name="SLICEWRIGHT_JOURNAL",
            subjects=["slicewright.journal.records", "slicewright.journal.checkpoint"],
            deny_delete=True,
            deny_purge=True,
        )
        records = after(START, removed("a"), removed("b"))
        for record in records:
            await client.publish("slicewright.journal.records", b"p" + to_line(record).encode())
        journal, here = NatsJournal(connection), START.after(records)
        assert await journal.read() == records
        await journal.append(after(here, removed("c")))
        assert len(await journal.read()) == 3

    told(tmp_path, story)


@needs_nats
def test_deployments_on_one_server_do_not_meet(tmp_path: Path) -> None:
    async def story(connection: NatsConnection, _: str) -> None:
        one, two = (NatsJournal(connection, deployment=name) for name in ("slicewright", "edge-2"))
        await one.append(after(START, removed("a")))
        assert await two.read() == []
        await two.append(after(START, removed("b")))
        assert [r.event for r in await one.read()] == [removed("a")]

    told(tmp_path, story)


@needs_nats
def test_a_server_must_tell_that_it_syncs_before_it_acknowledges(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(connection: NatsConnection, url: str) -> None:
        monitor = over_nats(url)[-1]
        await check_durability(connection, NatsDeployment(monitors=(monitor,)))
        with pytest.raises(RefusedError, match=r"does not tell .* `nats_monitors`"):
            await check_durability(connection, NatsDeployment(monitors=("http://127.0.0.1:9",)))
        await check_durability(connection, NatsDeployment(monitors=("http://127.0.0.1:9",), unsynced=True))
        caplog.clear()
        await check_durability(connection, NatsDeployment(monitors=(monitor, "http://127.0.0.1:9")))
        assert "127.0.0.1:9 cannot be read" in caplog.text

    told(tmp_path, story)


@needs_nats
def test_a_server_that_was_started_anew_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have come back with another configuration, or be another one of the cluster."""

    async def story(connection: NatsConnection, _: str) -> None:
        looked: list[str] = []

        async def check() -> None:
            looked.append(await connection.server())
            if len(looked) > 1:
                raise RefusedError("it does not sync any more")

        async def another() -> str:
            return "another"

        journal, first = NatsJournal(connection, check=check), after(START, removed("a"))
        await journal.append(first)
        await journal.read()
        assert len(looked) == 1
        with monkeypatch.context() as patched:
            patched.setattr(connection, "server", another)
            with pytest.raises(JournalError, match="does not sync any more"):
                await journal.append(after(START.after(first), removed("b")))
        assert len(await NatsJournal(connection).read()) == 1

    told(tmp_path, story)


@needs_nats
def test_a_server_that_syncs_now_and_then_is_refused_unless_that_is_accepted(tmp_path: Path) -> None:
    async def story(connection: NatsConnection, url: str) -> None:
        monitors = (over_nats(url)[-1],)
        with pytest.raises(
            RefusedError, match=r"syncs every 120 s.*`sync_interval: always`.*`nats_unsynced`"
        ):
            await check_durability(connection, NatsDeployment(monitors=monitors))
        await check_durability(connection, NatsDeployment(monitors=monitors, unsynced=True))

    told(tmp_path, story, sync="2m")


@pytest.mark.parametrize(
    ("told", "taken"), [("2.9.10", False), ("2.11.9", False), ("2.12.0", True), ("3.0.0", True)]
)
def test_a_server_that_is_too_old_is_refused_in_one_sentence(
    told: str, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def client(_: NatsConnection) -> SimpleNamespace:
        return SimpleNamespace(connected_server_version=ServerVersion(told))

    monkeypatch.setattr(NatsConnection, "client", client)
    connection = NatsConnection(NatsAddress("nats://127.0.0.1:4222"), "test")
    if taken:
        asyncio.run(check_version(connection))
        return
    with pytest.raises(RefusedError, match=rf"is nats-server {told}, too old: 2\.12 or newer is needed$"):
        asyncio.run(check_version(connection))


def test_a_deployment_is_named_so_that_servers_take_it() -> None:
    for settings, field in (
        ({"prefix": "A b"}, "nats_prefix"),
        ({"prefix": "a.b"}, "nats_prefix"),
        ({"replicas": 2}, "nats_replicas"),
        ({"monitors": ("localhost:8222",)}, "nats_monitors"),
    ):
        with pytest.raises(InvalidOptionError, match=field):
            NatsDeployment(**settings)


def test_nothing_unpacks_to_more_than_is_good_for_us() -> None:
    assert unpack(pack(b"x" * 10**6)) == b"x" * 10**6
    bomb = b"z" + zlib.compress(bytes(10**7), 9)
    for wrong in (bomb, pack(b"x" * 10**6)[:-5], b"", b"q", b"z"):
        with pytest.raises(ValueError, match=r"unpack|packed"):
            unpack(wrong, most=10**6)


def test_a_hole_in_the_chain_is_no_end_of_it() -> None:
    records = after(START, *(removed(f"d{k}") for k in range(4)))
    batches: list[list[Record] | None] = [[record] for record in records]
    assert one_chain([*batches, None], store="here") == records, "nothing follows on it"
    with pytest.raises(BrokenChainError, match="record after 1 in here is damaged"):
        one_chain([batches[0], None, *batches[2:]], store="here")
