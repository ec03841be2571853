"""What can happen to an orchestrator. The journal is a list of these; its state is their fold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from slicewright.control.state.events.city import CityBegan, CityChanged, CityProven
from slicewright.control.state.events.decisions import (
    Attempt,
    Certified,
    Decided,
    DecisionChanged,
    GrantChanges,
    NumberChanges,
    Rebalanced,
    RowChanges,
    SeatChanges,
)
from slicewright.control.state.events.grants import Acknowledged, Adopted, Refused, Sent, SharesReported
from slicewright.control.state.events.leading import Checkpoint, Restored, TookOver
from slicewright.control.state.events.requests import (
    LOCAL,
    DevicesAdmitted,
    DevicesRemoved,
    MethodChanged,
    NetworkSet,
)

__all__ = [
    "EVENT",
    "LOCAL",
    "Acknowledged",
    "Adopted",
    "Attempt",
    "Certified",
    "Checkpoint",
    "CityBegan",
    "CityChanged",
    "CityProven",
    "Decided",
    "DecisionChanged",
    "DevicesAdmitted",
    "DevicesRemoved",
    "Event",
    "GrantChanges",
    "MethodChanged",
    "NetworkSet",
    "NumberChanges",
    "Rebalanced",
    "Refused",
    "Restored",
    "RowChanges",
    "SeatChanges",
    "Sent",
    "SharesReported",
    "TookOver",
]

Event = (
    NetworkSet
    | DevicesAdmitted
    | DevicesRemoved
    | Decided
    | DecisionChanged
    | Certified
    | Rebalanced
    | Sent
    | Acknowledged
    | Refused
    | SharesReported
    | MethodChanged
    | TookOver
    | Checkpoint
    | Adopted
    | Restored
    | CityBegan
    | CityChanged
    | CityProven
)
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
