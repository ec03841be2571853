"""How orchestrators and managers reach each other: named values with revisions, and leases. Two implementations.

What both promise, and ``tests/control/transport/test_conformance.py`` holds them to:

- A value is what was put last. Revisions rise with every change of any value, so of two entries the one with the
  greater revision is the newer, whatever their keys. A restart keeps values and revisions, as far as the store does.
- A watch gives what is there, then what changes, each key in the order of its revisions. Changes of a key may be
  merged into the newest, and an entry may come twice. A watch may also fall silent without an error: whoever depends on
  it reads the value now and then.
- A lease has one holder at a time. It runs out unless renewed; the holder may take it again, also after a restart, and
  one who was stopped for longer than the lease may still believe to hold it: what he writes must be fenced elsewhere.
- A value that is removed is gone for good, and its key with it, unless somebody has put a newer one meanwhile.
- What fails has not happened, or nobody knows: a TransportError says neither. Putting again is always safe.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from slicewright.control.state.errors import ControlError


class TransportError(ControlError):
    """The other side cannot be reached now."""


class OvertakenError(TransportError):
    """The value is not the one that was to be replaced."""


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

    @property
    def lease_s(self) -> float:
        """How long a lease lasts, s; infinite where nobody else can take it."""
        ...

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        """Set a value and return its revision.

        Args:
            key: name. value: bytes.
            after: revision of the value that it replaces, 0 for none; whatever is there if not given.

        Raises:
            OvertakenError: another value is there; it stays.
            TransportError: not reachable.
        """
        ...

    async def get(self, key: str) -> Entry | None:
        """The value now, or None.

        Raises:
            TransportError: not reachable.
        """
        ...

    def watch(self, prefix: str) -> AsyncIterator[Entry]:
        """Entries of keys below a kind: those there are, then every change; for ever, until the reader is cancelled.

        Args:
            prefix: a kind, such as ``grant`` for ``grant.x`` and ``grant.y``, or one whole key.

        Raises:
            TransportError: not reachable; watch again.
        """
        ...

    async def keys(self, prefix: str) -> Mapping[str, int]:
        """Keys below a kind that have a value, each with a revision that its value of now does not exceed.

        Raises:
            TransportError: not reachable.
        """
        ...

    async def remove(self, key: str, revision: int) -> None:
        """Take a value away unless it is newer than the revision. Watches need not be told.

        Raises:
            TransportError: not reachable; it may be gone or not.
        """
        ...

    async def acquire(self, name: str, holder: str) -> bool:
        """Take or renew a lease; False while somebody else holds it.

        Raises:
            TransportError: not reachable; the lease may have been renewed or not.
        """
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
