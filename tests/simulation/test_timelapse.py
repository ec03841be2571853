"""The time-lapse: one page that holds the run's frames, and nothing that it would have to fetch."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.network import Sites
from slicewright.simulation import Replanning, Settings, Simulation, Timelapse, Walk, Walkers, timelapse
from slicewright.simulation.movement.mobility import area
from slicewright.simulation.timelapse import MOST_FRAMES
from tests.control.support.browser import browser, chromium
from tests.evaluation.test_map_pages import assert_apart


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
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert data["frames"] == 81 and data["plans"] == [10.0, 20.0, 30.0, 40.0]

    def column(name: str) -> np.ndarray:
        found = data["columns"][name]
        return np.frombuffer(base64.b64decode(found["data"]), dtype=f"<{found['type']}").reshape(81, 15, -1)

    low, _ = area(scenario)
    place = column("place")[-1] / 65535 * data["side_m"] + low
    np.testing.assert_allclose(place, np.asarray(run.position_m), atol=data["side_m"] / 60000)
    np.testing.assert_array_equal(column("access_point")[-1, :, 0], run.decisions.access_point)
    inside = column("uplink")[-1].astype(int).sum() + column("work")[-1].astype(int).sum()
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


def test_a_crowd_gets_fewer_frames_so_that_the_page_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = sw.preset("paper-slicing", devices=20, seed=2)
    run = Simulation(sw.plan(scenario, rounds=5))
    monkeypatch.setattr(timelapse, "MOST_BYTES", 11 * 20 * 50)
    lapse = Timelapse(run, until_s=500.0)
    for part in run.pieces(500.0, on_tick=lapse.tick):
        lapse.count(part)
    assert 25 < len(lapse._times) <= 51


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed")
def test_a_film_plays_stops_and_finds_a_device(tmp_path: Path) -> None:
    pytest.importorskip("websockets")
    scenario = sw.preset("paper-slicing", devices=15, seed=2)
    run = Simulation(
        sw.plan(scenario, rounds=20), movement=Walkers(scenario, Walk(speed_mps=(5.0, 9.0)), seed=1)
    )
    lapse = Timelapse(run, until_s=30.0)
    for part in run.pieces(30.0, on_tick=lapse.tick):
        lapse.count(part)
    file = lapse.write(tmp_path / "film.html")

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            for scheme, width, height in (("light", 1440, 900), ("dark", 390, 844)):
                await page.look(scheme, width, height)
                await page.open(f"{file.as_uri()}?t=12")
                await page.wait_for("film.map.labels.length > 3")
                assert_apart(await page.evaluate("film.map.labels"), [width, height])
                assert await page.evaluate("document.getElementById('clock').textContent") == "00:00:12"
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            await page.evaluate("film.select('device', 3, true)")
            assert (await page.evaluate("document.getElementById('chosen').innerText")).startswith("device 3")
            await page.evaluate("document.getElementById('play').click()")
            await page.wait_for("film.now === film.end && !film.playing")
            assert page.complaints == []

    asyncio.run(story())


def test_what_has_no_places_or_another_ending_is_refused(tmp_path: Path) -> None:
    scenario = sw.preset("paper-slicing", devices=2, seed=2)
    run = Simulation(sw.plan(scenario, rounds=5))
    with pytest.raises(InvalidOptionError, match="html"):
        Timelapse(run, until_s=1.0).write(tmp_path / "film.gif")
    nowhere = scenario.with_(sites=Sites())
    with pytest.raises(InvalidOptionError, match="positions"):
        Timelapse(Simulation(sw.plan(nowhere, rounds=5)), until_s=1.0)
