"""What a new journal starts with."""

from __future__ import annotations

from dataclasses import dataclass

from slicewright.control.state.device import Device, devices_of
from slicewright.control.state.events import DevicesAdmitted, Event, MethodChanged, NetworkSet
from slicewright.control.state.network import Network
from slicewright.control.state.state import OrchestratorState
from slicewright.network.scenario_file import load_scenario


@dataclass(frozen=True)
class FirstRequests:
    """What a new journal starts with: a network and the devices of a scenario file."""

    network: Network
    devices: tuple[Device, ...] = ()
    method: str = "auto"

    @classmethod
    def of_scenario(cls, source: str, method: str = "auto") -> FirstRequests:
        """From a scenario file or preset.

        Raises:
            InvalidScenarioError: what is wrong in it.
        """
        scenario = load_scenario(source)
        return cls(Network.of(scenario), devices_of(scenario), method)

    def __call__(self, state: OrchestratorState) -> tuple[Event, ...]:
        """Events for an empty state, none for any other: a restart goes on with what the journal has."""
        if state.network is not None:
            return ()
        admitted = (DevicesAdmitted(self.devices),) if self.devices else ()
        chosen = (MethodChanged("switch", self.method, "set at the start"),) if self.method != "auto" else ()
        return (*chosen, NetworkSet(self.network.document), *admitted)
