"""``slicewright replay``: recompute every decision of a log."""

from __future__ import annotations

from pathlib import Path

import typer


def replay(
    logs: list[Path] = typer.Argument(
        metavar="LOG",
        help="Decision log: the --store of serve (SQLite), JSON lines of /v1/log, segments of these, or a folder.",
    ),
    json_output: bool = typer.Option(False, "--json", help="Findings as JSON lines on stdout."),
) -> None:
    """Check a log's hash chain, across its files too, and make its decisions again: same input, same answer.

    Exit code 1 when a record was altered or a decision comes out differently.
    """
    import json
    from dataclasses import asdict

    from slicewright.cli.options import output, progress_output
    from slicewright.control.journal.sqlite.logs import read_log
    from slicewright.control.views.replay import replay_log

    remarks, console = progress_output(), output()
    with remarks.status(f"replaying {', '.join(map(str, logs))}"):
        report = replay_log(read_log(*logs))
    if json_output:
        for difference in report.differences:
            typer.echo(json.dumps(asdict(difference)))
    else:
        for difference in report.differences:
            console.print(f"[red]record {difference.sequence}[/red] {difference.what}: {difference.detail}")
        console.print(
            f"{report.records} records, {report.decisions} decisions, {report.recomputed} recomputed: "
            + (
                f"[red]{len(report.differences)} differ[/red]"
                if report.differences
                else "[green]no difference[/green]"
            )
        )
    if report.differences:
        raise typer.Exit(1)
