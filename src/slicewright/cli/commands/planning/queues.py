"""``slicewright queues``: measured queues against the model's formulas, one figure and one table."""

from __future__ import annotations

from pathlib import Path

import typer


def queues(
    precision: float = typer.Option(
        0.01,
        "--precision",
        min=1e-4,
        max=0.2,
        help="Standard error of an M/M/1 queue's mean, relative: 0.01 takes a minute, 0.0025 a quarter of an hour.",
    ),
    loads: str | None = typer.Option(None, "--loads", help="Comma-separated, by default 0.1 to 0.95."),
    picture: Path | None = typer.Option(
        None, "--picture", metavar="FILE", help="Draw the figure: .png, .pdf or .svg."
    ),
    json_file: Path | None = typer.Option(None, "--json", metavar="FILE", help="Write the table as JSON."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of everything."),
) -> None:
    """Measure how long tasks take in each kind of queue, and hold it against the model's formulas and against theory.

    Shows where the formulas hold (M/M/1 in both queueing variants), by how much the node-wide queue term overstates
    the delay where shares are enforced, and how far other work, bursts and a device's own uplink queue break it.
    Every measurement has a 95 % interval from independent copies; exit 1 if theory and measurement disagree.
    """
    from rich.progress import Progress

    from slicewright.cli.options import listed, output, progress_output
    from slicewright.cli.views.queues_view import document, print_rows
    from slicewright.errors import InvalidOptionError
    from slicewright.files.documents import write_document
    from slicewright.files.pictures import picture_file
    from slicewright.simulation.validation import LOADS, draw_validation, validate

    if picture is not None:
        picture_file(picture, field="--picture")
    try:
        wanted = tuple(float(text) for text in listed(loads)) or LOADS
    except ValueError:
        raise InvalidOptionError("--loads", "must be numbers separated by commas", value=loads) from None
    if not all(0.0 < load < 1.0 for load in wanted):
        raise InvalidOptionError("--loads", "must lie between 0 and 1", value=loads)
    remarks = progress_output()
    with Progress(console=remarks, transient=True) as progress:
        task = progress.add_task("measuring")
        rows = validate(
            precision=precision,
            loads=wanted,
            seed=seed,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    print_rows(output(), rows)
    if picture is not None:
        remarks.print(f"figure written to {draw_validation(rows, picture)}")
    if json_file is not None:
        remarks.print(f"table written to {write_document(document(rows), json_file)}")
    if not all(row.holds for row in rows if row.case.exact):
        raise typer.Exit(1)
