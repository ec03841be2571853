"""A plan on one page: the network and the chosen links, and how much of everything they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slicewright.evaluation.maps import panels
from slicewright.evaluation.maps.network_view import NetworkView, draw_network
from slicewright.evaluation.maps.page import headline, key, keys, new_page, slice_keys
from slicewright.evaluation.maps.positions import positions_of
from slicewright.evaluation.maps.style import INK, PAPER
from slicewright.slicing.loads import Loads, loads_of
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
        scenario=scenario,
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
    figure, network, (counts, shares, compute, cost) = new_page(view.positions, (0.75, 0.95, 1.05, 0.4))
    _access_point_panels(counts, shares, plan, loads)
    _node_panel(compute, plan, loads)
    panels.cost_bar(cost, loads.radio_s, loads.compute_s, loads.local_s, plan.lower_bound_s)
    headline(figure, *headlines(plan))
    draw_network(figure, network, view)
    things = [key("^", INK, PAPER, 10, "access point, larger with more devices")]
    if view.positions.node is not None:
        things += [
            key("s", PAPER, INK, 8, "COIN node, filled by use"),
            key("s", PAPER, INK, 12, "MEC server"),
        ]
    keys(figure, network, (*slice_keys(plan.scenario), things))
    return figure


def headlines(plan: Plan) -> tuple[str, str]:
    """What the plan is worth, and what it is a plan of."""
    scenario = plan.scenario
    offloaded = int((~plan.decisions.local).sum())
    if plan.violations.feasible:
        gap = f"gap at most {100 * plan.gap:.2f} %"
        first = f"cost {plan.cost_s:.5g} s · proven bound {plan.lower_bound_s:.5g} s · {gap}"
    else:
        first = f"infeasible: breaks {', '.join(plan.violations.broken)} · bound {plan.lower_bound_s:.5g} s"
    second = (
        f"method {plan.method} · {scenario.n_devices} devices, {offloaded} of them offload · "
        f"{scenario.n_access_points} access points · {scenario.n_nodes} nodes · {scenario.n_slices} slices"
    )
    return first, second


def _access_point_panels(counts: Axes, shares: Axes, plan: Plan, loads: Loads) -> None:
    scenario, users = plan.scenario, loads.ap_users.sum(axis=1)
    shown = panels.busiest(users)
    panels.stacked_bars(counts, loads.ap_users[shown])
    panels.dress(counts, "devices per access point", whole=True)
    panels.name_bars(counts, [""] * len(shown), "", len(shown))
    panels.stacked_bars(shares, np.where(users[shown, None] > 0, plan.shares.bandwidth[shown], 0.0))
    panels.dress(shares, "its bandwidth, shared between the slices", percent=True)
    shares.set_ylim(0, 1)
    panels.name_bars(shares, [scenario.access_points[a] for a in shown], "access points", users.size)


def _node_panel(axes: Axes, plan: Plan, loads: Loads) -> None:
    scenario = plan.scenario
    shown = panels.busiest(loads.node_utilisation, most=panels.MOST_NODES)
    panels.grouped_bars(axes, loads.utilisation[shown])
    panels.dress(axes, "node use: part of a slice's capacity that stable queues take", percent=True)
    panels.name_bars(axes, [scenario.nodes[j] for j in shown], "nodes", scenario.n_nodes)
