"""Decisions under a deadline: the active method, then best response, then the last good plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from slicewright.control.decision.decide import decide, decide_last_good
from slicewright.control.decision.settlement import Settlement
from slicewright.control.decision.trial import Trial
from slicewright.control.state.clock import Clock
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Attempt
from slicewright.control.state.grants import Place
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.situation import Situation
from slicewright.network.presets import preset

FALLBACK = "best-response"
_LANES = ("active", "fallback", "canary")
_MOST_DETAIL = 300


@dataclass(frozen=True, eq=False)
class DecisionWanted:
    """What a decision is asked for.

    Attributes:
        situation: what is to be decided. method: the active one. previous: places of the last decision.
        epoch: number of the decision, written into the grants.
    """

    situation: Situation
    method: str
    previous: Mapping[str, Place]
    epoch: int


@dataclass(frozen=True, eq=False)
class DecisionMade:
    """What came of it.

    Attributes:
        settlement: the decision. attempts: the path through the chain. duration_s: s, of all of it.
    """

    settlement: Settlement
    attempts: tuple[Attempt, ...]
    duration_s: float


class FallbackChain:
    """Runs methods in threads (kernels release the interpreter lock), so that a slow one blocks nobody.

    Args:
        options: deadline, rounds, seed.
        clock: for durations.
        threads: False runs everything in place, without deadlines; for simulated time.
    """

    def __init__(self, options: ControlOptions, *, clock: Clock, threads: bool = True) -> None:
        self._options, self._clock = options, clock
        self._pools = {
            lane: ThreadPoolExecutor(1, thread_name_prefix=f"decide-{lane}") if threads else None
            for lane in _LANES
        }
        self._busy: dict[str, asyncio.Future[Settlement | None]] = {}
        self.trial: Trial | None = None

    async def decide(self, wanted: DecisionWanted) -> DecisionMade:
        """Learned (or whatever is active), then best response, then the last good plan. Always answers."""
        began = self._clock.monotonic()
        attempts: list[Attempt] = []
        for lane, method in _links(wanted.method):
            if _pointless(method, attempts):
                continue
            settlement, attempt = await self._attempt(lane, wanted, method)
            attempts.append(attempt)
            if settlement is not None:
                return DecisionMade(settlement, tuple(attempts), self._clock.monotonic() - began)
        now = self._clock.monotonic()
        last = await self._last_good(wanted)
        took = self._clock.monotonic() - now
        return DecisionMade(
            last, (*attempts, Attempt(last.method, "used", took)), self._clock.monotonic() - began
        )

    async def _last_good(self, wanted: DecisionWanted) -> Settlement:
        """The end of the chain has no deadline, but leases are renewed and others are heard meanwhile."""
        answer = partial(decide_last_good, wanted.situation, wanted.previous, epoch=wanted.epoch)
        return answer() if self._pools["active"] is None else await asyncio.to_thread(answer)

    async def _attempt(
        self, lane: str, wanted: DecisionWanted, method: str
    ) -> tuple[Settlement | None, Attempt]:
        began = self._clock.monotonic()
        running = self._start(lane, partial(ask, wanted, method, self._options))
        if running is None:
            return None, Attempt(method, "busy", 0.0, "its answer to an earlier situation is still awaited")
        await asyncio.wait({running}, timeout=self._options.deadline_s)
        took = self._clock.monotonic() - began
        if not running.done():
            return None, Attempt(method, "late", took)
        error = running.exception()
        if error is not None:
            return None, _failed(method, took, error)
        settlement = running.result()
        return settlement, _answered(method, took, settlement)

    def _start(
        self, lane: str, work: Callable[[], Settlement | None]
    ) -> asyncio.Future[Settlement | None] | None:
        """Begin in the lane's thread; None while it is still busy with something that came too late."""
        before = self._busy.get(lane)
        if before is not None and not before.done():
            return None
        pool = self._pools[lane]
        if pool is None:
            return _done_in_place(work)
        self._busy[lane] = asyncio.get_running_loop().run_in_executor(pool, work)
        return self._busy[lane]

    def shadow(self, situation: Situation, method: str, used: Settlement) -> None:
        """Show the situation to a method on trial, without effect; skipped while it is busy."""
        if self.trial is None or self.trial.method != method:
            self.trial = Trial(method)
        began = self._clock.monotonic()
        running = self._start(
            "canary", partial(ask, DecisionWanted(situation, method, {}, 0), method, self._options)
        )
        if running is not None:
            running.add_done_callback(partial(self._note, method, used, began))

    def _note(
        self, method: str, used: Settlement, began: float, done: asyncio.Future[Settlement | None]
    ) -> None:
        if self.trial is None or self.trial.method != method or done.cancelled():
            return
        settlement = None if done.exception() is not None else done.result()
        took = self._clock.monotonic() - began
        remark = "" if settlement is None else "; ".join(settlement.notes)
        self.trial = self.trial.after(_cost_ratio(settlement, used), took, remark)

    async def warm_up(self, methods: tuple[str, ...]) -> None:
        """Load and compile what the methods run, before the first deadline counts; failures show later."""
        for method in methods:
            await self.load(method)
        last = decide_last_good(_tiny(), {})
        if last.plan is None:
            return
        if self._pools["canary"] is None:
            _ = last.plan.lower_bound_s
        else:  # certificates run compiled code of their own
            await asyncio.to_thread(getattr, last.plan, "lower_bound_s")

    async def load(self, method: str) -> None:
        """Have a method do a tiny decision, so that loading it costs no deadline; its failure shows later."""
        running = self._start(
            "canary", partial(ask, DecisionWanted(_tiny(), method, {}, 0), method, self._options)
        )
        if running is not None:
            await asyncio.wait({running})
            running.exception()

    def close(self) -> None:
        """End the threads; one that is stuck in a method is left to end by itself."""
        for pool in self._pools.values():
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)


def ask(wanted: DecisionWanted, method: str, options: ControlOptions) -> Settlement | None:
    """One method's answer; None if the judge rejects it."""
    return decide(
        wanted.situation,
        method,
        rounds=options.for_devices(len(wanted.situation.devices)).rounds,
        seed=options.seed,
        epoch=wanted.epoch,
        previous=wanted.previous,
        keep_ratio=options.keep_ratio,
    )


def decide_in_place(wanted: DecisionWanted, options: ControlOptions) -> DecisionMade:
    """The chain without threads, deadlines and clocks: the same question always gets the same answer."""
    attempts: list[Attempt] = []
    for _, method in _links(wanted.method):
        if _pointless(method, attempts):
            continue
        try:
            settlement = ask(wanted, method, options)
        except Exception as error:  # noqa: BLE001 - whatever a method raises is its failure
            attempts.append(_failed(method, 0.0, error))
            continue
        attempts.append(_answered(method, 0.0, settlement))
        if settlement is not None:
            return DecisionMade(settlement, tuple(attempts), 0.0)
    last = decide_last_good(wanted.situation, wanted.previous, epoch=wanted.epoch)
    return DecisionMade(last, (*attempts, Attempt(last.method, "used", 0.0)), 0.0)


def _failed(method: str, took_s: float, error: BaseException) -> Attempt:
    return Attempt(method, "failed", took_s, f"{type(error).__name__}: {error}"[:_MOST_DETAIL])


def _answered(method: str, took_s: float, settlement: Settlement | None) -> Attempt:
    if settlement is None:
        return Attempt(method, "rejected", took_s, "its plan breaks a constraint")
    return Attempt(method, "used", took_s, "; ".join(settlement.notes)[:_MOST_DETAIL])


def _links(method: str) -> tuple[tuple[str, str], ...]:
    """Lanes and methods of the chain before the last good plan."""
    return ("active", method), ("fallback", FALLBACK)


def _pointless(method: str, attempts: list[Attempt]) -> bool:
    """Whether the same method was rejected already: it would answer the same again."""
    return any(attempt.method == method and attempt.result == "rejected" for attempt in attempts)


def _done_in_place(work: Callable[[], Settlement | None]) -> asyncio.Future[Settlement | None]:
    done: asyncio.Future[Settlement | None] = asyncio.get_running_loop().create_future()
    try:
        done.set_result(work())
    except Exception as error:  # noqa: BLE001 - as from a thread: whatever a method raises is its failure
        done.set_exception(error)
    return done


def _cost_ratio(settlement: Settlement | None, used: Settlement) -> float | None:
    """Cost of a trial's answer over that of the one in use; None without an answer."""
    if settlement is None:
        return None
    if settlement.plan is None or used.plan is None or used.plan.cost_s <= 0:
        return 1.0
    return settlement.plan.cost_s / used.plan.cost_s


def _tiny() -> Situation:
    scenario = preset("paper-slicing", devices=3)
    return Situation(Network.of(scenario), devices_of(scenario))
