"""Recorded movement: what is read, who is there, and what a broken file says."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.simulation import Follower, Replanning, Settings, Simulation, load_trace

CSV = "time_s,device,x_m,y_m\n0,a,0,0\n10,b,50,0\n4,a,40,0\n12,b,50,20\n30,b,90,0\n31,b,91,0\n"
SUMO = """<fcd-export>
 <timestep time="0.00"><vehicle id="a" x="0" y="0" angle="90" speed="10" lane="e_0" slope="0"/></timestep>
 <timestep time="4.00"><vehicle id="a" x="40" y="0" speed="10"/></timestep>
 <timestep time="10.00"><person id="b" x="50" y="0" speed="1"/></timestep>
 <timestep time="12.00"><person id="b" x="50" y="20" speed="1"/></timestep>
 <timestep time="30.00"><person id="b" x="90" y="0" speed="1"/></timestep>
 <timestep time="31.00"><person id="b" x="91" y="0" speed="1"/></timestep>
</fcd-export>"""


@pytest.fixture(params=["moves.csv", "fcd.xml", "fcd.xml.gz"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / str(request.param)
    text = (CSV if file.suffix == ".csv" else SUMO).encode()
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    return file


def test_devices_go_straight_between_records_and_leave_where_these_are_far_apart(recording: Path) -> None:
    trace = load_trace(recording)
    assert trace.names == ("a", "b") and trace.until_s == 31.0
    for now, where, there in (
        (0.0, [0, 0], [True, False]),
        (1.0, [10, 0], [True, False]),
        (4.0, [40, 0], [True, False]),
        (5.0, None, [False, False]),
        (11.0, [50, 10], [False, True]),
        (20.0, None, [False, False]),
        (30.5, [90.5, 0], [False, True]),
    ):
        position, present = trace.at(now)
        assert present.tolist() == there, now
        if where is not None:
            np.testing.assert_allclose(position[int(np.argmax(present))], where)


def test_a_run_follows_a_recording_and_loses_only_what_its_device_had_not_sent(tmp_path: Path) -> None:
    scenario = sw.preset("paper-slicing", devices=12, seed=1)
    file = tmp_path / "moves.csv"
    records = ["time_s,device,x_m,y_m"]
    for k in range(10):
        records += [f"{t},{k},{20 * k + 3 * t},{200 + t}" for t in range(3 * k, 3 * k + 60, 2)]
    file.write_text("\n".join(records))

    def run() -> Simulation:
        movement = Follower(scenario, load_trace(file))
        return Simulation(
            sw.plan(scenario, rounds=100),
            Settings(seed=5),
            movement=movement,
            replanning=Replanning(every_s=5.0, when="event", rounds=10),
        )

    whole = run()
    tasks = whole.advance(120.0)
    assert whole.counts.joins == whole.counts.leaves - 1 == 9
    assert not whole.present.any()
    assert len(tasks) + whole.queues.n_inside == whole.queues.n_arrived
    assert tasks.lost.any() and not tasks.lost.all()
    first, second = run(), run()
    first.advance(31.7)
    first.save(tmp_path / "state.npz")
    second.load(tmp_path / "state.npz")
    second.advance(120.0)
    assert second.counts == whole.counts and second.queues.n_arrived == whole.queues.n_arrived


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "time,device\n1,2\n", "columns"),
        ("a.csv", "time_s,device,x_m,y_m\n1,a,zero,3\n", "numbers"),
        ("a.csv", "time_s,device,x_m,y_m\n", "at least one"),
        ("a.csv", "time_s,device,x_m,y_m\n1,a,nan,3\n", "finite"),
        ("a.xml", "<fcd-export><timestep time='x'/></fcd-export>", "floating-car"),
        ("a.xml", "<fcd-export><timestep", "floating-car"),
        ("a.txt", "", "must end in"),
    ],
)
def test_a_broken_recording_says_what_is_wrong(name: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidOptionError, match=says):
        load_trace(tmp_path / name)


def test_a_recording_of_too_many_devices_is_refused(recording: Path) -> None:
    with pytest.raises(InvalidOptionError, match="more devices"):
        Follower(sw.preset("paper-slicing", devices=1), load_trace(recording))


def test_more_records_than_memory_holds_are_refused(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slicewright.simulation.movement.traces.MOST_ROWS", 3)
    with pytest.raises(InvalidOptionError, match=r"more than the .* records that are read"):
        load_trace(recording)
