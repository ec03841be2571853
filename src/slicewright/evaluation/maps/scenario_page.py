"""A scenario on one page, before anybody plans it: who could use what, and how much is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slicewright.drawing.palette import LOCAL_COLOUR, PAPER, SOFT
from slicewright.evaluation.maps import panels
from slicewright.evaluation.maps.captions import seconds
from slicewright.evaluation.maps.network_view import NetworkView, draw_network
from slicewright.evaluation.maps.page import (
    cell_key,
    headline,
    key,
    keys,
    leave_room_for_names,
    new_page,
    place_keys,
    slice_keys,
)
from slicewright.evaluation.maps.positions import positions_of
from slicewright.network.summary import Summary, summarise
from slicewright.network.units import quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slicewright.network.scenario import Scenario

BINS = 31
WIDE = 50.0
"""Rates are drawn on a logarithmic axis if the highest is more than so many times the lowest."""


def scenario_view(scenario: Scenario) -> tuple[NetworkView, Summary]:
    """What to draw of a scenario: every device is linked to the access point where its rate is highest."""
    summary = summarise(scenario)
    nowhere = np.full(scenario.n_devices, -1)
    view = NetworkView(
        access_points=scenario.access_points,
        nodes=scenario.nodes,
        node_kinds=scenario.node_kinds,
        slices=[s.name for s in scenario.slices],
        positions=positions_of(scenario, summary.best_access_point, nowhere),
        access_point=summary.best_access_point,
        node=nowhere,
        slice=nowhere,
        ap_weight=summary.airtime,
        node_fill=None,
    )
    return view, summary


def scenario_page(scenario: Scenario) -> Figure:
    """The page of a scenario."""
    view, summary = scenario_view(scenario)
    figure, network, (airtime, rates, capacity) = new_page(view.positions, (1.0, 1.0, 1.0))
    points = panels.rank(scenario.access_points, summary.airtime)
    nodes = panels.rank(scenario.nodes, scenario.node_capacity_hz.sum(axis=1))
    if points.lying or nodes.lying:
        leave_room_for_names(airtime, rates, capacity)
    _airtime_panel(airtime, points, summary)
    _rate_panel(rates, summary)
    _capacity_panel(capacity, nodes, scenario)
    headline(figure, *headlines(scenario, summary))
    most = draw_network(figure, network, view)
    alone = key("o", PAPER, LOCAL_COLOUR, 7, "device, linked to its fastest access point")
    things = [
        cell_key(most) if view.dense else alone,
        *place_keys(view, "access point", "COIN node"),
    ]
    keys(figure, network, (things, *slice_keys(view, last=None)))
    return figure


def headlines(scenario: Scenario, summary: Summary) -> tuple[str, str]:
    """The counts, and what is asked of the network."""
    first = (
        f"{scenario.n_devices:,} devices · {scenario.n_access_points:,} access points · {scenario.n_nodes:,} nodes · "
        f"{scenario.n_slices} slices"
    )
    second = (
        f"{seconds(summary.local_cost_s)} if nobody offloads · stable queues would take "
        f"{100 * summary.compute_load:.3g} % of the nodes if all did · queueing {scenario.queueing}"
    )
    return first, second


def _airtime_panel(axes: Axes, points: panels.Ranking, summary: Summary) -> None:
    panels.plain_bars(axes, points.rows(summary.airtime[:, None])[:, 0], lying=points.lying)
    title = "airtime asked for, if all send to their fastest access point"
    panels.dress(axes, title, percent=True, lying=points.lying)
    panels.name_bars(axes, points)


def _rate_panel(axes: Axes, summary: Summary) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    rates = summary.best_rate_bps[summary.best_rate_bps > 0]
    low, high = float(rates.min(initial=np.inf)), float(rates.max(initial=0.0))
    wide = high > WIDE * low
    if rates.size:
        edges = np.geomspace(low, high, BINS) if wide else np.linspace(0, 1.02 * high, BINS)
        axes.hist(rates, bins=edges.tolist(), color=SOFT, edgecolor=PAPER, linewidth=0.6)
    panels.dress(axes, "devices by the rate of their fastest access point, alone on it", whole=True)
    if wide:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(LogLocator(numticks=6) if wide else MaxNLocator(nbins=5))
    axes.xaxis.set_major_formatter(lambda rate, _: quantity(rate, "bit/s"))


def _capacity_panel(axes: Axes, nodes: panels.Ranking, scenario: Scenario) -> None:
    panels.grouped_bars(axes, nodes.rows(scenario.node_capacity_hz), lying=nodes.lying)
    panels.dress(axes, "capacity of the nodes in each slice, cycles per second", lying=nodes.lying)
    along = axes.xaxis if nodes.lying else axes.yaxis
    along.set_major_formatter(lambda capacity, _: quantity(capacity, ""))
    panels.name_bars(axes, nodes)
