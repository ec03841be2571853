"""What was measured about a device since its request, and what that makes of its seat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from slicewright.control.state.device import Bits, BitsPerSecond, DeviceId, Life, PerSecond, PlaceName
from slicewright.control.state.grants import Seat


@dataclass(frozen=True)
class Measurement:
    """What a device or its access point noticed since the request; newer counters win, late ones are ignored.

    Attributes:
        device: id.
        counter: rises with every measurement of the device.
        generation: the admission of the device that it is about; it says nothing about any other.
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
    generation: int = 0

    @property
    def life(self) -> Life:
        """What a device's life has come to with this measurement."""
        return Life(self.generation, self.counter)

    def follows(self, life: Life) -> bool:
        """Whether this is newer than what is known: measured later in the same life, or in a later one."""
        return self.life > life


MEASUREMENT: TypeAdapter[Measurement] = TypeAdapter(Measurement)


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
