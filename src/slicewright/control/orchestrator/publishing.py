"""Grants where managers watch: none is put over what another leader has put there since this one looked."""

from __future__ import annotations

from collections.abc import Callable

from slicewright.control.transport.base import OvertakenError, Transport

MOST_LOOKS = 5


class Publishing:
    """The grants' keys as one leader knows them.

    A leader that stands still while a grant is on its way may be gone by the time that it arrives, and its record lost:
    whoever leads then has put what counts there, and a manager that comes back reads the key. So a value is put only
    after the revision that was there while this process was sure to lead.

    Args:
        transport: where managers watch.
        sure: raises FencedError when somebody else may lead.
    """

    def __init__(self, transport: Transport, sure: Callable[[], None]) -> None:
        self._transport, self._sure = transport, sure
        self._there: dict[str, int] = {}

    def begin_term(self) -> None:
        """Whatever is known of the keys may be old."""
        self._there.clear()

    async def put(self, key: str, value: bytes) -> None:
        """Put a grant.

        Raises:
            TransportError: not reachable, or somebody else puts, too; it may be there or not.
            FencedError: somebody else may lead.
        """
        for _ in range(MOST_LOOKS):
            after = self._there.pop(key, None)  # unknown until an answer has come
            if after is None:
                entry = await self._transport.get(key)
                after = 0 if entry is None else entry.revision
            self._sure()
            try:
                self._there[key] = await self._transport.put(key, value, after=after)
                return
            except OvertakenError:
                continue
        raise OvertakenError(f"somebody else puts {key} all the time")
