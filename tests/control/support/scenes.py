"""Small networks, devices and states, and the judge for what managers really do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import slicewright as sw
from slicewright.control.decision.settlement import assemble
from slicewright.control.sharing.allocation import Allocation
from slicewright.control.state.device import Device, devices_of
from slicewright.control.state.events import DevicesAdmitted, NetworkSet
from slicewright.control.state.fold import fold
from slicewright.control.state.grants import Grant, Seat
from slicewright.control.state.network import Network
from slicewright.control.state.situation import Situation
from slicewright.control.state.state import OrchestratorState
from slicewright.network.scenario import Scenario

DATA = Path(__file__).parent.parent / "data"
"""Files of earlier releases."""


def scenario_of(devices: int = 12, seed: int = 0, **overrides: object) -> Scenario:
    """A small network with few nodes, so that slices compete."""
    return sw.preset("paper-slicing", devices=devices, seed=seed, **{"coins": 4, **overrides})


def crowded(devices: int = 16, seed: int = 0) -> Scenario:
    """Nodes so slow that not everybody fits: 13b and 13c bind."""
    return scenario_of(devices, seed, coin_capacity_hz=(4e7, 1.2e8), mec_capacity_hz=(2e8, 2e8))


def state_with(scenario: Scenario, *, admitted: bool = True) -> tuple[OrchestratorState, tuple[Device, ...]]:
    """An orchestrator that knows a scenario's network, and its devices if wanted."""
    devices = devices_of(scenario)
    state = fold(OrchestratorState(), NetworkSet(Network.of(scenario).document))
    return (fold(state, DevicesAdmitted(devices)) if admitted else state), devices


def judge_world(
    network: Network,
    devices: Mapping[str, Device],
    grants: Mapping[str, Grant],
    allocations: Mapping[str, Allocation],
) -> None:
    """Fail if what managers really do breaks 13a to 13g, or serves a device twice."""
    seated = [device for allocation in allocations.values() for device in allocation.compute]
    assert len(seated) == len(set(seated)), "a device is served by two slices"
    everybody = {**devices}
    for grant in grants.values():
        for name, seat in grant.seats.items():
            everybody[name] = _stand_in(name, grant.slice, seat)
    plan = assemble(Situation(network, tuple(everybody.values())), grants, allocations, "world")
    assert plan is None or plan.violations.feasible, plan.violations.explain()


def _stand_in(name: str, slice_name: str, seat: Seat) -> Device:
    """A device as its manager knows it, which may have moved or gone since."""
    return Device(
        id=name,
        task_bits=seat.task_bits,
        local_cycles=seat.local_time_s,
        local_capacity_hz=1.0,
        arrival_rate_hz=seat.arrival_hz,
        slice_cycles={slice_name: seat.cycles},
        rate_bps={seat.access_point: seat.rate_bps},
    )


def moved(device: Device, rng: np.random.Generator) -> Device:
    """The device somewhere else with another task."""
    scale = float(rng.uniform(0.5, 1.5))
    return replace(
        device,
        position_m=(float(rng.uniform(0, 500)), float(rng.uniform(0, 500))),
        task_bits=device.task_bits * scale,
        local_cycles=device.local_cycles * scale,
        slice_cycles={name: cycles * scale for name, cycles in device.slice_cycles.items()},
    )


def as_body(device: Device) -> dict[str, Any]:
    """The device as the API takes it."""
    return {
        "id": device.id,
        "task_bits": device.task_bits,
        "local_cycles": device.local_cycles,
        "local_capacity_hz": device.local_capacity_hz,
        "arrival_rate_hz": device.arrival_rate_hz,
        "slice_cycles": dict(device.slice_cycles),
        "position_m": device.position_m,
        "tx_power_w": device.tx_power_w,
    }
