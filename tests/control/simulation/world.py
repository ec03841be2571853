"""Orchestrators, managers and clients in virtual time, one mishap after the other, and a quiet end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any

from slicewright.control.journal.records import Position, verify
from slicewright.control.messages.keys import GRANT_KEYS, measurement_key
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.requests.commands import admit, remove
from slicewright.control.slice_manager.state import ManagerState
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.state.device import FIRST_LIFE, Device
from slicewright.control.state.grants import GRANT
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState, dump
from slicewright.control.transport.base import Entry, TransportError
from slicewright.errors import SlicewrightError
from tests.control.simulation.deciding import QuickDecisions
from tests.control.simulation.judge import POISON, BrokenPromiseError, Judge, Value
from tests.control.simulation.memo import read_anew
from tests.control.simulation.store import (
    LATER,
    Process,
    SimulatedJournal,
    Store,
    Trouble,
    Values,
    Wire,
)

OPTIONS = ControlOptions(
    epoch_s=2.0, heartbeat_s=1.0, ack_timeout_s=1.5, away_after_s=3.5, refusal_retry_s=2.0, rounds=0,
    checkpoint_every=40,
)  # fmt: skip
TROUBLE_S, QUIET_S = (2.0, 4.0, 8.0), 20.0
"""Mishaps go on for one of the former; everything is in place at most the latter after the last of them."""
ORCHESTRATORS, SLICES, CLIENTS = ("sro-1", "sro-2"), ("s0", "s1", "s2"), 3
PATIENCE_S = 6.0
READ_ANEW_EVERY = 8
RARELY = 0.06


def _device(name: str, chance: random.Random) -> Device:
    size = round(chance.uniform(1e6, 2e6), 3)
    return Device(name, size, 1e9, 1e9, round(chance.uniform(0.1, 1.0), 3), dict.fromkeys(SLICES, 1e6), None,
                  (chance.uniform(0, 300), chance.uniform(0, 300)), 0.1)  # fmt: skip


class World:
    """One schedule.

    Args:
        seed: of everything in it.
    """

    def __init__(self, seed: int) -> None:
        self.seed, self.chance = seed, random.Random(seed)
        self.rare = random.Random(f"4622/{seed}")  # what came later: schedules without it stay what they were
        self.clock = LoopClock(1.7e9)
        self.judge = Judge()
        self.store = Store(self.judge.appended)
        self.values = Values(self.clock, self._published)
        self.trouble = Trouble()
        self.lives = 0
        self.processes: dict[str, Process] = {}
        self.orchestrators: dict[str, Orchestrator] = {}
        self.managers: dict[str, SliceManager] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.mishaps: list[str] = []
        self.asked = self.answered = 0
        self.went_back_s = -100.0
        self.trouble_s = self.chance.choice(TROUBLE_S)
        self.broken: BaseException | None = None

    def start(self, name: str) -> None:
        """A new process of a name."""
        self.lives += 1
        process = self.processes[name] = Process(name, self.lives, later=self.chance.random() < 0.3)
        wire = Wire(self.values, process, self.chance, self.trouble)
        if name in ORCHESTRATORS:
            journal = SimulatedJournal(self.store, process, self.chance, self.trouble)
            made = Orchestrator(
                journal, wire, clock=self.clock, instance=name, options=OPTIONS, threads=False
            )
            made.fallback_chain = QuickDecisions(self.chance)  # type: ignore[assignment]
            made._certifier.begin = lambda *_: None  # type: ignore[method-assign]
            self.orchestrators[name] = made
            self._run(name, made.run())
        else:
            manager = SliceManager(name, wire, clock=self.clock, instance=name, options=OPTIONS)
            self.managers[name] = manager
            self.judge.holding.pop(name, None)
            apply = manager.apply

            def judged(entry: Entry) -> None:
                apply(entry)
                self._guard(partial(self.judge.held, manager.state))

            manager.apply = judged  # type: ignore[method-assign]
            self._run(name, manager.run())

    def _published(self, key: str, value: bytes) -> None:
        if key.startswith(GRANT_KEYS):
            self._guard(partial(self.judge.published, GRANT.validate_json(value)))

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        context = copy_context()
        context.run(LATER.set, self.processes[name].later)
        self.tasks[name] = asyncio.create_task(work, context=context)
        self.tasks[name].add_done_callback(partial(self._ended, name))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self.broken is None:
            broke = isinstance(error, BrokenPromiseError)
            self.broken = error if broke else BrokenPromiseError(f"{name} has died of {error!r}")

    def _guard(self, check: Callable[[], None]) -> None:
        try:
            check()
        except BrokenPromiseError as error:
            self.broken = self.broken or error

    async def crash(self, name: str) -> None:
        """Gone without a word."""
        process = self.processes[name]
        if process in self.judge.witnesses:
            self.judge.witnesses.remove(process)
        process.cut = True
        process.running.set()
        await end([self.tasks[name]])

    @property
    def leaders(self) -> list[Orchestrator]:
        """Those that believe so, in random order."""
        found = [o for name, o in self.orchestrators.items() if o.leading and not self.tasks[name].done()]
        self.chance.shuffle(found)
        return found

    async def client(self, number: int) -> None:
        """Asks for its own devices, one request after the other; what it has no answer to it never touches again."""
        count, known = 0, dict[str, Value]()
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 0.6))
            certain = [name for name in known if len(self.judge.allowed.get(name, ())) == 1]
            if not certain or (len(known) < 5 and self.chance.random() < 0.4):
                count += 1
                certain = [f"c{number}-{count}"]
            name = self.chance.choice(certain)
            if known.get(name) is not None and self.chance.random() < 0.5:
                await self.measure(name)
            elif known.get(name) is not None and self.chance.random() < 0.4:
                known[name] = await self._ask(name, None, partial(remove, device=name))
            else:
                device = _device(name, self.chance)
                key = f"{name}/{self.chance.random()}"
                change = partial(admit, devices=[device], most=100, key=key, digest=key)
                known[name] = await self._ask(name, device.task_bits, change, tries=3)

    async def _ask(self, name: str, value: Value, change: Any, *, tries: int = 1) -> Value:
        self.judge.in_doubt(name, value)
        for _ in range(tries):
            for leader in self.leaders[:1]:
                self.asked += 1
                losses = self.judge.losses
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await leader.submit(change, wait=self.chance.random() < 0.5)
                except (TimeoutError, SlicewrightError):
                    continue
                self.answered += 1
                if losses == self.judge.losses:  # else the answer was on its way when its record was lost
                    self._guard(partial(self.judge.acknowledged, name, value))
                return value
            await asyncio.sleep(0.5)
        return value

    async def measure(self, name: str) -> None:
        """A measurement of now, or a late one of an earlier life of the device, as something on the way delayed it."""
        for leader in self.leaders[:1]:
            if name not in leader.state.devices:
                return
            life = leader.state.lives.get(name, FIRST_LIFE)
            counter = self.chance.randrange(1000)
            now = Measurement(name, counter, arrival_rate_hz=0.5, generation=life.generation)
            if life.generation > 1 and self.chance.random() < 0.5:
                earlier = self.chance.randrange(1, life.generation)
                now = Measurement(name, counter, task_bits=POISON, generation=earlier)
                self.judge.poison(name, earlier)
            try:
                await Wire(self.values, Process("client", 0), self.chance, self.trouble).put(
                    measurement_key(name), MEASUREMENT.dump_json(now)
                )
            except TransportError:
                return

    async def mishap(self) -> None:
        """Something goes wrong, and is mended after a while."""
        name = self.chance.choice((*ORCHESTRATORS, *SLICES))
        what = self.chance.choice((self._dies, self._dies, self._stands_still, self._is_cut, self._loses_messages,
                                   self._disk_is_full, self._store_goes_back, self._values_go_back,
                                   self._power_fails, self._wakes_in_another_past))  # fmt: skip
        if self.rare.random() < RARELY:
            what = self._is_led_in_vain
        self.mishaps.append(f"{self.clock.monotonic():.1f} s: {what.__name__.strip('_')} {name}")
        await what(name, self.chance.expovariate(1 / 2.5))

    async def _dies(self, name: str, pause_s: float) -> None:
        if name in SLICES and self.clock.monotonic() < self.went_back_s + 4 * OPTIONS.heartbeat_s:
            return  # nobody would know what it holds: its memory is gone and so is the transport's
        if self.tasks[name].done():
            return  # it is dead already
        await self.crash(name)
        await asyncio.sleep(pause_s)
        self.start(name)

    async def _stands_still(self, name: str, pause_s: float) -> None:
        process = self.processes[name]
        process.running.clear()
        await asyncio.sleep(pause_s)
        process.running.set()

    async def _is_cut(self, name: str, pause_s: float) -> None:
        process = self.processes[name]
        process.cut = True
        await asyncio.sleep(pause_s)
        process.cut = False

    async def _loses_messages(self, _: str, pause_s: float) -> None:
        self.trouble.lost, self.trouble.twice = 0.1, 0.3
        await asyncio.sleep(pause_s)
        self.trouble.lost = self.trouble.twice = 0.0

    async def _disk_is_full(self, _: str, pause_s: float) -> None:
        self.store.full = True
        await asyncio.sleep(pause_s)
        self.store.full = False

    async def _store_goes_back(self, _: str, pause_s: float) -> None:
        """An operator restores yesterday's backup."""
        self._lose(self.chance.randrange(1, 1 + min(12, max(1, len(self.store.appends) - 3))))
        await asyncio.sleep(pause_s)

    async def _wakes_in_another_past(self, *_: object) -> None:
        """The store goes back under a leader that stands still; it goes on when the numbers fit again."""
        for leader in self.leaders[:1]:
            process = self.processes[leader.instance]
            process.running.clear()
            self._lose(self.chance.randrange(1, 6))
            for _attempt in range(400):
                await asyncio.sleep(0.02)
                if self.store.appends[-1][-1].sequence == leader.position.sequence:
                    break
            process.running.set()

    async def _is_led_in_vain(self, _: str, pause_s: float) -> None:
        """While a leader stands still another one leads, and all that it wrote is lost: nothing shows that it did."""
        for leader in self.leaders[:1]:
            process, there = self.processes[leader.instance], len(self.store.appends)
            process.running.clear()
            other = next(name for name in ORCHESTRATORS if name != leader.instance)
            for _attempt in range(60):
                await asyncio.sleep(0.1)
                if self.orchestrators[other].leading:
                    break
            await asyncio.sleep(pause_s / 2)
            if self.orchestrators[other].leading:
                await self.crash(other)
                self._lose(len(self.store.appends) - there)
                process.running.set()
                await asyncio.sleep(pause_s)
                self.start(other)
            process.running.set()

    async def _power_fails(self, _: str, pause_s: float) -> None:
        """What was not synced is gone; a store that syncs before it acknowledges loses nothing."""
        if self.store.unsynced:
            self.judge.witnesses = []
            self.store.lose(self.store.unsynced)
            self.store.unsynced = 0
            self.judge.truth = Position(OrchestratorState()).after(self.store.records)
            self._guard(lambda: self.judge.nothing_is_lost(self.judge.truth.state.devices))
        await asyncio.sleep(pause_s)

    def _lose(self, appends: int) -> None:
        if appends >= len(self.store.appends) - 2:
            return  # an empty store knows no network: nothing to be said of it here
        newest = self.store.appends[-1][-1].hash
        behind, before = self.judge.fallback is not None, self.judge.witnesses
        witnesses = [
            self.processes[name]
            for name, o in self.orchestrators.items()
            if not self.tasks[name].done()
            and (o.position.hash == newest if not behind else self.processes[name] in before)
        ]
        gone = self.store.lose(appends)
        self.store.unsynced = 0
        self.judge.lost(self.store.records, witnesses, gone=gone)

    async def _values_go_back(self, _: str, pause_s: float) -> None:
        if any(self.tasks[name].done() for name in SLICES):
            return  # as above: what a dead manager held is known to the transport alone
        self.went_back_s = self.clock.monotonic()
        self.values.go_back()
        await asyncio.sleep(pause_s)

    async def until_broken(self, work: Coroutine[Any, Any, None]) -> None:
        """Until it is done, or a promise is broken."""
        task = asyncio.create_task(work)
        while not task.done() and self.broken is None:
            await asyncio.wait({task}, timeout=0.5)
        await end([task])
        if self.broken is None and not task.cancelled() and task.exception() is not None:
            self.broken = task.exception()

    async def troubles(self) -> None:
        """Mishaps, some of them at the same time."""
        running: list[asyncio.Task[None]] = []
        while self.clock.monotonic() < self.trouble_s:
            await asyncio.sleep(self.chance.expovariate(1 / 1.2))
            if self.chance.random() < 0.3:
                self.values.remember()
            running = [task for task in running if not task.done()]
            if len(running) < 2:
                running.append(asyncio.create_task(self.mishap()))
        for task in running:
            await task

    async def quiet(self) -> None:
        """Until everything is in place and stays so for a while."""
        until_s, calm = self.clock.monotonic() + QUIET_S, 0
        while self.broken is None and calm < 3:
            await asyncio.sleep(0.4)
            try:
                self.in_place()
                calm += 1
            except BrokenPromiseError as error:
                calm = 0
                if self.clock.monotonic() > until_s:
                    self.broken = self.broken or error
        if self.broken is None:
            self._guard(self.told_by_the_log)

    def in_place(self) -> OrchestratorState:
        """One leads, nothing is open, and managers hold what it believes."""
        leaders = self.leaders
        if len(leaders) != 1:
            raise BrokenPromiseError(f"{len(leaders)} orchestrators lead at the end")
        state = leaders[0].state
        if not state.settled or state.last is None or state.last.pinned:
            raise BrokenPromiseError(f"not settled at the end, pinned {state.last and state.last.pinned}")
        for name, manager in self.managers.items():
            if not self._as_granted(manager.state, state):
                raise BrokenPromiseError(f"{name} holds something else than its leader believes")
        return state

    def told_by_the_log(self) -> None:
        """Reading all of it gives the leader's state, and nothing that was acknowledged is missing."""
        state = self.in_place()
        here = self.leaders[0].position.sequence  # more may be on disk already, and its answer on the way
        told = [record for record in verify(self.store.records) if record.sequence <= here]
        # Every record was folded once, as its bytes say, when it came to the disk; now and then all of it again.
        again = read_anew(told) if self.seed % READ_ANEW_EVERY == 0 else self.judge.known[told[-1].hash]
        if dump(again.state) != dump(state):
            raise BrokenPromiseError("the log tells another state than the leader's")
        self.judge.nothing_is_lost(state.devices)

    @staticmethod
    def _as_granted(manager: ManagerState, state: OrchestratorState) -> bool:
        return manager.grant.same_terms(replace(state.accounts[manager.slice].held))
