"""``slicewright queues``: measured queues against the model's formulas, one figure and one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from slicewright.simulation.validation import Prediction

_BED = "queues"


# Over 60 lines by its options and what is told about them: the signature is the help.
def queues(
    precision: float = typer.Option(
        0.01,
        "--precision",
        min=1e-4,
        max=0.2,
        help="Standard error of an M/M/1 queue's mean, relative: 0.01 takes a minute, 0.0025 a quarter of an hour.",
    ),
    loads: str | None = typer.Option(
        None, "--loads", help="Loads to measure at, separated by commas; by default 0.1 to 0.95."
    ),
    picture: Path | None = typer.Option(
        None, "--picture", metavar="FILE", help="Draw the figure: .png, .pdf or .svg."
    ),
    test_bed: str | None = typer.Option(
        None,
        "--test-bed",
        metavar="TIME",
        help="Also send tasks through the test bed for so long, and simulate the very same: 40s. Needs Linux and root.",
    ),
    json_file: str | None = typer.Option(
        None, "--json", metavar="FILE", help="Write the table as JSON; - for stdout."
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of everything random."),
) -> None:
    """Measure how long tasks take in each kind of queue, and hold it against the model's formulas and against theory.

    Shows where the formulas hold (M/M/1 in both queueing variants), by how much the node-wide queue term overstates
    the delay where shares are enforced, and how far other work, bursts and a device's own uplink queue break it.
    Every measurement has a 95 % interval from independent copies; exit 1 if theory and measurement disagree.
    Ctrl-C ends early with what is measured.
    """
    import json

    from rich.progress import Progress

    from slicewright.cli.interruption import INTERRUPTED, EndingEarly
    from slicewright.cli.options import duration_s, listed, output, progress_output
    from slicewright.cli.views.queues_view import document, print_predictions, print_rows
    from slicewright.errors import InvalidOptionError
    from slicewright.files.documents import write_document
    from slicewright.files.pictures import picture_file
    from slicewright.simulation.validation import CASES, LOADS, draw_validation, validate

    if picture is not None:
        picture_file(picture, field="--picture")
    try:
        wanted = tuple(float(text) for text in listed(loads, "--loads")) or LOADS
    except ValueError:
        raise InvalidOptionError("--loads", "must be numbers separated by commas", value=loads) from None
    if not all(0.0 < load < 1.0 for load in wanted):
        raise InvalidOptionError("--loads", "must lie between 0 and 1", value=loads)
    remarks = progress_output()
    predictions: list[Prediction] = []
    if test_bed is not None:
        with remarks.status("sending tasks through the test bed"):
            predictions = _through_the_test_bed(duration_s(test_bed, "--test-bed", positive=True), seed)
    with EndingEarly() as ending, Progress(console=remarks, transient=True) as progress:
        task = progress.add_task("measuring")

        def told(done: int, total: int) -> bool:
            progress.update(task, completed=done, total=total)
            return not ending.asked

        rows = validate(precision=precision, loads=wanted, seed=seed, progress=told)
    if ending.asked:
        remarks.print(f"interrupted: {len(rows)} of {len(CASES) * len(wanted)} measurements are done")
    if json_file == "-":
        typer.echo(json.dumps(document(rows, predictions), indent=1))
    else:
        print_rows(output(), rows)
        if predictions:
            print_predictions(output(), predictions)
    if picture is not None:
        remarks.print(f"figure written to {draw_validation(rows, picture, predictions)}")
    if json_file not in (None, "-"):
        remarks.print(f"table written to {write_document(document(rows, predictions), str(json_file))}")
    if ending.asked:
        raise typer.Exit(INTERRUPTED)
    if not all(row.holds for row in rows if row.case.exact):
        raise typer.Exit(1)


def _through_the_test_bed(seconds: float, seed: int) -> list[Prediction]:
    """Put up the small bed, send tasks, take it down, and simulate what was sent."""
    from slicewright.enforcement.testbed import bed as beds
    from slicewright.enforcement.testbed.traffic import send_tasks
    from slicewright.network import load_scenario
    from slicewright.policies.slicing import plan as make_plan
    from slicewright.simulation.validation import MeasuredTasks, predict

    plan = make_plan(load_scenario(Path(beds.__file__).with_name("small.yaml")), rounds=20)
    bed = beds.put_up(plan, name=_BED)
    try:
        runs = send_tasks(bed, duration_s=seconds, seed=seed + 1)
    finally:
        beds.take_down(_BED)
    return predict(
        plan,
        [
            MeasuredTasks(run.device, run.workload.arrival_s, run.workload.work, run.measured.completion_s)
            for run in runs
        ],
    )
