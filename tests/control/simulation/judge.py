"""What must hold after every step, whatever has happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from slicewright.control.journal.records import Position, Record
from slicewright.control.slice_manager.state import ManagerState, current_seats
from slicewright.control.state.device import FIRST_LIFE, Device
from slicewright.control.state.events import (
    Adopted,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    Restored,
    Sent,
    TookOver,
)
from slicewright.control.state.grants import Grant
from slicewright.control.state.state import OrchestratorState, dump
from tests.control.simulation.store import Process

SLACK = 1e-6
POISON = 666.0
"""Size of a task that was only ever measured in an earlier life of its device, bit."""
Value = float | None
"""What a device's request says, by the size of its task, bit; None if it is withdrawn."""


class BrokenPromiseError(AssertionError):
    """Something that must never happen has happened."""


@dataclass
class Judge:
    """Knows what was promised, sees every append and every change of shares.

    Attributes:
        allowed: device to what may be known of it: what was acknowledged last, and what nobody has an answer to.
        truth: fold of the records on disk.
        leader: process that took over last, as far as the records on disk tell; ``leader_at`` as below.
        fallback: state of a store that has lost its end, until somebody has taken over since.
        witnesses: processes that know all that was lost. losses: how often that happened.
        sizes: device and number of its admission to what that asked for.
        sent: grants on disk: slice, term, revision.
        poisoned: device to what it asked for in those lives that a poisoned measurement is of.
        lost_changes: devices that lost records were about, until somebody has taken over; then ``undone`` has them,
            until a client is answered: an older request of theirs may come back from a manager's seat, and is named.
        withdrawn: device to the newest admission before it was withdrawn, by the records on disk; ``withdrawn_at`` has
            it by the hash of the last record of each append. returned: how many are back from seats.
        known: hash of the last record of each append to the state there, also of those that were lost.
    """

    allowed: dict[str, set[Value]] = field(default_factory=dict)
    truth: Position = field(default_factory=lambda: Position(OrchestratorState()))
    leader: Process | None = None
    fallback: OrchestratorState | None = None
    witnesses: list[Process] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    holding: dict[str, ManagerState] = field(default_factory=dict)
    restored: int = 0
    losses: int = 0
    sizes: dict[tuple[str, int], float] = field(default_factory=dict)
    sizes_before_loss: dict[tuple[str, int], float] = field(default_factory=dict)
    poisoned: dict[str, set[float]] = field(default_factory=dict)
    sent: set[tuple[str, int, int]] = field(default_factory=set)
    known: dict[str, Position] = field(default_factory=dict)
    lost_changes: set[str] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)
    withdrawn: Mapping[str, int] = field(default_factory=dict)
    withdrawn_at: dict[str, Mapping[str, int]] = field(default_factory=dict)
    leader_at: dict[str, Process | None] = field(default_factory=dict)
    returned: int = 0

    def acknowledged(self, device: str, value: Value) -> None:
        """A client has been told so."""
        self.allowed[device] = {value}
        self.undone.discard(device)
        if self.fallback is None:
            self.nothing_is_lost(self.truth.state.devices)

    def in_doubt(self, device: str, value: Value) -> None:
        """A client has no answer: it may have happened, or happen yet."""
        self.allowed.setdefault(device, {None}).add(value)

    def appended(self, records: Sequence[Record], process: Process) -> None:
        """Records are on disk."""
        self.truth = self.truth.after(records)
        self.known[self.truth.hash] = self.truth
        if not isinstance(records[0].event, Restored | TookOver):
            self.witnesses = []  # whoever leads still has gone on from what is left: nobody may write over that
        for record in records:
            event = record.event
            if isinstance(event, Restored):
                self._restored(event)
            if isinstance(event, TookOver):
                self.leader = process
                self._take_over(process)
            if isinstance(event, Sent) and self.leader is not process:
                raise BrokenPromiseError(f"{process.name} sends a grant although {self.leader} leads")
            if isinstance(event, Sent):
                self.sent.add((event.slice, self.truth.state.term, event.revision))
            if isinstance(event, Adopted):
                self._adopted(event)
            self._note_sizes(event)
            self._note_withdrawn(event, self.truth.state)
            if isinstance(event, DevicesAdmitted) and event.key is not None:
                self.keys[event.key] = self.keys.get(event.key, 0) + 1
                if self.keys[event.key] > 1:
                    raise BrokenPromiseError(f"request {event.key} is applied twice")
        self.withdrawn_at[self.truth.hash], self.leader_at[self.truth.hash] = self.withdrawn, self.leader
        for name, device in self.truth.state.devices.items():
            if device.task_bits == POISON and self._asked_for(name) not in self.poisoned[name]:
                raise BrokenPromiseError(f"{name} has details of an earlier life")
        if self.fallback is None:
            self.nothing_is_lost(self.truth.state.devices)

    def _restored(self, event: Restored) -> None:
        """What is written down again was so once, and nothing else."""
        if event.hash not in self.known or event.state != dump(self.known[event.hash].state):
            raise BrokenPromiseError(f"record {event.newest} is restored as it never was")
        self.withdrawn = self.withdrawn_at[event.hash]

    def _adopted(self, event: Adopted) -> None:
        """A manager's seat brings back what is named, and only where records about it are lost."""
        for name in event.returned:
            seat = event.grant.seats[name]
            if seat.generation <= self.withdrawn.get(name, 0):
                raise BrokenPromiseError(f"{name} is back although the journal says that it was withdrawn")
            if name in self.undone:
                self.returned += 1
                size, allowed = seat.task_bits, self.allowed[name]
                self.allowed[name] = {size} if len(allowed) == 1 else {*allowed, size}

    def _note_withdrawn(self, event: Event, state: OrchestratorState) -> None:
        if isinstance(event, DevicesRemoved):
            newest = max(state.admissions, state.first_admission - 1)
            self.withdrawn = {**self.withdrawn, **dict.fromkeys(event.devices, newest)}

    def _note_sizes(self, event: Event) -> None:
        if isinstance(event, DevicesAdmitted) and event.generation:
            self.sizes.update({(device.id, event.generation): device.task_bits for device in event.devices})
        if isinstance(event, Adopted):
            seats = event.grant.seats
            self.sizes.update(
                {(name, seats[name].generation): seats[name].task_bits for name in event.returned}
            )
        if isinstance(event, Restored):
            self.sizes = dict(self.sizes_before_loss)

    def _asked_for(self, device: str) -> Value:
        """In its life of now."""
        return self.sizes.get((device, self.truth.state.lives.get(device, FIRST_LIFE).generation))

    def poison(self, device: str, generation: int) -> None:
        """A measurement of an admission is on its way, and another admission has followed."""
        size = self.sizes.get((device, generation))
        self.poisoned.setdefault(device, set()).update([] if size is None else [size])

    def _take_over(self, process: Process) -> None:
        """After a loss: who knew everything must have put it back, from anybody else it cannot be asked."""
        if self.fallback is None:
            return
        if process not in self.witnesses:
            self.undone |= self.lost_changes
            self._forgive(self.fallback)
            self._forgive(self.truth.state)  # it may have known a part of what was lost, and put that back
        self.fallback = None
        self.lost_changes = set()
        self.restored += process in self.witnesses

    def _forgive(self, state: OrchestratorState) -> None:
        for device, values in self.allowed.items():
            known = state.devices.get(device)
            generation = state.lives.get(device, FIRST_LIFE).generation
            values.add(None if known is None else self.sizes.get((device, generation), known.task_bits))

    def lost(
        self, records: Iterable[Record], witnesses: Collection[Process], *, gone: Iterable[Record]
    ) -> None:
        """The store has lost its end; these records are left, those are gone."""
        self.losses += 1
        left = list(records)
        if self.fallback is not None:
            self._forgive(self.fallback)
        before, self.truth = self.truth, self.known[left[-1].hash]
        self.withdrawn, self.leader = self.withdrawn_at[self.truth.hash], self.leader_at[self.truth.hash]
        self.lost_changes |= {device for record in gone for device in _about(record.event)}
        then, now = before.state.devices, self.truth.state.devices
        self.lost_changes |= {name for name in {*then, *now} if then.get(name) != now.get(name)}
        self.fallback, self.witnesses = self.truth.state, list(witnesses)
        self.keys = {}
        self.sizes_before_loss, self.sizes = self.sizes, {}
        for record in left:
            self._note_sizes(record.event)
            if isinstance(record.event, DevicesAdmitted) and record.event.key is not None:
                self.keys[record.event.key] = 1

    def nothing_is_lost(self, devices: Mapping[str, Device]) -> None:
        """What is known of each device was acknowledged last, or is in doubt."""
        for name, values in self.allowed.items():
            known = devices.get(name)
            value = None if known is None else known.task_bits
            if value == POISON:
                value = self._asked_for(name)
            if value not in values:
                raise BrokenPromiseError(f"{name} is {value}, acknowledged was {sorted(values, key=str)}")

    def published(self, grant: Grant) -> None:
        """A grant goes to its manager: by then it is on disk."""
        if grant.revision and (grant.slice, grant.term, grant.revision) not in self.sent:
            raise BrokenPromiseError(f"grant {grant.revision} of {grant.slice} goes out before it is on disk")

    def held(self, manager: ManagerState) -> None:
        """A manager changes: no share above one, no device twice, no queue beyond what was counted on."""
        before = self.holding.get(manager.slice)
        if before is not None and manager.grant.order < before.grant.order:
            raise BrokenPromiseError(
                f"{manager.slice} goes back from grant {before.grant.order} to {manager.grant.order}"
            )
        self.holding[manager.slice] = manager
        managers = list(self.holding.values())
        served = [device for m in managers for device in m.allocation.radio]
        if len(served) != len(set(served)):
            raise BrokenPromiseError("a device is served by two slices")
        points = {point for m in managers for point in m.grant.bandwidth}
        for point in points:
            total = sum(m.grant.bandwidth.get(point, 0.0) for m in managers)
            if total > 1 + SLACK:
                raise BrokenPromiseError(f"{total:.3f} of access point {point} is given away")
        for one in managers:
            for node, bound in one.grant.others_hz.items():
                brought = sum(m.grant.arrivals_hz.get(node, 0.0) for m in managers if m is not one)
                if brought > bound * (1 + SLACK) + SLACK:
                    raise BrokenPromiseError(
                        f"{brought:.3f}/s come to {node}, slice {one.slice} counts on {bound:.3f}"
                    )
        for name, seat in current_seats(manager).items():
            granted = manager.grant.seats[name].task_bits
            if seat.task_bits == POISON != granted and granted not in self.poisoned[name]:
                raise BrokenPromiseError(f"the seat of {name} has details of an earlier life")


def _about(event: Event) -> Collection[str]:
    """Devices that an event says something of."""
    match event:
        case DevicesAdmitted():
            return [device.id for device in event.devices]
        case DevicesRemoved():
            return event.devices
        case Adopted():
            return event.returned
    return ()
