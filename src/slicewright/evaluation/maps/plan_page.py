"""A plan on one page: the network and the chosen links, and how much of everything they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slicewright.evaluation.maps import panels
from slicewright.evaluation.maps.captions import seconds
from slicewright.evaluation.maps.network_view import NetworkView, draw_network
from slicewright.evaluation.maps.page import (
    cell_key,
    halve,
    headline,
    keys,
    leave_room_for_names,
    new_page,
    place_keys,
    slice_keys,
)
from slicewright.evaluation.maps.positions import positions_of
from slicewright.slicing.loads import NODE_USE, Loads, loads_of
from slicewright.slicing.plan import Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plan_view(plan: Plan) -> tuple[NetworkView, Loads]:
    """What to draw of a plan's network, and its loads. A device whose decision does not exist has no links."""
    scenario, d, loads = plan.scenario, plan.decisions, loads_of(plan)
    kept = np.zeros(scenario.n_devices, dtype=bool)
    kept[loads.offloaded] = True
    access_point, node, slice_ = (np.where(kept, x, -1) for x in (d.access_point, d.node, d.slice))
    view = NetworkView(
        access_points=scenario.access_points,
        nodes=scenario.nodes,
        node_kinds=scenario.node_kinds,
        slices=[s.name for s in scenario.slices],
        positions=positions_of(scenario, access_point, node),
        access_point=access_point,
        node=node,
        slice=slice_,
        ap_weight=loads.ap_users.sum(axis=1).astype(np.float64),
        node_fill=loads.node_utilisation,
    )
    return view, loads


def plan_page(plan: Plan) -> Figure:
    """The page of a plan."""
    view, loads = plan_view(plan)
    users = loads.ap_users.sum(axis=1)
    points = panels.rank(view.access_points, users)
    heights = (1.75, 1.2, 0.4) if points.lying else (0.75, 0.95, 1.05, 0.4)
    figure, network, (first, *others) = new_page(view.positions, heights)
    nodes = panels.rank(view.nodes, loads.node_utilisation)
    if points.lying or nodes.lying:
        leave_room_for_names(first, *others)
    counts, shares = halve(figure, first) if points.lying else (first, others.pop(0))
    compute, cost = others
    _access_point_panels(counts, shares, points, plan, loads)
    _node_panel(compute, nodes, loads)
    panels.cost_bar(cost, loads.radio_s, loads.compute_s, loads.local_s, plan.lower_bound_s)
    headline(figure, *headlines(plan))
    most = draw_network(figure, network, view)
    things = place_keys(view, "access point, larger with more devices", "COIN node, filled by use")
    rows = slice_keys(view)
    if view.dense:
        rows[-1].append(cell_key(most))
    keys(figure, network, (*rows, things))
    return figure


def headlines(plan: Plan) -> tuple[str, str]:
    """What the plan is worth, and what it is a plan of."""
    scenario = plan.scenario
    offloaded = int((~plan.decisions.local).sum())
    if plan.violations.feasible:
        gap = f"gap at most {100 * plan.gap:.2f} %"
        first = f"cost {seconds(plan.cost_s)} · proven bound {seconds(plan.lower_bound_s)} · {gap}"
    else:
        first = (
            f"infeasible: breaks {', '.join(plan.violations.broken)} · bound {seconds(plan.lower_bound_s)}"
        )
    second = (
        f"method {plan.method} · {scenario.n_devices:,} devices, {offloaded:,} of them offload · "
        f"{scenario.n_access_points:,} access points · {scenario.n_nodes:,} nodes · {scenario.n_slices} slices"
    )
    return first, second


def _access_point_panels(
    counts: Axes, shares: Axes, points: panels.Ranking, plan: Plan, loads: Loads
) -> None:
    lying, users = points.lying, loads.ap_users.sum(axis=1)
    panels.stacked_bars(counts, points.rows(loads.ap_users), lying=lying)
    panels.dress(counts, "devices per access point", whole=True, lying=lying, steps=3 if lying else 4)
    panels.name_bars(counts, points, names=lying)
    bandwidth = np.where(users[:, None] > 0, plan.shares.bandwidth, 0.0)
    panels.stacked_bars(shares, points.rows(bandwidth), lying=lying)
    title = "its bandwidth, by slice" if lying else "its bandwidth, shared between the slices"
    panels.dress(shares, title, percent=True, lying=lying, steps=2 if lying else 4)
    (shares.set_xlim if lying else shares.set_ylim)(0, 1)
    panels.name_bars(shares, points, names=not lying)


def _node_panel(axes: Axes, nodes: panels.Ranking, loads: Loads) -> None:
    panels.grouped_bars(axes, nodes.rows(loads.utilisation), lying=nodes.lying)
    panels.dress(axes, f"node use: {NODE_USE}", percent=True, lying=nodes.lying)
    panels.name_bars(axes, nodes)
