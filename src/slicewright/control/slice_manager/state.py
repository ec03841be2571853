"""A slice manager: a value, and how grants and measurements change it. No clocks, no files, no sockets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from slicewright.control.messages.details import Details
from slicewright.control.messages.measurement import Measurement, measured_seat
from slicewright.control.messages.sharing import Sharing
from slicewright.control.messages.status import Status
from slicewright.control.sharing.allocation import Allocation, allocate
from slicewright.control.sharing.rules import CLOSED_FORM, NoAdviceError, ShareRule
from slicewright.control.state.grants import SLACK, Grant, Seat


@dataclass(frozen=True)
class ManagerState:
    """What one manager knows and does.

    Attributes:
        slice: name.
        grant: the last good one.
        measured: newest measurement of each device it was told of, where it is newer than the grant.
        allocation: shares in use.
        generation: rises with every change of them.
        refused, reason: newest refused revision and why. refused_term: its term.
        rule: how to share. details: what it needs for that. sharing: what came of it.
    """

    slice: str
    grant: Grant
    measured: Mapping[str, Measurement] = field(default_factory=dict)
    allocation: Allocation = field(default_factory=lambda: Allocation({}, {}, {}))
    generation: int = 0
    refused: int | None = None
    reason: str = ""
    rule: ShareRule = CLOSED_FORM
    details: Details | None = None
    refused_term: int = 0
    sharing: Sharing = field(default_factory=Sharing)

    @classmethod
    def fresh(cls, name: str, *, rule: ShareRule = CLOSED_FORM) -> ManagerState:
        """A manager that holds nothing yet."""
        return cls(name, Grant(slice=name), rule=rule)

    @classmethod
    def resumed(cls, status: Status, *, rule: ShareRule = CLOSED_FORM) -> ManagerState:
        """A manager that goes on where the last status left off."""
        manager = cls(
            status.slice,
            status.held,
            dict(status.measured),
            generation=status.generation,
            refused=status.refused,
            reason=status.reason,
            rule=rule,
            refused_term=status.refused_term,
        )
        return _reshared(manager)


class Taken(NamedTuple):
    """What a message makes of a manager.

    Attributes:
        state: afterwards. report: whether the orchestrator is to be told.
    """

    state: ManagerState
    report: bool


def take(manager: ManagerState, message: Grant | Details | Measurement) -> Taken:
    """Take a message in.

    A grant is answered even if it changes nothing: the answer of the first time may be lost.
    """
    match message:
        case Grant():
            return Taken(receive(manager, message), report=True)
        case Details():
            after = inform(manager, message)
        case Measurement():
            after = measure(manager, message)
    return Taken(after, report=after is not manager)


def receive(manager: ManagerState, grant: Grant) -> ManagerState:
    """Apply a newer grant, or refuse it and keep the last good one; older and repeated ones change nothing."""
    newest = max(manager.grant.order, (manager.refused_term, manager.refused or 0))
    if grant.order <= newest:
        return manager
    problem = fault(manager.slice, grant)
    if problem:
        return replace(
            manager,
            refused=grant.revision,
            refused_term=grant.term,
            reason=problem,
            generation=manager.generation + 1,
        )
    seats = grant.seats
    measured = {d: m for d, m in manager.measured.items() if d in seats and m.follows(seats[d].life)}
    return _reshared(replace(manager, grant=grant, measured=measured, refused=None, reason=""))


def measure(manager: ManagerState, measurement: Measurement) -> ManagerState:
    """Take note of a measurement and share anew within the grant."""
    seat, known = manager.grant.seats.get(measurement.device), manager.measured.get(measurement.device)
    if seat is None or not measurement.follows(seat.life):
        return manager
    if known is not None and not measurement.follows(known.life):
        return manager
    measured = {**manager.measured, measurement.device: measurement}
    return _reshared(replace(manager, measured=measured))


def inform(manager: ManagerState, details: Details) -> ManagerState:
    """Take note of what a learned rule needs to know, and share anew."""
    if details == manager.details:
        return manager
    return _reshared(replace(manager, details=details))


def status_of(manager: ManagerState, instance: str, *, life: int = 0, beat: int = 0) -> Status:
    """What the manager tells the orchestrator."""
    roots: dict[str, float] = {}
    seats = current_seats(manager)
    for device in manager.allocation.radio:
        seat = seats[device]
        roots[seat.access_point] = roots.get(seat.access_point, 0.0) + math.sqrt(seat.transmission_s)
    return Status(
        slice=manager.slice,
        instance=instance,
        generation=manager.generation,
        applied=manager.grant.revision,
        refused=manager.refused,
        reason=manager.reason,
        held=manager.grant,
        radio=manager.allocation.radio,
        compute=manager.allocation.compute,
        local=manager.allocation.local,
        roots=roots,
        measured=manager.measured,
        rule=manager.rule.name,
        sharing=manager.sharing,
        refused_term=manager.refused_term,
        life=life,
        beat=beat,
    )


def fault(name: str, grant: Grant) -> str:
    """Why a grant cannot be applied, in one sentence; empty if it can."""
    if grant.slice != name:
        return f"the grant is for slice {grant.slice!r}"
    for point, omega in grant.bandwidth.items():
        if not 0 <= omega <= 1 + SLACK:
            return f"the share of access point {point!r} is {omega:.6g}, outside 0 to 1 (13d, 13f)"
    for device, seat in grant.seats.items():
        if seat.node not in grant.capacity_hz or grant.capacity_hz[seat.node] <= 0:
            return f"device {device!r} sits on node {seat.node!r}, which has no capacity in the slice"
        if grant.queueing == "node" and seat.node not in grant.others_hz:
            return f"the arrivals of other slices on node {seat.node!r} are missing (13c)"
        positive = (
            0 < seat.task_bits < math.inf
            and 0 < seat.cycles < math.inf
            and 0 < seat.local_time_s < math.inf
            and 0 < seat.arrival_hz < math.inf
        )
        if not positive:
            return f"device {device!r} has a size, time or rate that is not positive"
    return ""


def current_seats(manager: ManagerState) -> dict[str, Seat]:
    """Seats of the grant with the newest details; departed devices left out."""
    seats: dict[str, Seat] = {}
    for device, seat in manager.grant.seats.items():
        newer = manager.measured.get(device)
        if newer is None or newer.generation != seat.generation:  # of a life that the grant is yet to tell of
            seats[device] = seat
        elif not newer.departed:
            seats[device] = measured_seat(seat, newer)
    return seats


def _reshared(manager: ManagerState) -> ManagerState:
    allocation, sharing = _shared(manager)
    return replace(manager, allocation=allocation, sharing=sharing, generation=manager.generation + 1)


def _shared(manager: ManagerState) -> tuple[Allocation, Sharing]:
    """Ask the rule; the closed form answers where it does not, or breaks a constraint."""
    seats = current_seats(manager)
    exact = allocate(manager.grant, seats)
    try:
        advice = manager.rule.advise(seats, manager.details)
    except NoAdviceError as error:
        return exact, Sharing(reason=str(error))
    if advice is None:
        return exact, Sharing()
    advised = allocate(manager.grant, seats, advice=advice)
    reason = "; ".join(advised.overruled)
    if not advised.advised:
        return exact, Sharing(reason=reason)
    ratio = _times_s(manager.grant, seats, advised) / _times_s(manager.grant, seats, exact)
    return advised, Sharing(manager.rule.name, reason, ratio)


def _times_s(grant: Grant, seats: Mapping[str, Seat], shares: Allocation) -> float:
    """Sum of transmission and execution times of a slice's devices (1, 5), s."""
    arrivals: dict[str, float] = {}
    for device in shares.compute:
        node = seats[device].node
        arrivals[node] = arrivals.get(node, grant.others_hz.get(node, 0.0)) + seats[device].arrival_hz
    total = 0.0
    for device, phi in shares.compute.items():
        seat = seats[device]
        queue = arrivals[seat.node] if grant.queueing == "node" else seat.arrival_hz
        total += seat.transmission_s / (grant.bandwidth[seat.access_point] * shares.radio[device])
        total += 1.0 / (phi * grant.capacity_hz[seat.node] / seat.cycles - queue)
    return total
