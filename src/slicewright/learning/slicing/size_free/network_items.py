"""Solved scenarios as the size-free network learns them."""

from __future__ import annotations

from slicewright.learning.slicing.batches import NetworkBatch, NetworkLabel, network_batch
from slicewright.learning.slicing.solved_scenarios import Solved
from slicewright.models.slicing.features import ScenarioInputs, scenario_inputs

NetworkItem = tuple[ScenarioInputs, NetworkLabel]


def network_item(instance: Solved) -> NetworkItem:
    """A solved scenario as the size-free network learns it."""
    d = instance.decisions
    unit = float(instance.scenario.local_time_s.mean())
    label = NetworkLabel(d.access_point, d.node, d.slice, instance.cost_s / unit)
    return scenario_inputs(instance.scenario), label


def collate_networks(items: list[NetworkItem]) -> NetworkBatch:
    """Pad and stack."""
    return network_batch([x for x, _ in items], [y for _, y in items])
