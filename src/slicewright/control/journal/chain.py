"""What of the things that were read is one chain, and what does not belong to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from slicewright.control.journal.records import BrokenChainError, Record, from_line, is_whole

logger = logging.getLogger(__name__)
REMEDY = "put a backup in its place with `slicewright journal restore`"
"""What is to be done about a journal that cannot be read further."""


class Chain:
    """Finds one chain in what comes piece by piece, and remembers its newest record only.

    Args:
        store: where the pieces are from, for the log.

    Attributes:
        newest: the last record that belongs to it; None before the first.
    """

    def __init__(self, store: str) -> None:
        self.newest: Record | None = None
        self._store = store
        self._unreadable = self._foreign = 0
        self._goes_on = False

    def take(self, batch: Sequence[Record] | None) -> Sequence[Record]:
        """What was appended together, if it follows; else nothing. None is what cannot be read."""
        if batch is None:
            self._unreadable += 1
            return ()
        if self.newest is not None and not _follows(batch[0], self.newest):
            self._foreign += 1
            self._goes_on |= batch[0].sequence > self.newest.sequence + 1
            return ()
        if self.newest is not None:
            self._report()
        self.newest = batch[-1]
        return batch

    def end(self) -> None:
        """Nothing more comes: say what was passed over.

        Raises:
            BrokenChainError: records follow on something that cannot be read: the chain has a hole.
        """
        if self._unreadable and self._goes_on:
            newest = 0 if self.newest is None else self.newest.sequence
            raise BrokenChainError(
                f"the record after {newest} in {self._store} is damaged, and others follow on it; {REMEDY}"
            )
        self._report()

    def _report(self) -> None:
        """What does not follow and is followed by nothing is somebody else's."""
        if self._unreadable or self._foreign:
            passed = f"{self._unreadable} unreadable and {self._foreign} foreign messages"
            logger.error("%s: passed over %s", self._store, passed)
        self._unreadable, self._foreign, self._goes_on = 0, 0, False


def one_chain(batches: Iterable[Sequence[Record] | None], *, store: str) -> list[Record]:
    """Records that follow from one another; what does not follow and is followed by nothing is somebody else's.

    Args:
        batches: what was appended together each time, in order; None where it cannot be read.
        store: where they are from, for the log.

    Returns:
        The chain, without what is foreign or damaged; that is said in the log.

    Raises:
        BrokenChainError: records follow on something that cannot be read: the chain has a hole.
    """
    chain = Chain(store)
    records = [record for batch in batches for record in chain.take(batch)]
    chain.end()
    return records


def one_line(line: str) -> list[Record] | None:
    """The record of a line, as a batch of its own; None where it cannot be read, or is not what was written."""
    try:
        record = from_line(line)
    except BrokenChainError:
        return None
    return [record] if is_whole(record) else None


def _follows(record: Record, before: Record) -> bool:
    return record.sequence == before.sequence + 1 and record.previous == before.hash
