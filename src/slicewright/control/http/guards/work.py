"""Work that reads the state, beside the loop that decides: bounded, with a deadline, and over when its client leaves.

A thread cannot be stopped from outside. So work asks at its stages whether anybody still wants the answer, and a place
on the bench is free again only when the thread really is: clients that come and leave do not pile work up.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from starlette.requests import Request

from slicewright.control.http.problems import Problem

Value = TypeVar("Value")
GoOn = Callable[[], None]
"""Called at the stages of long work; raises when nobody waits for it any more."""
_LOOK_S = 0.1


class NobodyWaitsError(Exception):
    """The client has left, or its time is over; ends the work at its next stage."""


@dataclass
class Bench:
    """Places for work.

    Attributes:
        places: how much is done at a time. waiting: how much more may wait; per caller a quarter of it.
        longest_s: waiting included; then the answer is a problem.
    """

    places: int = 2
    waiting: int = 64
    longest_s: float = 10.0
    _free: asyncio.Semaphore = field(init=False)
    _here: Counter[str] = field(default_factory=Counter, init=False)
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.places)
        self._pool = ThreadPoolExecutor(self.places, thread_name_prefix="answer")

    @property
    def busy(self) -> int:
        """How many callers wait for work, or have it done."""
        return self._here.total()

    async def do(self, request: Request, caller: str, work: Callable[[GoOn], Value]) -> Value:
        """The answer of some work, which is told how to notice that nobody waits for it any more.

        Raises:
            Problem: 503 when too much waits already or the answer takes too long, 429 when most of it is this
                caller's, 499 when the client has left, which nobody hears.
        """
        over = threading.Event()

        def go_on() -> None:
            if over.is_set():
                raise NobodyWaitsError

        with self._counted(caller):
            try:
                async with asyncio.timeout(self.longest_s):
                    await self._place(request)
                    running = self._begin(work, go_on)
                    try:
                        while not (await asyncio.wait({running}, timeout=_LOOK_S))[0]:
                            await _refuse_left(request)
                    finally:
                        over.set()
            except TimeoutError:
                late = f"the answer takes more than {self.longest_s:g} s"
                raise Problem(503, "too-much-work", late, headers={"Retry-After": "5"}) from None
            return running.result()

    def close(self) -> None:
        """Let the threads go; what they do is of no interest any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _counted(self, caller: str) -> Iterator[None]:
        if self._here[caller] >= max(self.places, self.waiting // 4):
            raise Problem(
                429, "too-many-at-once", "wait for your other answers", headers={"Retry-After": "1"}
            )
        if self.busy >= self.places + self.waiting:
            raise Problem(503, "busy", "too many answers are being worked on", headers={"Retry-After": "1"})
        self._here[caller] += 1
        try:
            yield
        finally:
            self._here[caller] -= 1
            if not self._here[caller]:
                del self._here[caller]

    async def _place(self, request: Request) -> None:
        taking = asyncio.ensure_future(self._free.acquire())
        try:
            while not (await asyncio.wait({taking}, timeout=_LOOK_S))[0]:
                await _refuse_left(request)
        except BaseException:
            if not taking.cancel() and not taking.cancelled():
                self._free.release()
            raise

    def _begin(self, work: Callable[[GoOn], Value], go_on: GoOn) -> asyncio.Future[Value]:
        loop = asyncio.get_running_loop()
        try:
            running = loop.run_in_executor(self._pool, _quietly, work, go_on)
        except BaseException:
            self._free.release()
            raise
        running.add_done_callback(self._done)
        return running

    def _done(self, running: asyncio.Future[Value]) -> None:
        self._free.release()
        if not running.cancelled():
            running.exception()  # seen, even if nobody waits for it any more


def _quietly(work: Callable[[GoOn], Value], go_on: GoOn) -> Value:
    """Numbers at the edge of what is allowed may overflow on the way: results that are not finite are told as such."""
    with np.errstate(all="ignore"):
        return work(go_on)


async def _refuse_left(request: Request) -> None:
    if await request.is_disconnected():
        raise Problem(499, "client-has-left", "nobody waits for this answer")


@dataclass
class Streams:
    """Answers that go on for long, counted.

    Attributes:
        most: of all callers together. each: of one caller.
    """

    most: int
    each: int
    _open: Counter[str] = field(default_factory=Counter, init=False)

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open.total()

    def take(self, caller: str) -> Callable[[], None]:
        """One more; returns what ends it, which may be called again and again.

        Raises:
            Problem: 429, there are too many.
        """
        if self._open[caller] >= self.each or self._open.total() >= self.most:
            raise Problem(429, "too-many-streams", "end another stream first", headers={"Retry-After": "5"})
        self._open[caller] += 1
        left = [caller]

        def end() -> None:
            if left:
                self._open[left.pop()] -= 1

        return end
