"""What a process remembers of the journal, so that a journal that has gone back in time is noticed and made good."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from slicewright.control.journal.records import Position, Record
from slicewright.control.state.events import Restored
from slicewright.control.state.state import dump

KEPT_HASHES = 50_000


@dataclass(frozen=True)
class Setback:
    """The journal no longer has what this process read or wrote in it.

    Attributes:
        known: where this process was. found: where the journal is.
        ours: the journal ends in our own past: what is gone is known here, and nobody else has written since.
    """

    known: Position
    found: Position
    ours: bool

    @property
    def gone(self) -> tuple[str, ...]:
        """Devices that this process knows of and the journal does not."""
        return tuple(d for d in self.known.state.devices if d not in self.found.state.devices)

    @property
    def others(self) -> tuple[str, ...]:
        """Devices that the journal knows of and this process does not: withdrawn here, or admitted there."""
        return tuple(d for d in self.found.state.devices if d not in self.known.state.devices)

    @property
    def sentence(self) -> str:
        """What has happened."""
        if self.ours:
            first, last = self.found.sequence + 1, self.known.sequence
            return f"the journal has lost its records {first} to {last}"
        return (
            f"the journal has another past than record {self.known.sequence} that was read from it;"
            f" {len(self.gone)} devices are gone with it"
        )

    @property
    def remedy(self) -> Restored:
        """What puts all of it back."""
        lost = self.known.sequence - self.found.sequence
        return Restored(dump(self.known.state), lost, self.known.sequence, self.known.hash)


class Hashes:
    """Hashes of the newest records."""

    def __init__(self, kept: int = KEPT_HASHES) -> None:
        self._hashes: deque[tuple[int, str, float]] = deque(maxlen=kept)

    def add(self, records: Iterable[Record]) -> None:
        """These have been read or written."""
        self._hashes.extend((record.sequence, record.hash, record.time_s) for record in records)

    def forget(self) -> None:
        """Another past counts from here on."""
        self._hashes.clear()

    def is_our_past(self, found: Position, written_s: float, *, term: int) -> bool:
        """Whether the journal was there once.

        Args:
            found: where it is. written_s: when its newest record was written, s since 1970.
            term: of what is known here. What is older than all hashes that are kept counts as ours if it was written
                before them, and not in a later term: whoever has led since then and gone on from there has begun one.
        """
        if not self._hashes:
            return False
        sequence, _, oldest_s = self._hashes[0]
        if found.sequence < sequence:
            return written_s <= oldest_s and found.state.term <= term
        return any(one[:2] == (found.sequence, found.hash) for one in self._hashes)

    def setback(self, known: Position, found: Position, written_s: float) -> Setback:
        """What it means that the journal is somewhere else than where this process has seen it."""
        ours = found.sequence < known.sequence
        return Setback(known, found, ours and self.is_our_past(found, written_s, term=known.state.term))
