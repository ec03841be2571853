"""Journals and transports that go back in time: noticed, never followed blindly, made good where somebody knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from slicewright.control.journal.base import JournalError
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.records import GENESIS, Position, Record, chained, verify
from slicewright.control.messages.status import Status
from slicewright.control.orchestrator.journal_memory import Hashes
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.orchestrator.turn import status_events
from slicewright.control.requests.commands import admit, remove
from slicewright.control.slice_manager.state import status_of
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.state.errors import NotLeadingError
from slicewright.control.state.events import (
    Adopted,
    Checkpoint,
    DevicesRemoved,
    Event,
    MethodChanged,
    Restored,
    Sent,
    TookOver,
)
from slicewright.control.state.fold import fold
from slicewright.control.state.state import OrchestratorState, dump, load
from slicewright.control.transport.base import TransportError
from slicewright.control.transport.memory import MemoryTransport
from slicewright.control.views.replay import replay_log
from tests.control.orchestrator.test_loop import DEVICES, OPTIONS, Site
from tests.control.support.scenes import judge_world
from tests.control.support.simulated_time import simulate
from tests.control.support.turns import SLICES, World


async def begun() -> tuple[Site, Orchestrator]:
    clock = LoopClock(1.7e9)
    site = Site(MemoryTransport(clock, lease_s=3.0), clock)
    sro = site.orchestrate("a")
    for name in SLICES:
        site.managers[name] = site.manage(name)
    await site.set_up(sro)
    return site, sro


def judged(site: Site, sro: Orchestrator) -> None:
    assert sro.state.network is not None
    grants = {name: m.state.grant for name, m in site.managers.items()}
    allocations = {name: m.state.allocation for name, m in site.managers.items()}
    judge_world(sro.state.network, sro.state.devices, grants, allocations)


def test_a_leader_writes_down_again_what_its_journal_has_lost() -> None:
    async def story() -> None:
        site, sro = await begun()
        kept = len(site.journal.records)
        for k in range(3):
            asked = replace(DEVICES[k], task_bits=DEVICES[k].task_bits * 1.1)
            await sro.submit(partial(admit, devices=[asked], most=100), wait=True)
        await sro.submit(partial(remove, device=DEVICES[4].id), wait=True)
        before, lost = sro.state, len(site.journal.records) - kept
        del site.journal.records[kept:]
        with pytest.raises(Exception, match=r"leads|taken over"):
            await sro.submit(partial(remove, device=DEVICES[5].id), wait=True)
        await asyncio.sleep(10)
        assert sro.leading
        assert sro.state.devices == before.devices
        assert sro.state.settled
        restored = [r for r in site.journal.records if isinstance(r.event, Restored)]
        assert [r.sequence for r in restored] == [kept + 1]
        assert isinstance(restored[0].event, Restored)
        assert restored[0].event.lost >= lost
        assert len(list(verify(site.journal.records))) == len(site.journal.records)
        assert replay_log(site.journal.records).differences == ()
        await sro.submit(partial(remove, device=DEVICES[5].id), wait=True)
        judged(site, sro)
        await site.end()

    simulate(story)


def test_a_follower_knows_what_the_journal_has_lost_and_is_not_ready_until_it_is_back() -> None:
    async def story() -> None:
        site, first = await begun()
        kept = len(site.journal.records)
        second = site.orchestrate("b")
        await first.submit(partial(remove, device=DEVICES[4].id), wait=True)
        await asyncio.sleep(3)
        known = second.state.devices
        await site.crash("a")
        del site.journal.records[kept:]
        await asyncio.sleep(1.5)
        assert second.setback is not None
        assert f"has lost its records {kept + 1} to" in second.setback.sentence
        await asyncio.sleep(10)
        assert second.leading
        assert second.state.devices == known
        assert DEVICES[4].id not in second.state.devices, "what was withdrawn stays withdrawn"
        judged(site, second)
        await site.end()

    simulate(story)


def test_a_new_leader_adopts_what_managers_hold_and_says_what_has_come_back() -> None:
    async def story() -> None:
        site, first = await begun()
        kept = len(site.journal.records)
        new = [replace(DEVICES[k], id=f"new-{k}") for k in range(3)]
        await first.submit(partial(admit, devices=new, most=100), wait=True)
        await asyncio.sleep(3)
        seated = {d for m in site.managers.values() for d in m.state.grant.seats}
        offloaded = seated & {d.id for d in new}
        assert offloaded
        newest = max(m.state.grant.revision for m in site.managers.values())
        await site.crash("a")
        del site.journal.records[kept:]
        second = site.orchestrate("b")
        for _ in range(100):
            await asyncio.sleep(0.1)
            if second.state.network is not None:
                judged(site, second)
        assert second.leading
        adopted = [r.event for r in site.journal.records if isinstance(r.event, Adopted)]
        assert {d for event in adopted for d in event.returned} == offloaded
        assert all(event.record > kept for event in adopted), "managers say the last record they saw"
        assert offloaded <= set(second.state.devices)
        assert second.state.revision >= newest
        assert second.state.settled, "nobody is away for ever"
        assert second.state.last is not None
        assert second.state.last.pinned == ()
        assert replay_log(site.journal.records).differences == ()
        await site.end()

    simulate(story)


def test_a_journal_with_another_past_is_followed_and_what_is_gone_is_said() -> None:
    async def story() -> None:
        site, first = await begun()
        kept = len(site.journal.records)
        await first.submit(
            partial(admit, devices=[replace(DEVICES[0], id="only-here")], most=100), wait=False
        )
        fork = MemoryJournal()
        fork.records = site.journal.records[:kept]
        other = Orchestrator(
            fork, MemoryTransport(site.clock), clock=site.clock, instance="o", options=OPTIONS, threads=False
        )
        running = asyncio.create_task(other.run())
        while len(fork.records) < len(site.journal.records) + 20:
            await asyncio.sleep(0.1)
            if other.leading:
                await other.submit(partial(remove, device=next(iter(other.state.devices))), wait=True)
        await end([running])
        site.journal.records = fork.records
        await asyncio.sleep(15)
        assert first.leading
        assert first.setback is not None
        assert not first.setback.ours
        assert first.setback.gone[-1] == "only-here"
        assert "another past" in first.setback.sentence
        assert len(list(verify(site.journal.records))) == len(site.journal.records)
        await site.end()

    simulate(story)


def test_managers_are_heard_although_the_transport_has_gone_back() -> None:
    async def story() -> None:
        site, sro = await begun()
        transport = site.transport
        old_values, old_revisions = dict(transport._values), transport._revisions
        await sro.submit(partial(remove, device=DEVICES[4].id), wait=True)
        await asyncio.sleep(3)
        transport._values = {k: replace(v, revision=1) for k, v in old_values.items()}
        transport._revisions = iter(range(2, 10**9))  # type: ignore[assignment]
        del old_revisions
        await sro.submit(partial(remove, device=DEVICES[5].id), wait=True)
        await asyncio.sleep(10)
        assert sro.state.settled
        assert sro.state.last is not None
        assert sro.state.last.pinned == ()
        held = {name: m.state.grant.revision for name, m in site.managers.items()}
        assert held == {name: account.held.revision for name, account in sro.state.accounts.items()}
        await site.end()

    simulate(story)


def test_a_failed_checkpoint_is_no_failed_request() -> None:
    class NoRoom(MemoryJournal):
        """Takes everything but checkpoints."""

        wants_checkpoint = True

        async def append(self, records: list[Record]) -> None:  # type: ignore[override]
            if isinstance(records[0].event, Checkpoint):
                raise JournalError("no room")
            await super().append(records)

    async def story() -> None:
        clock = LoopClock(1.7e9)
        site = Site(MemoryTransport(clock), clock)
        site.journal = NoRoom()
        sro = site.orchestrate("a")
        for name in SLICES:
            site.manage(name)
        await site.set_up(sro)
        state = await sro.submit(partial(remove, device=DEVICES[0].id), wait=True)
        assert DEVICES[0].id not in state.devices
        assert sro.journal_fault == ""
        await site.end()

    simulate(story)


def adopted(state: OrchestratorState, status: Status) -> Adopted:
    (event,) = status_events.adopted(state, {status.slice: status})
    assert isinstance(event, Adopted)
    return event


def test_what_is_withdrawn_after_a_loss_does_not_come_back_with_a_manager_that_was_away() -> None:
    """Its seat has details that the journal has lost; the withdrawal is on disk."""
    world = World()
    world.hear()
    world.settle()
    name, account = next((n, a) for n, a in world.state.accounts.items() if a.held.seats)
    device, seat = next(iter(account.held.seats.items()))
    seats = {**account.held.seats, device: replace(seat, generation=30)}
    lost = replace(account.held, term=7, revision=99, seats=seats)
    status = replace(status_of(world.managers[name], "m"), held=lost)
    led = replace(world.state, admissions=20, leader="sro-1")
    state = fold(led, TookOver("sro-2", 50, fences=True))
    before = adopted(state, status)
    assert before.returned == (device,), "newer than what the journal knows"
    state = fold(state, DevicesRemoved((device,)))
    after = adopted(state, status)
    assert after.returned == ()
    readmitted = replace(status, held=replace(lost, seats={device: replace(seat, generation=31)}))
    assert load(dump(state)).withdrawn == {device: 49}
    again = adopted(replace(state, withdrawn={device: 30}), readmitted)
    assert again.returned == (device,), "asked for anew, and that is lost"


def test_withdrawals_are_forgotten_once_every_manager_has_a_grant_of_the_term() -> None:
    world = World()
    world.hear()
    world.settle()
    ids = list(world.state.devices)
    assert fold(world.state, DevicesRemoved((ids[0],))).withdrawn == {}
    state = fold(fold(world.state, TookOver("sro-2", 50, fences=True)), DevicesRemoved((ids[0],)))
    assert set(state.withdrawn) == {ids[0]}
    accounts = {n: replace(a, held=replace(a.held, term=50)) for n, a in state.accounts.items()}
    assert fold(replace(state, accounts=accounts), DevicesRemoved((ids[1],))).withdrawn == {}


def test_what_others_have_written_since_is_never_taken_for_ones_own_past() -> None:
    """Also by a process that has started at a checkpoint, and knows no hashes as old as where the journal is now."""
    events: list[Event] = [TookOver("sro-1", 1000), *(MethodChanged("switch", f"m{k}") for k in range(9))]
    ours = chained(GENESIS, 0, 50.0, events)
    known = Position(OrchestratorState()).after(ours)
    hashes = Hashes()
    hashes.add(replace(record, time_s=60.0) for record in ours[6:])
    before = Position(OrchestratorState()).after(ours[:3])
    assert hashes.setback(known, before, ours[2].time_s).ours, "a backup of before"
    others = chained(before.hash, before.sequence, 70.0, [TookOver("sro-2", 2000)])
    assert not hashes.setback(known, before.after(others), 70.0).ours
    slow_clock = chained(before.hash, before.sequence, 55.0, [TookOver("sro-2", 2000)])
    assert not hashes.setback(known, before.after(slow_clock), 55.0).ours
    same_term = chained(before.hash, before.sequence, 61.0, [MethodChanged("switch", "other")])
    assert not hashes.setback(known, before.after(same_term), 61.0).ours
    assert not Hashes().setback(known, before, 50.0).ours


def test_a_leader_that_stood_still_leads_anew_although_the_journal_shows_nobody_else() -> None:
    async def story() -> None:
        site, first = await begun()
        term, records = first.state.term, len(site.journal.records)
        real = first._transport.acquire

        async def cut(name: str, holder: str) -> bool:
            raise TransportError("cut off")

        first._transport.acquire = cut  # type: ignore[method-assign]
        await asyncio.sleep(5)
        with pytest.raises(NotLeadingError):
            await first.submit(partial(remove, device=DEVICES[4].id), wait=True)
        assert not [r for r in site.journal.records[records:] if isinstance(r.event, Sent)], (
            "nothing was sent"
        )
        first._transport.acquire = real  # type: ignore[method-assign]
        await asyncio.sleep(5)
        assert first.leading
        assert first.state.term > term
        await first.submit(partial(remove, device=DEVICES[5].id), wait=True)
        judged(site, first)
        await site.end()

    simulate(story)
