"""``slicewright doctor``: what works here, and what to do about the rest."""

from __future__ import annotations

import time

import typer

_MARKS = {True: "[green]yes[/green]", None: "[yellow]no [/yellow]", False: "[red]NO [/red]"}


def doctor(
    run: bool = typer.Option(
        False, "--run", help="Also plan a scenario of two devices, which compiles kernels if need be."
    ),
) -> None:
    """What is installed and works on this machine: extras, solvers, compiled kernels, programs; and how to mend it.

    Exit code 1 if something is broken that every command needs; what only some commands need is told, no more.
    """
    from rich.markup import escape

    from slicewright.cli.options import output, progress_output, show_duration
    from slicewright.cli.views.finding import Finding
    from slicewright.cli.views.installation import inspect_installation

    console, remarks = output(), progress_output()
    with remarks.status("looking"):
        found = inspect_installation()
    if run:
        import slicewright as sw

        began = time.perf_counter()
        plan = sw.plan(sw.preset("paper-slicing", devices=2), rounds=10)
        told = f"two devices planned in {show_duration(time.perf_counter() - began)}, kernels loaded"
        found.append(Finding("a plan", "auto", plan.violations.feasible, told))
    width = max(len(finding.what) for finding in found)
    for group in dict.fromkeys(finding.group for finding in found):
        console.print(f"[bold]{group}[/bold]")
        for finding in found:
            if finding.group == group:
                told = escape(f"{finding.what:{width}}  {finding.told}")
                console.print(f"  {_MARKS[finding.works]}  {told}", soft_wrap=True)
                if finding.fix:
                    console.print(f"       {'':{width}}  {escape(finding.fix)}", soft_wrap=True)
    if any(finding.works is False for finding in found):
        raise typer.Exit(1)
