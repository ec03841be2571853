"""Recorded tasks: what is read, that a run's event log replays its tasks, and what a broken file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.errors import InvalidOptionError
from slicewright.simulation import Follower, Settings, Simulation, TaskLog, Trace, load_arrivals


@pytest.fixture(scope="module")
def plan() -> sw.Plan:
    return sw.plan(sw.preset("paper-slicing", devices=12, seed=1), rounds=50)


def test_an_event_log_gives_another_run_the_very_same_tasks(plan: sw.Plan, tmp_path: Path) -> None:
    file = tmp_path / "tasks.parquet"
    first = Simulation(plan, Settings(seed=3)).advance(200.0)
    with TaskLog(plan.scenario, file) as log:
        log.write(first)
    arrivals = load_arrivals(file, plan.scenario.n_devices)
    again = Simulation(plan, Settings(seed=99, arrivals=arrivals)).advance(1e6)
    for tasks in (first, again):
        assert len(tasks) > 100
    order, other = (np.lexsort((t.arrived_s, t.device)) for t in (first, again))
    np.testing.assert_array_equal(first.device[order], again.device[other])
    np.testing.assert_array_equal(first.times[order][:, :3], again.times[other][:, :3])
    # Tasks still inside at 200 s are in no log; before the first of them everything happens at the same times.
    early = first.done_s[order] < 50.0
    np.testing.assert_allclose(first.times[order][early], again.times[other][early], rtol=1e-12)


def test_a_recording_is_read_with_and_without_sizes(plan: sw.Plan, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("arrived_s,device,work\n3,0,2\n1,0,0.5\n2,4,1\n")
    arrivals = load_arrivals(file, plan.scenario.n_devices)
    assert [times.tolist() for times in arrivals.trace[:5]] == [[1, 3], [], [], [], [2]]
    assert arrivals.works[0].tolist() == [0.5, 2] and arrivals.sizes == ()
    tasks = Simulation(plan, Settings(arrivals=arrivals)).advance(1e5)
    assert sorted(tasks.arrived_s.tolist()) == [1, 2, 3]


def test_a_recording_may_be_saved_by_a_spreadsheet(plan: sw.Plan, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("device;arrived_s\n0;1,5\n0;2\n".encode("utf-16"))
    assert load_arrivals(file, plan.scenario.n_devices).trace[0].tolist() == [1.5, 2.0]


def test_who_leaves_and_comes_back_before_a_recorded_task_still_has_it(plan: sw.Plan, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("arrived_s,device\n5,0\n25,0\n60,0\n70,0\n")
    time = np.array([0.0, 4.0, 8.0, 50.0, 54.0, 58.0, 62.0])
    place = np.tile(np.asarray(plan.scenario.sites.device_m)[0], (7, 1))
    movement = Follower(plan.scenario, Trace(time, np.zeros(7, dtype=np.int64), place, ("a",)))
    settings = Settings(arrivals=load_arrivals(file, plan.scenario.n_devices), handover_db=100.0)
    tasks = Simulation(plan, settings, movement=movement).advance(1e4)
    assert sorted(tasks.arrived_s.tolist()) == [5.0, 60.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("device\n1\n", "columns"),
        ("device,arrived_s\n", "at least one"),
        ("device,arrived_s\n0,x\n", "numbers"),
        ("device,arrived_s\n12,1\n", "0 to 11"),
        ("device,arrived_s\n0.5,1\n", "0 to 11"),
        ("device,arrived_s\n0,nan\n", "above 0"),
        ("device,arrived_s\n0,1\n0,1\n", "ascending"),
        ("device,arrived_s,work\n0,1,-1\n", "positive"),
    ],
)
def test_a_broken_recording_says_what_is_wrong(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    with pytest.raises(InvalidOptionError, match=says):
        load_arrivals(file, 12)


def test_parquet_that_is_broken_or_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"device": [0, 1], "arrived_s": [1.0, 2.0], "other": ["a", "b"]}), file)
    assert load_arrivals(file, 12).trace[1].tolist() == [2.0]
    monkeypatch.setattr("slicewright.simulation.tasks.recorded.MOST_ROWS", 1)
    with pytest.raises(InvalidOptionError, match="has 2 tasks, and at most 1 are read"):
        load_arrivals(file, 12)
    sound = file.read_bytes()
    for content in (b"", b"PAR1", sound[: len(sound) // 2] + b"PAR1", sound.replace(b"PAR1", b"PAR2")):
        file.write_bytes(content)
        with pytest.raises(InvalidOptionError, match="must be Parquet with numbers") as told:
            load_arrivals(file, 12)
        assert "\n" not in str(told.value)


def test_the_command_replays_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("arrived_s,device\n1,0\n2,1\n3,2\n")
    done = CliRunner().invoke(app, ["simulate", "paper-slicing", "--horizon", "60s", "--trace", str(file)])
    assert done.exit_code == 0, done.output
    assert "3 tasks" in done.stdout
    both = ["simulate", "paper-slicing", "--trace", str(file), "--arrivals", "bursts"]
    assert isinstance(CliRunner().invoke(app, both).exception, InvalidOptionError)
