"""``slicewright serve``: the control plane, all in one process or one role over NATS."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from slicewright.errors import InvalidOptionError, MissingExtraError

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def serve(
    scenario: str | None = typer.Argument(
        None,
        metavar="SCENARIO",
        help="Scenario file or preset: the network, and its devices as first requests.",
    ),
    host: str = typer.Option(
        "127.0.0.1", "--host", help="Address to listen on; others than this machine need --tokens."
    ),
    port: int = typer.Option(8080, "--port", "-p", min=0, max=65535, help="Port to listen on."),
    role: str = typer.Option("all", "--role", help="all, sro or slice-manager; roles apart need --nats."),
    slice_names: list[str] = typer.Option(
        [], "--slice", help="Slice to manage, for --role slice-manager; repeatable."
    ),
    nats: str | None = typer.Option(
        None, "--nats", metavar="URL", help="NATS server with JetStream, nats:// or tls://."
    ),
    nats_credentials: Path | None = typer.Option(
        None, "--nats-credentials", metavar="FILE", help="User credentials."
    ),
    nats_ca: Path | None = typer.Option(
        None, "--nats-ca", metavar="FILE", help="Authority that signed the server."
    ),
    nats_certificate: Path | None = typer.Option(
        None, "--nats-certificate", metavar="FILE", help="Own certificate."
    ),
    nats_key: Path | None = typer.Option(
        None, "--nats-key", metavar="FILE", help="Key of the own certificate."
    ),
    instance: str | None = typer.Option(
        None, "--instance", help="Name of this process; by default host and pid."
    ),
    store: Path | None = typer.Option(
        None,
        "--store",
        metavar="FILE",
        help="Journal (SQLite). By default in memory: gone when the process ends.",
    ),
    store_segment: str | None = typer.Option(
        None,
        "--store-segment",
        metavar="SIZE",
        help="Go on in a new journal file at this size, such as 256MB. By default never.",
    ),
    tokens: Path | None = typer.Option(
        None, "--tokens", metavar="FILE", help="Bearer tokens and their scopes."
    ),
    method: str = typer.Option("auto", "--method", "-m", help="Method that decides."),
    shares: str = typer.Option(
        "closed-form",
        "--shares",
        help="How slice managers share: closed-form, or a model such as deepsets-s.",
    ),
    rounds: int = typer.Option(
        100, "--rounds", min=0, help="Rounds of search per decision; repeats bit for bit."
    ),
    epoch: str = typer.Option("1s", "--epoch", help="Time between decisions that nobody waits for."),
    deadline: str = typer.Option(
        "250ms", "--deadline", help="Time for one decision before the fallback chain goes on."
    ),
    on_demand: bool = typer.Option(
        True, "--on-demand/--per-epoch", help="Decide when requests arrive, or per epoch."
    ),
) -> None:
    """Serve the control plane: HTTP API, decision log and dashboard.

    `slicewright serve paper-slicing` starts everything in one process on http://127.0.0.1:8080.
    """
    from importlib.util import find_spec

    for library in ("fastapi", "uvicorn", "prometheus_client", "nats"):
        if find_spec(library) is None:
            raise MissingExtraError("the control plane", "control")
    from slicewright.cli.options import duration_s, progress_output
    from slicewright.control.serve.process import serve_forever
    from slicewright.control.serve.settings import ServeSettings
    from slicewright.control.state.options import ControlOptions

    remarks = progress_output()
    settings = ServeSettings(
        scenario=scenario,
        host=host,
        port=port,
        role=role,
        slices=tuple(slice_names),
        nats=nats,
        nats_credentials=nats_credentials,
        nats_ca=nats_ca,
        nats_certificate=nats_certificate,
        nats_key=nats_key,
        instance=instance,
        store=store,
        store_segment_bytes=0 if store_segment is None else size_bytes(store_segment, "--store-segment"),
        tokens=tokens,
        method=method,
        options=ControlOptions(
            rounds=rounds,
            epoch_s=duration_s(epoch, "--epoch"),
            deadline_s=duration_s(deadline, "--deadline"),
            on_demand=on_demand,
            shares=shares,
        ),
    )
    serve_forever(settings, say=remarks.print)


def size_bytes(text: str, option: str) -> int:
    """Bytes from ``256MB``, ``1GiB`` or a plain number.

    Raises:
        InvalidOptionError: not a size.
    """
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([a-zA-Z]*)\s*", text)
    if match is None or match.group(2).upper() not in _UNITS:
        raise InvalidOptionError(option, "must be a size such as 256MB or 1GiB", value=text)
    return int(float(match.group(1)) * _UNITS[match.group(2).upper()])
