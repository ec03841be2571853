"""``slicewright labels``: build, validate and describe stores of solved instances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.cli.old_names import taking_old_names
from slicewright.cli.options import (
    choice,
    command_group,
    duration_s,
    new_table,
    output,
    progress_output,
    show_duration,
    show_percent,
)
from slicewright.errors import InvalidOptionError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from slicewright.labels import Manifest, Progress
    from slicewright.labels.stats import StoreStats

app = command_group("Build, validate and describe stores of solved instances.")


# Over 60 lines by its options and what is told about them: the signature is the help.
@app.command(context_settings=taking_old_names("labels build"))
def build(
    store: Path = typer.Argument(
        metavar="STORE", help="Folder of the store; a build that was stopped there is resumed."
    ),
    count: int = typer.Option(1000, min=1, help="How many instances."),
    first_seed: int = typer.Option(0, min=0, help="Seed of the first; the others follow."),
    preset: str = typer.Option("paper-slicing", help="Preset that the scenarios are drawn from."),
    size: str = typer.Option("5-50", help="Number of devices, or a range from which each seed draws."),
    set_: list[str] = typer.Option(
        [],
        "--set",
        "-s",
        metavar="KEY=VALUE",
        help="A parameter of the preset; may be repeated. Ranges as LOW,HIGH, within which each device is drawn.",
    ),
    vary: list[str] = typer.Option(
        [],
        metavar="KEY=VALUES",
        help="A parameter that each seed draws: `--vary coins=2,4,8`; may be repeated.",
    ),
    method: str = typer.Option(
        "best-known", "--method", "-m", help="best-known, exact, solver, or module:function of your own."
    ),
    budget: str = typer.Option(
        "60s", "--budget", "-b", help="Time per instance, for exact and solver; then the incumbent counts."
    ),
    rounds: int | None = typer.Option(None, min=0, help="Rounds of search per instance, for best-known."),
    executor: str = typer.Option("processes", help="processes (on this machine) or ray."),
    workers: int | None = typer.Option(None, min=1, help="How many; one per processor by default."),
    address: str | None = typer.Option(
        None, help="Address of the Ray cluster; by default what the environment says."
    ),
    timeout: str = typer.Option("10min", help="Time for one instance; a worker that takes longer is killed."),
    attempts: int = typer.Option(
        1, min=1, help="How many workers an instance may cost before it counts as failed."
    ),
    shard_size: int = typer.Option(1000, min=1, help="Labels per file."),
    retry_failed: bool = typer.Option(
        False, "--retry-failed", help="Try again what failed in an earlier build."
    ),
) -> None:
    """Label instances into a folder, or finish what an earlier build in that folder left."""
    from slicewright.labels import Job, Recipe, build_labels
    from slicewright.labels.build import EXECUTORS

    parameters = dict(_assignment(text, "--set") for text in set_)
    drawn = {
        name: tuple(_number(item) for item in value.split(","))
        for name, value in (_pair(text, "--vary") for text in vary)
    }
    job = Job(
        Recipe(preset, _range(size), parameters, drawn),
        method=method,
        time_limit_s=duration_s(budget),
        rounds=rounds,
    )
    timeout_s = duration_s(timeout, "--timeout", positive=True)
    choice(executor, EXECUTORS, "--executor")
    with _bar() as bar:
        task = bar.add_task("labels", total=count, failed="")

        def show(progress: Progress) -> None:
            failed = f"{progress.failed} failed" if progress.failed else ""
            bar.update(task, completed=progress.done, total=progress.total, failed=failed)

        manifest = build_labels(
            store,
            job,
            count=count,
            first_seed=first_seed,
            executor=executor,
            workers=workers,
            address=address,
            timeout_s=timeout_s,
            attempts=attempts,
            shard_size=shard_size,
            retry_failed=retry_failed,
            on_progress=show,
        )
    _report(store, manifest)


@app.command()
def validate(
    store: Path = typer.Argument(metavar="STORE", help="Folder of the store."),
    regenerate: bool = typer.Option(
        False, "--regenerate", help="Also make every instance anew from its seed."
    ),
    everything: bool = typer.Option(False, "--all", help="Go on after the first thing that does not hold."),
) -> None:
    """Work out every cost and every constraint anew; exit 1 on the first that does not hold."""
    from slicewright.labels import load_manifest
    from slicewright.labels.validate import faults

    rows = sum(shard.rows for shard in load_manifest(store).shards)
    found = 0
    with _bar() as bar:
        task = bar.add_task("judged", total=rows, failed="")
        for fault in faults(store, regenerate=regenerate, on_label=lambda n: bar.update(task, completed=n)):
            found += 1
            typer.echo(str(fault))
            if not everything:
                break
    if found:
        raise typer.Exit(1)
    output().print(f"{store}: {rows} labels, every cost and every constraint holds", soft_wrap=True)


@app.command(context_settings=taking_old_names("labels stats"))
def stats(
    store: Path = typer.Argument(metavar="STORE", help="Folder of the store."),
    picture: Path | None = typer.Option(
        None, metavar="FILE", help="Draw the distributions: .png, .pdf or .svg."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print a document for machines."),
) -> None:
    """Print and plot what is in a store: devices, gaps, where tasks run, times."""
    from slicewright.files.pictures import picture_file
    from slicewright.labels import load_manifest, read_labels
    from slicewright.labels.plots import plot_stats
    from slicewright.labels.stats import store_stats

    if picture is not None:
        picture_file(picture, field="--picture")
    found = store_stats(read_labels(store))
    if picture is not None:
        job = load_manifest(store).job
        plot_stats(found, picture, title=f"{found.labels} labels by {job.method}, {job.recipe.preset}")
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
        return
    _show(found)
    if picture is not None:
        progress_output().print(f"drawn: {picture}", soft_wrap=True)


def _show(stats: StoreStats) -> None:
    table = new_table("", "mean", "least", "p5", "median", "p95", "greatest")
    shown = {
        "devices": lambda x: f"{x:.3g}",
        "gap": show_percent,
        "offload share": show_percent,
        "MEC share": show_percent,
        "time_s": show_duration,
    }
    document = stats.to_dict()
    for name, text in shown.items():
        row = document[name]
        if row:
            keys = ("mean", "p0", "p5", "p50", "p95", "p100")
            table.add_row(name.removesuffix("_s"), *(text(row[key]) for key in keys))
    console = output()
    for name in ("statuses", "splits"):
        console.print(
            f"{name}: " + ", ".join(f"{count} {key}" for key, count in document[name].items() if count)
        )
    console.print(table)
    for reason, count in stats.reasons.items():
        console.print(f"{count} x {reason}", soft_wrap=True)


def _report(store: Path, manifest: Manifest) -> None:
    rows = sum(shard.rows for shard in manifest.shards)
    files = f"{len(manifest.shards)} file{'s' if len(manifest.shards) > 1 else ''}"
    output().print(f"{store}: {rows} labels in {files}, complete", soft_wrap=True)
    for incident in manifest.incidents:
        progress_output().print(f"incident: {incident}", soft_wrap=True)


def _bar() -> Bar:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Steps per second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.3g}/s" if task.speed else "")

    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(),
        TextColumn("[red]{task.fields[failed]}"), console=progress_output(),
    )  # fmt: skip


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdigit() and (high.isdigit() or not high)):
        raise InvalidOptionError("--size", "must be a number or a range such as 5-50", value=text)
    if not 1 <= int(low) <= int(high or low):
        raise InvalidOptionError("--size", "must be from 1 on, with the smaller number first", value=text)
    return int(low), int(high or low)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise InvalidOptionError(option, "must be KEY=VALUE", value=text)
    return name.strip().replace("-", "_"), value.strip()


def _assignment(text: str, option: str) -> tuple[str, object]:
    """A parameter and its value; a range is LOW,HIGH as in ``scenario new``, or LOW:HIGH."""
    name, value = _pair(text, option)
    parts = [_number(part.strip()) for part in value.replace(":", ",").split(",")]
    return name, parts[0] if len(parts) == 1 else parts


def _number(text: str) -> object:
    """A number where the text is one, else the text."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
