"""One process per instance name: leases go by the name, so two processes of one name would both hold all of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid

from slicewright.control.state.clock import Clock
from slicewright.control.state.errors import ControlError
from slicewright.control.transport.base import Transport, TransportError

logger = logging.getLogger(__name__)
PATIENCE_S = 5.0
"""The name of a process that was killed is free again when its lease, 3 s, has run out."""
_RETRY_S = 0.25


class SameInstanceError(ControlError):
    """Another process has this name."""


class InstanceName:
    """The claim of this process on its name.

    Args:
        transport: where names are claimed.
        name: of the instance.
        clock: time.
    """

    def __init__(self, transport: Transport, name: str, *, clock: Clock) -> None:
        self._transport, self._name, self._clock = transport, name, clock
        self._lease = f"instance.{name.encode().hex()}"
        self._process = uuid.uuid4().hex

    async def take(self) -> None:
        """Wait until the name is ours.

        Raises:
            SameInstanceError: it is somebody else's, and stays so.
        """
        until = self._clock.monotonic() + PATIENCE_S
        while not await self._acquire():
            if self._clock.monotonic() > until:
                raise self._refusal()
            await asyncio.sleep(_RETRY_S)

    async def keep(self, every_s: float) -> None:
        """Renew the claim for ever.

        Raises:
            SameInstanceError: this process stood still so long that another one was started under its name.
        """
        while True:
            await asyncio.sleep(every_s)
            with contextlib.suppress(TransportError):
                if not await self._transport.acquire(self._lease, self._process):
                    await self.take()  # on a busy machine it may just have run out

    async def give_back(self) -> None:
        """So that the next process of this name need not wait."""
        with contextlib.suppress(TransportError):
            await self._transport.surrender(self._lease, self._process)

    async def _acquire(self) -> bool:
        while True:
            try:
                return await self._transport.acquire(self._lease, self._process)
            except TransportError as error:
                logger.info("%s waits: %s", self._name, error)
                await asyncio.sleep(_RETRY_S)

    def _refusal(self) -> SameInstanceError:
        return SameInstanceError(
            f"another process runs as `instance` {self._name}: every process needs a name of its own"
        )
