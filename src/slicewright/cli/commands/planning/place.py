"""``slicewright place``: divisible tasks on in-network nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.cli.options import (
    duration_s,
    listed,
    new_table,
    output,
    progress_output,
    show_duration,
    show_percent,
    shown_name,
)

if TYPE_CHECKING:
    from rich.table import Table

    from slicewright.placement import Placement, Tasks


# Over 60 lines by its options and what is told about them: the signature is the help.
def place(
    tasks: str = typer.Argument(
        metavar="TASKS",
        help="Tasks file (YAML or JSON), or the name of a preset: paper-placement, or a regime of those listed above.",
    ),
    method: str = typer.Option(
        "auto",
        "--method",
        "-m",
        help="auto, exact, mec-only, greedy-nearest, random; learned: gnn, mlp, decision-tree, queue-network.",
    ),
    budget: str | None = typer.Option(
        None, "--budget", "-b", help="Time to use: 2ms, 50ms, 10s. By default 50ms, and 60s for exact."
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of the method's random choices."),
    compare: str | None = typer.Option(
        None, "--compare", help="Other methods to set beside it, separated by commas."
    ),
    json_file: str | None = typer.Option(
        None, "--json", metavar="FILE", help="Write the placement as slicewright/placement/v1; - for stdout."
    ),
    map_file: Path | None = typer.Option(
        None,
        "--map",
        metavar="FILE",
        help="Draw the network, where the bits go and how full the nodes are: .png, .pdf or .svg.",
    ),
) -> None:
    """Place divisible tasks with deadlines on pairs of in-network nodes, or whole on the MEC.

    The placement comes with its cost, the residual of every constraint and a proven lower bound. Exit code 1 if it
    breaks a constraint.

    Regimes, the published setting with other figures:

    - `regime/loose`: deadlines of 150 to 1,000 ms: everything fits where it is cheapest

    - `regime/paper`: the published setting: deadlines of 10 to 150 ms

    - `regime/tight`: deadlines of 5 to 50 ms: who is served at all counts more than where

    - `regime/impossible`: deadlines of 1 to 10 ms: most tasks are late even on idle nodes

    - `regime/light`: a tenth of the published arrivals: queues are short

    - `regime/overloaded`: ten times the published arrivals: more than the network takes, a node serves a handful

    - `regime/saturated`: overloaded, with deadlines of 20 to 50 ms

    - `regime/uneven`: arrivals of 0.05 to 5 per second: tasks that weigh a hundred times others

    - `regime/mixed`: COINs of different speeds: every pair limits its queues differently

    - `regime/whole`: no splitting: one COIN or the MEC

    - `regime/line`: COINs in a row with the MEC at its end: long ways

    - `regime/tree`: a binary tree of COINs under the MEC, entered at its leaves

    - `regime/mesh`: 120 tasks on a grid of 30 COINs of different speeds: 435 pairs

    - `regime/sent`: sending takes time: uplinks of 2 to 10 Gbit/s, links of 10 to 40 Gbit/s

    - `regime/devices`: sending takes time, and own devices may execute, at what 1 to 6 hops cost

    - `regime/large`: 500 tasks on the published network: slightly more than it takes

    - `regime/huge`: 2,000 tasks on the published network: four times what it takes
    """
    from slicewright.files.pictures import picture_file
    from slicewright.placement import load_tasks
    from slicewright.placement import place as decide
    from slicewright.placement.plan_file import save_placement

    if map_file is not None:
        picture_file(map_file, field="--map")
    budget_s = None if budget is None else duration_s(budget)
    problem = load_tasks(tasks)
    remarks = progress_output()
    placements: list[Placement] = []
    for name in dict.fromkeys([method, *listed(compare, "--compare")]):
        with remarks.status(f"{name}: placing {problem.n_tasks} tasks"):
            placements.append(decide(problem, name, budget_s=budget_s, seed=seed))
    chosen = placements[0]
    if json_file == "-":
        typer.echo(json.dumps(chosen.to_dict(), allow_nan=False))
    else:
        _show(problem, chosen, placements)
    if json_file not in (None, "-"):
        remarks.print(f"placement written to {save_placement(chosen, str(json_file))}")
    if map_file is not None:
        from slicewright.evaluation.placement_picture import draw_placement

        with remarks.status("drawing"):
            draw_placement(problem, chosen, map_file)
        remarks.print(f"map written to {map_file}")
    if not chosen.violations.feasible:
        raise typer.Exit(1)


def _show(tasks: Tasks, chosen: Placement, placements: list[Placement]) -> None:
    from rich.markup import escape

    from slicewright.placement.judge import MEANING

    console = output()
    console.print(_decisions(tasks, chosen))
    console.print(_nodes(tasks, chosen))
    console.print(_comparison(placements))
    for note in dict.fromkeys(note for placement in placements for note in placement.notes):
        console.print(f"[yellow]note[/] {escape(note)}")
    for rule, place in chosen.violations.worst.items():
        console.print(
            f"[bold red]broken[/] {rule} ({MEANING[rule]}): {escape(place)} by {show_percent(chosen.violations[rule])}"
        )


def _decisions(tasks: Tasks, placement: Placement) -> Table:
    from rich.markup import escape

    from slicewright.placement import ON_DEVICE

    table = new_table("task", "from", "to", "delay", "deadline", "remark", title="Tasks", left=3)
    table.columns[-1].no_wrap, table.columns[-1].justify = False, "left"
    names = tasks.topology
    for k, used in enumerate(placement.nodes):
        where = " + ".join(shown_name(names.nodes[j]) for j in used if j != ON_DEVICE) or "[red]rejected[/]"
        if ON_DEVICE in used:
            where = "its device"
        delay = show_duration(placement.delay_s[k]) if used else ""
        table.add_row(
            str(k),
            shown_name(names.access_points[tasks.access_point[k]]),
            where,
            delay,
            show_duration(tasks.deadline_s[k]),
            escape(placement.reasons[k] or ""),
        )
    return table


def _nodes(tasks: Tasks, placement: Placement) -> Table:
    from slicewright.placement.judge import choice_of, queue_arrivals
    from slicewright.placement.reasons import tightest_limits

    choice = choice_of(tasks, placement.nodes)
    arrivals, most = queue_arrivals(tasks, choice), tightest_limits(tasks, choice)
    table = new_table("node", "tasks", "arrivals", "at most", "used", title="Nodes")
    for j, name in enumerate(tasks.topology.nodes):
        users = sum(j in used for used in placement.nodes)
        if users:
            share = show_percent(arrivals[j] / most[j])
            table.add_row(shown_name(name), str(users), f"{arrivals[j]:.3g}/s", f"{most[j]:.3g}/s", share)
        else:
            table.add_row(shown_name(name), "0", "", "", "")
    return table


def _comparison(placements: list[Placement]) -> Table:
    from slicewright.network.units import BITS_PER_GIGABIT

    table = new_table(
        "method", "objective", "cost", "bound", "gap", "rejected", "time", "status",
        title=f"{'Methods' if len(placements) > 1 else 'Placement'}; objective, cost and bound in Gbit hops",
    )  # fmt: skip
    for p in placements:
        table.add_row(
            p.method,
            f"{p.objective_bit_hops / BITS_PER_GIGABIT:.5g}",
            f"{p.cost_bit_hops / BITS_PER_GIGABIT:.5g}",
            f"{p.lower_bound_bit_hops / BITS_PER_GIGABIT:.5g}",
            show_percent(p.gap),
            str(p.rejected),
            show_duration(p.runtime_s),
            p.status,
        )
    return table
