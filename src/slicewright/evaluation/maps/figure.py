"""Plans and scenarios as one page: the network on the left, loads on the right. PNG, PDF or SVG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.evaluation.maps import panels
from slicewright.evaluation.maps.loads import loads_of
from slicewright.evaluation.maps.network_view import NetworkView, draw_network
from slicewright.evaluation.maps.positions import positions_of
from slicewright.evaluation.maps.style import INK, PAPER, SOFT, slice_colour, slice_marker
from slicewright.network.documents import write_atomically
from slicewright.slicing.plan import Plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_SIZE_INCHES = (15.0, 9.2)
_DPI = 130


def plan_figure(plan: Plan) -> Figure:
    """The page of a plan."""
    scenario, d, loads = plan.scenario, plan.decisions, loads_of(plan)
    kept = np.zeros(scenario.n_devices, dtype=bool)
    kept[loads.offloaded] = True
    access_point, node, slice_ = (np.where(kept, x, -1) for x in (d.access_point, d.node, d.slice))
    positions = positions_of(scenario, access_point, node)
    figure, (network, counts, shares, compute, cost) = _page()
    used = loads.ap_users.sum(axis=1)
    shown = panels.busiest(used)
    panels.stacked_bars(counts, loads.ap_users[shown])
    panels.dress(counts, "devices per access point")
    counts.set_xticks([])
    counts.set_xlim(-0.6, len(shown) - 0.4)
    panels.stacked_bars(shares, np.where(used[shown, None] > 0, plan.shares.bandwidth[shown], 0.0))
    panels.dress(shares, "bandwidth shares of the slices", percent=True)
    shares.set_ylim(0, 1)
    panels.name_bars(shares, [scenario.access_points[a] for a in shown], "access points", used.size)
    shown = panels.busiest(loads.node_utilisation, most=60)
    panels.grouped_bars(compute, loads.utilisation[shown])
    panels.dress(compute, "work arriving at nodes, of each slice's capacity", percent=True)
    panels.name_bars(compute, [scenario.nodes[j] for j in shown], "nodes", scenario.n_nodes)
    panels.cost_bar(cost, loads.radio_s, loads.compute_s, loads.local_s, plan.lower_bound_s)
    network.legend(
        handles=_plan_legend(plan), loc="upper center", bbox_to_anchor=(0.5, -0.045), ncols=4, fontsize=9,
        frameon=False, labelcolor=INK, handletextpad=0.4, columnspacing=1.8,
    )  # fmt: skip
    _headline(figure, plan)
    figure.draw_without_rendering()
    draw_network(
        network,
        NetworkView(scenario, positions, access_point, node, slice_, used.astype(np.float64), loads.node_utilisation),
    )
    return figure


def _page():  # type: ignore[no-untyped-def]
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    sides = figure.add_gridspec(1, 2, width_ratios=(1.55, 1), left=0.045, right=0.985, top=0.89, bottom=0.1, wspace=0.11)
    rows = sides[1].subgridspec(4, 1, height_ratios=(0.75, 0.9, 1.0, 0.34), hspace=0.62)
    return figure, (figure.add_subplot(sides[0]), *(figure.add_subplot(rows[k]) for k in range(4)))


def _headline(figure: Figure, plan: Plan) -> None:
    scenario = plan.scenario
    offloaded = int((~plan.decisions.local).sum())
    if plan.violations.feasible:
        first = f"cost {plan.cost_s:.5g} s · proven bound {plan.lower_bound_s:.5g} s · gap at most {100 * plan.gap:.2f} %"
    else:
        first = f"infeasible: breaks {', '.join(plan.violations.broken)}"
    second = (
        f"method {plan.method} · {scenario.n_devices} devices, {offloaded} of them offload · "
        f"{scenario.n_access_points} access points · {scenario.n_nodes} nodes · {scenario.n_slices} slices"
    )
    figure.text(0.045, 0.962, first, fontsize=16, fontweight="bold", color=INK, va="center")
    figure.text(0.045, 0.925, second, fontsize=11, color=SOFT, va="center")


def _plan_legend(plan: Plan) -> list[Line2D]:
    return [
        *(
            _key(slice_marker(n), slice_colour(n), PAPER, 7, s.name)
            for n, s in enumerate(plan.scenario.slices)
        ),
        _key("o", PAPER, SOFT, 7, "computes for itself"),
        _key("^", INK, PAPER, 10, "access point, by devices"),
        _key("s", PAPER, INK, 8, "COIN node, filled by use"),
        _key("s", PAPER, INK, 12, "MEC server"),
    ]


def _key(marker: object, face: str, edge: str, size: float, label: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="", marker=marker, markerfacecolor=face, markeredgecolor=edge, markersize=size, label=label
    )


def save_figure(figure: Figure, path: Path) -> Path:
    """Write the page; the ending chooses the format. The same figure gives the same bytes."""
    import matplotlib

    kind = path.suffix[1:].lower()
    stamp = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[kind]
    stream = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "slicewright"}):
        figure.savefig(stream, format=kind, metadata=stamp)
    return write_atomically(path, stream.getvalue())
