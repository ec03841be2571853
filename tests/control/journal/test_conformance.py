"""What every journal promises, held by all of them: in memory, in one SQLite file, in several, in a NATS stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from slicewright.control import journal
from slicewright.control.journal.base import FencedError, Journal
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.nats.journal import NatsJournal
from slicewright.control.journal.records import Position, Record, chained, to_line
from slicewright.control.journal.sqlite.journal import LEAST_RECORDS, SqliteJournal
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Checkpoint, DevicesAdmitted, DevicesRemoved, Event
from slicewright.control.state.state import OrchestratorState, dump
from tests.conformance.implementations import implementations
from tests.control.support.processes import patient_connection
from tests.control.support.scenes import scenario_of

KINDS = ("memory", "sqlite", "segmented", "nats")
DURABLE = ("sqlite", "segmented", "nats")
Opener = Callable[[], Awaitable[Journal]]
Story = Callable[[Opener], Awaitable[None]]


@pytest.fixture
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, Story], None]:
    """Runs a story about a kind of journal; whatever it opens sees the same records, and is closed at the end."""

    def told(kind: str, story: Story) -> None:
        url = request.getfixturevalue("nats_url") if kind == "nats" else ""
        asyncio.run(_tell(kind, story, tmp_path, url))

    return told


async def _tell(kind: str, story: Story, folder: Path, url: str) -> None:
    shared = MemoryJournal()
    async with AsyncExitStack() as stack:

        async def open_one() -> Journal:
            journal: Journal
            match kind:
                case "memory":
                    journal = shared
                case "sqlite":
                    journal = SqliteJournal(folder / "journal.db")
                case "segmented":
                    journal = SqliteJournal(folder / "journal.db", segment_bytes=1)
                case _:
                    journal = NatsJournal(patient_connection(url))
            stack.push_async_callback(journal.close)
            return journal

        await story(open_one)


def after(here: Position, *events: Event) -> list[Record]:
    """Records that follow a position."""
    return chained(here.hash, here.sequence, 1.5, events)


def removed(*names: str) -> list[Event]:
    return [DevicesRemoved((name,)) for name in names]


START = Position(OrchestratorState())
FEW = removed("a", "b", "c")


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_journal_is_empty(kind: str, tell: Callable[[str, Story], None]) -> None:
    async def story(open_one: Opener) -> None:
        journal = await open_one()
        assert await journal.read() == []
        assert await journal.read_from_checkpoint() == []

    tell(kind, story)


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_read_as_they_were_appended(kind: str, tell: Callable[[str, Story], None]) -> None:
    async def story(open_one: Opener) -> None:
        journal = await open_one()
        records = after(START, *FEW)
        await journal.append(records[:1])
        await journal.append(records[1:])
        await journal.append([])
        assert await journal.read() == records
        for k in range(len(records) + 1):
            assert await journal.read(k) == records[k:]
        assert await journal.read_from_checkpoint() == records

    tell(kind, story)


@pytest.mark.parametrize("kind", KINDS)
def test_details_of_events_survive(kind: str, tell: Callable[[str, Story], None]) -> None:
    async def story(open_one: Opener) -> None:
        journal = await open_one()
        devices = devices_of(scenario_of(40, 1))  # large enough for a journal that packs what is large
        records = after(START, DevicesAdmitted(devices, key="é", request_digest="d"), *FEW)
        await journal.append(records)
        assert await (await open_one()).read() == records

    tell(kind, story)


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_follows_the_newest_record_is_taken(kind: str, tell: Callable[[str, Story], None]) -> None:
    async def story(open_one: Opener) -> None:
        journal = await open_one()
        records = after(START, *FEW)
        await journal.append(records[:2])
        for wrong in (records[:1], records[:2], after(START.after(records), *FEW)):
            with pytest.raises(FencedError):
                await journal.append(wrong)
        assert await journal.read() == records[:2], "a refused append leaves nothing behind"
        await journal.append(records[2:])
        assert await journal.read() == records

    tell(kind, story)


@pytest.mark.parametrize("kind", KINDS)
def test_a_restart_begins_with_the_newest_checkpoint(kind: str, tell: Callable[[str, Story], None]) -> None:
    async def story(open_one: Opener) -> None:
        journal = await open_one()
        here = START
        for name in ("a", "b"):
            for events in (removed(name), [Checkpoint(dump(here.state))], removed(name, name)):
                records = after(here, *events)
                await journal.append(records)
                here = here.after(records)
        found = await journal.read_from_checkpoint()
        assert [type(record.event) for record in found] == [Checkpoint, DevicesRemoved, DevicesRemoved]
        assert START.after(found).hash == here.hash
        assert len(await journal.read()) == here.sequence

    tell(kind, story)


@pytest.mark.parametrize("kind", DURABLE)
def test_what_was_appended_is_there_for_whoever_opens_it_later(
    kind: str, tell: Callable[[str, Story], None]
) -> None:
    async def story(open_one: Opener) -> None:
        records = after(START, *FEW)
        first = await open_one()
        await first.append(records)
        second = await open_one()
        assert await second.read_from_checkpoint() == records
        more = after(START.after(records), *FEW)
        await second.append(more)
        assert await second.read(len(records)) == more

    tell(kind, story)


@pytest.mark.parametrize("kind", DURABLE)
def test_of_two_writers_the_slower_one_is_fenced_off(kind: str, tell: Callable[[str, Story], None]) -> None:
    async def story(open_one: Opener) -> None:
        one, two = await open_one(), await open_one()
        await one.append(after(START, *FEW))
        here = START.after(await one.read())
        assert START.after(await two.read()).hash == here.hash
        fork = [after(here, *removed(name)) for name in ("x", "y")]
        await two.append(fork[0])
        with pytest.raises(FencedError):
            await one.append(fork[1])
        assert (await one.read())[-1] == fork[0][-1]

    tell(kind, story)


@pytest.mark.parametrize("kind", KINDS)
def test_looking_at_the_log_changes_nothing_for_who_writes(
    kind: str, tell: Callable[[str, Story], None]
) -> None:
    async def story(open_one: Opener) -> None:
        journal, here = await open_one(), START
        for k in range(30):
            records = after(here, *removed(*(f"d{k}-{n}" for n in range(1 + k % 3))))
            await journal.append(records)
            here = here.after(records)
            if k % 10 == 9:
                for start in (0, 1, here.sequence - 2, here.sequence, here.sequence + 5):
                    seen = [line async for lines in journal.lines(start) for line in lines]
                    expected = [to_line(record) for record in await journal.read(start)]
                    assert seen == expected
                    assert len(seen) == max(0, here.sequence - start)
        records = after(here, *FEW)
        await journal.append(records)

    tell(kind, story)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_number_with_another_hash_is_not_the_same_record(
    kind: str, tell: Callable[[str, Story], None]
) -> None:
    """As after a store has lost its end and somebody else has gone on."""

    async def story(open_one: Opener) -> None:
        journal = await open_one()
        ours, theirs = (after(START, *removed(*names)) for names in (("a", "b"), ("a", "c")))
        await journal.append(theirs)
        with pytest.raises(FencedError):
            await journal.append(after(START.after(ours), *FEW))
        assert await journal.read() == theirs

    tell(kind, story)


@pytest.mark.parametrize("kind", KINDS)
def test_many_records_and_a_checkpoint_whenever_one_is_wanted(
    kind: str, tell: Callable[[str, Story], None]
) -> None:
    async def story(open_one: Opener) -> None:
        journal, here, wanted = await open_one(), START, 0
        for k in range(3 * LEAST_RECORDS // 10):
            events: list[Event] = removed(*(f"d{k}-{n}" for n in range(10)))
            if journal.wants_checkpoint:
                events, wanted = [Checkpoint(dump(here.state))], wanted + 1
            records = after(here, *events)
            await journal.append(records)
            here = here.after(records)
        assert START.after(await journal.read()).hash == here.hash
        assert START.after(await journal.read_from_checkpoint()).hash == here.hash
        assert (wanted > 0) == (kind == "segmented")

    tell(kind, story)


def test_none_is_forgotten() -> None:
    assert implementations(journal, Journal) == {"MemoryJournal", "SqliteJournal", "NatsJournal"}, (
        "each is opened by ``_tell``"
    )
