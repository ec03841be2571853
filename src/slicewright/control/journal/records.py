"""The journal: an append-only, hash-chained list of events. It is the decision log and the only durable state."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import EVENT, Checkpoint, Event, Restored
from slicewright.control.state.fold import fold
from slicewright.control.state.state import OrchestratorState

GENESIS = "0" * 64
"""The hash before the first record."""
_HEAD = re.compile(r'\{"sequence": (\d+), "time_s": ([^,]{1,40}), "event": ')
_TAIL = re.compile(r', "previous": "([0-9a-f]{64})", "hash": "([0-9a-f]{64})"\}\s*\Z')
TAIL_LENGTH = 170
"""Characters at the end of a line that hold both hashes, and some more."""


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
        hash: SHA-256 of all of the above, with the event as it is written.
        text: the event as JSON, the very characters that were written. A later version may have written more than
            this one understands: that is kept and handed on, and the hash stays what it was.
    """

    sequence: int
    time_s: float
    event: Event
    previous: str
    hash: str
    text: str = field(repr=False)


def chained(previous: str, sequence: int, time_s: float, events: Sequence[Event]) -> list[Record]:
    """Records for events that follow a record with the given hash and sequence."""
    out: list[Record] = []
    for event in events:
        sequence += 1
        text = _written(event)
        digest = _digest(previous, sequence, time_s, text)
        out.append(Record(sequence, time_s, event, previous, digest, text))
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
        if not fits or not is_whole(record):
            raise BrokenChainError(
                f"record {record.sequence} of the journal does not follow from the one before"
            )
        before = record
        yield record


def is_whole(record: Record) -> bool:
    """Whether a record is as it was written: its hash says so."""
    return _digest(record.previous, record.sequence, record.time_s, record.text) == record.hash


def is_signed(line: str) -> bool:
    """Whether a line is as it was written, also where its event is none that this version knows."""
    head, tail = _HEAD.match(line), _TAIL.search(line, max(0, len(line) - TAIL_LENGTH))
    if head is None or tail is None:
        return False
    try:
        time_s = float(head[2])
    except ValueError:
        return False
    return _digest(tail[1], int(head[1]), time_s, line[head.end() : tail.start()]) == tail[2]


def _written(event: Event) -> str:
    return EVENT.dump_json(event, by_alias=True).decode()


def _digest(previous: str, sequence: int, time_s: float, text: str) -> str:
    head = f"{previous} {sequence} {time_s!r} "
    return hashlib.sha256(head.encode() + text.encode()).hexdigest()


def to_line(record: Record) -> str:
    """One JSON line."""
    head = json.dumps({"sequence": record.sequence, "time_s": record.time_s})
    return f'{head[:-1]}, "event": {record.text}, "previous": "{record.previous}", "hash": "{record.hash}"}}'


def from_line(line: str) -> Record:
    """Read one JSON line.

    Raises:
        BrokenChainError: it is not a record.
    """
    try:
        head, tail = _HEAD.match(line), _TAIL.search(line, max(0, len(line) - TAIL_LENGTH))
        if head is None or tail is None:
            return _from_other_line(line)
        text = line[head.end() : tail.start()]
        event = EVENT.validate_json(text)
        return Record(int(head[1]), float(head[2]), event, tail[1], tail[2], text)
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenChainError(f"not a record of a journal: {error}") from None


def sequence_of(line: str) -> int:
    """Sequence of a line's record, without reading the rest of it.

    Raises:
        BrokenChainError: it is not a record.
    """
    head = _HEAD.match(line)
    return from_line(line).sequence if head is None else int(head[1])


def hash_of(tail: str) -> str:
    """Hash of a record, from the end of its line (``TAIL_LENGTH`` characters are enough).

    Raises:
        BrokenChainError: it is not a record.
    """
    found = _TAIL.search(tail)
    if found is None:
        raise BrokenChainError("not a record of a journal: it does not end in two hashes")
    return found[2]


def _from_other_line(line: str) -> Record:
    """A line that some tool has written anew: its event counts as this version would write it."""
    document = json.loads(line)
    event = EVENT.validate_python(document["event"])
    numbers = int(document["sequence"]), float(document["time_s"])
    return Record(*numbers, event, str(document["previous"]), str(document["hash"]), _written(event))


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
            chain_starts = here.sequence == 0 and isinstance(record.event, Checkpoint | Restored)
            if not chain_starts and (record.previous != here.hash or record.sequence != here.sequence + 1):
                raise BrokenChainError(f"record {record.sequence} does not follow record {here.sequence}")
            here = Position(fold(here.state, record.event), record.sequence, record.hash)
        return here
