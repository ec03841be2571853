"""Decisions under a deadline: the fallback chain, and a method on trial beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from slicewright.control.decision.settlement import Settlement, decide, decide_last_good
from slicewright.control.decision.trial import Trial
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Attempt
from slicewright.control.state.grants import Place
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.situation import Situation
from slicewright.network.presets import preset

FALLBACK = "best-response"


class FallbackChain:
    """Runs methods in threads (kernels release the interpreter lock), so that a slow one blocks nobody.

    Args:
        options: deadline, rounds, seed.
        threads: False runs everything in place, without deadlines; for simulated time.
    """

    def __init__(self, options: ControlOptions, *, threads: bool = True) -> None:
        self._options = options
        self._pools = {
            name: ThreadPoolExecutor(1, thread_name_prefix=f"decide-{name}") if threads else None
            for name in ("active", "fallback", "canary")
        }
        self._busy: dict[str, asyncio.Future[Settlement | None]] = {}
        self.trial: Trial | None = None

    async def decide(
        self, situation: Situation, method: str, previous: Mapping[str, Place], epoch: int
    ) -> tuple[Settlement, tuple[Attempt, ...]]:
        """Learned (or whatever is active), then best response, then the last good plan. Always answers."""
        attempts: list[Attempt] = []
        for lane, name in (("active", method), ("fallback", FALLBACK)):
            if lane == "fallback" and name == method and attempts[-1].result == "rejected":
                continue
            settlement, attempt = await self._attempt(lane, situation, name, previous, epoch)
            attempts.append(attempt)
            if settlement is not None:
                return settlement, tuple(attempts)
        began = time.perf_counter()
        last = decide_last_good(situation, previous, epoch=epoch)
        attempts.append(Attempt(last.method, "used", time.perf_counter() - began))
        return last, tuple(attempts)

    async def _attempt(
        self, lane: str, situation: Situation, method: str, previous: Mapping[str, Place], epoch: int
    ) -> tuple[Settlement | None, Attempt]:
        began = time.perf_counter()
        running = self._start(lane, partial(self._work, situation, method, previous, epoch))
        if running is None:
            return None, Attempt(method, "busy", 0.0, "its answer to an earlier situation is still awaited")
        await asyncio.wait({running}, timeout=self._options.deadline_s)
        took = time.perf_counter() - began
        if not running.done():
            return None, Attempt(method, "late", took)
        error = running.exception()
        if error is not None:
            return None, Attempt(method, "failed", took, f"{type(error).__name__}: {error}"[:300])
        settlement = running.result()
        if settlement is None:
            return None, Attempt(method, "rejected", took, "its plan breaks a constraint")
        return settlement, Attempt(method, "used", took, "; ".join(settlement.notes)[:300])

    def _work(
        self, situation: Situation, method: str, previous: Mapping[str, Place], epoch: int
    ) -> Settlement | None:
        options = self._options
        return decide(
            situation,
            method,
            rounds=options.rounds,
            seed=options.seed,
            epoch=epoch,
            previous=previous,
            keep_ratio=options.keep_ratio,
        )

    def _start(
        self, lane: str, work: Callable[[], Settlement | None]
    ) -> asyncio.Future[Settlement | None] | None:
        """Begin in the lane's thread; None while it is still busy with something that came too late."""
        before = self._busy.get(lane)
        if before is not None and not before.done():
            return None
        loop = asyncio.get_running_loop()
        pool = self._pools[lane]
        if pool is None:
            done: asyncio.Future[Settlement | None] = loop.create_future()
            done.set_result(work())
            return done
        self._busy[lane] = loop.run_in_executor(pool, work)
        return self._busy[lane]

    def shadow(self, situation: Situation, method: str, used: Settlement) -> None:
        """Show the situation to a method on trial, without effect; skipped while it is busy."""
        if self.trial is None or self.trial.method != method:
            self.trial = Trial(method)
        began = time.perf_counter()
        running = self._start("canary", partial(self._work, situation, method, {}, 0))
        if running is not None:
            running.add_done_callback(partial(self._note, method, used, began))

    def _note(
        self, method: str, used: Settlement, began: float, done: asyncio.Future[Settlement | None]
    ) -> None:
        if self.trial is None or self.trial.method != method or done.cancelled():
            return
        ratio = None
        settlement = None if done.exception() is not None else done.result()
        if (
            settlement is not None
            and settlement.plan is not None
            and used.plan is not None
            and used.plan.cost_s > 0
        ):
            ratio = settlement.plan.cost_s / used.plan.cost_s
        elif settlement is not None:
            ratio = 1.0
        remark = "" if settlement is None else "; ".join(settlement.notes)
        self.trial = self.trial.after(ratio, time.perf_counter() - began, remark)

    async def warm_up(self, methods: tuple[str, ...]) -> None:
        """Load and compile what the methods run, before the first deadline counts; failures show later."""
        for method in methods:
            await self.load(method)
        last = decide_last_good(_tiny(), {})
        if last.plan is not None:
            _ = last.plan.lower_bound_s  # certificates run compiled code of their own

    async def load(self, method: str) -> None:
        """Have a method do a tiny decision, so that loading it costs no deadline; its failure shows later."""
        running = self._start("canary", partial(self._work, _tiny(), method, {}, 0))
        if running is not None:
            await asyncio.wait({running})
            running.exception()

    def close(self) -> None:
        """Let the threads go; one that is stuck in a method is left to end by itself."""
        for pool in self._pools.values():
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)


def _tiny() -> Situation:
    scenario = preset("paper-slicing", devices=3)
    return Situation(Network.of(scenario), devices_of(scenario))
