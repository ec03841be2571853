"""``slicewright compare``: methods side by side on the same scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from slicewright.evaluation.comparison import Row
    from slicewright.network.scenario import Scenario


def compare(
    scenarios: list[str] = typer.Argument(
        None, metavar="SCENARIO", help="Scenario files, or names of presets."
    ),
    methods: str | None = typer.Option(
        None, "--methods", "-m", help="Names, separated by commas; by default all but those that are solvers."
    ),
    budget: str | None = typer.Option(
        None, "--budget", "-b", help="Time for each decision, the same for every method: 100us, 5ms, 1s."
    ),
    rounds: int | None = typer.Option(
        None,
        "--rounds",
        min=0,
        help="Rounds of search instead of a time budget: repeats bit for bit. With both, whichever ends first.",
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of the methods' random choices."),
    json_file: str | None = typer.Option(
        None, "--json", metavar="FILE", help="Write all figures as JSON; - for stdout."
    ),
    list_methods: bool = typer.Option(False, "--list", help="List the methods and exit."),
) -> None:
    """Compare methods on scenarios: cost, gap to the proven bound, time, worst residual, share of offloaded devices.

    With several scenarios each row is the mean over them, with the largest gap beside it.
    """
    import json

    from rich.progress import Progress

    from slicewright.cli.options import duration_s, listed, output, progress_output
    from slicewright.evaluation.comparison import compare_methods

    console = output()
    if list_methods:
        console.print(_method_table())
        return
    names = listed(methods, "--methods") or _default_methods()
    problems = _problems(scenarios)
    with Progress(console=progress_output(), transient=True) as progress:
        task = progress.add_task("comparing", total=len(problems) * len(names))
        rows = compare_methods(
            problems,
            names,
            budget_s=None if budget is None else duration_s(budget),
            rounds=rounds,
            seed=seed,
            on_step=lambda: progress.advance(task),
        )
    document = {"rows": [row.to_dict() for row in rows]}
    if json_file == "-":
        typer.echo(json.dumps(document, indent=1))
        return
    console.print(comparison_table(rows, len(problems)))
    if json_file is not None:
        from slicewright.files.documents import write_document

        write_document(document, json_file)


def _problems(scenarios: list[str]) -> dict[str, Scenario]:
    import slicewright as sw

    if not scenarios:
        raise sw.InvalidOptionError(
            "SCENARIO", "at least one is needed", fix="e.g. slicewright compare paper-slicing"
        )
    return {name: sw.load_scenario(name) for name in scenarios}


def _default_methods() -> list[str]:
    """Every method that answers within the planner's budget; solvers, which bring their own, are asked for by name."""
    from slicewright.policies.slicing import policies, policy

    return [name for name in policies() if getattr(policy(name), "default_budget_s", None) is None]


def _method_table() -> Table:
    from slicewright.cli.options import new_table
    from slicewright.policies.slicing import policies, policy

    table = new_table("method", "what it does", left=2)
    table.columns[1].no_wrap = False
    for name in policies():
        table.add_row(name, policy(name).summary)
    return table


def comparison_table(rows: list[Row], count: int) -> Table:
    """Rows of :func:`compare_methods` as a table."""
    from slicewright.cli.options import new_table, show_duration, show_percent

    table = new_table(
        "method", "cost", "gap", "worst gap", "to best", "offload", "residual", "time", "feasible",
        title=f"{count} scenario{'s' if count > 1 else ''}; gap to the proven bound",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row.method,
            f"{row.cost_s:.6g} s",
            show_percent(row.gap),
            show_percent(row.largest_gap),
            show_percent(row.to_best),
            f"{100 * row.offloaded:.0f} %",
            f"{row.worst_residual:.0g}",
            show_duration(row.runtime_s),
            "[green]yes[/]" if row.feasible else "[red]no[/]",
        )
    return table
