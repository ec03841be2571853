"""Runs of the simulator for people: a live summary while they go on, tables at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from slicewright.cli.options import new_table, show_duration, show_percent
from slicewright.files.documents import finite
from slicewright.simulation.tasks.metrics import DEFINITIONS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from slicewright.simulation import FinishedTasks, Measured, Simulation, Step

_REFRESH_S = 0.15
_LABELS = {
    "mean_completion_s": "completion time, mean",
    "median_completion_s": "half of the tasks within",
    "p95_completion_s": "95 % within",
    "p99_completion_s": "99 % within",
    "mean_transmission_s": "transmission with its queue, mean of the offloaded",
    "mean_execution_s": "execution with its queue, mean",
}


class LiveSummary:
    """A table on a terminal that is drawn over itself; nothing where nobody watches."""

    def __init__(self, console: Console, run: Simulation, until_s: float) -> None:
        """Nothing shown yet."""
        from rich.live import Live

        self._run, self._until_s = run, until_s
        self._done, self._lost, self._sum_s, self._recent_s = 0, 0, 0.0, float("nan")
        self._began = self._shown = time.perf_counter()
        self._live = (
            Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        )

    def __enter__(self) -> LiveSummary:
        """Begin to draw."""
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the table."""
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def show(self, part: FinishedTasks) -> None:
        """Count what finished, and draw if it is time."""
        completion = (part.done_s - part.arrived_s)[~part.lost]
        self._done += completion.size
        self._lost += int(part.lost.sum())
        if completion.size:
            self._recent_s = float(completion.mean())
        now = time.perf_counter()
        if self._live is not None and now - self._shown >= _REFRESH_S:
            self._shown = now
            self._live.update(self._table(now), refresh=True)

    def _table(self, now: float) -> Table:
        run, counts = self._run, self._run.counts
        table = new_table("simulating", "")
        part = run.now_s / self._until_s
        bar = "█" * int(30 * part) + "·" * (30 - int(30 * part))
        table.add_row(
            f"{bar} {show_duration(run.now_s)} of {show_duration(self._until_s)}", f"{100 * part:.0f} %"
        )
        table.add_row("times faster than life", f"{run.now_s / (now - self._began):,.0f}")
        table.add_row("devices there", f"{int(run.present.sum()):,}")
        table.add_row("tasks done", f"{self._done:,}")
        table.add_row("tasks inside", f"{run.queues.n_arrived - self._done - self._lost:,}")
        table.add_row("completion time of the last", show_duration(self._recent_s))
        if counts.handovers or counts.moves:
            table.add_row("handovers", f"{counts.handovers:,}")
            table.add_row("devices moved by replanning", f"{counts.moves:,}")
        if run.steps:
            table.add_row("system cost now", f"{run.steps[-1].cost_s:.4g} s")
        return table


def print_measured(console: Console, run: Simulation, measured: Measured, *, most_devices: int = 10) -> None:
    """Headline, figures, and the devices that the plan promised most too much."""
    scenario, figures, counts = run.scenario, measured.figures, run.counts
    console.print(
        f"[bold]{scenario.n_devices} devices[/], {show_duration(run.now_s)} simulated, "
        f"[bold]{figures['tasks_done']:,.0f} tasks[/] done, {run.queues.n_inside:,} inside, "
        f"{figures['tasks_lost']:,.0f} lost; servers: {run.settings.disciplines.servers}"
    )
    if counts.handovers or counts.moves or counts.joins or counts.leaves:
        console.print(
            f"{counts.handovers:,} handovers, {counts.joins:,} joins, {counts.leaves:,} leaves, "
            f"{len(run.steps):,} plans that moved {counts.moves:,} devices"
        )
    ratio = figures["system_cost_s"] / figures["planned_cost_s"]
    console.print(
        f"system cost [bold]{figures['system_cost_s']:.6g} s[/] measured, {figures['planned_cost_s']:.6g} s planned: "
        f"{100 * (ratio - 1):+.1f} %"
    )
    table = new_table("figure", "measured")
    for name, label in _LABELS.items():
        table.add_row(label, show_duration(figures[name]))
    table.add_row("late by 13b, part of the offloaded tasks", show_percent(figures["late_13b"]))
    table.add_row("tasks inside on average", f"{figures['mean_inside']:.4g}")
    console.print(table)
    if run.steps:
        console.print(_steps_table(run.steps))
    console.print(_device_table(run, measured, most_devices))


def _steps_table(steps: list[Step]) -> Table:
    """Replanning in a row for each tenth of the run; regret only where it was certified."""
    certified = any(np.isfinite(step.regret) for step in steps)
    regret = ("regret at most",) if certified else ()
    columns = ("time", "devices", "cost kept", "cost new", *regret, "moved", "missed 13b", "decision")
    table = new_table(*columns, title="Replanning")
    for k in sorted({int(q) for q in np.linspace(0, len(steps) - 1, 10)}):
        step = steps[k]
        table.add_row(
            show_duration(step.now_s),
            str(step.devices),
            f"{step.kept_s:.4g} s" if np.isfinite(step.kept_s) else "breaks rules",
            f"{step.cost_s:.4g} s",
            *((show_percent(step.regret) if np.isfinite(step.regret) else "",) if certified else ()),
            str(step.moved),
            str(step.missed),
            show_duration(step.decision_s),
        )
    return table


def _device_table(run: Simulation, measured: Measured, most: int) -> Table:
    table = new_table(
        "device",
        "where",
        "tasks",
        "transmission",
        "planned",
        "execution",
        "planned",
        "off by",
        title="Devices that the plan promised most too much",
        left=2,
    )
    planned = measured.planned_completion_s
    excess = np.where(np.isfinite(planned), measured.completion_s - planned, -np.inf)
    excess = np.where(np.isnan(excess), -np.inf, excess)
    decisions, scenario = run.decisions, run.scenario
    for i in np.argsort(-excess, kind="stable")[:most].tolist():
        if not np.isfinite(excess[i]):
            break
        where = (
            "local"
            if decisions.node[i] < 0
            else f"{scenario.access_points[decisions.access_point[i]]} {scenario.nodes[decisions.node[i]]}"
        )
        table.add_row(
            str(i),
            where,
            f"{measured.tasks[i]:,}",
            show_duration(measured.transmission_s[i]),
            show_duration(measured.planned_transmission_s[i]),
            show_duration(measured.execution_s[i]),
            show_duration(measured.planned_execution_s[i]),
            f"{100 * (measured.completion_s[i] / planned[i] - 1):+.0f} %",
        )
    return table


def document(run: Simulation, measured: Measured) -> Mapping[str, object]:
    """Figures with their definitions, for machines; numbers that are not finite become null."""
    return {
        "schema": "slicewright/simulation/v1",
        "horizon_s": run.now_s,
        "seed": run.settings.seed,
        "servers": run.settings.disciplines.servers,
        "figures": {name: finite(value) for name, value in measured.figures.items()},
        "definitions": dict(DEFINITIONS),
        "counts": vars(run.counts),
        "replanning": [
            {name: finite(value) for name, value in vars(step).items()} | {"regret": finite(step.regret)}
            for step in run.steps
        ],
        "devices": [
            {
                "device": i,
                "tasks": int(measured.tasks[i]),
                "transmission_s": finite(measured.transmission_s[i]),
                "planned_transmission_s": finite(measured.planned_transmission_s[i]),
                "execution_s": finite(measured.execution_s[i]),
                "planned_execution_s": finite(measured.planned_execution_s[i]),
            }
            for i in range(run.scenario.n_devices)
        ],
    }
