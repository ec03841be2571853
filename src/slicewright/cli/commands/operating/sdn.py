"""``slicewright sdn``: placement as an OpenFlow controller application, and a network to try it on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.cli.old_names import taking_old_names
from slicewright.cli.options import command_group

if TYPE_CHECKING:
    from slicewright.enforcement.sdn.checks import Checks
    from slicewright.enforcement.sdn.fabric import Fabric

app = command_group(
    "Placement as an OpenFlow 1.3 controller: tasks are asked for over HTTP, flows and meters follow."
)
fabric_app = command_group("An emulated network of Open vSwitches. Needs Linux and root.")
app.add_typer(fabric_app, name="fabric")

_TOPOLOGY = typer.Argument(
    "paper-placement",
    metavar="TASKS",
    help="A slicewright/tasks/v1 file with links, or a preset: its network is used.",
)
_NUMBERS = typer.Option(
    None, "--fabric", metavar="FILE", help="Datapaths, ports and addresses (slicewright/fabric/v1)."
)
_NAME = typer.Option("fabric", "--name", help="Name of the emulated network.")


# Over 60 lines by its options and what is told about them: the signature is the help.
@app.command(context_settings=taking_old_names("sdn serve"))
def serve(
    topology: str = _TOPOLOGY,
    fabric_file: Path | None = _NUMBERS,
    openflow: str = typer.Option("127.0.0.1:6653", "--openflow", help="Where switches connect."),
    http: str = typer.Option(
        "127.0.0.1:8080",
        "--http",
        help="Where tasks are asked for; elsewhere than on this machine with a token.",
    ),
    token_file: Path | None = typer.Option(
        None, "--token-file", metavar="FILE", help="Holds the bearer token that requests must bring."
    ),
    store: Path | None = typer.Option(
        None,
        "--store",
        metavar="FILE",
        help="Where tasks are kept for the next controller; without, they end with it.",
    ),
    every: str = typer.Option(
        "30s", "--every", help="How often switches are compared with what they should have."
    ),
    method: str = typer.Option("auto", "--method", "-m", help="Placement method."),
    budget: str = typer.Option("50ms", "--budget", "-b", help="Time for one decision."),
    split: str = typer.Option(
        "proportional", "--split", help="How work is divided: proportional, equal or none."
    ),
) -> None:
    """Run the controller until interrupted.

    `POST /v1/tasks` places a task, installs flows towards its executors and meters where it enters, and answers when
    the switches have confirmed; `DELETE /v1/tasks/{id}` removes them. A switch that comes back, or that somebody has
    changed, is brought to what it should have without touching what is right. For the emulated network listen on
    0.0.0.0 or on 169.254.81.1.
    """
    import threading
    from functools import partial

    from slicewright.cli.options import choice, duration_s, progress_output
    from slicewright.enforcement.sdn.api import respond
    from slicewright.enforcement.sdn.decision import PlacementSettings
    from slicewright.enforcement.sdn.launcher import Address, start_controller
    from slicewright.enforcement.sdn.server import http_server
    from slicewright.enforcement.sdn.service import Service
    from slicewright.enforcement.sdn.task_store import NoStore, SqliteTaskStore
    from slicewright.placement import placement_method
    from slicewright.placement.load_kernels import load_kernels
    from slicewright.placement.problem.tasks import SPLITS

    remarks = progress_output()
    placement_method(method)  # an unknown name is refused now, not with the first task
    settings = PlacementSettings(method, split=choice(split, SPLITS, "--split"), budget_s=duration_s(budget))
    every_s = duration_s(every, "--every", positive=True)
    of_host, of_port = _address(openflow, "--openflow")
    http_host, http_port = _address(http, "--http")
    checks = _checks(http_host, token_file)
    kept = NoStore() if store is None else SqliteTaskStore(store)
    service = Service(_fabric(topology, fabric_file), settings, store=kept)
    with remarks.status("loading"):
        load_kernels()
    server = http_server(partial(respond, service), http_host, http_port, checks=checks)
    start_controller(service, Address(of_host, of_port))
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    remarks.print(
        f"{len(service.fabric.switches)} switches expected on {openflow}, "
        f"tasks at http://{http}/v1/tasks; interrupt to end"
    )
    if service.tasks():
        remarks.print(f"{len(service.tasks())} tasks run on from before")
    while not threading.Event().wait(every_s):
        service.synchronise()


@fabric_app.command()
def up(
    topology: str = _TOPOLOGY,
    fabric_file: Path | None = _NUMBERS,
    port: int = typer.Option(6653, "--port", min=1, max=65535, help="TCP port of the controller."),
    name: str = _NAME,
) -> None:
    """Put the network up: one user-space switch per node, one namespace per executor and access point."""
    from slicewright.cli.options import progress_output
    from slicewright.enforcement.sdn.emulation import EmulatedFabric

    remarks = progress_output()
    emulated = EmulatedFabric(_fabric(topology, fabric_file), name=name, openflow_port=port)
    with remarks.status("putting the network up"):
        emulated.put_up()
    remarks.print(
        f"[bold]{name}[/] stands: {len(emulated.fabric.switches)} switches, {len(emulated.fabric.hosts)} hosts; "
        f"namespaces begin with {emulated.prefix}; its switches call {emulated.controller_address}:{port}"
    )


@fabric_app.command()
def down(name: str = _NAME) -> None:
    """Take the network down, with everything that runs in it. Also after a crash."""
    from slicewright.cli.options import progress_output
    from slicewright.enforcement.sdn.emulation import take_down

    take_down(name)
    progress_output().print(f"{name} is gone")


@fabric_app.command()
def show(topology: str = _TOPOLOGY, fabric_file: Path | None = _NUMBERS) -> None:
    """Print the numbering of datapaths, ports and addresses as slicewright/fabric/v1."""
    import json

    typer.echo(json.dumps(_fabric(topology, fabric_file).to_dict(), indent=1))


def _fabric(topology: str, fabric_file: Path | None) -> Fabric:
    from slicewright.enforcement.sdn.fabric import load_fabric, numbered_fabric
    from slicewright.placement import load_tasks

    network = load_tasks(topology).topology
    return numbered_fabric(network) if fabric_file is None else load_fabric(network, fabric_file)


def _checks(host: str, token_file: Path | None) -> Checks:
    """Who is served: without a token only this machine.

    Raises:
        InvalidOptionError: others could reach the server and need no token, or the token is too short.
    """
    from hashlib import sha256

    from slicewright.enforcement.sdn.checks import Checks
    from slicewright.errors import InvalidOptionError
    from slicewright.files.text import read_text
    from slicewright.loopback import is_loopback

    if token_file is None:
        if not is_loopback(host):
            raise InvalidOptionError(
                "--http",
                "needs --token-file where others can reach it",
                value=host,
                fix="openssl rand -hex 24",
            )
        return Checks()
    token = read_text(token_file, InvalidOptionError, most_mb=1).content.strip()
    if len(token) < 16:
        raise InvalidOptionError(
            "--token-file", "must hold at least 16 characters", fix="openssl rand -hex 24"
        )
    return Checks(sha256(token.encode()).hexdigest())


def _address(text: str, option: str) -> tuple[str, int]:
    from slicewright.errors import InvalidOptionError

    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InvalidOptionError(option, "must be HOST:PORT", value=text)
    return host, int(port)
