"""What of the things that were read is one chain, and what does not belong to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from slicewright.control.journal.records import BrokenChainError, Record

logger = logging.getLogger(__name__)


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
    chain: list[Record] = []
    aside: list[Sequence[Record] | None] = []
    for batch in batches:
        if batch is None or (chain and not _follows(batch[0], chain[-1])):
            aside.append(batch)
            continue
        if chain:
            _report(aside, store)
            aside = []
        chain.extend(batch)
    newest = chain[-1].sequence if chain else 0
    if None in aside and any(batch and batch[0].sequence > newest + 1 for batch in aside):
        raise BrokenChainError(f"the record after {newest} in {store} is damaged, and others follow on it")
    _report(aside, store)
    return chain


def _follows(record: Record, before: Record) -> bool:
    return record.sequence == before.sequence + 1 and record.previous == before.hash


def _report(aside: Sequence[Sequence[Record] | None], store: str) -> None:
    if aside:
        damaged = sum(batch is None for batch in aside)
        others = len(aside) - damaged
        logger.error("%s: passed over %d unreadable and %d foreign messages", store, damaged, others)
