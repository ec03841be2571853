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

from slicewright.control.device import devices_of
from slicewright.network.scenario_file import save_scenario
from tests.control.browser import browser, chromium
from tests.control.processes import Served, free_port, wait_for
from tests.control.support import as_body, moved, scenario_of

websockets = pytest.importorskip("websockets")
pytestmark = pytest.mark.skipif(chromium() is None, reason="chromium is not installed")


def test_the_dashboard_follows_a_hundred_moving_devices(tmp_path: Path) -> None:
    scenario = scenario_of(100, 0, coins=8)
    port = free_port()
    one = Served(
        (str(save_scenario(scenario, tmp_path / "s.json")), "--port", str(port)), tmp_path / "log", port
    )
    one.start()
    try:
        wait_for(lambda: one.get("/readyz"), 60, "ready")
        asyncio.run(_watch(one.url, scenario, tmp_path))
    finally:
        one.stop()


async def _watch(url: str, scenario: Any, folder: Path) -> None:
    stop = asyncio.Event()

    async def move() -> None:
        rng, devices = np.random.default_rng(0), list(devices_of(scenario))
        async with httpx.AsyncClient(base_url=url, timeout=10) as client:
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
        await page.wait_for("document.querySelectorAll('#map .device').length === 100")
        await page.wait_for("document.getElementById('connection').textContent === 'live'")
        await page.wait_for("document.querySelectorAll('#managers tr').length === 3")
        epoch = "Number(document.getElementById('map-note').textContent.split(' ')[1])"
        before = await page.evaluate(epoch)
        await asyncio.sleep(3)
        assert await page.evaluate(epoch) >= before + 9, "three updates a second even on a busy machine"
        assert await page.evaluate("document.getElementById('residual').textContent") == "all hold"
        assert await page.evaluate("document.querySelectorAll('#cost-chart path.cost').length") >= 1
        await page.evaluate("document.querySelector('#map .device').dispatchEvent(new MouseEvent('click'))")
        await page.wait_for("document.querySelectorAll('#alternatives tr.chosen').length === 1")
        await page.evaluate("document.getElementById('explain').close()")
        await page.evaluate("document.querySelector('#decisions button').click()")
        await page.wait_for("document.getElementById('decision').open")
        wanted = os.environ.get("SLICEWRIGHT_SCREENSHOTS")
        await page.screenshot(Path(wanted or folder) / "dashboard.png")
        assert page.complaints == []
    stop.set()
    await moving


def test_the_page_asks_for_a_token_and_shows_no_markup_of_others(tmp_path: Path) -> None:
    scenario = scenario_of(5, 0)
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text("tokens: [{name: ops, token: 0123456789abcdef, scopes: [admin]}]\n")
    port = free_port()
    file = save_scenario(
        replace(scenario, access_points=("<b id=evil>x</b>", "ap1", "ap2")), tmp_path / "s.json"
    )
    one = Served((str(file), "--port", str(port), "--tokens", str(tokens)), tmp_path / "log", port)
    one.start()

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            await page.open(one.url)
            await page.wait_for("document.getElementById('login').open")
            await page.evaluate("document.getElementById('token').value = '0123456789abcdef'")
            await page.evaluate("document.querySelector('#login-form button').click()")
            await page.wait_for("document.querySelectorAll('#map .device').length === 5")
            assert await page.evaluate("document.getElementById('evil') === null")

    try:
        wait_for(lambda: one.get("/readyz"), 60, "ready")
        asyncio.run(story())
    finally:
        one.stop()
