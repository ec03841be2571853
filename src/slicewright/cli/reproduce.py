"""``slicewright reproduce``: both publications again, and a report of what holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from slicewright.evaluation.reproduction.item import Item
    from slicewright.evaluation.reproduction.workshop import Workshop

app = typer.Typer(no_args_is_help=True, help="Reproduce the publications' tables and figures.")

_SCALE = typer.Option(
    "smoke",
    "--scale",
    help="smoke (minutes), middle (about an hour) or full (the published protocol: hours).",
)
_OUTPUT = typer.Option(None, "--output", "-o", help="Folder of the report; `reproduction/STUDY` by default.")
_ONLY = typer.Option(None, "--only", help="Comma-separated items, e.g. fig6,fig7; all by default.")
_SEED = typer.Option(0, "--seed", min=0, help="Seed of everything random.")
_JOBS = typer.Option(None, "--jobs", "-j", min=1, help="Threads or processes; all processors by default.")
_EXECUTOR = typer.Option(
    "processes", "--executor", help="Where trainings run: processes on this machine, or ray."
)
_ADDRESS = typer.Option(
    None,
    "--address",
    help="Of the Ray cluster; by default what the environment says. Its nodes share --output.",
)
_LIST = typer.Option(False, "--list", help="List the items with their expected work and exit.")


@app.command()
def slicing(
    scale: str = _SCALE,
    output: Path | None = _OUTPUT,
    only: str | None = _ONLY,
    seed: int = _SEED,
    jobs: int | None = _JOBS,
    executor: str = _EXECUTOR,
    address: str | None = _ADDRESS,
    list_items: bool = _LIST,
) -> None:
    """Tables III and IV, Figures 4 to 9, findings and sensitivity of the publication on slicing.

    Finished items are kept: the same command continues where it was interrupted.
    """
    _reproduce("slicing", scale, output, only, seed, jobs, executor, address, list_items)


@app.command()
def placement(
    scale: str = _SCALE,
    output: Path | None = _OUTPUT,
    only: str | None = _ONLY,
    seed: int = _SEED,
    jobs: int | None = _JOBS,
    executor: str = _EXECUTOR,
    address: str | None = _ADDRESS,
    list_items: bool = _LIST,
) -> None:
    """Table III, Figures 4 to 8 and findings of the publication on placement.

    Finished items are kept: the same command continues where it was interrupted.
    """
    _reproduce("placement", scale, output, only, seed, jobs, executor, address, list_items)


def _reproduce(
    study: str,
    scale: str,
    output: Path | None,
    only: str | None,
    seed: int,
    jobs: int | None,
    executor: str,
    address: str | None,
    list_items: bool,
) -> None:
    import os
    import sys
    from importlib.util import find_spec

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from slicewright.cli.options import output as results
    from slicewright.cli.options import progress_output
    from slicewright.evaluation.reproduction.scale import scale_of
    from slicewright.evaluation.reproduction.study import chosen_items, reproduce
    from slicewright.evaluation.reproduction.workshop import Workshop

    for library in ("torch", "lightning", "sklearn"):
        if find_spec(library) is None:
            raise MissingExtraError("reproducing the publications", "train")
    names = [name.strip() for name in only.split(",") if name.strip()] if only else []
    chosen, remarks = chosen_items(study, names), progress_output()
    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=remarks, transient=True) as bar:
        task = bar.add_task(study, total=len(chosen), visible=False)
        current = [study]
        shop = Workshop(
            scale_of(scale),
            output or Path("reproduction") / study,
            seed=seed,
            jobs=jobs or os.cpu_count() or 1,
            report=lambda line: bar.update(task, description=f"{current[0]}: {line}"[:70]),
            executor=executor,
            address=address,
        )
        _announce(remarks, shop, chosen)
        if list_items:
            return
        bar.update(task, visible=True)

        def on_item(item: Item, stored: bool) -> None:
            bar.update(task, completed=chosen.index(item), description=item.name)
            current[0] = item.name

        command = " ".join(["slicewright", *(a for a in sys.argv[1:] if a not in ("-v", "--verbose"))])
        page = reproduce(study, shop, only=names, command=_without_paths(command, output), on_item=on_item)
    results().print(f"{page}, {page.with_suffix('.md')}")


def _announce(console: Console, shop: Workshop, chosen: Sequence[Item]) -> None:
    """What is to be done and about how long it takes."""
    from slicewright.cli.options import new_table, show_duration

    table = new_table("item", "what", "work", left=2, title=f"scale {shop.scale.name}, {shop.jobs} processes")
    table.columns[1].no_wrap = False
    left = 0.0
    for item in chosen:
        done = shop.stored(item) is not None
        work = item.work(shop.scale)
        left += 0.0 if done else work
        table.add_row(item.name, item.title, "done" if done else f"{show_duration(work)} of one core")
    console.print(table)
    console.print(f"about {show_duration(left / shop.jobs)} to go on {shop.jobs} cores")


def _without_paths(command: str, output: Path | None) -> str:
    """The command without where its user keeps things."""
    return command if output is None else command.replace(str(output), output.name)
