"""What a new journal starts with."""

from __future__ import annotations

from dataclasses import dataclass

from slicewright.control.state.device import Device
from slicewright.control.state.events import DevicesAdmitted, Event, MethodChanged, NetworkSet
from slicewright.control.state.network import Network
from slicewright.control.state.state import OrchestratorState


@dataclass(frozen=True)
class FirstRequests:
    """What a new journal starts with: a network and the devices of a scenario file."""

    network: Network
    devices: tuple[Device, ...] = ()
    method: str = "auto"

    def __call__(self, state: OrchestratorState) -> tuple[Event, ...]:
        """Events for an empty state, none for any other: a restart goes on with what the journal has."""
        if state.network is not None:
            return ()
        admitted = (DevicesAdmitted(self.devices),) if self.devices else ()
        chosen = (MethodChanged("switch", self.method, "set at the start"),) if self.method != "auto" else ()
        return (*chosen, NetworkSet(self.network.document), *admitted)
