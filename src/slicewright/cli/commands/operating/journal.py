"""``slicewright journal``: back up and restore the journal of the control plane."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.cli.options import command_group

if TYPE_CHECKING:
    from slicewright.control.journal.backup import Copied

app = command_group("The journal of the control plane (`--store` of serve): backup and restore.")


@app.command()
def backup(
    store: Path = typer.Argument(metavar="STORE", help="The journal; it may be in use."),
    target: Path = typer.Argument(metavar="TARGET", help="File of the copy; it must not be there yet."),
) -> None:
    """Copy a journal as it is at one moment, and check every hash of the copy."""
    from slicewright.control.journal.backup import back_up

    _tell(back_up(store, target))


@app.command()
def restore(
    copy: Path = typer.Argument(metavar="BACKUP", help="A copy made by `slicewright journal backup`."),
    store: Path = typer.Argument(metavar="STORE", help="The journal; nobody may have it open."),
) -> None:
    """Put a backup where the journal is kept. A journal that is there is put aside, into a folder beside it."""
    from slicewright.control.journal.backup import restore as put_back

    _tell(put_back(copy, store))


def _tell(copied: Copied) -> None:
    files = ", ".join(file.name for file in copied.files)
    typer.echo(
        f"{copied.records} records up to {copied.newest} ({copied.hash[:12]}), every hash checked: {files}"
    )
    if copied.aside is not None:
        typer.echo(f"the journal that was there is in {copied.aside}")
