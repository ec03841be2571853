"""The time-lapse: one page that holds the run's frames, and nothing that it would have to fetch."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.network import Sites
from slicewright.simulation import Replanning, Settings, Simulation, Timelapse, Walk, Walkers
from slicewright.simulation.movement.mobility import area
from slicewright.simulation.timelapse import MOST_FRAMES


def test_a_page_holds_positions_decisions_and_what_is_inside(tmp_path: Path) -> None:
    scenario = sw.preset("paper-slicing", devices=15, seed=2)
    run = Simulation(
        sw.plan(scenario, rounds=50),
        Settings(tick_s=0.5),
        movement=Walkers(scenario, Walk(speed_mps=(5.0, 9.0)), seed=1),
        replanning=Replanning(every_s=10.0, rounds=5),
    )
    lapse, done = Timelapse(run, until_s=40.0), 0
    for part in run.pieces(40.0, on_tick=lapse.tick):
        lapse.count(part)
        done += int((~part.lost).sum())
    page = lapse.write(tmp_path / "film.html").read_text(encoding="utf-8")
    assert "http" not in page and "/*DATA*/" not in page
    found = re.search(r"const D=(\{.*\});\n", page)
    assert found
    data = json.loads(found[1])
    assert data["frames"] == 81 and data["plans"] == [10.0, 20.0, 30.0, 40.0]

    def column(name: str, kind: str) -> np.ndarray:
        return np.frombuffer(base64.b64decode(data["columns"][name]), dtype=kind).reshape(81, 15, -1)

    low, _ = area(scenario)
    place = column("place", "<u2")[-1] / 65535 * data["side_m"] + low
    np.testing.assert_allclose(place, np.asarray(run.position_m), atol=data["side_m"] / 60000)
    np.testing.assert_array_equal(column("access_point", "<i2")[-1, :, 0], run.decisions.access_point)
    inside = column("uplink", "u1")[-1].sum() + column("work", "u1")[-1].sum()
    assert inside == run.queues.n_inside
    rate = np.array([0.0 if r is None else r for r in data["throughput_hz"]])
    assert (rate[1:] * np.diff(data["time_s"])).sum() == pytest.approx(done, abs=0.1)


def test_long_runs_have_no_more_frames_than_a_film_needs(tmp_path: Path) -> None:
    scenario = sw.preset("paper-slicing", devices=2, seed=2)
    run = Simulation(sw.plan(scenario, rounds=5))
    lapse = Timelapse(run, until_s=5000.0)
    for part in run.pieces(5000.0, on_tick=lapse.tick):
        lapse.count(part)
    assert MOST_FRAMES / 2 < len(lapse._times) <= MOST_FRAMES + 1


def test_what_has_no_places_or_another_ending_is_refused(tmp_path: Path) -> None:
    scenario = sw.preset("paper-slicing", devices=2, seed=2)
    run = Simulation(sw.plan(scenario, rounds=5))
    with pytest.raises(InvalidOptionError, match="html"):
        Timelapse(run, until_s=1.0).write(tmp_path / "film.gif")
    nowhere = scenario.with_(sites=Sites())
    with pytest.raises(InvalidOptionError, match="positions"):
        Timelapse(Simulation(sw.plan(nowhere, rounds=5)), until_s=1.0)
