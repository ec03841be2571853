"""``slicewright reproduce``: both publications again, and a report of what holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from slicewright.evaluation.reproduction.engine.item import Item
    from slicewright.evaluation.reproduction.engine.workshop import Workshop


# Over 60 lines by its options and what is told about them: the signature is the help.
def reproduce(
    study: str = typer.Argument(metavar="STUDY", help="slicing or placement: which publication."),
    scale: str = typer.Option(
        "smoke",
        "--scale",
        help="smoke (minutes), quick (an hour), middle (hours) or full (the published protocol: hours). "
        "Items that are there at a larger scale are kept.",
    ),
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="DIR", help="Folder of the report; `reproduction/STUDY` by default."
    ),
    only: str | None = typer.Option(
        None, "--only", help="Items, separated by commas, e.g. fig6,fig7; all by default."
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of everything random."),
    workers: int | None = typer.Option(
        None, "--workers", "-j", min=1, help="Threads or processes; all processors by default."
    ),
    executor: str = typer.Option(
        "processes", "--executor", help="Where trainings run: processes (on this machine) or ray."
    ),
    address: str | None = typer.Option(
        None,
        "--address",
        help="Address of the Ray cluster, whose nodes share --output; by default what the environment says.",
    ),
    list_items: bool = typer.Option(
        False, "--list", help="List the items with their expected work and exit."
    ),
) -> None:
    """Reproduce a publication's tables and figures, and report what holds.

    `slicing`: Tables III and IV, Figures 4 to 9, findings and sensitivity; from scale quick on also experiments that
    say why the published figures are what they are, and what lies beyond them (regimes, labels, small nodes).
    `placement`: Table III, Figures 4 to 8 and findings. Finished items are kept: the same command continues where it
    was interrupted.
    """
    import os
    import sys

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from slicewright.cli.options import listed, progress_output, require_extra
    from slicewright.cli.options import output as results
    from slicewright.evaluation.reproduction.engine.scale import scale_of
    from slicewright.evaluation.reproduction.engine.workshop import Workshop
    from slicewright.evaluation.reproduction.study import chosen_items
    from slicewright.evaluation.reproduction.study import reproduce as run_study

    require_extra("reproducing the publications", "train", "torch", "lightning", "sklearn")
    names = listed(only, "--only")
    chosen, remarks = chosen_items(study, names, scale=scale_of(scale).name), progress_output()
    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=remarks, transient=True) as bar:
        task = bar.add_task(study, total=len(chosen), visible=False)
        current = [study]
        shop = Workshop(
            scale_of(scale),
            output or Path("reproduction") / study,
            seed=seed,
            jobs=workers or os.cpu_count() or 1,
            report=lambda line: bar.update(task, description=f"{current[0]}: {line}"[:70]),
            executor=executor,
            address=address,
            command=_without_paths(
                " ".join(["slicewright", *(a for a in sys.argv[1:] if a not in ("-v", "--verbose"))]), output
            ),
        )
        _announce(remarks, shop, chosen)
        if list_items:
            return
        bar.update(task, visible=True)

        def on_item(item: Item, stored: bool) -> None:
            bar.update(task, completed=chosen.index(item), description=item.name)
            current[0] = item.name

        page = run_study(study, shop, only=names, on_item=on_item)
    results().print(f"{page}, {page.with_suffix('.md')}")


def _announce(console: Console, shop: Workshop, chosen: Sequence[Item]) -> None:
    """What is to be done and about how long it takes."""
    from slicewright.cli.options import new_table, show_duration
    from slicewright.evaluation.reproduction.study import expected_core_s, record_of

    table = new_table("item", "what", "work", left=2, title=f"scale {shop.scale.name}, {shop.jobs} processes")
    table.columns[1].no_wrap = False
    left = 0.0
    for item in chosen:
        done = record_of(item, shop) is not None
        work = expected_core_s(item, shop)
        left += 0.0 if done else work
        table.add_row(item.name, item.title, "done" if done else f"{show_duration(work)} of one core")
    console.print(table)
    if left:
        console.print(f"about {show_duration(left / shop.jobs)} to go on {shop.jobs} cores")


def _without_paths(command: str, output: Path | None) -> str:
    """The command without where its user keeps things."""
    return command if output is None else command.replace(str(output), output.name)
