"""``slicewright check``: judge a scenario, or a plan against its scenario."""

from __future__ import annotations

from pathlib import Path

import typer


def check(
    scenario: str = typer.Argument(
        metavar="SCENARIO", help="Scenario file (YAML or JSON), or the name of a preset."
    ),
    plan: Path | None = typer.Argument(
        None, metavar="PLAN", help="Plan file (slicewright/plan/v1) to judge."
    ),
    json_output: bool = typer.Option(False, "--json", help="Print the residuals as JSON."),
) -> None:
    """Judge a file: is the scenario sound, does the plan keep 13a to 13g, are its claims true?

    If not, exit code 1 and a sentence per broken rule: which, where, and by how much.
    """
    import json

    import slicewright as sw
    from slicewright.cli.options import output, show_percent
    from slicewright.cli.views.plan_view import print_violations

    console = output()
    problem = sw.load_scenario(scenario)
    if plan is None:
        console.print(
            f"[green]the scenario is sound[/]: {problem.n_devices} devices, {problem.n_access_points} access points, "
            f"{problem.n_nodes} nodes, {problem.n_slices} slices, queueing {problem.queueing}"
        )
        return
    from slicewright.files.documents import finite, read_document
    from slicewright.slicing.plan_file import false_claims

    document = read_document(plan, sw.InvalidPlanError)
    judged = sw.load_plan(problem, document)
    untrue = false_claims(judged, document)
    if json_output:
        typer.echo(
            json.dumps(
                {
                    "feasible": judged.violations.feasible,
                    "violations": dict(judged.violations.residuals),
                    "places": dict(judged.violations.worst),
                    "false_claims": untrue,
                    "cost_s": finite(judged.cost_s),
                    "lower_bound_s": judged.lower_bound_s,
                },
                indent=1,
            )
        )
    else:
        print_violations(console, judged.violations)
        console.print(
            f"cost {judged.cost_s:.6g} s, proven bound {judged.lower_bound_s:.6g} s, "
            f"gap at most {show_percent(judged.gap)}"
        )
        for sentence in untrue:
            console.print(f"[red]{sentence}[/]")
    if untrue or not judged.violations.feasible:
        raise typer.Exit(1)
