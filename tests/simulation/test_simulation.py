"""Whole runs: devices that move under plans that follow, the command, the log."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.cli.views.simulation_view import LiveSummary
from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.simulation import (
    COLUMNS,
    Air,
    Disciplines,
    FinishedTasks,
    Replanning,
    Settings,
    Simulation,
    TaskLog,
    Walk,
    Walkers,
    measure,
)
from slicewright.simulation.movement.mobility import MODELS
from tests.simulation.test_queues import in_order


@pytest.fixture(scope="module")
def plan() -> sw.Plan:
    return sw.plan(sw.preset("paper-slicing", devices=20, seed=4), rounds=200)


def moving(plan: sw.Plan, *, seed: int = 0, model: str = "waypoint", price_s: float = 0.0) -> Simulation:
    return Simulation(
        plan,
        Settings(seed=seed, air=Air(shadowing_db=4.0, fading=True), migration_s=0.2),
        movement=Walkers(plan.scenario, Walk(model, speed_mps=(5.0, 15.0)), seed=seed),
        replanning=Replanning(every_s=15.0, rounds=20, price_s=price_s, certify=True),
    )


def test_measured_times_are_those_of_the_formulas_where_they_hold(plan: sw.Plan) -> None:
    """Own servers and no queue on the uplink, variant "device": what the plan promises is what tasks take."""
    scenario = plan.scenario.with_(queueing="device")
    made = sw.plan(scenario, rounds=200)
    run = Simulation(made, Settings(disciplines=Disciplines(uplink_queue=False)))
    measured = measure(run.advance(20_000.0), made, from_s=500.0, until_s=20_000.0)
    np.testing.assert_allclose(measured.transmission_s, made.times.transmit_s, rtol=1e-9)
    np.testing.assert_allclose(measured.execution_s, made.times.execute_s, rtol=0.12)
    assert measured.figures["system_cost_s"] == pytest.approx(made.cost_s, rel=0.01)


@pytest.mark.parametrize("model", MODELS)
def test_a_moving_run_repeats_and_resumes_bit_for_bit(plan: sw.Plan, model: str, tmp_path: Path) -> None:
    whole = moving(plan, model=model)
    tasks = in_order(whole.advance(60.0))
    running, parts = moving(plan, model=model), []
    for until in (0.4, 7.0, 7.25, 29.999, 45.0, 46.0, 60.0):
        parts.append(running.advance(until))
        running.save(tmp_path / "state.npz")
        running = moving(plan, model=model)
        running.load(tmp_path / "state.npz")
    pieces = in_order(FinishedTasks.joined(parts))
    np.testing.assert_array_equal(tasks.times, pieces.times)
    np.testing.assert_array_equal(tasks.place, pieces.place)
    np.testing.assert_array_equal(whole.position_m, running.position_m)
    assert whole.counts == running.counts and whole.counts.handovers > 0


def test_a_state_that_is_none_is_refused_in_a_sentence(plan: sw.Plan, tmp_path: Path) -> None:
    file = Simulation(plan, Settings()).save(tmp_path / "still.npz")
    with pytest.raises(InvalidOptionError, match=r"still\.npz: has no walkers"):
        moving(plan).load(file)
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InvalidOptionError, match="is not a saved simulation"):
        moving(plan).load(file)


@pytest.mark.parametrize("model", MODELS)
def test_walkers_stay_in_the_area_and_at_their_speed(plan: sw.Plan, model: str) -> None:
    walkers = Walkers(plan.scenario, Walk(model, speed_mps=(1.0, 3.0)), seed=1)
    before = walkers.position_m.copy()
    low, high = walkers._walk.low, walkers._walk.high
    for k in range(300):
        walkers.step(float(k), 1.0)
        now = walkers.position_m
        assert (now >= low - 1e-9).all() and (now <= high + 1e-9).all()
        assert (np.linalg.norm(now - before, axis=1) <= 3.0 + 1e-9).all()
        before = now.copy()
    if model == "manhattan":
        offset = np.abs((now - low) / 100.0 - np.round((now - low) / 100.0)).min(axis=1)
        assert offset.max() < 1e-6


def test_links_of_the_starting_positions_are_those_of_the_scenario(plan: sw.Plan) -> None:
    run = Simulation(plan, movement=Walkers(plan.scenario, Walk(), seed=0))
    problem, devices = run.scenario_now()
    np.testing.assert_allclose(problem.rate_bps, plan.scenario.rate_bps, rtol=1e-9)
    assert devices.size == plan.scenario.n_devices


def test_replanning_keeps_plans_feasible_and_says_how_far_from_the_optimum(plan: sw.Plan) -> None:
    free, dear = moving(plan), moving(plan, price_s=5.0)
    for run in (free, dear):
        run.advance(90.0)
        assert len(run.steps) == 6
        for step in run.steps:
            assert step.bound_s <= step.cost_s * (1 + 1e-9) < np.inf
            assert step.regret >= 0 and step.decision_s > 0
    assert dear.counts.moves < free.counts.moves
    assert max(step.cost_s for step in free.steps) <= max(step.kept_s for step in free.steps) * (1 + 1e-9)


def test_what_cannot_move_says_why(plan: sw.Plan) -> None:
    lost = plan.scenario.with_(radio=None)
    with pytest.raises(InvalidOptionError, match="path-loss"):
        Simulation(sw.plan(lost, rounds=1), movement=Walkers(lost, Walk(), seed=0))
    with pytest.raises(UnknownNameError, match="waypoint"):
        Walk("waypont")
    with pytest.raises(InvalidOptionError, match="speed"):
        Walk(speed_mps=(2.0, 1.0))


def test_the_command_writes_every_task_and_the_figures(tmp_path: Path) -> None:
    events, figures = tmp_path / "tasks.parquet", tmp_path / "figures.json"
    arguments = [
        "simulate",
        "paper-slicing",
        "--horizon",
        "60s",
        "--mobility",
        "manhattan",
        "--replan",
        "20s",
    ]
    done = CliRunner().invoke(app, [*arguments, "--events", str(events), "--json", str(figures)])
    assert done.exit_code == 0, done.output
    assert "system cost" in done.stdout and "Replanning" in done.stdout
    table, document = parquet.read_table(events), json.loads(figures.read_text())
    assert table.column_names == list(COLUMNS)
    assert table.num_rows == document["figures"]["tasks_done"] + document["figures"]["tasks_lost"]
    assert set(document["definitions"]) == set(document["figures"])
    assert len(document["replanning"]) == 3


def test_an_interrupted_run_shows_and_keeps_what_happened_until_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []

    def show(self: LiveSummary, part: FinishedTasks) -> None:
        shown.append(len(part))
        if len(shown) == 30:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(LiveSummary, "show", show)
    files = [tmp_path / name for name in ("tasks.parquet", "figures.json", "film.html")]
    where = ["--events", str(files[0]), "--json", str(files[1]), "--time-lapse", str(files[2])]
    before = signal.getsignal(signal.SIGINT)
    done = CliRunner().invoke(app, ["simulate", "paper-slicing", "--mobility", "waypoint", *where])
    assert done.exit_code == 130, done.output
    assert signal.getsignal(signal.SIGINT) is before
    assert "interrupted at" in done.stderr and "system cost" in done.stdout
    document = json.loads(files[1].read_text())
    assert len(shown) == 30 and 25.0 <= document["horizon_s"] <= 30.0
    assert parquet.read_table(files[0]).num_rows == sum(shown) > 0
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_a_log_that_goes_wrong_leaves_an_older_one_as_it_was(plan: sw.Plan, tmp_path: Path) -> None:
    file = tmp_path / "tasks.parquet"
    tasks = Simulation(plan).advance(5.0)
    with TaskLog(plan.scenario, file) as log:
        log.write(tasks)
        assert not file.exists(), "half a file"
    with pytest.raises(RuntimeError), TaskLog(plan.scenario, file) as log:
        raise RuntimeError
    assert parquet.read_table(file).num_rows == len(tasks)
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_refuses_what_does_not_fit() -> None:
    for wrong in (["--on-event"], ["--speed", "fast"], ["--servers", "shares"], ["--work", "heavy"]):
        done = CliRunner().invoke(app, ["simulate", "paper-slicing", *wrong])
        assert isinstance(done.exception, InvalidOptionError), wrong
