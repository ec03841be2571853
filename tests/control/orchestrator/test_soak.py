"""An hour of operation in simulated time: arrivals, moves, departures, crashes and cuts, judged all the while."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Mapping

import numpy as np

from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.records import verify
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.requests.commands import admit, remove
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.state.device import devices_of
from slicewright.control.state.errors import ControlError, NotLeadingError
from slicewright.control.state.events import Decided, DecisionChanged, NetworkSet
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.transport.base import Entry, TransportError
from slicewright.control.transport.memory import MemoryTransport
from slicewright.control.views.replay import replay_log
from tests.control.support.scenes import crowded, judge_world, moved
from tests.control.support.simulated_time import simulate

HOURS = 1
OPTIONS = ControlOptions(
    epoch_s=10.0, heartbeat_s=2.0, away_after_s=7.0, ack_timeout_s=4.0, rounds=2, checkpoint_every=400
)


class Wire:
    """A manager's own way to the transport: it can be cut, and it delays what passes."""

    def __init__(self, transport: MemoryTransport, rng: np.random.Generator) -> None:
        self._transport, self._rng = transport, rng
        self.lease_s = transport.lease_s
        self.cut = False

    async def _pass(self) -> None:
        await asyncio.sleep(float(self._rng.exponential(0.05)))
        if self.cut:
            raise TransportError("the wire is cut")

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        await self._pass()
        return await self._transport.put(key, value, after=after)

    async def get(self, key: str) -> Entry | None:
        await self._pass()
        return await self._transport.get(key)

    async def watch(self, prefix: str) -> AsyncIterator[Entry]:
        async for entry in self._transport.watch(prefix):
            await self._pass()
            yield entry

    async def keys(self, prefix: str) -> Mapping[str, int]:
        await self._pass()
        return await self._transport.keys(prefix)

    async def remove(self, key: str, revision: int) -> None:
        await self._pass()
        await self._transport.remove(key, revision)

    async def acquire(self, name: str, holder: str) -> bool:
        await self._pass()
        return await self._transport.acquire(name, holder)

    async def surrender(self, name: str, holder: str) -> None:
        await self._pass()
        await self._transport.surrender(name, holder)

    async def close(self) -> None:
        """Nothing to close."""


class Deserting(MemoryTransport):
    """Leases of holders that crash are not given back."""

    crashing = False

    async def surrender(self, name: str, holder: str) -> None:
        if not self.crashing:
            await super().surrender(name, holder)


class Site:
    """Two orchestrators and three managers that crash, return and are cut off."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.clock = LoopClock(1.7e9)
        self.transport, self.journal = Deserting(self.clock, lease_s=6.0), MemoryJournal()
        self.scenario = crowded(14, seed)
        self.devices = devices_of(self.scenario)
        self.orchestrators: dict[str, Orchestrator] = {}
        self.managers: dict[str, SliceManager] = {}
        self.wires: dict[str, Wire] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.served = self.refused = 0

    def start(self, name: str) -> None:
        if name.startswith("sro"):
            made = Orchestrator(
                self.journal, self.transport, clock=self.clock, instance=name, options=OPTIONS, threads=False
            )
            self.orchestrators[name] = made
            self.tasks[name] = asyncio.create_task(made.run())
            return
        self.wires[name] = Wire(self.transport, self.rng)
        manager = SliceManager(name, self.wires[name], clock=self.clock, instance=name, options=OPTIONS)
        self.managers[name] = manager
        self.tasks[name] = asyncio.create_task(manager.run())

    async def crash(self, name: str) -> None:
        """Gone without a word: the lease is not given back."""
        self.transport.crashing = True
        await end([self.tasks[name]])
        self.transport.crashing = False

    @property
    def leader(self) -> Orchestrator | None:
        return next((o for o in self.orchestrators.values() if o.leading), None)

    async def ask(self) -> None:
        device = self.devices[int(self.rng.integers(len(self.devices)))]
        leader = self.leader
        if leader is None:
            self.refused += 1
            return
        try:
            if device.id in leader.state.devices and self.rng.random() < 0.3:
                await leader.submit(lambda s: remove(s, device.id), wait=True)
            else:
                new = moved(device, self.rng)
                await leader.submit(lambda s: admit(s, [new], most=100), wait=True)
            self.served += 1
        except (NotLeadingError, ControlError):
            self.refused += 1

    def judge(self) -> None:
        """What managers really do; a crashed one's slice goes on with what it had."""
        leader = self.leader
        if leader is None or leader.state.network is None:
            return
        grants = {name: m.state.grant for name, m in self.managers.items()}
        allocations = {name: m.state.allocation for name, m in self.managers.items()}
        judge_world(leader.state.network, leader.state.devices, grants, allocations)

    async def mishap(self) -> None:
        name = str(self.rng.choice(["sro-1", "sro-2", "s0", "s1", "s2"]))
        pause = float(self.rng.uniform(1, 60))
        if name.startswith("sro") or self.rng.random() < 0.5:
            await self.crash(name)
            await asyncio.sleep(pause)
            self.start(name)
        else:
            self.wires[name].cut = True
            await asyncio.sleep(pause)
            self.wires[name].cut = False


async def trouble_for(hours: float, seed: int) -> Site:
    """Operation with one mishap after the other, and a quiet end."""
    site = Site(seed)
    for name in ("sro-1", "sro-2", "s0", "s1", "s2"):
        site.start(name)
    while site.leader is None:
        await asyncio.sleep(1)
    document = Network.of(site.scenario).document
    await site.leader.submit(lambda s: (NetworkSet(document),), wait=True)
    loop = asyncio.get_running_loop()
    finish = loop.time() + hours * 3600

    async def trouble() -> None:
        while loop.time() < finish - 300:
            await asyncio.sleep(float(site.rng.uniform(30, 240)))
            await site.mishap()

    troubling = asyncio.create_task(trouble())
    while loop.time() < finish:
        await site.ask()
        site.judge()
        await asyncio.sleep(float(site.rng.exponential(8.0)))
    await troubling
    await asyncio.sleep(60)
    leader = site.leader
    assert leader is not None
    assert leader.state.settled, "two minutes after the last trouble everything is in place"
    assert leader.state.last is not None
    assert leader.state.last.pinned == ()
    site.judge()
    await end(list(site.tasks.values()))
    return site


def test_an_hour_of_trouble() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    site = simulate(lambda: trouble_for(HOURS, 5))
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    records = site.journal.records
    assert site.served > 200
    assert site.served > 2 * site.refused
    assert sum(1 for _ in verify(records)) == len(records)
    decisions = [r.event for r in records if isinstance(r.event, Decided | DecisionChanged)]
    assert len(decisions) > 200
    assert any(d.pinned for d in decisions)
    assert all(max(d.residuals.values()) <= 1e-7 for d in decisions)
    assert len({r.event.instance for r in records if r.event.kind == "took-over"}) == 2
    assert grown_kb < 400_000
    assert replay_log(records[:1500]).differences == ()


def test_a_simulated_world_repeats_bit_for_bit() -> None:
    """The same seed writes the same journal, record by record: times, durations, crashes and all."""
    one, two = (simulate(lambda: trouble_for(0.25, 7)).journal.records for _ in range(2))
    assert len(one) > 100
    assert [record.hash for record in one] == [record.hash for record in two]
