"""Plans and violations as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.markup import escape

from slicewright.cli.options import new_table, show_duration, show_percent, shown_name
from slicewright.slicing.open_gap import explain_gap

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from slicewright.judging import BrokenRules
    from slicewright.slicing.plan import Plan


def print_plan(console: Console, plan: Plan, *, most_devices: int = 12) -> None:
    """Headline, slices, the slowest devices and, if any, the broken rules."""
    scenario, decisions = plan.scenario, plan.decisions
    offloaded = int((~decisions.local).sum())
    colour = {"optimal": "green", "feasible": "green", "infeasible": "red"}[plan.status]
    console.print(
        f"[bold]{scenario.n_devices} devices[/], {scenario.n_access_points} access points, {scenario.n_nodes} nodes, "
        f"{scenario.n_slices} slices; method [bold]{escape(plan.method)}[/] took {show_duration(plan.runtime_s)}"
    )
    console.print(
        f"cost [bold]{plan.cost_s:.6g} s[/], proven bound {plan.lower_bound_s:.6g} s, "
        f"gap at most [bold]{show_percent(plan.gap)}[/], [{colour}]{plan.status}[/]; "
        f"{offloaded} offloaded, {scenario.n_devices - offloaded} local"
    )
    parts = cost_parts(plan)
    if parts is not None:
        told = (f"{name} {100 * part:.0f} %" for name, part in parts.items())
        console.print(f"what the cost is spent on: {', '.join(told)}")
    reason = explain_gap(plan)
    for note in (*plan.notes, *([] if reason is None else [reason])):
        console.print(f"[yellow]note:[/] {escape(note)}")
    console.print(_slice_table(plan))
    if most_devices:
        console.print(_device_table(plan, most_devices))
    print_violations(console, plan.violations)


def cost_parts(plan: Plan) -> dict[str, float] | None:
    """Parts of the cost that are sending, executing on nodes and executing at home: they tell the regime of a network.

    None where there is no finite cost to divide.
    """
    if not 0.0 < plan.cost_s < np.inf:
        return None
    local, times = plan.decisions.local, plan.times
    spent = {
        "radio": times.transmit_s.sum(),
        "nodes": times.execute_s[~local].sum(),
        "at home": times.execute_s[local].sum(),
    }
    return {name: float(s) / plan.cost_s for name, s in spent.items()}


def print_violations(console: Console, violations: BrokenRules) -> None:
    """One line when all is well, else a sentence per broken rule."""
    if violations.feasible:
        first, *_, last = violations.residuals
        console.print(f"[green]all of {first} to {last} hold[/]")
    else:
        console.print(f"[red]{escape(violations.explain())}[/]")


def _slice_table(plan: Plan) -> Table:
    scenario, d = plan.scenario, plan.decisions
    table = new_table("slice", "devices", "radio shares", "busiest node", "mean completion", title="Slices")
    completion = plan.times.completion_s
    for n, slice_ in enumerate(scenario.slices):
        users = np.flatnonzero(d.slice == n)
        busiest = (
            "" if not users.size else shown_name(scenario.nodes[int(np.bincount(d.node[users]).argmax())])
        )
        shares = plan.shares.bandwidth[:, n]
        table.add_row(
            shown_name(slice_.name),
            str(users.size),
            f"{shares.min():.2f} to {shares.max():.2f}",
            busiest,
            f"{completion[users].mean():.3g} s" if users.size else "",
        )
    local = np.flatnonzero(d.local)
    if local.size:
        table.add_row("local", str(local.size), "", "", f"{completion[local].mean():.3g} s", style="dim")
    return table


def _device_table(plan: Plan, most: int) -> Table:
    scenario, d, times = plan.scenario, plan.decisions, plan.times
    order = np.argsort(-times.completion_s, kind="stable")[:most]
    title = "Devices" if order.size == scenario.n_devices else f"The {order.size} slowest devices"
    table = new_table(
        "device", "runs on", "through", "slice", "radio", "compute", "transmit", "execute", "total", "if local",
        title=title, left=4,
    )  # fmt: skip
    local = d.local
    for i in order:
        tau = f"{scenario.local_time_s[i]:.3g} s"
        if local[i]:
            table.add_row(str(i), "device", "", "", "", "", "", tau, tau, tau, style="dim")
            continue
        a, n = d.access_point[i], d.slice[i]
        table.add_row(
            str(i),
            shown_name(scenario.nodes[d.node[i]]),
            shown_name(scenario.access_points[a]),
            shown_name(scenario.slices[n].name),
            f"{plan.shares.bandwidth[a, n] * plan.shares.radio[i]:.3f}",
            f"{plan.shares.compute[i]:.3f}",
            f"{times.transmit_s[i]:.3g} s",
            f"{times.execute_s[i]:.3g} s",
            f"{times.completion_s[i]:.3g} s",
            tau,
        )
    return table
