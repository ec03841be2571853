"""The lease by which one orchestrator leads, and until when it is certain to."""

from __future__ import annotations

import math

from slicewright.control.journal.base import FencedError
from slicewright.control.state.clock import Clock
from slicewright.control.transport.base import Transport

LEASE = "orchestrator"


class Lease:
    """The lease as one process knows it.

    Args:
        transport: where it is.
        clock: time.
        instance: name of this process.
    """

    def __init__(self, transport: Transport, *, clock: Clock, instance: str) -> None:
        self._transport, self._clock, self._instance = transport, clock, instance
        self._until_s = -math.inf

    async def acquire(self) -> bool:
        """Take or renew it. It lasts from when it was asked for: the answer may have been long on its way.

        Returns:
            Whether it is this process's.

        Raises:
            TransportError: not reachable.
        """
        asked_s = self._clock.monotonic()
        got = await self._transport.acquire(LEASE, self._instance)
        if got:
            self._until_s = asked_s + self._transport.lease_s
        return got

    async def renew(self) -> bool:
        """As :meth:`acquire`; False, too, if somebody else may have had it in between."""
        until_s = self._until_s
        return await self.acquire() and self._clock.monotonic() <= until_s

    def check(self) -> None:
        """Nobody else can have led since the lease was taken.

        Raises:
            FencedError: somebody may have, and the journal need not show it: its end may be lost. This process leads
                anew, in a term of its own, so that managers say what they hold.
        """
        if self._clock.monotonic() > self._until_s:
            raise FencedError("this process stood still, or was cut off, for longer than its lease lasts")

    async def surrender(self) -> None:
        """Give it back, so that others need not wait for its end.

        Raises:
            TransportError: not reachable; it ends by itself.
        """
        await self._transport.surrender(LEASE, self._instance)
