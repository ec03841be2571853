"""What can happen to a city that is decided event by event; each record holds the difference that it made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from slicewright.control.state.device import Device, PlaceName
from slicewright.control.state.grants import Place

Capacity = Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)]


@dataclass(frozen=True)
class CityDevice:
    """A request in a city: the device, and the ``nodes`` that it may use; None for those within their reach."""

    device: Device
    nodes: tuple[PlaceName, ...] | None = None


@dataclass(frozen=True)
class CityBegan:
    """A city began with the plan of a scenario.

    Attributes:
        scenario_digest: SHA-256 of the scenario, which is not in the journal. devices: how many it has.
        moving_price_s: s, what a move of somebody whom an event is not about has to save.
        cost_s, lower_bound_s: of its plan.
    """

    scenario_digest: str
    devices: int
    moving_price_s: float
    cost_s: float
    lower_bound_s: float
    kind: Literal["city-began"] = "city-began"


@dataclass(frozen=True)
class CityChanged:
    """Something was asked for, and this is the difference that it made; nobody else's place has changed.

    Attributes:
        admitted: new devices, or new details of known ones. withdrawn: devices that left.
        capacity_hz: node to its new capacity by slice, cycle/s; zeros for a node that is lost.
        places: every device whose place was decided anew to its place, None where it is local.
        moved: those of them whom the event was not about.
        cost_s, lower_bound_s: of the plan afterwards.
        duration_s: s, that the decision took.
        by: name of the caller. key, request_digest, asked_s: its Idempotency-Key, if it gave one.
    """

    places: Mapping[str, Place | None]
    cost_s: float
    lower_bound_s: float
    duration_s: float
    admitted: tuple[CityDevice, ...] = ()
    withdrawn: tuple[str, ...] = ()
    capacity_hz: Mapping[str, tuple[Capacity, ...]] = field(default_factory=dict)
    moved: tuple[str, ...] = ()
    by: str = ""
    key: str | None = None
    request_digest: str | None = None
    asked_s: float = 0.0
    kind: Literal["city-changed"] = "city-changed"


@dataclass(frozen=True)
class CityProven:
    """Better prices were found in idle time, and perhaps a better plan.

    Attributes:
        lower_bound_s: s, no plan of this moment costs less.
        gap: of the plan, the better one where there is one.
        places: every device that has moved for a better plan, None where it is local now.
        cost_s: of the plan afterwards.
    """

    lower_bound_s: float
    gap: float
    places: Mapping[str, Place | None] = field(default_factory=dict)
    cost_s: float | None = None
    kind: Literal["city-proven"] = "city-proven"
