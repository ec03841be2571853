"""``slicewright plan``: one scenario, one method, one plan."""

from __future__ import annotations

from pathlib import Path

import typer


# Over 60 lines by its options and what is told about them: the signature is the help.
def plan(
    scenario: str = typer.Argument(
        metavar="SCENARIO", help="Scenario file (YAML or JSON), or the name of a preset."
    ),
    method: str = typer.Option("auto", "--method", "-m", help="See `slicewright compare --list`."),
    budget: str | None = typer.Option(
        None,
        "--budget",
        "-b",
        help="Time for the decision: 100us, 5ms, 1s. By default 5ms, more above 50 devices.",
    ),
    rounds: int | None = typer.Option(
        None,
        "--rounds",
        min=0,
        help="Rounds of search instead of a time budget: repeats bit for bit. With both, whichever ends first.",
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of the method's random choices."),
    json_file: str | None = typer.Option(
        None, "--json", metavar="FILE", help="Write the plan as slicewright/plan/v1; - for stdout."
    ),
    map_file: Path | None = typer.Option(
        None,
        "--map",
        metavar="FILE",
        help="Draw devices, access points, nodes and links: .png, .pdf, .svg or .html.",
    ),
    size: int | None = typer.Option(
        None, "--size", min=1, help="Draw a preset with so many devices: `plan city/paper --size 100000`."
    ),
    show: int = typer.Option(
        12, "--show", min=0, help="Show so many devices, those that take longest first."
    ),
    devices: int | None = typer.Option(
        None, "--devices", min=0, hidden=True, help="The old name of --show."
    ),  # not among the old names that nobody is told of: some took it for --size
) -> None:
    """Plan a scenario: who offloads, through which access point, to which node, in which slice, with what share.

    The plan comes with its cost, the residual of every constraint and a proven lower bound on the cost of any plan.
    """
    import json

    from rich.markup import escape

    import slicewright as sw
    from slicewright.cli.options import duration_s, output, progress_output
    from slicewright.cli.views.plan_view import print_plan
    from slicewright.evaluation.maps import draw_plan
    from slicewright.evaluation.maps import map_file as checked
    from slicewright.network.importers.report import remembered_by_kind
    from slicewright.network.slice_identity import identity_clash

    if map_file is not None:
        checked(map_file, field="--map")
    remarks = progress_output()
    if devices is not None:
        remarks.print(
            "[yellow]--devices[/] is called --show: so many devices are shown; --size draws a preset with so many",
            soft_wrap=True,
        )
    if size is not None and Path(scenario).is_file():
        rule = f"is for presets, and {scenario} is a file, which has its own devices"
        raise sw.InvalidOptionError("--size", rule, value=size, fix="leave it out")
    problem = sw.load_scenario(scenario) if size is None else sw.preset(scenario, devices=size)
    for title, told in remembered_by_kind(problem.origin):
        remarks.print(f"[yellow]imported, {title}:[/] {escape(told)}", soft_wrap=True)
    clash = identity_clash(problem.slices)
    if clash is not None:
        remarks.print(f"[yellow]slices:[/] {escape(clash)}", soft_wrap=True)
    with remarks.status(f"planning {problem.n_devices} devices"):
        made = sw.plan(
            problem,
            method=method,
            budget_s=None if budget is None else duration_s(budget),
            rounds=rounds,
            seed=seed,
        )
        _ = made.lower_bound_s  # worked out when first read: here, where a remark says what is going on
    if json_file == "-":
        typer.echo(json.dumps(made.to_dict(), indent=1))
    else:
        print_plan(output(), made, most_devices=show if devices is None else devices)
    if json_file not in (None, "-"):
        remarks.print(f"plan written to {sw.save_plan(made, str(json_file))}")
    if map_file is not None:
        with remarks.status("drawing"):
            draw_plan(made, map_file)
        remarks.print(f"map written to {map_file}")
    if not made.violations.feasible:
        raise typer.Exit(1)
