"""What every transport promises, held by both: in memory and over NATS."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from slicewright.control import transport
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.transport.base import Entry, OvertakenError, Transport, TransportError
from slicewright.control.transport.memory import MemoryTransport
from slicewright.control.transport.nats import NatsTransport
from tests.conformance.implementations import implementations
from tests.control.support.processes import patient_connection
from tests.waiting import PATIENCE_S

KINDS = ("memory", "nats")
Opener = Callable[[], Transport]
Story = Callable[[Opener], Awaitable[None]]


@pytest.fixture(params=KINDS)
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a story about one kind of transport; whatever it opens sees the same values, and is closed at the end."""
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    def told(story: Story, *, lease_s: float = 60.0) -> None:
        asyncio.run(_tell(url, story, lease_s))

    return told


async def _tell(url: str, story: Story, lease_s: float) -> None:
    async with AsyncExitStack() as stack:
        if url:
            await _make_buckets(url, lease_s)
        shared = MemoryTransport(LoopClock(), lease_s=lease_s)

        def open_one() -> Transport:
            if not url:
                return shared
            connection = patient_connection(url)
            transport = NatsTransport(connection, lease_s=lease_s)
            stack.push_async_callback(transport.close)
            return transport

        async with asyncio.timeout(PATIENCE_S):
            await story(open_one)


async def _make_buckets(url: str, lease_s: float) -> None:
    """A server that has just begun may not answer for a stream it has just made: roles try again, stories do not."""
    transport = NatsTransport(patient_connection(url), lease_s=lease_s)
    made = False
    while not made:
        with contextlib.suppress(TransportError):
            await transport.put("preparation.x", b"")
            made = await transport.acquire("preparation", "x")
    await transport.close()


@asynccontextmanager
async def following(transport: Transport, prefix: str) -> AsyncIterator[asyncio.Queue[Entry]]:
    """What a watch gives, as it comes."""
    seen: asyncio.Queue[Entry] = asyncio.Queue()

    async def follow() -> None:
        async for entry in transport.watch(prefix):
            seen.put_nowait(entry)

    task = asyncio.create_task(follow())
    try:
        yield seen
    finally:
        await end([task])


async def until(seen: asyncio.Queue[Entry], key: str, value: bytes) -> list[Entry]:
    """Entries up to one with this value; changes in between may be merged, and entries may come twice."""
    found: list[Entry] = []
    while not found or (found[-1].key, found[-1].value) != (key, value):
        found.append(await seen.get())
    return found


def test_a_value_is_what_was_put_last(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        one, two = open_one(), open_one()
        assert await one.get("grant.x") is None
        first = await one.put("grant.x", b"1")
        assert await two.get("grant.x") == Entry("grant.x", b"1", first)
        second = await two.put("grant.x", b"2")
        assert second > first
        assert await one.get("grant.x") == Entry("grant.x", b"2", second)
        assert await one.get("grant.y") is None

    tell(story)


def test_revisions_rise_with_every_change_of_any_value(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        transport = open_one()
        revisions = [await transport.put(key, b"v") for key in ("a.1", "b.1", "a.1", "a.2")]
        assert revisions == sorted(set(revisions))

    tell(story)


def test_a_watch_begins_with_what_is_there_and_goes_on_with_what_changes(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        one, two = open_one(), open_one()
        await one.put("status.x", b"old")
        async with following(two, "status") as seen:
            before = await until(seen, "status.x", b"old")
            revision = await one.put("status.y", b"new")
            (*_, newest) = await until(seen, "status.y", b"new")
            assert newest.revision == revision > before[-1].revision
            for k in range(20):
                await one.put("status.x", str(k).encode())
            changes = [entry for entry in await until(seen, "status.x", b"19") if entry.key == "status.x"]
            revisions = [entry.revision for entry in changes]
            assert revisions == sorted(revisions), "in order, perhaps not all of them"

    tell(story)


@pytest.mark.parametrize(
    ("prefix", "inside", "outside"),
    [("status", "status.x", "statuses.x"), ("grant.61", "grant.61", "grant.6161")],
)
def test_a_watch_covers_a_key_and_what_is_below_it(
    tell: Callable[..., None], prefix: str, inside: str, outside: str
) -> None:
    async def story(open_one: Opener) -> None:
        transport = open_one()
        async with following(transport, prefix) as seen:
            await transport.put(outside, b"not for us")
            await transport.put(inside, b"for us")
            assert {entry.key for entry in await until(seen, inside, b"for us")} == {inside}

    tell(story)


def test_two_watches_see_the_same(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        one, two = open_one(), open_one()
        async with following(one, "m") as here, following(two, "m") as there:
            await one.put("m.a", b"1")
            assert (await until(here, "m.a", b"1"))[-1] == (await until(there, "m.a", b"1"))[-1]

    tell(story)


def test_a_watch_that_ends_leaves_the_transport_usable(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        transport = open_one()
        for k in range(3):
            async with following(transport, "m") as seen:
                await transport.put("m.a", str(k).encode())
                await until(seen, "m.a", str(k).encode())

    tell(story)


def test_keys_are_listed_and_removed_for_good_unless_newer(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        one, two = open_one(), open_one()
        assert await one.keys("m") == {}
        for key in ("m.a", "m.b", "mm.a"):
            await one.put(key, b"1")
        found = await two.keys("m")
        assert sorted(found) == ["m.a", "m.b"]
        await one.put("m.b", b"2")
        for key, revision in found.items():
            await two.remove(key, revision)
        assert await one.get("m.a") is None
        kept = await one.get("m.b")
        assert kept is not None
        assert kept.value == b"2", "put after it was listed"
        assert sorted(await one.keys("m")) == ["m.b"]
        await one.remove("m.a", kept.revision)
        assert await one.put("m.a", b"3") > kept.revision

    tell(story)


def test_one_holder_at_a_time(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        one, two = open_one(), open_one()
        assert await one.acquire("orchestrator", "a")
        assert not await two.acquire("orchestrator", "b")
        assert await one.acquire("orchestrator", "a"), "renewed"
        assert await two.acquire("manager.x", "b"), "another lease"
        await two.surrender("orchestrator", "b")
        assert not await two.acquire("orchestrator", "b"), "nobody surrenders what others hold"
        await one.surrender("orchestrator", "a")
        assert await two.acquire("orchestrator", "b")
        assert not await one.acquire("orchestrator", "a")

    tell(story)


def test_of_many_who_want_a_lease_one_gets_it(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        names = [str(k) for k in range(5)]
        got = await asyncio.gather(*(open_one().acquire("orchestrator", name) for name in names))
        assert sum(got) == 1

    tell(story)


def test_the_same_holder_goes_on_after_a_restart(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        assert await open_one().acquire("orchestrator", "a")
        assert await open_one().acquire("orchestrator", "a")

    tell(story)


def test_a_lease_that_is_not_renewed_runs_out(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        one, two = open_one(), open_one()
        assert await one.acquire("orchestrator", "a")
        while not await two.acquire("orchestrator", "b"):
            await asyncio.sleep(0.05)
        assert not await one.acquire("orchestrator", "a")

    tell(story, lease_s=3.0)  # long enough that the second holder still has it when the first one asks


def test_values_may_be_large_and_keys_are_any_slices(tell: Callable[..., None]) -> None:
    async def story(open_one: Opener) -> None:
        transport = open_one()
        key, other = f"grant.{'größe 1/2'.encode().hex()}", open_one()
        for value in (
            bytes(range(256)) * 2000,
            random.Random(1).randbytes(3_000_000),
            b"\x00",
            b"\x01x",
            b"small",
        ):
            await transport.put(key, value)
            found = await transport.get(key)
            assert found is not None
            assert found.value == value
            async with following(other, key) as seen:
                await until(seen, key, value)
        assert not await transport.keys("pieces"), "pieces go when a newer value comes"

        await transport.put(key, random.Random(2).randbytes(3_000_000))
        successor = open_one()
        await successor.get(key)
        await successor.put(key, b"small")
        assert not await transport.keys("pieces"), "also those of the process before"

    tell(story)


def test_a_value_is_put_only_after_the_one_that_it_replaces(tell: Callable[..., None]) -> None:
    async def story(opened: Opener) -> None:
        one, other = opened(), opened()
        first = await one.put("grant.a", b"1", after=0)
        with pytest.raises(OvertakenError):
            await other.put("grant.a", b"2", after=0)
        second = await other.put("grant.a", b"3", after=first)
        with pytest.raises(OvertakenError):
            await one.put("grant.a", b"4", after=first)
        found = await one.get("grant.a")
        assert found is not None
        assert (found.value, found.revision) == (b"3", second)
        assert await one.put("grant.b", b"5", after=0) > second

    tell(story)


def test_none_is_forgotten() -> None:
    assert implementations(transport, Transport) == {"MemoryTransport", "NatsTransport"}, (
        "each is opened by ``_tell``"
    )
