"""A device as its request describes it. Places are named, not numbered: networks change while requests stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints, TypeAdapter

from slicewright.network.scenario import Scenario

DeviceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
PlaceName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
# Bounds are far beyond any real device and keep every sum and product of the model finite.
Bits = Annotated[float, Field(ge=1e-3, le=1e15, allow_inf_nan=False)]
Cycles = Annotated[float, Field(ge=1e-3, le=1e18, allow_inf_nan=False)]
CyclesPerSecond = Annotated[float, Field(ge=1e-3, le=1e15, allow_inf_nan=False)]
PerSecond = Annotated[float, Field(ge=1e-9, le=1e6, allow_inf_nan=False)]
BitsPerSecond = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
Watts = Annotated[float, Field(ge=1e-12, le=1e6, allow_inf_nan=False)]
Metres = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


@dataclass(frozen=True)
class Device:
    """One request: a device, its task and how it reaches the network.

    Attributes:
        id: chosen by the caller or by the server.
        task_bits: bit, S_i.
        local_cycles: cycle, L_i.
        local_capacity_hz: cycle/s, F_i^l.
        arrival_rate_hz: 1/s, alpha_i.
        slice_cycles: slice name to cycle, L_in; a slice that is not named cannot serve the device.
        rate_bps: access point name to bit/s, R_ia; absent names are out of reach. None: by the radio model.
        position_m: (x, y) in m, for the radio model and for maps.
        tx_power_w: W, for the radio model.
    """

    id: DeviceId
    task_bits: Bits
    local_cycles: Cycles
    local_capacity_hz: CyclesPerSecond
    arrival_rate_hz: PerSecond
    slice_cycles: Mapping[PlaceName, Cycles]
    rate_bps: Mapping[PlaceName, BitsPerSecond] | None = None
    position_m: tuple[Metres, Metres] | None = None
    tx_power_w: Watts | None = None

    @property
    def local_time_s(self) -> float:
        """s, tau_i = L_i / F_i^l (7)."""
        return self.local_cycles / self.local_capacity_hz

    @cached_property
    def canonical(self) -> bytes:
        """The device as JSON, for digests: every decision takes one of all devices, of which few are new."""
        return DEVICE.dump_json(self)


DEVICE: TypeAdapter[Device] = TypeAdapter(Device)


class Life(NamedTuple):
    """Which admission of a device counts, and how new its details are.

    Attributes:
        generation: number of the admission; no other one of any device has it. 0: of a log before there were numbers.
        counter: of the newest measurement that is in the details; -1 for none.
    """

    generation: int = 0
    counter: int = -1

    def takes(self, generation: int, counter: int) -> bool:
        """Whether a measurement is about this life, and newer than what is known."""
        return generation == self.generation and counter > self.counter


FIRST_LIFE = Life()


def devices_of(scenario: Scenario, *, prefix: str = "device-") -> tuple[Device, ...]:
    """The devices of a scenario as requests, named by their position in it."""
    positions, power = scenario.sites.device_m, scenario.sites.tx_power_w
    by_radio = scenario.radio is not None and positions is not None and power is not None
    slices = [s.name for s in scenario.slices]
    start = scenario.links.start
    made = []
    for i in range(scenario.n_devices):
        links = slice(start[i], start[i + 1])
        reach = zip(scenario.links.access_point[links], scenario.links.rate_bps[links], strict=True)
        made.append(
            Device(
                id=f"{prefix}{i}",
                task_bits=float(scenario.task_bits[i]),
                local_cycles=float(scenario.local_cycles[i]),
                local_capacity_hz=float(scenario.local_capacity_hz[i]),
                arrival_rate_hz=float(scenario.arrival_rate_hz[i]),
                slice_cycles=dict(zip(slices, scenario.slice_cycles[i].tolist(), strict=True)),
                rate_bps=None if by_radio else {scenario.access_points[a]: float(r) for a, r in reach},
                position_m=None if positions is None else (float(positions[i, 0]), float(positions[i, 1])),
                tx_power_w=None if power is None else float(power[i]),
            )
        )
    return tuple(made)
