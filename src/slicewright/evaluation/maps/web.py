"""Maps as one self-contained HTML file that works offline: zoom, hover for numbers, click a slice to hide it."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.drawing.cells import busiest
from slicewright.drawing.palette import (
    BOUND_COLOUR,
    COST_COLOURS,
    INK,
    PAPER,
    SLICE_COLOURS,
    SOFT,
    slice_colour,
)
from slicewright.errors import MissingExtraError
from slicewright.evaluation.maps import plan_page, scenario_page
from slicewright.evaluation.maps.hover import Texts, plan_texts, scenario_texts
from slicewright.evaluation.maps.network_view import NetworkView
from slicewright.files.documents import write_atomically
from slicewright.network.importers.report import remembered_by_kind
from slicewright.slicing.open_gap import explain_gap
from slicewright.slicing.plan import Plan
from slicewright.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slicewright.network.scenario import Scenario

_MARKERS = ("circle", "diamond", "cross")
_HEIGHT = 860
_NOTE_LETTERS, _NOTE_LINES = 150, 3


def write_plan(plan: Plan, path: Path) -> Path:
    """Write a plan's page.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    view, loads = plan_page.plan_view(plan)
    figure = _page(
        *plan_page.headlines(plan),
        (
            "bandwidth, shared between the slices",
            "node use: part of a slice's capacity that stable queues take",
            "cost by where the time is spent",
        ),
        note=explain_gap(plan),
    )
    _draw_network(figure, view, plan_texts(plan, loads))
    scenario = plan.scenario
    users = loads.ap_users.sum(axis=1)
    shown = busiest(users)
    shares = np.where(users[:, None] > 0, plan.shares.bandwidth, 0.0)[shown]
    _bars(figure, 1, scenario, [scenario.access_points[a] for a in shown], shares, stacked=True)
    shown = busiest(loads.node_utilisation)
    _bars(figure, 2, scenario, [scenario.nodes[j] for j in shown], loads.utilisation[shown], stacked=False)
    for name, value in (("radio", loads.radio_s), ("nodes", loads.compute_s), ("devices", loads.local_s)):
        figure.add_bar(
            x=[value],
            y=[""],
            orientation="h",
            marker_color=COST_COLOURS[name],
            showlegend=False,
            text=f"{name} {value:.4g} s",
            hovertemplate=f"{name} {value:.6g} s<extra></extra>",
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            row=3,
            col=2,
        )
    figure.add_vline(
        x=plan.lower_bound_s,
        line_color=BOUND_COLOUR,
        line_width=3,
        row=3,
        col=2,
        annotation_text="proven bound",
        annotation_position="top left",
    )
    figure.update_yaxes(tickformat=".0%", row=1, col=2)
    figure.update_yaxes(tickformat=".3~p", row=2, col=2)
    figure.update_xaxes(ticksuffix=" s", row=3, col=2)
    return _write(figure, path, scenario)


def write_scenario(scenario: Scenario, path: Path) -> Path:
    """Write a scenario's page.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    view, summary = scenario_page.scenario_view(scenario)
    figure = _page(
        *scenario_page.headlines(scenario, summary),
        (
            "airtime asked for, if every device sends to its fastest access point",
            "capacity of the nodes in each slice, cycles per second",
            "devices by the rate of their fastest access point",
        ),
    )
    _draw_network(figure, view, scenario_texts(scenario, summary))
    shown = busiest(summary.airtime)
    names = [scenario.access_points[a] for a in shown]
    figure.add_bar(x=names, y=summary.airtime[shown], marker_color=SOFT, showlegend=False, row=1, col=2)
    shown = busiest(scenario.node_capacity_hz.sum(axis=1))
    capacity = scenario.node_capacity_hz[shown]
    _bars(figure, 2, scenario, [scenario.nodes[j] for j in shown], capacity, stacked=False)
    rates = summary.best_rate_bps[summary.best_rate_bps > 0]
    figure.add_histogram(x=rates, nbinsx=30, marker_color=SOFT, showlegend=False, row=3, col=2)
    figure.update_yaxes(tickformat=".3~p", row=1, col=2)
    figure.update_yaxes(exponentformat="SI", row=2, col=2)
    figure.update_xaxes(exponentformat="SI", ticksuffix="bit/s", row=3, col=2)
    return _write(figure, path, scenario)


def _page(first: str, second: str, titles: Sequence[str], note: str | None = None) -> Any:
    try:
        from plotly.subplots import make_subplots
    except ImportError:
        raise MissingExtraError("a map in HTML", "html") from None
    figure = make_subplots(
        rows=3,
        cols=2,
        column_widths=[0.62, 0.38],
        row_heights=[0.36, 0.4, 0.24],
        horizontal_spacing=0.07,
        vertical_spacing=0.13,
        specs=[[{"rowspan": 3}, {}], [None, {}], [None, {}]],
        subplot_titles=["", *titles],
    )
    figure.update_annotations(font_size=12)
    lines = textwrap.wrap(note or "", _NOTE_LETTERS)[:_NOTE_LINES]  # titles have no line breaks of their own
    more = "".join(f"<br>{html.escape(line)}" for line in lines)
    figure.update_layout(
        title={
            "text": f"<b>{first}</b><br><span style='font-size:13px;color:{SOFT}'>{second}{more}</span>",
            "x": 0.01,
        },
        template="plotly_white",
        height=_HEIGHT,
        margin={"l": 60, "r": 20, "t": 90 + 17 * len(lines), "b": 60},
        barmode="relative",
        bargap=0.2,
        legend={"orientation": "h", "y": -0.06, "x": 0.0},
        font_color=INK,
        hoverlabel_align="left",
        uniformtext={"minsize": 10, "mode": "hide"},
    )
    return figure


def _draw_network(figure: Any, view: NetworkView, texts: Texts) -> None:
    for n in range(-1, len(view.slices)):
        _draw_slice(figure, view, texts, n)
    _draw_access_points(figure, view, texts)
    if view.positions.node is not None:
        _draw_nodes(figure, view, texts, view.positions.node)
    if view.positions.schematic:
        figure.update_xaxes(tickvals=[0, 1, 2], ticktext=["devices", "access points", "nodes"], row=1, col=1)
        figure.update_yaxes(visible=False, row=1, col=1)
    else:
        figure.update_xaxes(ticksuffix=" m", zeroline=False, row=1, col=1)
        figure.update_yaxes(ticksuffix=" m", zeroline=False, scaleanchor="x", scaleratio=1, row=1, col=1)


def _draw_slice(figure: Any, view: NetworkView, texts: Texts, n: int) -> None:
    """Links and devices of one slice, which a click on its name hides; -1 for devices without a slice."""
    p = view.positions
    mine = np.flatnonzero(view.slice == n)
    group = {"legendgroup": f"slice{n}", "row": 1, "col": 1}
    linked = mine[view.access_point[mine] >= 0]
    pairs = [(p.device[linked], p.access_point[view.access_point[linked]])]
    if p.schematic and p.node is not None:
        onward = linked[view.node[linked] >= 0]
        pairs.append((p.access_point[view.access_point[onward]], p.node[view.node[onward]]))
    line = _segments(pairs)
    figure.add_scattergl(
        x=line[:, 0],
        y=line[:, 1],
        mode="lines",
        line={"color": slice_colour(n) if n >= 0 else SOFT, "width": 1.2},
        opacity=0.6,
        hoverinfo="skip",
        showlegend=False,
        **group,
    )
    look: dict[str, Any] = {"size": 7 if len(view.slice) <= 300 else 5}
    if n >= 0:
        symbol = _MARKERS[n // len(SLICE_COLOURS) % len(_MARKERS)]
        look |= {"line": {"width": 0.5, "color": PAPER}, "color": slice_colour(n), "symbol": symbol}
    else:
        look |= {"line": {"width": 1.5, "color": SOFT}, "color": PAPER, "symbol": "circle"}
    figure.add_scattergl(
        x=p.device[mine, 0],
        y=p.device[mine, 1],
        mode="markers",
        marker=look,
        text=[texts.devices[i] for i in mine.tolist()],
        name=view.slices[n] if n >= 0 else texts.unsliced,
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(mine.size),
        **group,
    )


def _draw_access_points(figure: Any, view: NetworkView, texts: Texts) -> None:
    weight = np.sqrt(view.ap_weight / (view.ap_weight.max(initial=0.0) or 1.0))
    look = {
        "symbol": "triangle-up",
        "size": 8 + 8 * weight,
        "opacity": 1.0,
        "color": INK,
        "line": {"width": 1, "color": PAPER},
    }
    _things(figure, view.positions.access_point, texts.access_points, "access points", look)


def _draw_nodes(figure: Any, view: NetworkView, texts: Texts, node: FloatArray) -> None:
    """COIN nodes and MEC servers, darker with use."""
    fill = np.zeros(len(view.nodes)) if view.node_fill is None else view.node_fill
    for kind, size in (("coin", 11), ("mec", 18)):
        of_kind = np.array([k == kind for k in view.node_kinds], dtype=bool)
        look = {
            "symbol": "square",
            "size": size,
            "line": {"width": 1.6, "color": INK},
            "color": fill[of_kind],
            "colorscale": [[0, "#FFFFFF"], [1, "#444444"]],
            "cmin": 0.0,
            "cmax": 1.0,
        }
        own = [text for text, keep in zip(texts.nodes, of_kind, strict=True) if keep]
        name = ", ".join(filter(None, (f"{kind.upper()} nodes", texts.node_remark)))
        _things(figure, node[of_kind], own, name, look)


def _things(figure: Any, xy: FloatArray, texts: Sequence[str], name: str, look: dict[str, Any]) -> None:
    figure.add_scatter(
        x=xy[:, 0],
        y=xy[:, 1],
        mode="markers",
        marker=look,
        text=list(texts),
        name=name,
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(len(xy)),
        row=1,
        col=1,
    )


def _segments(pairs: Sequence[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """(3 k, 2) first end, second end, NaN: the gap that parts one line from the next."""
    parts = [
        np.stack([first, last, np.full_like(first, np.nan)], axis=1).reshape(-1, 2) for first, last in pairs
    ]
    return np.vstack(parts)


def _bars(
    figure: Any,
    row: int,
    scenario: Scenario,
    names: Sequence[str],
    values: FloatArray | IntArray,
    *,
    stacked: bool,
) -> None:
    """One bar per name, its parts one per slice: on top of each other, or side by side."""
    for n, slice_ in enumerate(scenario.slices):
        figure.add_bar(
            x=list(names),
            y=values[:, n],
            marker_color=slice_colour(n),
            legendgroup=f"slice{n}",
            showlegend=False,
            name=slice_.name,
            offsetgroup="all" if stacked else str(n),
            row=row,
            col=2,
        )
    figure.update_xaxes(type="category", showticklabels=len(names) <= 26, row=row, col=2)


def _write(figure: Any, path: Path, scenario: Scenario) -> Path:
    page = figure.to_html(
        full_html=True,
        include_plotlyjs=True,
        div_id="slicewright-map",
        config={"displaylogo": False, "responsive": True},
    )
    head, end, tail = page.rpartition("</body>")
    return write_atomically(path, head + _import_remarks(scenario) + end + tail)


def _import_remarks(scenario: Scenario) -> str:
    """Under the map: what an import dropped, made up or found odd; nothing where the scenario was not imported."""
    told = remembered_by_kind(scenario.origin)
    lines = "".join(f"<dt>{title}</dt><dd>{html.escape(text)}</dd>" for title, text in told)
    style = f"font:13px sans-serif;color:{INK};margin:0 60px 24px"
    return f"<section style='{style}'><b>Imported</b><dl>{lines}</dl></section>" if told else ""
