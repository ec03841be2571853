"""Orchestrators and managers in one loop: refusals, leaders that come and go, managers that lose their memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from slicewright.control.journal.base import FencedError
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.messages.keys import GRANT_KEYS, measurement_key, slice_key
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.state.device import devices_of
from slicewright.control.state.errors import NotLeadingError
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, NetworkSet, Rebalanced, Refused
from slicewright.control.state.grants import GRANT
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.transport.memory import MemoryTransport
from tests.control.support.scenes import scenario_of
from tests.control.support.simulated_time import simulate

OPTIONS = ControlOptions(rounds=5, epoch_s=1.0, refusal_retry_s=4.0)
SCENARIO = scenario_of(12, 2)
DEVICES = devices_of(SCENARIO)


class Corrupting(MemoryTransport):
    """Spoils the grants of one slice while told to."""

    spoil = False

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        if self.spoil and key == slice_key(GRANT_KEYS, "s1"):
            grant = GRANT.validate_json(value)
            value = GRANT.dump_json(replace(grant, bandwidth=dict.fromkeys(grant.bandwidth, 1.5)))
        return await super().put(key, value, after=after)


class Site:
    """Roles on one transport."""

    def __init__(self, transport: MemoryTransport, clock: LoopClock) -> None:
        self.transport, self.clock, self.journal = transport, clock, MemoryJournal()
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.managers: dict[str, SliceManager] = {}

    def orchestrate(self, name: str) -> Orchestrator:
        made = Orchestrator(
            self.journal, self.transport, clock=self.clock, instance=name, options=OPTIONS, threads=False
        )
        self.tasks[name] = asyncio.create_task(made.run())
        return made

    def manage(self, name: str) -> SliceManager:
        made = SliceManager(name, self.transport, clock=self.clock, instance=f"m-{name}", options=OPTIONS)
        self.tasks[name] = asyncio.create_task(made.run())
        return made

    async def set_up(self, sro: Orchestrator) -> None:
        while not sro.leading:
            await asyncio.sleep(0.1)
        document = Network.of(SCENARIO).document
        await sro.submit(lambda s: (NetworkSet(document), DevicesAdmitted(DEVICES)), wait=True)
        await asyncio.sleep(5)

    async def clock_past(self, seconds: float) -> None:
        """Let so much time pass, and a little more."""
        await asyncio.sleep(seconds + 1.0)

    async def crash(self, name: str) -> None:
        """Gone without a word; its lease runs out later."""
        leases = dict(self.transport._leases)
        await end([self.tasks.pop(name)])
        self.transport._leases = leases

    async def end(self) -> None:
        """Nobody runs any more."""
        await end(list(self.tasks.values()))


def pinned(sro: Orchestrator) -> tuple[str, ...]:
    """Slices that the last decision could not change."""
    assert sro.state.last is not None
    return sro.state.last.pinned


def test_a_refusal_is_planned_around_and_tried_again() -> None:
    async def story() -> None:
        clock = LoopClock()
        transport = Corrupting(clock)
        site = Site(transport, clock)
        sro = site.orchestrate("a")
        managers = {name: site.manage(name) for name in ("s0", "s1", "s2")}
        await site.set_up(sro)
        assert sro.state.settled
        good = managers["s1"].state.grant
        transport.spoil = True
        await sro.submit(lambda s: (DevicesRemoved((DEVICES[0].id, DEVICES[1].id)),), wait=True)
        await asyncio.sleep(2.5)
        assert managers["s1"].state.grant == good, "the last good one is kept"
        assert "outside 0 to 1" in (sro.state.accounts["s1"].refusal or "")
        assert pinned(sro) == ("s1",)
        assert all(sro.state.accounts[name].settled for name in ("s0", "s2"))
        transport.spoil = False
        await asyncio.sleep(10)
        assert sro.state.settled
        assert pinned(sro) == ()
        assert any(isinstance(r.event, Refused) for r in site.journal.records)
        await end(list(site.tasks.values()))

    simulate(story)


def test_the_second_takes_over_and_the_first_is_fenced_off() -> None:
    async def story() -> None:
        clock = LoopClock()
        site = Site(MemoryTransport(clock, lease_s=3.0), clock)
        first = site.orchestrate("first")
        for name in ("s0", "s1", "s2"):
            site.manage(name)
        await site.set_up(first)
        second = site.orchestrate("second")
        await asyncio.sleep(3)
        assert (first.leading, second.leading) == (True, False)
        assert second.state.epoch == first.state.epoch, "the second follows"
        with pytest.raises(NotLeadingError, match="first leads"):
            await second.submit(lambda s: (DevicesRemoved((DEVICES[0].id,)),), wait=False)
        # The first is stuck for longer than its lease: everything of it stands still, then it goes on.
        site.transport._leases["orchestrator"] = ("second", clock.monotonic() + 3.0)
        await second._catch_up()
        leading = asyncio.create_task(second._lead())
        await asyncio.sleep(0)
        while not second.leading:
            await asyncio.sleep(0.01)
        with pytest.raises((FencedError, NotLeadingError)):
            await first.submit(lambda s: (DevicesRemoved((DEVICES[1].id,)),), wait=False)
        await second.submit(lambda s: (DevicesRemoved((DEVICES[2].id,)),), wait=True)
        await asyncio.sleep(3)
        assert not first.leading
        assert DEVICES[1].id in second.state.devices
        assert DEVICES[2].id not in second.state.devices
        assert first.state.leader == "second", "the first follows now"
        await end([leading, *site.tasks.values()])

    simulate(story)


def test_a_manager_without_memory_is_given_its_grant_again() -> None:
    async def story() -> None:
        clock = LoopClock()
        site = Site(MemoryTransport(clock), clock)
        sro = site.orchestrate("a")
        managers = {name: site.manage(name) for name in ("s0", "s1", "s2")}
        await site.set_up(sro)
        held = managers["s1"].state.grant
        await end([site.tasks["s1"]])
        for kind in ("grant", "status"):
            del site.transport._values[f"{kind}.{b's1'.hex()}"]
        again = site.manage("s1")
        await asyncio.sleep(6)
        assert again.state.grant.same_terms(held)
        assert sro.state.settled
        await end(list(site.tasks.values()))

    simulate(story)


def test_while_the_orchestrator_is_away_managers_adapt_and_it_learns_afterwards() -> None:
    async def story() -> None:
        clock = LoopClock()
        site = Site(MemoryTransport(clock, lease_s=3.0), clock)
        sro = site.orchestrate("a")
        managers = {name: site.manage(name) for name in ("s0", "s1", "s2")}
        await site.set_up(sro)
        await end([site.tasks["a"]])
        name = max(managers, key=lambda n: len(managers[n].state.grant.seats))
        manager = managers[name]
        device = next(d for d in manager.state.allocation.radio if len(manager.state.allocation.radio) > 1)
        before = dict(manager.state.allocation.radio)
        bigger = Measurement(device, 1, task_bits=manager.state.grant.seats[device].task_bits * 1.05)
        await site.transport.put(measurement_key(device), MEASUREMENT.dump_json(bigger))
        await asyncio.sleep(2)
        assert manager.state.allocation.radio != before or len(before) == 1
        back = site.orchestrate("b")
        await asyncio.sleep(8)
        assert back.leading
        assert back.state.devices[device].task_bits == bigger.task_bits
        assert back.state.settled
        assert back.state.places[device].slice == name, (
            "who heard the newer measurement still serves the device"
        )
        stale = Measurement(device, 0, task_bits=1.0)
        await site.transport.put(measurement_key(device), MEASUREMENT.dump_json(stale))
        await asyncio.sleep(3)
        assert back.state.devices[device].task_bits == bigger.task_bits
        await end(list(site.tasks.values()))

    simulate(story)


def test_shares_follow_what_managers_report_between_epochs() -> None:
    """SP2 alone: rates change, nobody moves, omega follows the reported sums (model page 1.3)."""

    async def story() -> None:
        clock = LoopClock()
        site = Site(MemoryTransport(clock), clock)
        options = replace(OPTIONS, epoch_s=1000.0)
        sro = Orchestrator(
            site.journal, site.transport, clock=clock, instance="a", options=options, threads=False
        )
        site.tasks["a"] = asyncio.create_task(sro.run())
        for name in ("s0", "s1", "s2"):
            site.manage(name)
        await site.set_up(sro)
        epoch = sro.state.epoch
        device, place = next(iter(sro.state.places.items()))
        rate = sro.state.accounts[place.slice].held.seats[device].rate_bps
        slower = Measurement(device, 1, rate_bps={place.access_point: rate / 16})
        before = sro.state.accounts[place.slice].held.bandwidth[place.access_point]
        await site.transport.put(measurement_key(device), MEASUREMENT.dump_json(slower))
        await asyncio.sleep(5)
        assert sro.state.epoch == epoch, "no new decision"
        assert any(isinstance(r.event, Rebalanced) for r in site.journal.records)
        held = {
            name: account.held.bandwidth.get(place.access_point, 0.0)
            for name, account in sro.state.accounts.items()
        }
        roots = {name: s.roots.get(place.access_point, 0.0) for name, s in sro.statuses.items()}
        assert held[place.slice] > before
        for name, share in held.items():
            assert share == pytest.approx(roots[name] / sum(roots.values()), abs=1e-9)
        await end(list(site.tasks.values()))

    simulate(story)
