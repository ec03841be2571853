"""Certificates of decisions (lower bound and gap), worked out beside the decisions rather than before their answers.

At most one is under way. The next decision is made meanwhile, but recorded after the certificate of the one before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from slicewright.control.state.events import Certified
from slicewright.slicing.plan import Plan

logger = logging.getLogger(__name__)


class Certifier:
    """Works in a thread of its own.

    Args:
        longest_s: a certificate that takes longer is not waited for, and its decision stays without one.
        threads: False works in place, for simulated time.
        wake: called when a certificate is there.
    """

    def __init__(self, *, longest_s: float, threads: bool, wake: Callable[[], None]) -> None:
        self._longest_s, self._wake = longest_s, wake
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="certify") if threads else None
        self._pending: asyncio.Future[Certified] | None = None
        self._overdue: asyncio.Future[Certified] | None = None

    def begin(self, epoch: int, plan: Plan | None) -> None:
        """Start on the plan of a decision that has just been recorded; nothing to do for a plan of no devices."""
        self.forget()
        if plan is None:
            return
        if self._overdue is not None and not self._overdue.done():
            logger.warning("decision %d gets no certificate: one before is still worked on", epoch)
            return
        loop = asyncio.get_running_loop()
        if self._pool is None:
            self._pending = loop.create_future()
            self._pending.set_result(certificate(epoch, plan))
        else:
            self._pending = loop.run_in_executor(self._pool, certificate, epoch, plan)
        self._pending.add_done_callback(lambda _: self._wake())

    def ready(self) -> tuple[Certified, ...]:
        """The certificate, if it is there; again and again until it is recorded."""
        pending = self._pending
        if pending is None or not pending.done():
            return ()
        error = pending.exception()
        if error is not None:
            logger.error("a certificate failed: %s: %s", type(error).__name__, error)
            self._pending = None
            return ()
        return (pending.result(),)

    async def finished(self) -> tuple[Certified, ...]:
        """The same after waiting for it, before another decision is recorded."""
        if self._pending is not None:
            await asyncio.wait({self._pending}, timeout=self._longest_s)
            if not self._pending.done():
                logger.warning("a decision stays without certificate: it takes over %g s", self._longest_s)
                self._overdue = self._pending
                self._pending = None
        return self.ready()

    def forget(self) -> None:
        """It is in the journal, or no longer of interest."""
        self._pending = None

    def close(self) -> None:
        """Let the thread go."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def certificate(epoch: int, plan: Plan) -> Certified:
    """Lower bound and gap of a decision's plan."""
    return Certified(epoch, plan.lower_bound_s, plan.gap)
