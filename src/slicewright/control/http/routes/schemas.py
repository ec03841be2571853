"""Bodies of requests and answers; the OpenAPI document is made from these."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from slicewright.control.messages.measurement import Measurement
from slicewright.control.state.device import (
    Bits,
    BitsPerSecond,
    Cycles,
    CyclesPerSecond,
    Device,
    DeviceId,
    Metres,
    PerSecond,
    PlaceName,
    Watts,
)
from slicewright.control.state.reasons import Reason


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NewDevice(_Strict):
    """A device and its task. ``rate_bps`` may be left out when positions and power are known."""

    id: DeviceId | None = None
    task_bits: Bits
    local_cycles: Cycles
    local_capacity_hz: CyclesPerSecond
    arrival_rate_hz: PerSecond
    slice_cycles: Annotated[dict[PlaceName, Cycles], Field(min_length=1)]
    rate_bps: dict[PlaceName, BitsPerSecond] | None = None
    position_m: tuple[Metres, Metres] | None = None
    tx_power_w: Watts | None = None

    def device(self) -> Device:
        """The request, with an id of our own if it came without."""
        values = {**vars(self), "id": self.id or f"d-{secrets.token_hex(8)}"}
        return Device(**values)


class NewRequests(_Strict):
    """One or many devices."""

    devices: Annotated[list[NewDevice], Field(min_length=1, max_length=5000)]


class DryRun(_Strict):
    """What if: devices more, devices fewer, another network."""

    devices: Annotated[list[NewDevice], Field(max_length=5000)] = []
    remove: Annotated[list[DeviceId], Field(max_length=5000)] = []
    network: dict[str, Any] | None = None
    method: Annotated[str, Field(max_length=100)] | None = None


class NewMeasurement(_Strict):
    """What changed about a device since its request."""

    counter: Annotated[int, Field(ge=0, lt=2**62)]
    task_bits: Bits | None = None
    arrival_rate_hz: PerSecond | None = None
    rate_bps: dict[PlaceName, BitsPerSecond] | None = None
    departed: bool = False
    generation: Annotated[int, Field(ge=0, lt=2**62)] | None = None

    def measurement(self, device: str, generation: int) -> Measurement:
        """The measurement of a device; about its admission of now, unless it says which one it is about."""
        said = self.model_dump(exclude={"generation"})
        about = generation if self.generation is None else self.generation
        return Measurement(device=device, **said, generation=about)


class MethodChange(_Strict):
    """Which method, and whether to skip its trial."""

    method: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    force: bool = False
    reason: Annotated[str, Field(max_length=500)] = ""


class DeviceView(BaseModel):
    """Where a device is served, or why not.

    ``index`` is its position in the plan; ``generation`` is of its admission, for its measurements.
    """

    id: str
    index: int | None
    state: Literal["offloaded", "local"]
    reason: Reason | None
    explanation: str | None
    access_point: str | None
    node: str | None
    slice: str | None
    completion_s: float
    generation: int = 0


class Admission(BaseModel):
    """Answer to requests. Decided is not yet active: ``granted`` says whether the slices hold it already."""

    devices: list[DeviceView]
    epoch: int
    decided: bool
    granted: bool


class DeviceList(BaseModel):
    """All devices."""

    devices: list[DeviceView]
    epoch: int


class Health(BaseModel):
    """Whether this process can do its work."""

    status: Literal["ok", "not ready"]
    faults: list[str]
    leading: bool
    leader: str
    epoch: int
    sequence: int
