"""When each slice was heard of, sent to and refused: who can be changed now, and who is planned around."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slicewright.control.slice_manager.state import Status
from slicewright.control.state.clock import Clock
from slicewright.control.state.grants import Book
from slicewright.control.state.options import Options


class Standing:
    """Times of one leader's term; a new term starts with everybody in good standing.

    Args:
        clock: time.
        options: how long is too long.
        books: accounts of the slices at the start of the term.
    """

    def __init__(self, clock: Clock, options: Options, books: Mapping[str, Book]) -> None:
        self._clock, self._options = clock, options
        now = clock.monotonic()
        self._heard_s = dict.fromkeys(books, now)
        self._sent_s = {name: now for name, book in books.items() if book.sent is not None}
        self._published_s: dict[str, float] = {}
        self._refused_s: dict[str, float] = {}

    def heard(self, name: str) -> None:
        """A manager has sent a new status."""
        self._heard_s[name] = self._clock.monotonic()

    def sent(self, name: str) -> None:
        """A new grant is on its way."""
        self._sent_s[name] = self._clock.monotonic()

    def published(self, name: str) -> None:
        """The newest grant was put where the manager watches, perhaps again."""
        self._published_s[name] = self._clock.monotonic()

    def quiet(self) -> list[str]:
        """Slices without a new status for two heartbeats."""
        now = self._clock.monotonic()
        return [n for n, at in self._heard_s.items() if now - at > 2 * self._options.heartbeat_s]

    def away(self, books: Mapping[str, Book]) -> set[str]:
        """Slices that cannot be changed now: silent, late with an answer, or shortly after a refusal."""
        now = self._clock.monotonic()
        out: set[str] = set()
        for name, book in books.items():
            silent = now - self._heard_s.setdefault(name, now) > self._options.away_after_s
            late = book.sent is not None and now - self._sent_s.get(name, now) > self._options.ack_timeout_s
            if book.refusal is None:
                self._refused_s.pop(name, None)
            refused = self._refused_s.setdefault(name, now) if book.refusal is not None else -1e9
            unwilling = book.refusal is not None and now - refused < self._options.refusal_retry_s
            if silent or late or unwilling:
                out.add(name)
        return out

    def without_newest(self, books: Mapping[str, Book], statuses: Mapping[str, Status]) -> Iterable[str]:
        """Slices whose manager has said that it knows nothing of the newest grant, some time after it was put."""
        now = self._clock.monotonic()
        for name, book in books.items():
            status = statuses.get(name)
            newest = (book.sent or book.held).revision
            missing = status is not None and max(status.applied, status.refused or 0) < newest
            if missing and now - self._published_s.get(name, 0.0) > self._options.ack_timeout_s:
                yield name
