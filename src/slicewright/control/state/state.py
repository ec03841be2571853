"""The orchestrator's state: a value, and how each event changes it. No clocks, no files, no sockets."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from slicewright.control.state.device import Device
from slicewright.control.state.events import (
    Acknowledged,
    Certified,
    Checkpoint,
    Decided,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    MethodChanged,
    NetworkSet,
    Rebalanced,
    Refused,
    Sent,
    Shared,
    TookOver,
)
from slicewright.control.state.grants import Book, Grant, Place, next_grants, release
from slicewright.control.state.network import Network
from slicewright.control.state.reasons import Reason
from slicewright.control.state.situation import Pin, Situation, as_known
from slicewright.errors import SlicewrightError

REMEMBERED_KEYS = 10_000
"""So many Idempotency-Keys are remembered, the oldest forgotten first."""


@dataclass(frozen=True)
class Remembered:
    """What an Idempotency-Key stood for."""

    request_digest: str
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Methods:
    """Who decides: the active method, the one before it, and one on trial.

    Attributes:
        active: decides. previous: to roll back to. canary: decides on shadow traffic, without effect.
    """

    active: str = "auto"
    previous: str | None = None
    canary: str | None = None


@dataclass(frozen=True, eq=False)
class State:
    """Everything the orchestrator knows.

    Attributes:
        network: None until the first one is set.
        network_revision: rises with every replacement.
        devices: id to request, in order of admission.
        books: slice to its account.
        places, reasons: of the last decision.
        epoch: number of the last decision.
        revision: of the last grant sent.
        methods: who decides.
        keys: Idempotency-Keys, oldest first.
        leader: instance that leads.
        dirty: something changed since the last decision.
        last: the last decision.
        shared: slice to how its manager shared, for managers with a learned model.
    """

    network: Network | None = None
    network_revision: int = 0
    devices: Mapping[str, Device] = field(default_factory=dict)
    books: Mapping[str, Book] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    epoch: int = 0
    revision: int = 0
    methods: Methods = Methods()
    keys: Mapping[str, Remembered] = field(default_factory=dict)
    leader: str = ""
    dirty: bool = False
    last: Decided | None = None
    shared: Mapping[str, Shared] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether every slice is known to hold its target."""
        return all(book.settled for book in self.books.values())

    def situation(self, pinned: Collection[str] = ()) -> Situation:
        """What there is to decide when some slices cannot be changed.

        Raises:
            ControlError: there is no network yet.
        """
        if self.network is None:
            raise ControlError("there is no network yet")
        pins = tuple(Pin.of(self.books[name]) for name in self.books if name in pinned)
        return Situation(self.network, as_known(self.devices, (pin.held for pin in pins)), pins)


class ControlError(SlicewrightError):
    """The control plane cannot do what was asked."""


def fold(state: State, event: Event) -> State:
    """The state after an event.

    Raises:
        ControlError: the event does not fit the state: the journal is not one of ours.
    """
    match event:
        case NetworkSet():
            return _with_network(state, event)
        case DevicesAdmitted():
            devices = {**state.devices, **{d.id: d for d in event.devices}}
            return replace(state, devices=devices, keys=_with_key(state.keys, event), dirty=True)
        case DevicesRemoved():
            kept = {name: d for name, d in state.devices.items() if name not in event.devices}
            return replace(state, devices=kept, dirty=True)
        case Decided():
            return _with_decision(state, event)
        case Certified():
            return _with_certificate(state, event)
        case Rebalanced():
            return replace(state, books=_rebalanced(state.books, event.roots))
        case Sent() | Acknowledged() | Refused():
            return _with_message(state, event)
        case Shared():
            return replace(state, shared={**state.shared, event.slice: event})
        case MethodChanged():
            return replace(state, methods=_with_method(state.methods, event))
        case TookOver():
            return replace(state, leader=event.instance, dirty=True)
        case Checkpoint():
            return load(event.state)


def sends(state: State, away: Collection[str] = ()) -> list[Sent]:
    """The grants that may be published now, as events; :func:`grant_of` gives their contents after folding."""
    waiting = {name for name, book in state.books.items() if book.refusal is not None}
    found = next_grants(state.books, {*away, *waiting})
    return [Sent(grant.slice, state.revision + 1 + k, stage) for k, (grant, stage) in enumerate(found)]


def _with_network(state: State, event: NetworkSet) -> State:
    network = Network.from_document(event.document)
    books = {}
    for name in (*network.slice_names, *state.books):
        empty = Grant(slice=name, queueing=network.queueing)
        book = state.books.get(name, Book(held=empty, target=empty))
        gone = name not in network.slice_names
        if not gone or book.possible != (empty,):
            books[name] = replace(book, target=empty) if gone else book
    return replace(
        state, network=network, network_revision=state.network_revision + 1, books=books, dirty=True
    )


def _with_key(keys: Mapping[str, Remembered], event: DevicesAdmitted) -> Mapping[str, Remembered]:
    if event.key is None:
        return keys
    remembered = Remembered(event.request_digest or "", tuple(d.id for d in event.devices))
    merged = {**keys, event.key: remembered}
    for oldest in list(merged)[: max(0, len(merged) - REMEMBERED_KEYS)]:
        del merged[oldest]
    return merged


def _with_decision(state: State, event: Decided) -> State:
    books = {}
    for name, book in state.books.items():
        if name in event.targets:
            books[name] = replace(book, target=event.targets[name], refusal=None)
        elif name in event.pinned:
            # The others were planned around all that this slice may hold: it must not be sent anything older.
            books[name] = replace(book, target=book.sent or book.held)
        else:
            books[name] = replace(book, refusal=None)
    return replace(
        state,
        books=books,
        places=event.places,
        reasons=event.reasons,
        epoch=event.epoch,
        dirty=False,
        last=event,
    )


def _with_certificate(state: State, event: Certified) -> State:
    if state.last is None or state.last.epoch != event.epoch:
        return state
    return replace(state, last=replace(state.last, lower_bound_s=event.lower_bound_s, gap=event.gap))


def _rebalanced(books: Mapping[str, Book], roots: Mapping[str, Mapping[str, float]]) -> Mapping[str, Book]:
    """Omega in proportion to the reported sums (SP2), among the slices that reported; the rest keep theirs."""
    points = sorted({a for by_point in roots.values() for a in by_point})
    bandwidth = {name: dict(books[name].target.bandwidth) for name in roots if name in books}
    for a in points:
        shares = {name: roots[name].get(a, 0.0) for name in bandwidth if a in bandwidth[name]}
        total = math.fsum(shares.values())
        available = math.fsum(bandwidth[name][a] for name in shares)
        if total > 0 and all(share > 0 for share in shares.values()):
            for name, share in shares.items():
                bandwidth[name][a] = available * share / total
    return {
        name: replace(book, target=replace(book.target, bandwidth=bandwidth[name]))
        if name in bandwidth
        else book
        for name, book in books.items()
    }


def _with_message(state: State, event: Sent | Acknowledged | Refused) -> State:
    book = state.books.get(event.slice)
    if book is None:
        raise ControlError(f"the journal names slice {event.slice!r}, which does not exist")
    if isinstance(event, Sent):
        terms = book.target if event.stage == "target" else release(book.held, book.target)
        changed = replace(book, sent=replace(terms, revision=event.revision))
        revision = max(state.revision, event.revision)
        return replace(state, books={**state.books, event.slice: changed}, revision=revision)
    if book.sent is None or book.sent.revision != event.revision:
        return state
    if isinstance(event, Acknowledged):
        changed = Book(held=book.sent, target=book.target)
    else:
        changed = replace(book, sent=None, refusal=event.reason)
    return replace(state, books={**state.books, event.slice: changed})


def _with_method(methods: Methods, event: MethodChanged) -> Methods:
    match event.action:
        case "canary":
            return replace(methods, canary=event.method)
        case "drop-canary":
            return replace(methods, canary=None)
        case "switch":
            canary = None if methods.canary == event.method else methods.canary
            return Methods(event.method, methods.active, canary)
        case "roll-back":
            return Methods(event.method, None, methods.canary)


@dataclass(frozen=True)
class _Saved:
    """A state as a document."""

    network: dict[str, Any] | None
    network_revision: int
    devices: dict[str, Device]
    books: dict[str, Book]
    places: dict[str, Place]
    reasons: dict[str, Reason]
    epoch: int
    revision: int
    methods: Methods
    keys: dict[str, Remembered]
    leader: str
    dirty: bool
    last: Decided | None
    shared: dict[str, Shared] = field(default_factory=dict)


_SAVED: TypeAdapter[_Saved] = TypeAdapter(_Saved)


def dump(state: State) -> dict[str, Any]:
    """The state as a document, for checkpoints."""
    network = None if state.network is None else state.network.document
    names = [name for name in _Saved.__dataclass_fields__ if name != "network"]
    saved = _Saved(network=network, **{name: getattr(state, name) for name in names})
    document: dict[str, Any] = _SAVED.dump_python(saved, mode="json")
    return document


def load(document: Mapping[str, Any]) -> State:
    """The state of a checkpoint."""
    saved = _SAVED.validate_python(dict(document))
    network = None if saved.network is None else Network.from_document(saved.network)
    values = {name: getattr(saved, name) for name in _Saved.__dataclass_fields__ if name != "network"}
    return State(network=network, **values)
