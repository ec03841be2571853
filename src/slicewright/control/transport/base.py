"""How orchestrators and managers reach each other: named values with revisions, and leases. Two implementations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from slicewright.control.state.errors import ControlError


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
        """Close connections."""
        ...


def covers(prefix: str, key: str) -> bool:
    """Whether a key is the prefix or below it."""
    return key == prefix or key.startswith(f"{prefix}.")
