"""How orchestrators and managers reach each other: named values with revisions, and leases. Two implementations."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from slicewright.control.state.clock import Clock
from slicewright.control.state.state import ControlError


class TransportError(ControlError):
    """The other side cannot be reached now."""


@dataclass(frozen=True)
class Entry:
    """A value under a name.

    Attributes:
        key: dotted name. value: bytes; empty when deleted. revision: rises with every change.
    """

    key: str
    value: bytes
    revision: int


class Transport(Protocol):
    """Named values that keep their last state, and leases that run out."""

    async def put(self, key: str, value: bytes) -> int:
        """Set a value and return its revision.

        Raises:
            TransportError: not reachable.
        """
        ...

    async def get(self, key: str) -> Entry | None:
        """The value now, or None."""
        ...

    def watch(self, prefix: str) -> AsyncIterator[Entry]:
        """Values of the key ``prefix`` and below it: those there are, then every change. Changes may be merged."""
        ...

    async def acquire(self, name: str, holder: str) -> bool:
        """Take or renew a lease; False while somebody else holds it. It runs out by itself if not renewed."""
        ...

    async def surrender(self, name: str, holder: str) -> None:
        """Give a lease back, if held."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def covers(prefix: str, key: str) -> bool:
    """Whether a key is the prefix or below it."""
    return key == prefix or key.startswith(f"{prefix}.")


class MemoryTransport:
    """Everything in one process.

    Args:
        clock: for leases.
        lease_s: how long a lease lasts, s.
    """

    def __init__(self, clock: Clock, *, lease_s: float = 3.0) -> None:
        self._clock, self._lease_s = clock, lease_s
        self._values: dict[str, Entry] = {}
        self._leases: dict[str, tuple[str, float]] = {}
        self._watchers: dict[int, tuple[str, asyncio.Queue[Entry]]] = {}
        self._revisions = itertools.count(1)
        self._numbers = itertools.count()

    async def put(self, key: str, value: bytes) -> int:
        """Set a value and tell everybody who watches."""
        entry = Entry(key, value, next(self._revisions))
        self._values[key] = entry
        for prefix, queue in self._watchers.values():
            if covers(prefix, key):
                queue.put_nowait(entry)
        return entry.revision

    async def get(self, key: str) -> Entry | None:
        """The value now."""
        return self._values.get(key)

    async def watch(self, prefix: str) -> AsyncIterator[Entry]:
        """Values there are, then changes."""
        queue: asyncio.Queue[Entry] = asyncio.Queue()
        number = next(self._numbers)
        self._watchers[number] = (prefix, queue)
        try:
            for key, entry in list(self._values.items()):
                if covers(prefix, key):
                    yield entry
            while True:
                yield await queue.get()
        finally:
            del self._watchers[number]

    async def acquire(self, name: str, holder: str) -> bool:
        """Take or renew a lease."""
        now = self._clock.monotonic()
        owner, until = self._leases.get(name, (holder, now))
        if owner != holder and now < until:
            return False
        self._leases[name] = (holder, now + self._lease_s)
        return True

    async def surrender(self, name: str, holder: str) -> None:
        """Give a lease back."""
        if self._leases.get(name, ("", 0.0))[0] == holder:
            del self._leases[name]

    async def close(self) -> None:
        """Nothing to let go of."""
