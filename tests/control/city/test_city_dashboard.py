"""The dashboard of a city: what it is told agrees with the city, and a real browser shows it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

import slicewright as sw
from slicewright.control.city.app import create_city_app
from slicewright.control.city.followed import Change, FollowedCity
from slicewright.control.city.overview import moment_of, overview
from slicewright.control.city.saved import POSITIONS, SavedCities, parts_of
from slicewright.control.city.service import CityControl
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.device import devices_of
from slicewright.control.state.events.city import CityDevice
from slicewright.network.scenario_file import save_scenario
from slicewright.slicing.loads import loads_of
from tests.columns import column_of
from tests.control.support.browser import CONTRAST, OVERFLOW, browser, chromium
from tests.control.support.processes import Served
from tests.control.support.scenes import as_body
from tests.waiting import PATIENCE_S, wait_for

pytest.importorskip("websockets")
CITY = sw.preset("city/balanced", devices=120, seed=3)
OTHERS = devices_of(sw.preset("city/balanced", devices=120, seed=3, hotspot_part=0.5))


@pytest.mark.parametrize("queueing", ["node", "device"])
def test_columns_and_bars_are_those_of_the_plan(queueing: str) -> None:
    city = FollowedCity(sw.preset("city/balanced", devices=120, seed=3, queueing=queueing))
    city.apply(Change(withdrawn=("device-4", "device-77")))
    city.apply(Change(admitted=(CityDevice(replace(OTHERS[9], id="phone")),)))
    city.apply(Change(capacity_hz={CITY.nodes[0]: (0.0,) * CITY.n_slices}))
    view = overview(moment_of(city, 4, ()))
    columns = view["devices"]
    plan = sw.Plan(city.live.snapshot(), city.live.decisions(), city.live.shares())
    assert plan.decisions.local.any() and not plan.decisions.local.all()
    for name in ("access_point", "node", "slice"):
        shown = column_of(columns[name.replace("access_", "")])
        assert shown.tolist() == getattr(plan.decisions, name).tolist()
    np.testing.assert_allclose(
        [node["use"] for node in view["nodes"]], loads_of(plan).utilisation, atol=1e-12
    )
    np.testing.assert_allclose(np.array(view["percent"]) / 100, plan.shares.bandwidth, atol=6e-4)
    phone = columns["names"].index("phone")
    assert (column_of(columns["x"])[phone], column_of(columns["y"])[phone]) == pytest.approx(
        OTHERS[9].position_m
    )
    assert "device-77" not in columns["names"] and len(columns["names"]) == 119


def test_names_are_sent_again_when_somebody_has_come_or_left_and_changes_are_told() -> None:
    async def work() -> None:
        control = CityControl(CITY, MemoryJournal(), clock=SystemClock(), idle_s=np.inf)
        app = create_city_app(control)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client,
        ):
            first = (await client.get("/v1/overview")).json()
            tag = first["devices"]["tag"]
            body = as_body(replace(OTHERS[3], id="device-3"))
            assert (await client.post("/v1/requests", json={"devices": [body]})).status_code == 201
            view = (await client.get("/v1/overview", params={"known": tag})).json()
            assert view["devices"]["names"] is None, "the same devices, one of them with another task"
            assert view["changes"][-1]["asked"] == "device-3" and view["sequence"] == first["sequence"] + 1
            await client.delete("/v1/requests/device-8")
            view = (await client.get("/v1/overview", params={"known": tag})).json()
            assert view["devices"]["names"] == [n for n in first["devices"]["names"] if n != "device-8"]
            assert view["changes"][-1]["withdrawn"] == "device-8"
            page = await client.get("/")
            assert (
                page.status_code == 200
                and "city.js" in page.text
                and "Content-Security-Policy" in page.headers
            )
            assert (
                (await client.get("/dashboard/city.js")).headers["Content-Type"].startswith("text/javascript")
            )

    asyncio.run(work())


def test_a_saved_city_of_the_version_before_has_the_positions_of_its_scenario(tmp_path: Path) -> None:
    city, saved = FollowedCity(CITY), SavedCities(tmp_path / "journal.db", "digest")
    city.apply(Change(admitted=(CityDevice(replace(OTHERS[9], id="device-9")),)))
    parts = parts_of(city)
    for known in (True, False):
        if not known:
            del parts["arrays"][POSITIONS]
        saved.save(parts, 2 - known, "hash")
        found = saved.newest(CITY)
        assert found is not None and CITY.sites.device_m is not None
        expected = OTHERS[9].position_m if known else CITY.sites.device_m[9]
        assert found[0].position_m[9].tolist() == pytest.approx(expected)


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed")
def test_the_page_shows_a_city_and_follows_it(tmp_path: Path) -> None:
    file = save_scenario(CITY, tmp_path / "city.json")
    one = Served((str(file), "--city"), tmp_path / "log")
    one.start()

    async def story() -> None:
        pictures = Path(os.environ.get("SLICEWRIGHT_SCREENSHOTS") or tmp_path)
        async with (
            browser(tmp_path / "profile") as page,
            httpx.AsyncClient(base_url=one.url, timeout=PATIENCE_S) as client,
        ):
            await page.open(one.url)
            await page.wait_for("dashboard.network.names.length === 120")
            changes = await page.evaluate("document.getElementById('decisions').textContent")
            assert changes == "none since the service was started"
            body = as_body(replace(OTHERS[3], id="phone"))
            assert (await client.post("/v1/requests", json={"devices": [body]})).status_code == 201
            await page.wait_for("document.getElementById('decisions').textContent.includes('phone asks')")
            await page.wait_for("document.getElementById('connection').textContent === 'live'")
            await page.evaluate("dashboard.network.pick('device', dashboard.network.names.indexOf('phone'))")
            await page.wait_for("document.getElementById('chosen').textContent.startsWith('phone')")
            for scheme, width, height in (("light", 1500, 1050), ("dark", 390, 844)):
                await page.look(scheme, width, height)
                await page.screenshot(pictures / f"city-{scheme}-{width}.png")
                assert await page.evaluate(OVERFLOW) == [], "nothing sticks out to the right"
                for element in ("#cost", "#decisions li", "#points small", "#legend li", "#chosen"):
                    assert await page.evaluate(CONTRAST % element) >= 4.5, (scheme, element)
        assert page.complaints == []

    try:
        wait_for(lambda: one.get("/readyz"), "ready")
        asyncio.run(story())
    finally:
        one.stop()
