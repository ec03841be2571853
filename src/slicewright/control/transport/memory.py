"""A transport in one process: values, watchers and leases in memory."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping

from slicewright.control.state.clock import Clock
from slicewright.control.transport.base import Entry, OvertakenError, covers


class MemoryTransport:
    """Everything in one process.

    Args:
        clock: for leases.
        lease_s: how long a lease lasts, s.
    """

    def __init__(self, clock: Clock, *, lease_s: float = 3.0) -> None:
        self._clock, self.lease_s = clock, lease_s
        self._values: dict[str, Entry] = {}
        self._leases: dict[str, tuple[str, float]] = {}
        self._watchers: dict[int, tuple[str, asyncio.Queue[Entry]]] = {}
        self._revisions = itertools.count(1)
        self._numbers = itertools.count()

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        """Set a value and tell everybody who watches."""
        there = self._values.get(key)
        if after is not None and after != (0 if there is None else there.revision):
            raise OvertakenError(f"{key} has another value by now")
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

    async def keys(self, prefix: str) -> Mapping[str, int]:
        """Keys and the revisions of their values."""
        return {key: entry.revision for key, entry in self._values.items() if covers(prefix, key)}

    async def remove(self, key: str, revision: int) -> None:
        """Forget a value."""
        found = self._values.get(key)
        if found is not None and found.revision <= revision:
            del self._values[key]

    async def acquire(self, name: str, holder: str) -> bool:
        """Take or renew a lease."""
        now = self._clock.monotonic()
        owner, until = self._leases.get(name, (holder, now))
        if owner != holder and now < until:
            return False
        self._leases[name] = (holder, now + self.lease_s)
        return True

    async def surrender(self, name: str, holder: str) -> None:
        """Give a lease back."""
        if self._leases.get(name, ("", 0.0))[0] == holder:
            del self._leases[name]

    async def close(self) -> None:
        """Nothing to close."""
