"""What a journal promises, whatever keeps its records; ``tests/control/journal/test_conformance.py`` holds all to it.

One chain of records 1, 2, 3, ... that only grows. Of two writers that know the same newest record one is fenced off,
so whoever leads writes, and whoever writes leads. What counts is the hash of the newest record, not its number: a store
that lost its end and grew another one has the same numbers and other hashes. Reading has no effect on writing. A
checkpoint is the first record of its append.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from slicewright.control.journal.records import Record
from slicewright.control.state.errors import ControlError


class JournalError(ControlError):
    """The journal could not be written (disk full, server away): nothing was recorded, nothing has changed."""


class FencedError(JournalError):
    """Somebody else appended first: another orchestrator leads."""


class Journal(Protocol):
    """Where records are kept."""

    @property
    def wants_checkpoint(self) -> bool:
        """Whether a checkpoint now would be welcome: a full file can only be followed by one that begins with it."""
        ...

    async def append(self, records: Sequence[Record]) -> None:
        """Add records durably and all together, directly after the newest one.

        Raises:
            FencedError: the newest record is not the one before these, or nobody knows; read the journal again.
            JournalError: they could not be written; none of them was.
        """
        ...

    async def read(self, after: int = 0) -> list[Record]:
        """Records with a greater sequence than ``after``, in order. What is foreign or damaged is passed over.

        Raises:
            JournalError: they cannot be read now.
            BrokenChainError: what is kept is no journal.
        """
        ...

    async def read_from_checkpoint(self) -> list[Record]:
        """The newest checkpoint, or the first record, and everything after it."""
        ...

    def lines(self, after: int = 0) -> AsyncIterator[list[str]]:
        """Lines of the records after a sequence up to the newest, in pieces; holds up nobody who writes.

        Raises:
            JournalError: they cannot be read now.
        """
        ...

    async def close(self) -> None:
        """Close files and connections."""
        ...
