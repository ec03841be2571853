"""``slicewright testbed``: a plan carried out on this machine, and what became of its predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.cli.old_names import taking_old_names
from slicewright.cli.options import command_group

if TYPE_CHECKING:
    from slicewright.enforcement.testbed.bed import Bed
    from slicewright.enforcement.testbed.report import BedReport
    from slicewright.slicing import Plan

app = command_group("Carry a plan out in network namespaces and measure its tasks. Needs Linux and root.")
_SCENARIO = typer.Argument(
    None, metavar="SCENARIO", help="Scenario file or preset; by default a small shipped one."
)
_PLAN = typer.Option(None, "--plan", metavar="FILE", help="Carry out this plan (slicewright/plan/v1).")
_METHOD = typer.Option("auto", "--method", "-m", help="Method that plans, if no plan is given.")
_NAME = typer.Option("bed", "--name", help="Name of the bed: several can stand side by side.")
_CPUS = typer.Option(None, "--cpus", help="CPUs for all workers together; by default half of the machine's.")
_SLOW = typer.Option(
    1.0, "--slow", help="Slow motion: everything takes so many times longer, for short tasks."
)
_RATE = typer.Option(None, "--rate", metavar="MBIT/S", help="Rate of all uplinks together; by default 200.")


@app.command()
def up(
    scenario: str | None = _SCENARIO,
    plan_file: Path | None = _PLAN,
    method: str = _METHOD,
    name: str = _NAME,
    cpus: float | None = _CPUS,
    rate: float | None = _RATE,
    slow: float = _SLOW,
) -> None:
    """Put a bed up: devices, access points and nodes as namespaces, with the plan's shares enforced.

    Uplinks are shaped to omega * phi * R by nested HTB classes, nodes to phi * F by nested CPU quotas.
    """
    from slicewright.cli.options import progress_output

    remarks = progress_output()
    with remarks.status("putting the bed up"):
        bed = _put_up(_plan(scenario, plan_file, method), name, cpus, rate, slow)
    layout = bed.layout
    remarks.print(
        f"[bold]{name}[/] stands: {layout.devices.size} devices, {len(layout.access_points)} access points, "
        f"{len(layout.nodes)} nodes; namespaces begin with {layout.prefix}"
    )
    remarks.print(f"send tasks with `slicewright testbed run --name {name}`, remove it with `testbed down`")


# Over 60 lines by its options and what is told about them: the signature is the help.
@app.command()
def run(
    scenario: str | None = _SCENARIO,
    plan_file: Path | None = _PLAN,
    method: str = _METHOD,
    duration: str = typer.Option("20s", "--duration", "-d", help="How long tasks arrive, e.g. 20s or 2min."),
    work: str = typer.Option("exponential", "--work", help="Work of a task: exponential (M/M/1) or fixed."),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of arrivals and work."),
    json_file: str | None = typer.Option(
        None, "--json", metavar="FILE", help="Write the report; - for stdout."
    ),
    picture: Path | None = typer.Option(
        None, "--picture", metavar="FILE", help="Draw the report: .png, .pdf or .svg."
    ),
    name: str = _NAME,
    cpus: float | None = _CPUS,
    rate: float | None = _RATE,
    slow: float = _SLOW,
) -> None:
    """Send Poisson tasks through the plan's shares: measured against predicted times, device by device.

    Uses the bed of this name if one stands and no scenario is given; else puts one up and takes it down afterwards.
    """
    import json

    from slicewright.cli.options import choice, duration_s, output, progress_output
    from slicewright.enforcement.testbed.bed import names, standing, take_down
    from slicewright.enforcement.testbed.report import report_run
    from slicewright.enforcement.testbed.traffic import send_tasks
    from slicewright.enforcement.testbed.workload import WORKS
    from slicewright.files.documents import write_document
    from slicewright.files.pictures import picture_file

    if picture is not None:
        picture_file(picture, field="--picture")
    kind = choice(work, WORKS, "--work")
    remarks = progress_output()
    arrival_s = duration_s(duration, "--duration", positive=True)
    lasting = scenario is None and plan_file is None and name in names()
    with remarks.status("putting the bed up") as status:
        bed = (
            standing(name) if lasting else _put_up(_plan(scenario, plan_file, method), name, cpus, rate, slow)
        )
        try:
            runs = send_tasks(
                bed,
                duration_s=arrival_s,
                seed=seed,
                work=kind,
                progress=lambda done, total: status.update(f"{done} of {total} tasks done"),
            )
        finally:
            if not lasting:
                status.update("taking the bed down")
                take_down(name)
    report = report_run(bed, runs, duration_s=arrival_s)
    if json_file == "-":
        typer.echo(json.dumps(report.to_dict(), indent=1))
    else:
        _show(report, bed.layout.plan)
    if json_file not in (None, "-"):
        remarks.print(f"report written to {write_document(report.to_dict(), str(json_file))}")
    if picture is not None:
        from slicewright.enforcement.testbed.picture import draw_run

        remarks.print(f"picture written to {draw_run(report, runs, picture)}")
    if any(device.lost for device in report.devices):
        output().print("[red]some tasks never finished[/]")
        raise typer.Exit(1)


@app.command()
def status(
    name: str = _NAME,
    repair: bool = typer.Option(False, "--repair", help="Enforce the plan's shares again where they differ."),
) -> None:
    """Compare the kernel's limits with the plan of a standing bed; exit 1 if they differ."""
    from slicewright.cli.options import output
    from slicewright.enforcement.linux import enforce
    from slicewright.enforcement.testbed.bed import standing

    bed, shown = standing(name), output()
    if repair:
        done = [step for place, limits in bed.enforcers() for step in enforce(place, limits).done]
        shown.print(f"{len(done)} changes made")
    differences = bed.drift()
    for pair in differences:
        have, want = (one.amount if one else "nothing" for one in (pair.found, pair.wanted))
        shown.print(f"[red]{pair.key}[/]: {have} instead of {want}")
    if differences:
        raise typer.Exit(1)
    shown.print(f"{name}: every limit is as planned")


@app.command(context_settings=taking_old_names("testbed keep"))
def keep(
    name: str = _NAME,
    every: str = typer.Option("5s", "--every", help="How often the kernel is compared with the plan."),
    metrics: Path | None = typer.Option(
        None,
        "--metrics",
        metavar="FILE",
        help="Write counts for Prometheus' text-file collector after each round.",
    ),
    times: int | None = typer.Option(
        None, "--times", min=1, help="Compare so often, then end; by default until interrupted."
    ),
) -> None:
    """Keep the kernel's limits as the bed's plan wants them: what others change is mended, and counted.

    The plan is read again in every round: a new one in the bed's folder is carried out by the next.
    """
    import threading

    from slicewright.cli.options import duration_s, progress_output
    from slicewright.enforcement.linux import Keeper
    from slicewright.enforcement.testbed.bed import standing
    from slicewright.files.documents import write_atomically

    remarks, every_s, stop = progress_output(), duration_s(every, "--every", positive=True), threading.Event()
    standing(name)  # a name that nothing has is refused now
    keeper = Keeper(lambda: standing(name).kept())

    def after(made: int) -> None:
        if made:
            remarks.print(f"{made} changes made")
        if metrics is not None:
            write_atomically(metrics, keeper.metrics())
        if keeper.rounds == times:
            stop.set()

    remarks.print(f"keeping {name}, every {every_s:g} s; interrupt to end")
    keeper.run(stop, every_s=every_s, after=after)
    if keeper.last_error:
        remarks.print(f"[red]{keeper.failures.total()} failures, the last: {keeper.last_error}[/]")


@app.command()
def down(
    name: str = _NAME,
    everything: bool = typer.Option(False, "--all", help="Every bed on this machine."),
) -> None:
    """Remove everything a bed made: processes, namespaces, CPU groups, files. Also after a crash."""
    from slicewright.cli.options import progress_output
    from slicewright.enforcement.testbed.bed import names, take_down

    remarks, known = progress_output(), names()
    for one in known if everything else [name]:
        take_down(one)
        remarks.print(f"{one} is gone" if one in known else f"there was no bed named {one}")


def _plan(scenario: str | None, plan_file: Path | None, method: str) -> Plan:
    from importlib.resources import files

    import slicewright as sw
    from slicewright.enforcement.linux.features import require_features
    from slicewright.enforcement.testbed.bed import NEEDS

    require_features("the test bed", NEEDS)  # before minutes of planning
    problem = sw.load_scenario(scenario or str(files("slicewright.enforcement.testbed") / "small.yaml"))
    return sw.plan(problem, method=method) if plan_file is None else sw.load_plan(problem, plan_file)


def _put_up(plan: Plan, name: str, cpus: float | None, rate: float | None, slow: float) -> Bed:
    from slicewright.enforcement.testbed.bed import put_up
    from slicewright.errors import InvalidOptionError

    if rate is not None and not rate > 0:
        raise InvalidOptionError("--rate", "must be positive, in Mbit/s", value=rate)
    return put_up(plan, name=name, cpus=cpus, most_bps=None if rate is None else rate * 1e6, slow=slow)


def _show(report: BedReport, plan: Plan) -> None:
    from math import isfinite

    from slicewright.cli.options import new_table, output

    scenario, out = plan.scenario, output()
    table = new_table(
        "device", "route", "tasks", "transmit", "", "execute", "", "", "completion", "", "", left=2
    )
    table.add_row("", "", "", *(f"[dim]{w}[/]" for w in ("plan", "meas", *("plan", "model", "meas") * 2)))
    for d in report.devices:
        route = f"{scenario.access_points[d.access_point]}>{scenario.nodes[d.node]}/{scenario.slices[d.slice].name}"
        times = [
            d.predicted["transmit_s"], d.measured["transmit_s"],
            d.predicted["execute_s"], d.expected["execute_s"], d.measured["execute_s"],
            d.predicted["completion_s"], d.expected["completion_s"], d.measured["completion_s"],
        ]  # fmt: skip
        tasks = f"{d.tasks}" if not d.lost else f"{d.tasks}, {d.lost} lost"
        table.add_row(
            f"{d.device}{'*' if d.coarse else ''}", route, tasks, *(f"{1000 * t:.0f}" for t in times)
        )
    out.print(table)
    out.print("ms, means; model: the plan's shares applied to the very tasks that were drawn")
    parts = (("transmission", "transmit_s"), ("execution", "execute_s"), ("completion", "completion_s"))
    errors = [f"{name} {100 * error:.1f} %" for name, part in parts if isfinite(error := report.error(part))]
    out.print(f"[bold]median error, measured against model: {', '.join(errors) or 'nothing to judge'}[/]")
    out.print(
        f"completion includes {1000 * report.wait_s:.0f} ms on average behind the device's own earlier tasks "
        "on the uplink, a queue that the plan's figure leaves out"
    )
    if any(d.coarse for d in report.devices):
        out.print(
            "* tasks too short for this machine's CPU quotas: they finish early and are left out; try --slow"
        )
    if report.local:
        out.print(f"{report.local} devices compute locally: nothing of theirs is shared, nothing is measured")
    scale = report.scale
    slow = f"; slowed down {scale.slow:g} times" if scale.slow > 1 else ""
    out.print(f"[dim]bits x {scale.bits:.3g}; 1 CPU stands for {1 / scale.cpus_per_hz:.3g} cycle/s{slow}[/]")
