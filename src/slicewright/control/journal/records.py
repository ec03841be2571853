"""The journal: an append-only, hash-chained list of events. It is the decision log and the only durable state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import EVENT, Checkpoint, Event
from slicewright.control.state.fold import fold
from slicewright.control.state.state import OrchestratorState
from slicewright.types import Document

GENESIS = "0" * 64
"""The hash before the first record."""


class BrokenChainError(ControlError):
    """A record was changed, removed or inserted after it was written."""


@dataclass(frozen=True)
class Record:
    """One event in the journal.

    Attributes:
        sequence: 1, 2, 3, ...
        time_s: s since 1970, wall clock of the writer.
        event: what happened.
        previous: hash of the record before.
        hash: SHA-256 of all of the above.
    """

    sequence: int
    time_s: float
    event: Event
    previous: str
    hash: str


def chained(previous: str, sequence: int, time_s: float, events: Sequence[Event]) -> list[Record]:
    """Records for events that follow a record with the given hash and sequence."""
    out: list[Record] = []
    for event in events:
        sequence += 1
        digest = _digest(previous, sequence, time_s, event)
        out.append(Record(sequence, time_s, event, previous, digest))
        previous = digest
    return out


def verify(records: Iterable[Record]) -> Iterator[Record]:
    """Pass records on while their chain holds; the first one may follow anything.

    Raises:
        BrokenChainError: names the first record that does not fit.
    """
    before: Record | None = None
    for record in records:
        fits = before is None or (record.previous == before.hash and record.sequence == before.sequence + 1)
        if not fits or _digest(record.previous, record.sequence, record.time_s, record.event) != record.hash:
            raise BrokenChainError(
                f"record {record.sequence} of the journal does not follow from the one before"
            )
        before = record
        yield record


def _digest(previous: str, sequence: int, time_s: float, event: Event) -> str:
    return hashlib.sha256(
        b"%s %d %r " % (previous.encode(), sequence, time_s) + EVENT.dump_json(event, by_alias=True)
    ).hexdigest()


def to_line(record: Record) -> str:
    """One JSON line."""
    event = EVENT.dump_json(record.event, by_alias=True).decode()
    head = json.dumps({"sequence": record.sequence, "time_s": record.time_s})
    return f'{head[:-1]}, "event": {event}, "previous": "{record.previous}", "hash": "{record.hash}"}}'


def from_line(line: str) -> Record:
    """Read one JSON line.

    Raises:
        BrokenChainError: it is not a record.
    """
    try:
        document: Document = json.loads(line)
        return Record(
            int(document["sequence"]),
            float(document["time_s"]),
            EVENT.validate_python(document["event"]),
            str(document["previous"]),
            str(document["hash"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenChainError(f"not a record of a journal: {error}") from None


@dataclass(frozen=True, eq=False)
class Position:
    """A state and the record it follows from.

    Attributes:
        state: fold of all records so far. sequence, hash: of the last one.
    """

    state: OrchestratorState
    sequence: int = 0
    hash: str = GENESIS

    def after(self, records: Iterable[Record]) -> Position:
        """The position after more records.

        Raises:
            BrokenChainError: they do not follow.
        """
        here = self
        for record in verify(records):
            chain_starts = here.sequence == 0 and isinstance(record.event, Checkpoint)
            if not chain_starts and (record.previous != here.hash or record.sequence != here.sequence + 1):
                raise BrokenChainError(f"record {record.sequence} does not follow record {here.sequence}")
            here = replace(
                here, state=fold(here.state, record.event), sequence=record.sequence, hash=record.hash
            )
        return here
