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

    id: Annotated[
        DeviceId | None, Field(description="of the caller's choice; one is given to a device without")
    ] = None
    task_bits: Annotated[Bits, Field(description="bit, input of a task")]
    local_cycles: Annotated[Cycles, Field(description="work of a task on the device")]
    local_capacity_hz: Annotated[CyclesPerSecond, Field(description="cycle/s of the device")]
    arrival_rate_hz: Annotated[PerSecond, Field(description="tasks per second")]
    slice_cycles: Annotated[dict[PlaceName, Cycles], Field(min_length=1)]
    rate_bps: Annotated[
        dict[PlaceName, BitsPerSecond] | None,
        Field(description="bit/s to each access point in reach, alone on it, by name"),
    ] = None
    position_m: Annotated[tuple[Metres, Metres] | None, Field(description="x and y")] = None
    tx_power_w: Annotated[Watts | None, Field(description="W that it sends with")] = None

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
    network: Annotated[dict[str, Any] | None, Field(description="that would be, slicewright/network/v1")] = (
        None
    )
    method: Annotated[str, Field(max_length=100)] | None = None


class NewMeasurement(_Strict):
    """What changed about a device since its request."""

    counter: Annotated[int, Field(ge=0, lt=2**62)]
    task_bits: Annotated[Bits | None, Field(description="bit")] = None
    arrival_rate_hz: Annotated[PerSecond | None, Field(description="tasks per second")] = None
    rate_bps: Annotated[
        dict[PlaceName, BitsPerSecond] | None,
        Field(description="bit/s to each access point in reach, by name"),
    ] = None
    departed: Annotated[bool, Field(description="the device is gone")] = False
    generation: Annotated[int, Field(ge=0, lt=2**62)] | None = None

    def measurement(self, device: str, generation: int) -> Measurement:
        """The measurement of a device; about its admission of now, unless it says which one it is about."""
        said = self.model_dump(exclude={"generation"})
        about = generation if self.generation is None else self.generation
        return Measurement(device=device, **said, generation=about)


class MethodChange(_Strict):
    """Which method, and whether to skip its trial."""

    method: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    force: Annotated[bool, Field(description="without a trial")] = False
    reason: Annotated[str, Field(max_length=500)] = ""


class DeviceView(BaseModel):
    """Where a device is served, or why not.

    ``index`` is its position in the plan; ``generation`` is of its admission, for its measurements.
    """

    id: str
    index: int | None
    state: Annotated[Literal["offloaded", "local"], Field(description="where its tasks run")]
    reason: Annotated[Reason | None, Field(description="why they run locally")]
    explanation: Annotated[str | None, Field(description="the same in a sentence")]
    access_point: str | None
    node: str | None
    slice: str | None
    completion_s: Annotated[float, Field(description="s that the plan promises for a task")]
    generation: int = 0


class Admission(BaseModel):
    """Answer to requests. Decided is not yet active: ``granted`` says whether the slices hold it already."""

    devices: list[DeviceView]
    epoch: Annotated[int, Field(description="of the decision")]
    decided: Annotated[bool, Field(description="whether there is a decision")]
    granted: Annotated[bool, Field(description="whether slices hold it already")]


class DeviceList(BaseModel):
    """All devices."""

    devices: list[DeviceView]
    epoch: Annotated[int, Field(description="of the decision that they are in")]


class Health(BaseModel):
    """Whether this process can do its work."""

    status: Literal["ok", "not ready"]
    faults: Annotated[list[str], Field(description="what is missing, in sentences")]
    leading: Annotated[bool, Field(description="whether this process decides")]
    leader: Annotated[str, Field(description="who does")]
    epoch: Annotated[int, Field(description="of the newest decision")]
    sequence: Annotated[int, Field(description="of the newest record")]
