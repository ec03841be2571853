"""What hovering over a device, an access point or a node says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from slicewright.network.units import quantity, quantity_range

if TYPE_CHECKING:
    from slicewright.network.scenario import Scenario
    from slicewright.network.summary import Summary
    from slicewright.slicing.loads import Loads
    from slicewright.slicing.plan import Plan


class Texts(NamedTuple):
    """One text per thing; and the legend's word for devices without a slice and its remark on nodes."""

    devices: Sequence[str]
    access_points: Sequence[str]
    nodes: Sequence[str]
    unsliced: str
    node_remark: str


def plan_texts(plan: Plan, loads: Loads) -> Texts:
    """Texts of a plan's page."""
    return Texts(
        devices=_planned_devices(plan),
        access_points=_used_access_points(plan, loads),
        nodes=_used_nodes(plan, loads),
        unsliced="computes for itself",
        node_remark="darker with use",
    )


def scenario_texts(scenario: Scenario, summary: Summary) -> Texts:
    """Texts of a scenario's page."""
    devices = []
    for i in range(scenario.n_devices):
        size, best = float(scenario.task_bits[i]), float(summary.best_rate_bps[i])
        every, alone = 1 / scenario.arrival_rate_hz[i], scenario.local_time_s[i]
        devices.append(
            f"<b>device {i}</b>, {quantity(size, 'bit')} every {every:.3g} s, {alone:.3g} s alone"
            f"<br>{summary.candidates[i]} access points in reach, at best {quantity(best, 'bit/s')}"
        )
    access_points = [
        f"<b>{name}</b>, {quantity(float(scenario.bandwidth_hz[a]), 'Hz')}, airtime {100 * summary.airtime[a]:.3g} %"
        for a, name in enumerate(scenario.access_points)
    ]
    nodes = []
    for name, kind, capacity in zip(
        scenario.nodes, scenario.node_kinds, scenario.node_capacity_hz, strict=True
    ):
        span = quantity_range(float(capacity.min()), float(capacity.max()), "cycle/s")
        nodes.append(f"<b>{name}</b> ({kind}), {span} per slice")
    return Texts(devices, access_points, nodes, unsliced="devices", node_remark="")


def _planned_devices(plan: Plan) -> list[str]:
    scenario, d, times, shares = plan.scenario, plan.decisions, plan.times, plan.shares
    offloads = d.valid(scenario) & ~d.local
    texts = []
    for i in range(scenario.n_devices):
        alone = f"{scenario.local_time_s[i]:.3g} s"
        if not offloads[i]:
            texts.append(f"<b>device {i}</b> computes for itself in {alone}")
            continue
        a, j, n = int(d.access_point[i]), int(d.node[i]), int(d.slice[i])
        texts.append(
            f"<b>device {i}</b> through {scenario.access_points[a]} to {scenario.nodes[j]}, "
            f"slice {scenario.slices[n].name}"
            f"<br>transmits {times.transmit_s[i]:.3g} s, executes {times.execute_s[i]:.3g} s; alone {alone}"
            f"<br>{100 * shares.bandwidth[a, n] * shares.radio[i]:.3g} % of the radio, "
            f"{100 * shares.compute[i]:.3g} % of the node's slice"
        )
    return texts


def _used_access_points(plan: Plan, loads: Loads) -> list[str]:
    scenario = plan.scenario
    return [
        f"<b>{name}</b>, {quantity(float(scenario.bandwidth_hz[a]), 'Hz')}, {loads.ap_users[a].sum()} devices"
        + "".join(
            f"<br>{s.name}: {loads.ap_users[a, n]} devices, {100 * plan.shares.bandwidth[a, n]:.1f} %"
            for n, s in enumerate(scenario.slices)
        )
        for a, name in enumerate(scenario.access_points)
    ]


def _used_nodes(plan: Plan, loads: Loads) -> list[str]:
    scenario = plan.scenario
    return [
        f"<b>{name}</b> ({scenario.node_kinds[j]}), {loads.node_users[j].sum()} devices"
        + "".join(
            f"<br>{s.name}: {loads.node_users[j, n]} devices, {100 * loads.utilisation[j, n]:.1f} % of "
            f"{quantity(float(scenario.node_capacity_hz[j, n]), 'cycle/s')}"
            for n, s in enumerate(scenario.slices)
        )
        for j, name in enumerate(scenario.nodes)
    ]
