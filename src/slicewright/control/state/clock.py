"""Time as an effect, so that tests can compress hours into seconds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def now(self) -> float:
        """Wall clock, s since 1970."""
        ...

    def monotonic(self) -> float:
        """A clock that never goes back, s."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Wall clock, s since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """A clock that never goes back, s."""
        return time.monotonic()


class LoopClock:
    """The clock of the running event loop, for loops that simulate time; starts at a given date."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._start_s = start_s

    def now(self) -> float:
        """Simulated wall clock, s since 1970."""
        return self._start_s + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        """Simulated time, s."""
        return asyncio.get_running_loop().time()


async def pause(news: asyncio.Event, longest_s: float) -> None:
    """Until the event is set, but no longer than so many s.

    Not ``asyncio.wait_for``: on Python 3.11 that swallows a cancellation that comes together with the event.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            await news.wait()


async def end(tasks: Collection[asyncio.Task[None]]) -> list[BaseException | None]:
    """Cancel tasks until they have ended, and give what they ended with; None for a cancelled one.

    A library below may swallow a cancellation (``asyncio.wait_for`` on Python 3.11 does), so once is not enough.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=1.0)
    return [None if task.cancelled() else task.exception() for task in tasks]
