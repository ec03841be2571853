"""A slice manager: a value, and how grants and measurements change it. No clocks, no files, no sockets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

from slicewright.control.messages.details import Details
from slicewright.control.sharing.allocation import Allocation, allocate
from slicewright.control.sharing.rules import CLOSED_FORM, CLOSED_FORM_NAME, NoAdviceError, ShareRule
from slicewright.control.state.device import Bits, BitsPerSecond, DeviceId, PerSecond, PlaceName
from slicewright.control.state.grants import SLACK, Grant, Seat
from slicewright.control.state.reasons import Reason


@dataclass(frozen=True)
class Measurement:
    """What a device or its access point noticed since the request; newer counters win, late ones are ignored.

    Attributes:
        device: id.
        counter: rises with every measurement of the device.
        task_bits: bit; cycles are taken to change in proportion.
        arrival_rate_hz: 1/s.
        rate_bps: access point to bit/s.
        departed: the device is gone.
    """

    device: DeviceId
    counter: int
    task_bits: Bits | None = None
    arrival_rate_hz: PerSecond | None = None
    rate_bps: Mapping[PlaceName, BitsPerSecond] | None = None
    departed: bool = False


MEASUREMENT: TypeAdapter[Measurement] = TypeAdapter(Measurement)


@dataclass(frozen=True)
class Sharing:
    """How the shares in use came about.

    Attributes:
        path: the rule whose answer is used, on at least one resource.
        reason: why the closed form answered instead, wholly or on some resources; empty if nothing was overruled.
        cost_ratio: sum of the slice's offloaded times over that of the closed form; 1 on its own path.
    """

    path: str = CLOSED_FORM_NAME
    reason: str = ""
    cost_ratio: float = 1.0


@dataclass(frozen=True)
class Status:
    """What a manager tells the orchestrator; each one replaces the one before.

    Attributes:
        slice, instance: who speaks.
        generation: rises with every change of shares.
        applied: revision that it applies.
        refused: newest revision that it did not accept, with the reason; None when it accepted the newest.
        held: the grant it applies, so that a successor can go on from it.
        radio, compute: device to share as used now.
        home: device to the reason why its seat is not used.
        roots: access point to the sum of sqrt(T_ia), sqrt(s): what SP2 needs.
        measured: newest measurement of each device of the slice.
        rule: how it is to share (SP1). sharing: how it did.
    """

    slice: str
    instance: str
    generation: int
    applied: int
    refused: int | None
    reason: str
    held: Grant
    radio: Mapping[str, float]
    compute: Mapping[str, float]
    home: Mapping[str, Reason]
    roots: Mapping[str, float]
    measured: Mapping[str, Measurement]
    rule: str
    sharing: Sharing = Sharing()

    @property
    def as_granted(self) -> bool:
        """Whether the shares are for the details in the grant, not for newer measurements."""
        return all(
            device in self.held.seats
            and not newest.departed
            and measured_seat(self.held.seats[device], newest) == self.held.seats[device]
            for device, newest in self.measured.items()
        )


STATUS: TypeAdapter[Status] = TypeAdapter(Status)


@dataclass(frozen=True)
class Manager:
    """State of one manager.

    Attributes:
        slice: name.
        grant: the last good one.
        measured: newest measurement of each device it was told of.
        allocation: shares in use.
        generation: rises with every change of them.
        refused, reason: newest refused revision and why.
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
    sharing: Sharing = Sharing()

    @classmethod
    def fresh(cls, name: str, *, rule: ShareRule = CLOSED_FORM) -> Manager:
        """A manager that holds nothing yet."""
        return cls(name, Grant(slice=name), rule=rule)

    @classmethod
    def resumed(cls, status: Status, *, rule: ShareRule = CLOSED_FORM) -> Manager:
        """A manager that goes on where the last status left off."""
        manager = cls(
            status.slice,
            status.held,
            dict(status.measured),
            generation=status.generation,
            refused=status.refused,
            reason=status.reason,
            rule=rule,
        )
        return _reshared(manager)


def receive(manager: Manager, grant: Grant) -> Manager:
    """Apply a newer grant, or refuse it and keep the last good one; older and repeated ones change nothing."""
    newest = max(manager.grant.revision, manager.refused or 0)
    if grant.revision <= newest:
        return manager
    problem = fault(manager.slice, grant)
    if problem:
        return replace(manager, refused=grant.revision, reason=problem, generation=manager.generation + 1)
    measured = {d: m for d, m in manager.measured.items() if d in grant.seats}
    return _reshared(replace(manager, grant=grant, measured=measured, refused=None, reason=""))


def measure(manager: Manager, measurement: Measurement) -> Manager:
    """Take note of a measurement and share anew within the grant."""
    known = manager.measured.get(measurement.device)
    if measurement.device not in manager.grant.seats:
        return manager
    if known is not None and known.counter >= measurement.counter:
        return manager
    measured = {**manager.measured, measurement.device: measurement}
    return _reshared(replace(manager, measured=measured))


def inform(manager: Manager, details: Details) -> Manager:
    """Take note of what a learned rule needs to know, and share anew."""
    if details == manager.details:
        return manager
    return _reshared(replace(manager, details=details))


def status_of(manager: Manager, instance: str) -> Status:
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
        home=manager.allocation.home,
        roots=roots,
        measured=manager.measured,
        rule=manager.rule.name,
        sharing=manager.sharing,
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
        numbers = (seat.task_bits, seat.cycles, seat.local_time_s, seat.arrival_hz)
        if not all(math.isfinite(x) and x > 0 for x in numbers):
            return f"device {device!r} has a size, time or rate that is not positive"
    return ""


def current_seats(manager: Manager) -> dict[str, Seat]:
    """Seats of the grant with the newest details; departed devices left out."""
    seats: dict[str, Seat] = {}
    for device, seat in manager.grant.seats.items():
        newer = manager.measured.get(device)
        if newer is None:
            seats[device] = seat
        elif not newer.departed:
            seats[device] = measured_seat(seat, newer)
    return seats


def measured_seat(seat: Seat, newer: Measurement) -> Seat:
    """A seat with what was measured since it was granted."""
    scale = 1.0 if newer.task_bits is None else newer.task_bits / seat.task_bits
    rate = seat.rate_bps if newer.rate_bps is None else newer.rate_bps.get(seat.access_point, seat.rate_bps)
    return replace(
        seat,
        task_bits=seat.task_bits * scale,
        cycles=seat.cycles * scale,
        local_time_s=seat.local_time_s * scale,
        rate_bps=rate,
        arrival_hz=seat.arrival_hz if newer.arrival_rate_hz is None else newer.arrival_rate_hz,
    )


def _reshared(manager: Manager) -> Manager:
    allocation, sharing = _shared(manager)
    return replace(manager, allocation=allocation, sharing=sharing, generation=manager.generation + 1)


def _shared(manager: Manager) -> tuple[Allocation, Sharing]:
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
