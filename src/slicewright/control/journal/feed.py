"""What happens, as short public events with ids that can be resumed from."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from slicewright.control.journal.records import Record
from slicewright.control.state.clock import pause
from slicewright.control.state.events import (
    Acknowledged,
    Adopted,
    Certified,
    Checkpoint,
    Decided,
    DecisionChanged,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    MethodChanged,
    NetworkSet,
    Rebalanced,
    Refused,
    Restored,
    Sent,
    SharesReported,
    TookOver,
)
from slicewright.control.state.events.city import CityBegan, CityChanged, CityProven
from slicewright.types import Document

KEPT = 4096
MOST_NAMED = 50
"""A public event names so many devices at most."""
_PUBLIC = {"decision-changed": "decided"}
"""Kinds that are called otherwise outside: how a decision is written down is nobody's concern there."""


@dataclass(frozen=True)
class PublicEvent:
    """One public event; ``id`` is the sequence of its journal record, so ids survive restarts."""

    id: int
    time_s: float
    kind: str
    data: Document


class CursorTooOldError(LookupError):
    """Events after the given id are no longer kept; read the present state and start from now."""

    def __init__(self, cursor: int, oldest: int) -> None:
        self.cursor, self.oldest = cursor, oldest
        super().__init__(f"events after {cursor} are gone; the oldest kept is {oldest}")


class Feed:
    """The newest events, and a way to wait for more. Slow readers cost nothing: each keeps only a number."""

    def __init__(self, kept: int = KEPT) -> None:
        self._items: deque[PublicEvent] = deque(maxlen=kept)
        self._news = asyncio.Event()
        self._newest = 0
        self.closed = False

    @property
    def newest(self) -> int:
        """Id of the newest event."""
        return self._newest

    def start_at(self, sequence: int) -> None:
        """Nothing up to here is kept (after a restart from a checkpoint)."""
        self._newest = max(self._newest, sequence)

    def start_over(self, sequence: int) -> None:
        """The journal has gone back: ids above this one come again, and stand for something else."""
        self._items.clear()
        self._newest = sequence

    def add(self, records: Iterable[Record]) -> None:
        """Publish journal records."""
        for record in records:
            if record.sequence > self._newest:
                self._newest = record.sequence
                data = summary(record.event)
                if data is not None:
                    kind = _PUBLIC.get(record.event.kind, record.event.kind)
                    self._items.append(PublicEvent(record.sequence, record.time_s, kind, data))
        news, self._news = self._news, asyncio.Event()
        news.set()

    def after(self, cursor: int) -> list[PublicEvent]:
        """Events with a greater id.

        Raises:
            CursorTooOldError: some of them are gone, or the id is from the future.
        """
        full = len(self._items) == self._items.maxlen
        oldest = self._items[0].id if self._items else self._newest + 1
        if cursor > self._newest or (full and cursor < oldest - 1):
            raise CursorTooOldError(cursor, oldest)
        return [item for item in self._items if item.id > cursor]

    async def wait(self, longest_s: float = 60.0) -> None:
        """Until something is added or the feed is closed, but no longer than so many s."""
        await pause(self._news, longest_s)

    def close(self) -> None:
        """Nothing more will come: readers may go."""
        self.closed = True
        self._news.set()


def _counts(event: Decided | DecisionChanged) -> Document:
    if isinstance(event, DecisionChanged):
        return {"offloaded": event.offloaded, "local": event.local}
    return {"offloaded": len(event.places), "local": len(event.reasons)}


def summary(event: Event) -> Document | None:
    """What the public event says; None for what is of no interest outside."""
    match event:
        case Decided() | DecisionChanged():
            return {
                "epoch": event.epoch,
                "method": event.method,
                "path": [f"{a.method}: {a.result}" for a in event.attempts],
                "cost_s": event.cost_s,
                "lower_bound_s": None if isinstance(event, DecisionChanged) else event.lower_bound_s,
                "gap": None if isinstance(event, DecisionChanged) else event.gap,
                **_counts(event),
                "changed": list(event.changed[:MOST_NAMED]),
                "changed_count": len(event.changed),
                "pinned": list(event.pinned),
                "duration_s": event.duration_s,
            }
        case Certified():
            return {"epoch": event.epoch, "lower_bound_s": event.lower_bound_s, "gap": event.gap}
        case DevicesAdmitted():
            if event.source == "manager" and not event.devices:
                return None
            named = [d.id for d in event.devices[:MOST_NAMED]]
            return {"devices": named, "count": len(event.devices), "source": event.source, "by": event.by}
        case DevicesRemoved():
            return {"devices": list(event.devices), "by": event.by}
        case NetworkSet():
            return {"nodes": len(event.document["nodes"]["names"]), "by": event.by}
        case Acknowledged():
            return {"slice": event.slice, "revision": event.revision}
        case Refused():
            return {"slice": event.slice, "revision": event.revision, "reason": event.reason}
        case Sent():
            return {"slice": event.slice, "revision": event.revision, "stage": event.stage}
        case Rebalanced():
            return {"slices": list(event.roots)}
        case SharesReported():
            told = {"path": event.path, "reason": event.reason, "cost_ratio": event.cost_ratio}
            return {"slice": event.slice, "revision": event.revision, **told}
        case MethodChanged():
            return {"action": event.action, "method": event.method, "reason": event.reason, "by": event.by}
        case TookOver():
            return {"instance": event.instance, "term": event.term}
        case Adopted():
            told = {"revision": event.grant.revision, "record": event.record}
            return {"slice": event.grant.slice, **told, "returned": list(event.returned[:MOST_NAMED])}
        case Restored():
            return {"lost": event.lost, "newest": event.newest, "hash": event.hash}
        case Checkpoint() | CityBegan() | CityChanged() | CityProven():
            return None
