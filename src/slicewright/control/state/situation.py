"""Everything that a decision depends on, and nothing else: replaying it gives the same answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from slicewright.control.state.device import Device, Life
from slicewright.control.state.grants import Grant, GrantAccount, highest
from slicewright.control.state.network import Network, positions
from slicewright.control.state.reasons import Reason, unservable
from slicewright.network.scenario import Scenario
from slicewright.types import FloatArray


@dataclass(frozen=True)
class Pin:
    """A slice that cannot be changed now: its manager is away, or refused.

    Attributes:
        slice: name.
        held: the grant it is known to hold; the plan counts with its seats.
        possible: all it may hold; its resources are kept free of others.
    """

    slice: str
    held: Grant
    possible: tuple[Grant, ...]

    @cached_property
    def devices(self) -> frozenset[str]:
        """Devices that the slice may be serving."""
        return frozenset(device for grant in self.possible for device in grant.seats)

    @cached_property
    def bandwidth(self) -> Mapping[str, float]:
        """Access point to the largest share that the slice may be using."""
        return highest(self.possible, "bandwidth")

    @cached_property
    def arrivals_hz(self) -> Mapping[str, float]:
        """Node to the most arrivals that the slice may bring."""
        return highest(self.possible, "arrivals_hz")

    @cached_property
    def others_hz(self) -> Mapping[str, float]:
        """Node to what all other slices may bring without breaking what this one counts on."""
        least: dict[str, float] = {}
        for grant in self.possible:
            for node, bound in grant.others_hz.items():
                least[node] = min(least.get(node, bound), bound)
        return least

    @classmethod
    def of(cls, account: GrantAccount) -> Pin:
        """The pin of a slice's account."""
        return cls(account.held.slice, account.held, account.possible)


def devices_as_granted(devices: Mapping[str, Device], grants: Iterable[Grant]) -> tuple[Device, ...]:
    """Devices as the slices that serve them know them: a grant is judged by the details that it was made for.

    Rates are always the newest: they change times, but no constraint.
    """
    known = dict(devices)
    for grant in grants:
        for name, seat in grant.seats.items():
            device = known.get(name)
            if device is None:
                continue
            now = (
                device.task_bits,
                device.local_time_s,
                device.arrival_rate_hz,
                device.slice_cycles.get(grant.slice),
            )
            if now != (seat.task_bits, seat.local_time_s, seat.arrival_hz, seat.cycles):
                known[name] = replace(
                    device,
                    task_bits=seat.task_bits,
                    local_cycles=seat.local_time_s * device.local_capacity_hz,
                    arrival_rate_hz=seat.arrival_hz,
                    slice_cycles={**device.slice_cycles, grant.slice: seat.cycles},
                )
    return tuple(known.values())


def device_of_seat(name: str, grant: Grant, known: Device | None) -> Device:
    """A device as its seat tells of it, when its request is lost, besides what is still known of it."""
    seat = grant.seats[name]
    capacity = 1.0 if known is None else known.local_capacity_hz
    cycles = {} if known is None else known.slice_cycles
    rates = {} if known is None or known.rate_bps is None else known.rate_bps
    return Device(
        id=name,
        task_bits=seat.task_bits,
        local_cycles=seat.local_time_s * capacity,
        local_capacity_hz=capacity,
        arrival_rate_hz=seat.arrival_hz,
        slice_cycles={**cycles, grant.slice: seat.cycles},
        rate_bps={**rates, seat.access_point: seat.rate_bps},
        position_m=None if known is None else known.position_m,
        tx_power_w=None if known is None else known.tx_power_w,
    )


@dataclass(frozen=True, eq=False)
class Situation:
    """What is to be decided.

    Attributes:
        network: the network now.
        devices: all requests, in the order of their admission.
        pins: slices that cannot be changed.
        lives: device to its life, where it is not the first one; written into its seat.
    """

    network: Network
    devices: tuple[Device, ...]
    pins: tuple[Pin, ...] = ()
    lives: Mapping[str, Life] = field(default_factory=dict)

    @cached_property
    def unservable(self) -> Mapping[str, Reason]:
        """Devices that no scenario admits, with the reason."""
        return unservable(self.network, self.devices, work=self._work) if self.devices else {}

    @cached_property
    def _work(self) -> FloatArray:
        """(I, N) cycle, of all devices."""
        return self.network.work(self.devices)

    @cached_property
    def plannable(self) -> tuple[Device, ...]:
        """The devices of the plan's scenario, in order: the indices of plan files."""
        out = self.unservable
        return tuple(d for d in self.devices if d.id not in out) if out else self.devices

    @cached_property
    def row(self) -> Mapping[str, int]:
        """Device to its index in the plan's scenario."""
        return positions(d.id for d in self.plannable)

    @cached_property
    def scenario(self) -> Scenario:
        """The planning problem of the plannable devices, of which there must be one; made once for all who ask."""
        work = None if self.unservable else self._work
        return self.network.scenario(self.plannable, work=work)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all of it: the input hash of a decision record."""
        parts = [self.network.digest.encode()]
        for device in self.devices:
            parts.append(device.canonical)
            life = self.lives.get(device.id)
            if life is not None:  # logs before there were lives have the same digests as ever
                parts.append(b"[%d, %d]" % life)
        for pin in self.pins:
            parts += [json.dumps([pin.slice, grant.revision]).encode() for grant in pin.possible]
        return hashlib.sha256(b"".join(parts)).hexdigest()
