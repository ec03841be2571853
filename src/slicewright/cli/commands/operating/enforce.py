"""``slicewright enforce``: the part of a plan that is this machine's, carried out and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from slicewright.enforcement.linux import FollowedPlan, Machine


# Over 60 lines by its options: the signature is the help.
def enforce(
    scenario: str | None = typer.Argument(None, metavar="SCENARIO", help="Scenario file of the plan."),
    plan_file: Path | None = typer.Argument(
        None, metavar="PLAN", help="Plan file; what replaces it is carried out in the next round."
    ),
    url: str | None = typer.Option(
        None, "--url", help="A control plane instead: what its slices hold is carried out."
    ),
    token_file: Path | None = typer.Option(
        None, "--token-file", metavar="FILE", help="Token for it, with the right to read."
    ),
    uplink: list[str] = typer.Option(
        [],
        "--uplink",
        metavar="ACCESS_POINT=INTERFACE",
        help="Shape what leaves this interface; may be given several times.",
    ),
    netns: str | None = typer.Option(None, "--netns", help="Network namespace that the interfaces are in."),
    host: bool = typer.Option(
        False, "--host-interfaces", help="Interfaces of the machine itself may be shaped."
    ),
    addresses: Path | None = typer.Option(
        None, "--addresses", metavar="FILE", help="IPv4 address of every device by its id, YAML or JSON."
    ),
    node: str | None = typer.Option(None, "--node", help="The node that this machine is."),
    cpus: float | None = typer.Option(
        None, "--cpus", help="Its CPUs that stand for the node's capacity; all by default."
    ),
    profile: str = typer.Option(
        "hard", "--profile", help="hard: no more than granted; guaranteed: idle rate is lent in a cell."
    ),
    every: str = typer.Option("5s", "--every", help="How often the kernel is compared with the plan."),
    metrics: Path | None = typer.Option(
        None,
        "--metrics",
        metavar="FILE",
        help="Write counts for Prometheus' text-file collector after each round.",
    ),
    times: int | None = typer.Option(
        None,
        "--times",
        min=1,
        help="Compare so often, then end; by default until interrupted. The limits stay.",
    ),
    remove: bool = typer.Option(False, "--remove", help="Take all limits of these places away, and end."),
) -> None:
    """Keep this machine's radio and CPU limits as a plan wants them: what others change is mended, and counted.

    On an access point `--uplink` makes nested HTB classes of one interface, a class for each slice and each device; on
    a node `--node` makes nested CPU groups. A worker is put under its device's limit by writing its process id to
    `cgroup.procs` of `slicewright-NODE/.../DEVICE`. Exit 1 if the last round failed or left a difference. Needs root.
    """  # fmt: skip
    import threading

    from slicewright.cli.options import duration_s, progress_output
    from slicewright.enforcement.linux import Keeper
    from slicewright.files.documents import write_atomically

    machine = _machine(uplink, netns, host, addresses, node, cpus, profile)
    remarks = progress_output()
    if remove:
        for name, place in machine.places:
            place.remove()
            remarks.print(f"{name} has no limits of ours any more")
        return
    read, stop = _source(scenario, plan_file, url, token_file), threading.Event()
    every_s = duration_s(every, "--every", positive=True)
    _check_names(machine, read)
    keeper = Keeper(machine.followed(read))
    failed = 0

    def after(made: int) -> None:
        nonlocal failed
        if made:
            remarks.print(f"{made} changes made")
        if metrics is not None:
            write_atomically(metrics, keeper.metrics())
        if keeper.rounds == times:
            bad = keeper.failures.total() > failed or any(keeper.open.values())
            stop.set()
            if bad:
                raise typer.Exit(1)
        failed = keeper.failures.total()

    remarks.print(
        f"keeping {', '.join(name for name, _ in machine.places)}, every {every_s:g} s; interrupt to end"
    )
    keeper.run(stop, every_s=every_s, after=after)


def _check_names(machine: Machine, read: Callable[[], FollowedPlan]) -> None:
    """A name that is wrong from the start is a typing error, and files that are wrong are none to wait for.

    A control plane that does not answer yet is waited for: machines start in any order.
    """
    from slicewright.errors import EnforcementError

    try:
        plan = read().plan
    except EnforcementError:
        return
    if plan is not None:
        machine.check_names(plan.scenario)


def _machine(
    uplink: list[str],
    netns: str | None,
    host: bool,
    addresses: Path | None,
    node: str | None,
    cpus: float | None,
    profile: str,
) -> Machine:
    import os

    from slicewright.cli.options import choice
    from slicewright.enforcement.linux import Compute, Enforcer, Htb, Machine, require_features
    from slicewright.errors import InvalidOptionError
    from slicewright.files.documents import read_document
    from slicewright.slicing.rrm import PROFILES

    if not uplink and node is None:
        raise InvalidOptionError("--uplink or --node", "one must be given, or nothing here would be limited")
    pairs = [text.rpartition("=") for text in uplink]
    for text, (name, equals, interface) in zip(uplink, pairs, strict=True):
        if not (name and equals and interface):
            rule = "must be ACCESS_POINT=INTERFACE, such as ap0=eth1"
            raise InvalidOptionError("--uplink", rule, value=text)
    if uplink and addresses is None:
        raise InvalidOptionError("--addresses", "must be given with --uplink: devices are known by theirs")
    require_features("enforcing shares", ("linux", "root", *(("ip", "tc") if uplink else ())))
    listed = {} if addresses is None else read_document(addresses, InvalidOptionError)
    uplinks: dict[str, Enforcer] = {
        name: Htb(interface, netns=netns, allow_host=host) for name, _, interface in pairs
    }
    compute = None
    if node is not None:
        compute = Compute.here(node, float(os.cpu_count() or 1) if cpus is None else cpus)
    known = {name: str(address) for name, address in listed.items()}
    return Machine(uplinks, compute, known, choice(profile, PROFILES, "--profile"))


def _source(
    scenario: str | None, plan_file: Path | None, url: str | None, token_file: Path | None
) -> Callable[[], FollowedPlan]:
    from slicewright.enforcement.linux import ControlPlaneSource, FileSource
    from slicewright.errors import InvalidOptionError
    from slicewright.files.text import read_text

    if url is None and scenario is not None and plan_file is not None:
        return FileSource(scenario, plan_file).read
    if url is None or scenario is not None:
        raise InvalidOptionError(
            "SCENARIO and PLAN, or --url", "one of the two must be given, and not both: there is one plan"
        )
    token = (
        None if token_file is None else read_text(token_file, InvalidOptionError, most_mb=1).content.strip()
    )
    return ControlPlaneSource(url, token).read
