"""What a page says about a device, an access point or a node that is pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from slicewright.network.units import quantity, quantity_range
from slicewright.types import FloatArray

if TYPE_CHECKING:
    from slicewright.network.scenario import Scenario
    from slicewright.network.summary import Summary
    from slicewright.slicing.loads import Loads
    from slicewright.slicing.plan import Plan


class Field(NamedTuple):
    """A number that every device has.

    Attributes:
        name: what it is, before the number.
        unit: of SI, ``%`` for a ratio, empty for a count.
        values: (I,) NaN where there is nothing to say.
    """

    name: str
    unit: str
    values: FloatArray


class Facts(NamedTuple):
    """Numbers of devices, and lines of text for every access point and every node."""

    devices: Sequence[Field]
    access_points: Sequence[Sequence[str]]
    nodes: Sequence[Sequence[str]]


def plan_facts(plan: Plan, loads: Loads) -> Facts:
    """Facts of a plan's page."""
    return Facts(_planned_devices(plan), _used_access_points(plan, loads), _used_nodes(plan, loads))


def scenario_facts(scenario: Scenario, summary: Summary) -> Facts:
    """Facts of a scenario's page."""
    devices = [
        Field("task", "bit", scenario.task_bits),
        Field("every", "s", 1 / scenario.arrival_rate_hz),
        Field("alone", "s", scenario.local_time_s),
        Field("access points in reach:", "", summary.candidates.astype(np.float64)),
        Field("at best", "bit/s", summary.best_rate_bps),
    ]
    access_points = [
        [quantity(float(scenario.bandwidth_hz[a]), "Hz"), f"airtime {100 * summary.airtime[a]:.3g} %"]
        for a in range(scenario.n_access_points)
    ]
    nodes = []
    for kind, capacity in zip(scenario.node_kinds, scenario.node_capacity_hz, strict=True):
        span = quantity_range(float(capacity.min()), float(capacity.max()), "cycle/s")
        nodes.append([kind.upper(), f"{span} per slice"])
    return Facts(devices, access_points, nodes)


def _planned_devices(plan: Plan) -> list[Field]:
    scenario, d, times, shares = plan.scenario, plan.decisions, plan.times, plan.shares
    valid = d.valid(scenario)
    off = valid & ~d.local
    a, n = np.where(off, d.access_point, 0), np.where(off, d.slice, 0)

    def where_offloaded(values: FloatArray) -> FloatArray:
        return np.where(off, values, np.nan)

    return [
        Field("transmits", "s", where_offloaded(times.transmit_s)),
        Field("executes", "s", where_offloaded(times.execute_s)),
        Field("alone", "s", scenario.local_time_s),
        Field("of the radio", "%", where_offloaded(shares.bandwidth[a, n] * shares.radio)),
        Field("of the node's slice", "%", where_offloaded(shares.compute)),
    ]


def _used_access_points(plan: Plan, loads: Loads) -> list[list[str]]:
    scenario = plan.scenario
    return [
        [
            f"{quantity(float(scenario.bandwidth_hz[a]), 'Hz')}, {loads.ap_users[a].sum():,} devices",
            *(
                f"{s.name}: {loads.ap_users[a, n]:,} devices, {100 * plan.shares.bandwidth[a, n]:.1f} %"
                for n, s in enumerate(scenario.slices)
            ),
        ]
        for a in range(scenario.n_access_points)
    ]


def _used_nodes(plan: Plan, loads: Loads) -> list[list[str]]:
    scenario = plan.scenario
    return [
        [
            f"{scenario.node_kinds[j].upper()}, {loads.node_users[j].sum():,} devices",
            *(
                f"{s.name}: {loads.node_users[j, n]:,} devices, {100 * loads.utilisation[j, n]:.1f} % of "
                f"{quantity(float(scenario.node_capacity_hz[j, n]), 'cycle/s')}"
                for n, s in enumerate(scenario.slices)
            ),
        ]
        for j in range(scenario.n_nodes)
    ]
