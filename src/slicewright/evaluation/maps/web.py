"""Maps as one HTML file that works offline: zoom, search, numbers of what is pointed at, slices to hide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.drawing.palette import BOUND_COLOUR, COST_COLOURS
from slicewright.drawing.web import column, page, steps
from slicewright.evaluation.maps import plan_page, scenario_page
from slicewright.evaluation.maps.captions import seconds
from slicewright.evaluation.maps.hover import Facts, plan_facts, scenario_facts
from slicewright.evaluation.maps.network_view import NetworkView
from slicewright.files.documents import finite, write_atomically
from slicewright.network.importers.report import remembered_by_kind
from slicewright.slicing.loads import NODE_USE
from slicewright.slicing.open_gap import explain_gap
from slicewright.slicing.plan import Plan
from slicewright.types import Document, FloatArray, IntArray

if TYPE_CHECKING:
    from slicewright.network.scenario import Scenario

STYLES = ("page.css", "network.css")
_BINS = 30


def write_plan(plan: Plan, path: Path) -> Path:
    """Write a plan's page."""
    view, loads = plan_page.plan_view(plan)
    scenario = plan.scenario
    users = loads.ap_users.sum(axis=1)
    slices = [s.name for s in scenario.slices]
    bandwidth = np.where(users[:, None] > 0, plan.shares.bandwidth, 0.0)
    offloaded = loads.offloaded.size
    feasible = plan.violations.feasible
    figures = [
        ("Cost", seconds(plan.cost_s))
        if feasible
        else ("Infeasible: breaks", ", ".join(plan.violations.broken)),
        ("Proven bound", seconds(plan.lower_bound_s)),
        ("Gap at most", f"{100 * plan.gap:.2f} %" if feasible else "–"),
        ("Devices that offload", f"{offloaded:,} of {scenario.n_devices:,}"),
        ("Access points", f"{scenario.n_access_points:,}"),
        ("Nodes", f"{scenario.n_nodes:,}"),
    ]
    parts = {"radio": loads.radio_s, "nodes": loads.compute_s, "devices": loads.local_s}
    cost = {
        "kind": "parts",
        "title": "Cost by where the time is spent",
        "unit": "s",
        "parts": [
            {"name": name, "value": value, "colour": COST_COLOURS[name]} for name, value in parts.items()
        ],
        "mark": {"name": "proven bound", "value": finite(plan.lower_bound_s), "colour": BOUND_COLOUR},
    }
    panels = [
        _bars("point", "Devices per access point, by slice", loads.ap_users, users, slices),
        _bars("point", "Bandwidth of the busiest, shared between the slices", bandwidth, users, slices, whole=1.0),
        _bars(
            "node", f"Node use: {NODE_USE}", loads.utilisation, loads.node_utilisation,
            slices, unit="%", grouped=True,
        ),
        cost,
        _import_remarks(scenario),
    ]  # fmt: skip
    title = f"Plan of {scenario.n_devices:,} devices by {plan.method}"
    document = _document(title, figures, view, plan_facts(plan, loads), panels)
    note, words = explain_gap(plan), {"unsliced": "computes locally", "unlinked": "computes locally"}
    return _write(document | {"note": note} | words, path)


def write_scenario(scenario: Scenario, path: Path) -> Path:
    """Write a scenario's page."""
    view, summary = scenario_page.scenario_view(scenario)
    capacity = scenario.node_capacity_hz
    figures = [
        ("Devices", f"{scenario.n_devices:,}"),
        ("Access points", f"{scenario.n_access_points:,}"),
        ("Nodes", f"{scenario.n_nodes:,}"),
        ("Slices", f"{scenario.n_slices:,}"),
        ("If nobody offloads", seconds(summary.local_cost_s)),
        ("Of the nodes, if all did", f"{100 * summary.compute_load:.3g} %"),
    ]
    airtime = summary.airtime[:, None]
    slices = [s.name for s in scenario.slices]
    asked = "Airtime asked for, if all send to their fastest access point"
    title = "Capacity of the nodes in each slice, cycles per second"
    panels = [
        _bars("point", asked, airtime, summary.airtime, [], unit="%"),
        _bars("node", title, capacity, capacity.sum(axis=1), slices, unit="cycle/s", grouped=True),
        _rates(summary.best_rate_bps[summary.best_rate_bps > 0]),
        _import_remarks(scenario),
    ]  # fmt: skip
    document = _document(
        "Scenario, before it is planned", figures, view, scenario_facts(scenario, summary), panels
    )
    return _write(document | {"unsliced": "devices", "unlinked": "out of reach of all access points"}, path)


def _document(
    title: str,
    figures: Sequence[tuple[str, str]],
    view: NetworkView,
    facts: Facts,
    panels: Sequence[Document | None],
) -> Document:
    p = view.positions
    places = {} if p.node is None else {"x": column(p.node[:, 0]), "y": column(p.node[:, 1])}
    fill = np.zeros(len(view.nodes)) if view.node_fill is None else view.node_fill
    return {
        "title": title,
        "figures": figures,
        "dense": view.dense,
        "network": {
            "columns": p.schematic,
            "slices": list(view.slices),
            "points": {
                "names": list(view.access_points),
                "x": column(p.access_point[:, 0]),
                "y": column(p.access_point[:, 1]),
                "weight": column(view.ap_weight),
                "said": facts.access_points,
            },
            "nodes": {
                "names": list(view.nodes),
                "kinds": list(view.node_kinds),
                "weight": column(fill),
                "said": facts.nodes,
                **places,
            },
        },
        "devices": {
            "x": steps(p.device[:, 0]),
            "y": steps(p.device[:, 1]),
            "slice": column(view.slice, "index"),
            "point": column(view.access_point, "index"),
            "node": column(view.node, "index"),
            "fields": [{"name": f.name, "unit": f.unit, "values": column(f.values)} for f in facts.devices],
        },
        "panels": [panel for panel in panels if panel is not None],
    }


def _bars(
    of: str,
    title: str,
    values: FloatArray | IntArray,
    weight: FloatArray | IntArray,
    slices: Sequence[str],
    *,
    unit: str = "",
    grouped: bool = False,
    whole: float | None = None,
) -> Document:
    """One bar per access point (``point``) or ``node``, its parts one per slice: in a row, or under each other."""
    return {
        "kind": "bars",
        "of": of,
        "title": title,
        "values": _rounded(values),
        "weight": _rounded(weight),
        "slices": list(slices),
        "unit": unit,
        "grouped": grouped,
        "whole": whole,
    }


def _rates(best_bps: FloatArray) -> Document | None:
    if not best_bps.size:
        return None
    low, high = float(best_bps.min()), float(best_bps.max())
    wide = high > scenario_page.WIDE * low
    edges = np.geomspace(low, high, _BINS + 1) if wide else np.linspace(0.0, high, _BINS + 1)
    counts, _ = np.histogram(np.clip(best_bps, edges[0], edges[-1]), bins=edges)
    return {
        "kind": "histogram",
        "title": "Devices by the rate of their fastest access point, alone on it",
        "edges": _rounded(edges),
        "counts": counts.tolist(),
        "unit": "bit/s",
        "what": "devices",
    }


def _import_remarks(scenario: Scenario) -> Document | None:
    """What an import dropped, made up or found odd; nothing where the scenario was not imported."""
    told = remembered_by_kind(scenario.origin)
    return {"kind": "remarks", "title": "Imported", "remarks": told} if told else None


def _rounded(values: FloatArray | IntArray) -> list[float]:
    """As lists, with as many digits as anybody reads; what is not finite is drawn as nothing."""
    if values.dtype.kind in "iu":
        return list(values.tolist())
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    scale = 10.0 ** (5 - np.floor(np.log10(np.maximum(np.abs(finite), 1e-300))))
    return list((np.round(finite * scale) / scale).tolist())


def _write(document: Document, path: Path) -> Path:
    made = page(
        title="slicewright", body="network-page.html", styles=STYLES, module="network-page.js", data=document
    )
    return write_atomically(path, made)
