"""Certificates of decisions (lower bound and gap), worked out beside the decisions: nobody ever waits for one.

One at a time, in a thread of their own, with a rest after each: where decisions come faster than certificates, every so
often one gets its own. It is recorded when it is there, also if others have been decided since.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from slicewright.control.state.events import Certified
from slicewright.slicing.plan import Plan

logger = logging.getLogger(__name__)
LEAST_REST_S = 0.1
REST_RATIO = 9.0
"""After a certificate its thread rests so many times as long as it has worked: a tenth of a processor at most."""


class Certifier:
    """Works in a thread of its own.

    Args:
        threads: False works in place, for simulated time.
        wake: called when a certificate is there.
    """

    def __init__(self, *, threads: bool, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._pool = ThreadPoolExecutor(1, "certify") if threads else None
        self._wanted: tuple[int, Plan] | None = None
        self._working = False
        self._rest_until_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._found: tuple[Certified, ...] = ()
        self._forgotten = 0

    @property
    def busy(self) -> bool:
        """Whether its thread works."""
        return self._working

    def begin(self, epoch: int, plan: Plan | None) -> None:
        """Want one for a decision that has just been recorded, rather than for any before that is not worked on yet."""
        self._wanted = None if plan is None else (epoch, plan)
        self._go_on()

    def ready(self) -> tuple[Certified, ...]:
        """What has been found; again and again until it is recorded. It need not be of the last decision."""
        return self._found

    def recorded(self, certified: Certified) -> None:
        """It is in the journal."""
        self._found = tuple(found for found in self._found if found != certified)

    def forget(self) -> None:
        """Nothing of before is of interest: somebody else leads."""
        self._found, self._wanted = (), None
        self._forgotten += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Let the thread go."""
        self.forget()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _go_on(self) -> None:
        """Start on what is wanted as soon as the thread is free and has rested."""
        if self._wanted is None or self._working:
            return
        if self._pool is None:
            (epoch, plan), self._wanted = self._wanted, None
            self._take(certificate(epoch, plan))
            return
        loop, rest_s = asyncio.get_running_loop(), self._rest_until_s - time.monotonic()
        if rest_s > 0:
            if self._timer is None:
                self._timer = loop.call_later(rest_s, self._rested)
            return
        (epoch, plan), self._wanted = self._wanted, None
        self._working = True
        work = loop.run_in_executor(self._pool, certificate, epoch, plan)
        work.add_done_callback(partial(self._worked, time.monotonic(), self._forgotten))

    def _rested(self) -> None:
        self._timer = None
        self._go_on()

    def _worked(self, began_s: float, forgotten: int, done: asyncio.Future[Certified]) -> None:
        self._working, now_s = False, time.monotonic()
        self._rest_until_s = now_s + max(LEAST_REST_S, REST_RATIO * (now_s - began_s))
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            logger.error("a certificate failed: %s: %s", type(error).__name__, error)
        elif forgotten == self._forgotten:
            self._take(done.result())
        self._go_on()

    def _take(self, found: Certified) -> None:
        self._found = (found,)
        self._wake()


def certificate(epoch: int, plan: Plan) -> Certified:
    """Lower bound and gap of a decision's plan."""
    return Certified(epoch, plan.lower_bound_s, plan.gap)
