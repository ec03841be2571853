"""What the managers have said, and when this process heard it."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from slicewright.control.messages.status import STATUS, Status
from slicewright.control.transport.base import Entry

logger = logging.getLogger(__name__)


class Hearing:
    """The newest status of every slice.

    Attributes:
        statuses: by slice.
        heard_s: s of the monotonic clock when each was heard, without what may have lain there since an earlier term.
    """

    def __init__(self) -> None:
        self.statuses: dict[str, Status] = {}
        self.heard_s: dict[str, float] = {}
        self._revision: dict[str, int] = {}
        self._met: set[str] = set()

    def begin_term(self) -> None:
        """Whoever is heard of from now on has to be met anew."""
        self._met.clear()

    def take_in(self, entry: Entry, now_s: float) -> bool:
        """One status; False if it cannot be read, was overtaken on its way or comes again."""
        try:
            status = STATUS.validate_json(entry.value)
        except ValidationError as error:
            logger.error("%s is not readable: %s", entry.key, error)
            return False
        known = self.statuses.get(status.slice)
        if known is not None and not self.is_newer(status, entry.revision, known):
            return False
        self._revision[status.slice] = entry.revision
        self.statuses[status.slice] = status
        if status.slice in self._met or not status.life:
            self.heard_s[status.slice] = now_s
        self._met.add(status.slice)  # the first one of a term may have lain there for long
        return True

    def is_newer(self, status: Status, revision: int, known: Status) -> bool:
        """By what managers say of themselves; by the transport, which may go back in time, only if they say nothing."""
        if status.life or known.life:
            return (status.life, status.beat) > (known.life, known.beat)
        return revision > self._revision.get(status.slice, 0)
