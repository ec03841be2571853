"""``slicewright check``: judge a scenario, or a plan against its scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from slicewright.judging import BrokenRules
    from slicewright.network.scenario import Scenario
    from slicewright.types import Document


def check(
    scenario: str = typer.Argument(
        metavar="SCENARIO",
        help="Scenario file (YAML or JSON), or the name of a preset; for a placement its tasks.",
    ),
    plan: Path | None = typer.Argument(
        None,
        metavar="PLAN",
        help="Plan (slicewright/plan/v1) or placement (slicewright/placement/v1) to judge, or the folder of an export.",
    ),
    json_output: bool = typer.Option(False, "--json", help="Print the residuals as JSON."),
) -> None:
    """Judge a file: is the scenario sound, does the plan keep 13a to 13g, are its claims true?

    If not, exit code 1 and a sentence per broken rule: which, where, and by how much. A placement is held against 9a to
    9e in the same way. Of an export: are all files there, unchanged, and is every access point and every slice in them,
    once?
    """
    import slicewright as sw
    from slicewright.errors import InvalidOptionError
    from slicewright.files.documents import read_document, told_of_file
    from slicewright.placement.plan import SCHEMA as PLACEMENT

    if plan is None and Path(scenario).is_dir():
        fix = "name the scenario that it was made of before it: slicewright check SCENARIO FOLDER"
        raise InvalidOptionError("SCENARIO", "is a folder", value=scenario, fix=fix)
    if plan is not None and not plan.is_dir():
        document = read_document(plan, sw.InvalidPlanError)
        with told_of_file(plan):
            if document.get("schema") == PLACEMENT:
                _check_placement(scenario, document, json_output=json_output)
            else:
                _check_plan(sw.load_scenario(scenario), document, json_output=json_output)
        return
    problem = sw.load_scenario(scenario)
    if plan is None:
        _check_scenario(problem, json_output=json_output)
    else:
        _check_export(problem, plan, json_output=json_output)


def _check_scenario(problem: Scenario, *, json_output: bool) -> None:
    import json

    from rich.markup import escape

    from slicewright.cli.options import output
    from slicewright.network.importers.report import remembered, remembered_by_kind
    from slicewright.network.slice_identity import identity_clash

    clash = identity_clash(problem.slices)
    wrong = [] if clash is None else [f"slices: {clash}; give each slice its own sst, or its own sd"]
    if json_output:
        told = {"sound": not wrong, "wrong": wrong, "imported": remembered(problem.origin)}
        typer.echo(json.dumps(told, indent=1))
    else:
        console = output()
        for sentence in wrong:
            console.print(f"[red]{escape(sentence)}[/]")
        if not wrong:
            console.print(
                f"[green]the scenario is sound[/]: {problem.n_devices} devices, {problem.n_access_points} access "
                f"points, {problem.n_nodes} nodes, {problem.n_slices} slices, queueing {problem.queueing}"
            )
        for title, text in remembered_by_kind(problem.origin):
            console.print(f"[yellow]imported, {title}:[/] {escape(text)}", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


def _check_plan(problem: Scenario, document: Document, *, json_output: bool) -> None:
    import slicewright as sw
    from slicewright.cli.options import show_percent
    from slicewright.files.documents import finite
    from slicewright.slicing.plan_file import false_claims

    judged = sw.load_plan(problem, document)
    _tell(
        judged.violations,
        false_claims(judged, document),
        f"cost {judged.cost_s:.6g} s, proven bound {judged.lower_bound_s:.6g} s, "
        f"gap at most {show_percent(judged.gap)}",
        {"cost_s": finite(judged.cost_s), "lower_bound_s": judged.lower_bound_s},
        json_output=json_output,
    )


def _check_placement(name: str, document: Document, *, json_output: bool) -> None:
    from slicewright.placement import load_tasks
    from slicewright.placement.judge import judge
    from slicewright.placement.plan_file import false_claims, load_placement, placement_choice

    tasks, placement = load_tasks(name), load_placement(document)
    judged = judge(tasks, placement_choice(tasks, placement))
    _tell(
        judged.violations,
        false_claims(placement, judged),
        f"objective {judged.objective_bit_hops:.6g} bit-hops, {placement.rejected} of {tasks.n_tasks} tasks rejected",
        {"objective_bit_hops": judged.objective_bit_hops, "cost_bit_hops": judged.cost_bit_hops},
        json_output=json_output,
    )


def _tell(
    violations: BrokenRules, untrue: list[str], figures: str, numbers: Document, *, json_output: bool
) -> None:
    """What the judge says of a plan or a placement.

    Raises:
        typer.Exit: with 1, if a rule is broken or a claim is not true.
    """
    import json

    from rich.markup import escape

    from slicewright.cli.options import output
    from slicewright.cli.views.plan_view import print_violations

    if json_output:
        told = {
            "feasible": violations.feasible,
            "violations": dict(violations.residuals),
            "places": dict(violations.worst),
            "false_claims": untrue,
            **numbers,
        }
        typer.echo(json.dumps(told, indent=1))
    else:
        console = output()
        print_violations(console, violations)
        console.print(figures, soft_wrap=True)
        for sentence in untrue:
            console.print(f"[red]{escape(sentence)}[/]")
    if untrue or not violations.feasible:
        raise typer.Exit(1)


def _check_export(problem: Scenario, folder: Path, *, json_output: bool) -> None:
    import json

    from rich.markup import escape

    from slicewright.cli.options import output
    from slicewright.enforcement.export import inspect_export

    found = inspect_export(folder, problem)
    if json_output:
        targets = [
            {
                "target": one.target,
                "files": one.files,
                "wrong": list(one.wrong),
                **({} if one.cells is None else {"access_points": one.cells[0], "cells": one.cells[1]}),
            }
            for one in found
        ]
        typer.echo(json.dumps({"sound": not any(one.wrong for one in found), "targets": targets}, indent=1))
    else:
        console = output()
        for one in found:
            state = "[red]not sound[/]" if one.wrong else "[green]sound[/]"
            counted = "" if one.cells is None else f", {one.cells[1]} of {one.cells[0]} access points"
            console.print(
                f"[bold]{one.target}[/]: {one.files} files{counted} in {escape(str(one.folder))}, {state}",
                soft_wrap=True,
            )
            for sentence in one.wrong:
                console.print(f"  [red]{escape(sentence)}[/]")
    if any(one.wrong for one in found):
        raise typer.Exit(1)
