"""The dashboard in a real browser: 100 devices, ten updates a second."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from slicewright.control.state.device import devices_of
from slicewright.network.scenario_file import save_scenario
from tests.control.support.browser import CONTRAST, OVERFLOW, browser, chromium
from tests.control.support.processes import Served
from tests.control.support.scenes import as_body, moved, scenario_of
from tests.evaluation.test_map_pages import assert_apart
from tests.waiting import PATIENCE_S, wait_for

websockets = pytest.importorskip("websockets")
pytestmark = pytest.mark.skipif(chromium() is None, reason="chromium is not installed")


@pytest.mark.timing
def test_the_dashboard_follows_a_hundred_moving_devices(tmp_path: Path) -> None:
    scenario = scenario_of(100, 0, coins=8)
    one = Served((str(save_scenario(scenario, tmp_path / "s.json")),), tmp_path / "log")
    one.start()
    try:
        wait_for(lambda: one.get("/readyz"), "ready")
        asyncio.run(_watch(one.url, scenario, tmp_path))
    finally:
        one.stop()


_CLICK_A_DEVICE = """(() => {
  const { map } = dashboard.network;
  const free = [...map.px.keys()].find((i) => map.under([map.px[i], map.py[i]])?.kind === "device");
  map.point([map.px[free], map.py[free]], true);
})()"""


async def _watch(url: str, scenario: Any, folder: Path) -> None:
    stop = asyncio.Event()

    async def move() -> None:
        rng, devices = np.random.default_rng(0), list(devices_of(scenario))
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
            while not stop.is_set():
                began = time.perf_counter()
                chosen = rng.integers(len(devices), size=10)
                body = {"devices": [as_body(moved(devices[i], rng)) for i in dict.fromkeys(chosen.tolist())]}
                answer = await client.post("/v1/requests", json=body)
                assert answer.status_code == 201
                await asyncio.sleep(max(0.0, 0.1 - (time.perf_counter() - began)))

    moving = asyncio.create_task(move())
    async with browser(folder / "profile") as page:
        await page.open(url)
        await page.wait_for(
            "dashboard.network.names.length === 100 && dashboard.network.map.seenCount === 100"
        )
        await page.wait_for("document.getElementById('connection').textContent === 'live'")
        await page.wait_for("document.querySelectorAll('#managers tr').length === 3")
        epoch = "Number(document.getElementById('map-note').textContent.split(' ')[1])"
        before = await page.evaluate(epoch)
        await asyncio.sleep(3)
        assert await page.evaluate(epoch) >= before + 9, "three updates a second even on a busy machine"
        assert await page.evaluate("document.getElementById('residual').textContent") == "all hold"
        assert await page.evaluate("document.querySelectorAll('#cost-chart path.cost').length") >= 1
        await page.evaluate(_CLICK_A_DEVICE)
        await page.wait_for("document.querySelectorAll('#alternatives tr.chosen').length === 1")
        await page.evaluate("document.getElementById('explain').close()")
        await page.evaluate("document.querySelector('#decisions button').click()")
        await page.wait_for("document.getElementById('decision').open")
        pictures = Path(os.environ.get("SLICEWRIGHT_SCREENSHOTS") or folder)
        await page.screenshot(pictures / "dashboard.png")
        await page.evaluate("document.getElementById('decision').close()")
        for scheme in ("light", "dark"):
            for width, height in ((1500, 1050), (390, 844)):
                await page.look(scheme, width, height)
                await page.screenshot(pictures / f"dashboard-{scheme}-{width}.png")
                assert await page.evaluate(OVERFLOW) == [], "nothing sticks out to the right"
                assert_apart(await page.evaluate("dashboard.network.map.labels"), [width, height])
                for element in (
                    "#cost",
                    "#managers td",
                    "#decisions li",
                    "#leader",
                    "#points small",
                    "#legend li",
                ):
                    assert await page.evaluate(CONTRAST % element) >= 4.5, (scheme, element)
        assert page.complaints == []
    stop.set()
    await moving


def test_the_page_asks_for_a_token_and_shows_no_markup_of_others(tmp_path: Path) -> None:
    scenario = scenario_of(5, 0)
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text("tokens: [{name: ops, token: 0123456789abcdef, scopes: [admin]}]\n")
    file = save_scenario(
        replace(scenario, access_points=("<b id=evil>x</b>", "ap1", "ap2")), tmp_path / "s.json"
    )
    one = Served((str(file), "--tokens", str(tokens)), tmp_path / "log")
    one.start()

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            await page.open(one.url)
            await page.wait_for("document.getElementById('login').open")
            await page.evaluate("document.getElementById('token').value = '0123456789abcdef'")
            await page.evaluate("document.querySelector('#login-form button').click()")
            await page.wait_for("dashboard.network.names.length === 5")
            assert await page.evaluate("document.getElementById('evil') === null")

    try:
        wait_for(lambda: one.get("/readyz"), "ready")
        asyncio.run(story())
    finally:
        one.stop()


_MANY = """(async () => {
  const view = await (await fetch("/v1/overview")).json();
  const text = (array) => {
    const bytes = new Uint8Array(array.buffer);
    let out = "";
    for (let k = 0; k < bytes.length; k += 8192) out += String.fromCharCode(...bytes.subarray(k, k + 8192));
    return btoa(out);
  };
  const column = (type, kind, value) => ({ type, data: text(kind.from({ length: DEVICES }, value)) });
  const count = view.access_points.length;
  const side = (axis) => (_, i) => view.access_point_m[i % count][axis] + ((37 * i * (axis + 2)) % 90);
  Object.assign(view.devices, {
    tag: "many", names: Array.from({ length: DEVICES }, (_, i) => `device-${i}`),
    x: column("f4", Float32Array, side(0)), y: column("f4", Float32Array, side(1)),
    point: column("i2", Int16Array, (_, i) => i % count), node: column("i1", Int8Array, () => 0),
    slice: column("i1", Int8Array, (_, i) => i % 3), reason: column("i1", Int8Array, () => -1), reasons: [],
  });
  window.fetch = async () => new Response(JSON.stringify(view), { headers: { "Content-Type": "application/json" } });
  await new Promise((done) => setTimeout(done, 1500));
  const began = performance.now();
  dashboard.draw(view);
  dashboard.network.map.draw();
  const { map } = dashboard.network;
  return {
    ms: performance.now() - began, dense: map.dense, discs: map.discs.length, labels: map.labels,
    bars: document.querySelectorAll("#points .rows button").length,
    offloaded: document.getElementById("offloaded").textContent,
    more: document.querySelector("#points").textContent,
  };
})()"""


@pytest.mark.timing
def test_a_hundred_thousand_devices_and_125_access_points_are_drawn_in_a_moment(tmp_path: Path) -> None:
    scenario = scenario_of(12, 0, access_points=125, coins=40)
    one = Served((str(save_scenario(scenario, tmp_path / "s.json")),), tmp_path / "log")
    one.start()

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            await page.open(one.url)
            await page.wait_for("dashboard.network.names.length === 12")
            drawn = await page.evaluate(_MANY.replace("DEVICES", "100000"))
            assert drawn["ms"] < 1000 and drawn["dense"] and 20 < drawn["discs"] < 5000
            assert drawn["offloaded"] == "100,000 of 100,000"
            assert drawn["bars"] == 10 and "115 more, mean" in drawn["more"]
            assert_apart(drawn["labels"], [1500, 1050])

    try:
        wait_for(lambda: one.get("/readyz"), "ready")
        asyncio.run(story())
    finally:
        one.stop()
