"""``slicewright place``: problem two on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slicewright.cli.options import duration_s, output, progress_output, show_duration, show_percent

if TYPE_CHECKING:
    from rich.table import Table

    from slicewright.placement import Placement, Tasks

BITS_PER_GIGABIT = 1e9
FAILED = 1


def place(
    tasks: Annotated[
        str,
        typer.Argument(help="A slicewright/tasks/v1 file (YAML or JSON), or the preset `paper-placement`."),
    ],
    method: Annotated[
        str, typer.Option("--method", "-m", help="auto, exact, mec-only, greedy-nearest, random, ...")
    ] = "auto",
    budget: Annotated[
        str | None,
        typer.Option("--budget", "-b", help="Time to use, such as 50ms or 10s.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of everything random.")] = 0,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare", help="Other methods to set beside it, separated by commas.", show_default=False
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the placement to this file, - for standard output.")
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="Draw the placement to this PNG, SVG or PDF file.")
    ] = None,
) -> None:
    """Place divisible tasks with deadlines on pairs of in-network nodes, or whole on the MEC.

    Ends with 1 if the placement breaks a constraint.
    """
    from slicewright.errors import InvalidOptionError
    from slicewright.network.documents import write_document
    from slicewright.placement import load_tasks
    from slicewright.placement import place as decide

    budget_s = None if budget is None else duration_s(budget)
    problem = load_tasks(tasks)
    remarks = progress_output()
    others = [name.strip() for name in (compare or "").split(",") if name.strip()]
    placements: list[Placement] = []
    for name in dict.fromkeys([method, *others]):
        with remarks.status(f"{name}: placing {problem.n_tasks} tasks"):
            placements.append(decide(problem, name, budget_s=budget_s, seed=seed))
    chosen = placements[0]
    if map_file is not None:
        from slicewright.placement.picture import draw_placement

        if map_file.suffix == "":
            raise InvalidOptionError("--map", "must end in .png, .svg or .pdf", value=str(map_file))
        with remarks.status("drawing"):
            draw_placement(problem, chosen, map_file)
        remarks.print(f"wrote {map_file}")
    if json_file is not None and str(json_file) != "-":
        write_document(chosen.to_dict(), json_file)
        remarks.print(f"wrote {json_file}")
    if str(json_file) == "-":
        typer.echo(json.dumps(chosen.to_dict(), allow_nan=False))
    else:
        _show(problem, chosen, placements)
    if not chosen.violations.feasible:
        raise typer.Exit(FAILED)


def _show(tasks: Tasks, chosen: Placement, placements: list[Placement]) -> None:
    from rich.markup import escape

    console = output()
    console.print(_decisions(tasks, chosen))
    console.print(_nodes(tasks, chosen))
    console.print(_comparison(placements))
    for note in dict.fromkeys(note for placement in placements for note in placement.notes):
        console.print(f"[yellow]note[/] {escape(note)}")
    for rule, worst in chosen.violations.worst.items():
        from slicewright.placement.judge import MEANING

        what = f"node {tasks.topology.nodes[worst]}" if rule == "9c" else f"task {worst}"
        console.print(
            f"[bold red]broken[/] {rule} ({MEANING[rule]}): {what} by {show_percent(chosen.violations[rule])}"
        )


def _decisions(tasks: Tasks, placement: Placement) -> Table:
    from rich.table import Table

    table = Table("task", "from", "to", "delay", "deadline", "remark", title="Tasks", title_justify="left")
    names = tasks.topology
    for k, used in enumerate(placement.nodes):
        where = " + ".join(names.nodes[j] for j in used) or "[red]rejected[/]"
        delay = show_duration(placement.delay_s[k]) if used else ""
        table.add_row(
            str(k),
            names.access_points[tasks.access_point[k]],
            where,
            delay,
            show_duration(tasks.deadline_s[k]),
            placement.reasons[k] or "",
        )
    return table


def _nodes(tasks: Tasks, placement: Placement) -> Table:
    from rich.table import Table

    from slicewright.placement.judge import choice_of, queue_arrivals
    from slicewright.placement.reasons import tightest_limits

    choice = choice_of(tasks, placement.nodes)
    arrivals, most = queue_arrivals(tasks, choice), tightest_limits(tasks, choice)
    table = Table("node", "tasks", "arrivals", "at most", "used", title="Nodes", title_justify="left")
    for j, name in enumerate(tasks.topology.nodes):
        users = sum(j in used for used in placement.nodes)
        if users:
            share = show_percent(arrivals[j] / most[j])
            table.add_row(name, str(users), f"{arrivals[j]:.3g}/s", f"{most[j]:.3g}/s", share)
        else:
            table.add_row(name, "0", "", "", "")
    return table


def _comparison(placements: list[Placement]) -> Table:
    from rich.table import Table

    title = "Methods" if len(placements) > 1 else "Placement"
    table = Table(
        "method",
        "objective",
        "cost",
        "bound",
        "gap",
        "rejected",
        "time",
        "status",
        title=title,
        title_justify="left",
    )
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
    table.caption = "objective, cost and bound in Gbit hops"
    return table
