"""Scenarios as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from slicewright.cli.options import new_table, shown_name
from slicewright.network.importers.report import report_lines
from slicewright.network.summary import Summary, summarise
from slicewright.network.units import quantity, quantity_range
from slicewright.types import FloatArray, IntArray

if TYPE_CHECKING:
    from rich.console import Console

    from slicewright.network.scenario import Scenario


def print_scenario(console: Console, scenario: Scenario) -> None:
    """Counts, then ranges with units, then reach and load."""
    from rich.markup import escape

    summary = summarise(scenario)
    coins = scenario.node_kinds.count("coin")
    console.print(
        f"[bold]{scenario.n_devices} devices[/], {scenario.n_access_points} access points, "
        f"{coins} COIN nodes, {scenario.n_nodes - coins} MEC servers, {scenario.n_slices} slices "
        f"({', '.join(shown_name(s.name) for s in scenario.slices)}); queueing {scenario.queueing}",
        soft_wrap=True,
    )
    table = new_table("", "least", "median", "most", title="Ranges")
    for name, values, unit in _ranges(scenario):
        table.add_row(
            name, *(quantity(float(v), unit) for v in (values.min(), np.median(values), values.max()))
        )
    console.print(table)
    for line in (*_reach(scenario, summary), *_load(scenario, summary)):
        console.print(line, soft_wrap=True)
    for title, sentence in report_lines(scenario.origin):
        console.print(f"[dim]{title}:[/] {escape(sentence)}", soft_wrap=True)
    if scenario.origin:
        told = {key: value for key, value in scenario.origin.items() if not isinstance(value, (dict, list))}
        console.print(
            escape("from: " + ", ".join(f"{key} {value}" for key, value in told.items())),
            style="dim",
            soft_wrap=True,
        )


def _ranges(scenario: Scenario) -> Iterable[tuple[str, FloatArray, str]]:
    kinds = np.array(scenario.node_kinds)
    yield "task size", scenario.task_bits, "bit"
    yield "work on the device", scenario.local_cycles, "cycle"
    yield "work in a slice", scenario.slice_cycles, "cycle"
    yield "device speed", scenario.local_capacity_hz, "cycle/s"
    yield "time on the device", scenario.local_time_s, "s"
    yield "time between tasks", 1.0 / scenario.arrival_rate_hz, "s"
    if scenario.sites.tx_power_w is not None:
        yield "transmit power", scenario.sites.tx_power_w, "W"
    yield "bandwidth", scenario.bandwidth_hz, "Hz"
    for kind in ("coin", "mec"):
        if (kinds == kind).any():
            yield f"{kind.upper()} speed per slice", scenario.node_capacity_hz[kinds == kind], "cycle/s"


def _reach(scenario: Scenario, summary: Summary) -> Iterable[str]:
    reached = summary.candidates > 0
    yield (
        f"reach: {_span(summary.candidates)} of {scenario.n_access_points} access points per device"
        + (f"; [yellow]{(~reached).sum()} devices reach none and stay local[/]" if not reached.all() else "")
    )
    if reached.any():
        rates = summary.best_rate_bps[reached]
        yield f"best rate alone: {quantity_range(float(rates.min()), float(rates.max()), 'bit/s')}"
    if summary.nearest_m is not None:
        near = (
            quantity(float(np.median(summary.nearest_m)), "m"),
            quantity(float(summary.nearest_m.max()), "m"),
        )
        yield f"nearest access point: median {near[0]}, at most {near[1]}"


def _load(scenario: Scenario, summary: Summary) -> Iterable[str]:
    airtime = 100 * summary.airtime
    busiest = shown_name(scenario.access_points[int(airtime.argmax())])
    yield (
        f"radio, if every device sends to its fastest access point: {airtime.mean():.3g} % of airtime on average, "
        f"{airtime.max():.3g} % at {busiest}"
    )
    yield (
        "compute, if every device offloads, spread evenly: "
        f"stable queues take {100 * summary.compute_load:.3g} % of the nodes"
    )
    yield f"if nobody offloads: cost {summary.local_cost_s:.6g} s"


def _span(counts: IntArray) -> str:
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low} to {high}"
