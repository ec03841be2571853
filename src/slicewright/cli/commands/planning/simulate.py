"""``slicewright simulate``: a network over time under a plan, and what became of its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from slicewright.simulation import Arrivals, Movement, Replanning, Settings
    from slicewright.slicing import Plan


# Over 60 lines by its options and what is told about them: the signature is the help.
def simulate(
    scenario: str = typer.Argument(
        metavar="SCENARIO", help="Scenario file (YAML or JSON), or the name of a preset."
    ),
    horizon: str = typer.Option("10min", "--horizon", "-t", help="Simulated time: 30s, 10min, 1h."),
    method: str = typer.Option(
        "auto", "--method", "-p", help="Method that plans; see `slicewright compare --list`."
    ),
    plan_file: Path | None = typer.Option(
        None, "--plan", metavar="FILE", help="Begin with this plan (slicewright/plan/v1) instead."
    ),
    servers: str = typer.Option(
        "share",
        "--servers",
        help="Who waits for whom on a node: share (a queue for each device's share), "
        "node (one for each node, as variant `node` of the model has it), "
        "pooled (one for each node and slice, at full speed).",
    ),
    uplink_queue: bool = typer.Option(
        True,
        "--uplink-queue/--no-uplink-queue",
        help="Whether tasks of a device wait for each other on its uplink.",
    ),
    local_queue: bool = typer.Option(
        False, "--local-queue/--no-local-queue", help="Whether tasks wait for each other on the device."
    ),
    arrivals: str = typer.Option("poisson", "--arrivals", help="poisson, periodic, bursts or bursts:FACTOR."),
    trace: Path | None = typer.Option(
        None,
        "--trace",
        metavar="FILE",
        help="Tasks arrive as recorded: CSV or Parquet with device and arrived_s, perhaps size and work; "
        "an event log of an earlier run replays it.",
    ),
    work: str = typer.Option(
        "exponential", "--work", help="Work of a task: fixed, exponential, lognormal or lognormal:VARIATION."
    ),
    mobility: str | None = typer.Option(
        None,
        "--mobility",
        "-m",
        help="Devices move: waypoint, gauss-markov, manhattan, or a recording: .csv, or SUMO's .xml or .xml.gz.",
    ),
    speed: str | None = typer.Option(
        None, "--speed", help="Slowest and fastest of those that walk, m/s; 0.5-2 by default."
    ),
    shadowing: float = typer.Option(0.0, "--shadowing", min=0.0, help="Log-normal shadowing, dB."),
    fading: bool = typer.Option(False, "--fading", help="Rayleigh fading, afresh in every tick."),
    replan: str | None = typer.Option(
        None, "--replan", help="Plan anew every so often, from the running plan: 10s."
    ),
    on_event: bool = typer.Option(
        False,
        "--on-event",
        help="Plan anew only after a handover, a join or a leave, `--replan` apart at least.",
    ),
    incremental: bool = typer.Option(
        False,
        "--incremental",
        help="Replan by what has changed, one device at a time, with a bound that follows; no search.",
    ),
    price: str = typer.Option("0s", "--price", help="System cost that moving a device must save at least."),
    correct: bool = typer.Option(
        False,
        "--correct",
        help="Plan with a device's own uplink queue in mind, which the formula leaves out; "
        "with `--replan` every time.",
    ),
    certify: bool = typer.Option(
        False, "--certify", help="Work out the certified regret of every replanning."
    ),
    warm_up: str = typer.Option(
        "0s", "--warm-up", help="Leave tasks that arrive before this out of the figures."
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="One seed repeats a run bit for bit."),
    events: Path | None = typer.Option(None, "--events", metavar="FILE", help="Write every task: .parquet."),
    film: Path | None = typer.Option(
        None,
        "--time-lapse",
        metavar="FILE",
        help="Write devices, links and loads over time as a page: .html.",
    ),
    json_file: str | None = typer.Option(
        None, "--json", metavar="FILE", help="Write the figures and their definitions; - for stdout."
    ),
) -> None:
    """Let tasks arrive, wait and finish under a plan, and hold what they took against what the plan promised.

    Tasks queue on the device's uplink at its granted rate, then on the node at its granted share. Devices may move:
    path loss, shadowing, fading and handovers follow, and plans are made anew if asked for.

    Ctrl-C ends a run early: figures, log and time-lapse are then of what happened until there (exit code 130). A second
    one ends at once and writes nothing.
    """
    import json

    from slicewright.cli.interruption import INTERRUPTED, EndingEarly
    from slicewright.cli.options import duration_s, output, progress_output, show_duration
    from slicewright.cli.views.simulation_view import LiveSummary, document, print_measured
    from slicewright.errors import InvalidOptionError
    from slicewright.simulation import FinishedTasks, Simulation, TaskLog, Timelapse, measure, timelapse_file

    if film is not None:
        timelapse_file(film, field="--time-lapse")
    if events is not None and events.suffix.lower() != ".parquet":
        raise InvalidOptionError("--events", "must end in .parquet", value=events.name)
    remarks = progress_output()
    until_s, from_s = duration_s(horizon, "--horizon", positive=True), duration_s(warm_up, "--warm-up")
    if from_s >= until_s:
        raise InvalidOptionError("--warm-up", f"must end before --horizon {horizon}", value=warm_up)
    replanning = _replanning(replan, on_event, price, certify, correct, method, incremental)
    with remarks.status("planning"):
        plan = _plan(scenario, plan_file, method)
    process = _arrivals(arrivals, trace, plan)
    if correct:
        plan = _corrected(plan, process)
    settings = _settings(seed, servers, uplink_queue, local_queue, process, work, shadowing, fading)
    movement = _movement(plan, mobility, speed, seed)
    run = Simulation(plan, settings, movement=movement, replanning=replanning)
    log = None if events is None else TaskLog(plan.scenario, events)
    lapse = None if film is None else Timelapse(run, until_s=until_s)
    parts: list[FinishedTasks] = []
    try:
        with EndingEarly() as ending, LiveSummary(remarks, run, until_s) as live:
            for part in run.pieces(until_s, on_tick=None if lapse is None else lapse.tick):
                if lapse is not None:
                    lapse.count(part)
                parts.append(part)
                if log is not None:
                    log.write(part)
                live.show(part)
                if ending.asked:
                    break
    except BaseException:
        if log is not None:
            log.discard()
        raise
    if log is not None:
        log.close()
    if ending.asked:
        remarks.print(
            f"interrupted at {show_duration(run.now_s)} of {show_duration(until_s)}: everything is of what happened "
            "until then"
        )
        until_s = run.now_s
    if film is not None and lapse is not None:
        remarks.print(f"time-lapse written to {lapse.write(film)}")
    measured = measure(FinishedTasks.joined(parts), plan, from_s=from_s, until_s=until_s)
    if events is not None:
        remarks.print(f"tasks written to {events}")
    if json_file == "-":
        typer.echo(json.dumps(document(run, measured), indent=1))
    else:
        print_measured(output(), run, measured)
        if json_file is not None:
            from slicewright.files.documents import write_document

            remarks.print(f"figures written to {write_document(document(run, measured), json_file)}")
    if ending.asked:
        raise typer.Exit(INTERRUPTED)


def _plan(scenario: str, plan_file: Path | None, method: str) -> Plan:
    import slicewright as sw

    problem = sw.load_scenario(scenario)
    return sw.plan(problem, method=method) if plan_file is None else sw.load_plan(problem, plan_file)


def _corrected(plan: Plan, arrivals: Arrivals) -> Plan:
    """From the plan on, with uplink queues in mind."""
    from slicewright.simulation import Correction, Distribution, corrected_plan
    from slicewright.slicing.search import iterated_search

    correction = Correction.of(plan.scenario, arrivals, Distribution("fixed"))
    search = lambda problem, start: iterated_search(problem, start=start, rounds=50)[0]
    return corrected_plan(plan.scenario, search, correction, plan.decisions)[0]


def _arrivals(process: str, trace: Path | None, plan: Plan) -> Arrivals:
    from slicewright.errors import InvalidOptionError
    from slicewright.simulation import Arrivals, load_arrivals

    if trace is None:
        return Arrivals.parse(process)
    if process != "poisson":
        raise InvalidOptionError("--trace", "says when tasks arrive; leave --arrivals out", value=process)
    return load_arrivals(trace, plan.scenario.n_devices, field="--trace")


def _settings(
    seed: int,
    servers: str,
    uplink_queue: bool,
    local_queue: bool,
    arrivals: Arrivals,
    work: str,
    shadowing: float,
    fading: bool,
) -> Settings:
    from slicewright.cli.options import choice
    from slicewright.simulation import SERVERS, Air, Disciplines, Distribution, Settings

    return Settings(
        seed=seed,
        disciplines=Disciplines(choice(servers, SERVERS, "--servers"), uplink_queue, local_queue),
        arrivals=arrivals,
        work=Distribution.parse(work, field="--work"),
        air=Air(shadowing_db=shadowing, fading=fading),
    )


def _replanning(
    every: str | None,
    on_event: bool,
    price: str,
    certify: bool,
    correct: bool,
    method: str,
    incremental: bool,
) -> Replanning | None:
    from slicewright.cli.options import duration_s
    from slicewright.errors import InvalidOptionError
    from slicewright.simulation import Replanning
    from slicewright.simulation.replanning import INCREMENTAL, WARM

    price_s = duration_s(price, "--price")
    if every is None:
        if on_event or certify or incremental:
            raise InvalidOptionError("--replan", "must say how often to plan anew", fix="e.g. --replan 10s")
        return None
    return Replanning(
        method=INCREMENTAL if incremental else WARM if method == "auto" else method,
        every_s=duration_s(every, "--replan", positive=True),
        when="event" if on_event else "epoch",
        price_s=price_s,
        certify=certify,
        correct=correct,
    )


def _movement(plan: Plan, mobility: str | None, speed: str | None, seed: int) -> Movement | None:
    from slicewright.errors import InvalidOptionError
    from slicewright.simulation import Follower, Walk, Walkers, load_trace

    if speed is not None and (mobility is None or "." in mobility):
        rule = "is for devices that walk, and --mobility names no model of walking"
        raise InvalidOptionError("--speed", rule, value=speed, fix="add --mobility waypoint")
    try:
        slow, _, fast = (speed or "0.5-2").partition("-")
        speeds = float(slow), float(fast or slow)
    except ValueError:
        raise InvalidOptionError("--speed", "must be like 1.4 or 0.5-2, in m/s", value=speed) from None
    if mobility is None:
        return None
    if "." in mobility:
        return Follower(plan.scenario, load_trace(mobility))
    return Walkers(plan.scenario, Walk(mobility, speed_mps=speeds), seed=seed)
