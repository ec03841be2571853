"""``slicewright journal``: back up and restore the journal of the control plane."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.cli.options import command_group

if TYPE_CHECKING:
    from slicewright.control.journal.nats.journal import NatsJournal
    from slicewright.control.journal.sqlite.backup import Copied

app = command_group("The journal of the control plane (`--store` or `--nats` of serve): backup and restore.")
_PREFIX = typer.Option("slicewright", "--nats-prefix", help="First word of everything on the NATS server.")
_REPLICAS = typer.Option(
    1, "--nats-replicas", help="Copies that a NATS cluster keeps of a restored journal: 1, 3 or 5."
)
_KEEP = typer.Option(
    None,
    "--nats-keep",
    min=1,
    metavar="CHECKPOINTS",
    help="As `serve` will be told: it may remove old records.",
)
_CREDENTIALS = typer.Option(None, "--nats-credentials", metavar="FILE", help="User credentials.")
_CA = typer.Option(None, "--nats-ca", metavar="FILE", help="Authority that signed the server.")
_CERTIFICATE = typer.Option(None, "--nats-certificate", metavar="FILE", help="Own certificate.")
_KEY = typer.Option(None, "--nats-key", metavar="FILE", help="Key of the own certificate.")


@app.command()
def backup(
    store: str = typer.Argument(metavar="STORE", help="The journal, a file or nats://...; it may be in use."),
    target: Path = typer.Argument(metavar="TARGET", help="File of the copy; it must not be there yet."),
    prefix: str = _PREFIX,
    credentials: Path | None = _CREDENTIALS,
    ca: Path | None = _CA,
    certificate: Path | None = _CERTIFICATE,
    key: Path | None = _KEY,
) -> None:
    """Copy a journal as it is at one moment, and check every hash of the copy."""
    from slicewright.control.journal.sqlite.backup import back_up

    if "://" not in store:
        _tell(back_up(Path(store), target))
        return
    from slicewright.control.journal.nats.backup import back_up_stream

    _tell(
        _with_stream(store, (credentials, ca, certificate, key), prefix, lambda j: back_up_stream(j, target))
    )


@app.command()
def restore(
    copy: Path = typer.Argument(metavar="BACKUP", help="A copy made by `slicewright journal backup`."),
    store: str = typer.Argument(
        metavar="STORE", help="The journal, a file that nobody has open, or nats://... without one."
    ),
    prefix: str = _PREFIX,
    replicas: int = _REPLICAS,
    keep: int | None = _KEEP,
    credentials: Path | None = _CREDENTIALS,
    ca: Path | None = _CA,
    certificate: Path | None = _CERTIFICATE,
    key: Path | None = _KEY,
) -> None:
    """Put a backup where the journal is kept. A file that is there is put aside; a stream must not be there."""
    from slicewright.control.journal.sqlite.backup import restore as put_back

    if "://" not in store:
        _tell(put_back(copy, Path(store)))
        return
    from slicewright.control.journal.nats.backup import restore_stream

    files = (credentials, ca, certificate, key)
    _tell(_with_stream(store, files, prefix, lambda j: restore_stream(copy, j), replicas=replicas, keep=keep))


def _with_stream(
    url: str,
    files: tuple[Path | None, Path | None, Path | None, Path | None],
    prefix: str,
    work: Callable[[NatsJournal], Awaitable[Copied]],
    *,
    replicas: int = 1,
    keep: int | None = None,
) -> Copied:
    """Do something with the journal of a NATS server."""
    from slicewright.control.journal.nats.journal import NatsJournal
    from slicewright.control.transport.nats_connection import NatsAddress, NatsConnection
    from slicewright.control.transport.nats_server import NatsDeployment

    deployment = NatsDeployment(prefix, replicas)

    async def do() -> Copied:
        connection = NatsConnection(NatsAddress(url, *files), "slicewright journal")
        journal = NatsJournal(
            connection, replicas=deployment.replicas, deployment=deployment.prefix, keep=keep
        )
        try:
            return await work(journal)
        finally:
            await journal.close()

    return asyncio.run(do())


def _tell(copied: Copied) -> None:
    files = ", ".join(file.name for file in copied.files) or "in the stream"
    typer.echo(
        f"{copied.records} records up to {copied.newest} ({copied.hash[:12]}), every hash checked: {files}"
    )
    if copied.aside is not None:
        typer.echo(f"the journal that was there is in {copied.aside}")
