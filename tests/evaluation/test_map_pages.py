"""Pages of plans in a real browser: names apart at every zoom, devices found, keys work, nothing too pale."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from slicewright.drawing.cells import MOST_DOTS
from slicewright.evaluation.maps import draw_plan, draw_scenario
from slicewright.network import preset
from slicewright.slicing import Plan
from tests.control.support.browser import DRAWN, OVERFLOW, Page, browser, chromium
from tests.evaluation.crowds import crowd

pytest.importorskip("websockets")
pytestmark = pytest.mark.skipif(chromium() is None, reason="chromium is not installed")

SIZES = ((1440, 900), (390, 844))
READY = "window.page && page.map.places && page.map.places.length"
WORDS = "h1, h2, dt, dd, .label, small, summary, .keys li, .zoom button"
CONTRAST = """[...document.querySelectorAll('%s')].map((e) => {
  const light = (text) => {
    const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = text.match(/[0-9.]+/g).map(part);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  let behind = e;
  while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  const inks = [getComputedStyle(e).color, getComputedStyle(behind).backgroundColor];
  const [dark, bright] = inks.map(light).sort((a, b) => a - b);
  return bright / dark;
})"""
"""Contrast of every text against what is behind it (WCAG 2); 4.5 is good for small text."""
FOUND = "[...document.querySelectorAll('#found li')].map((e) => e.textContent)"


def ask(words: str) -> str:
    """A script that types into the search box."""
    return (
        "(() => { const box = document.querySelector('.search input'); box.focus();"
        f"box.value = {words!r}; box.dispatchEvent(new Event('input')); }})()"
    )


def test_pages_of_every_size_are_readable_on_desktop_and_phone(tmp_path: Path) -> None:
    pages = {
        devices: draw_plan(crowd(devices), tmp_path / f"{devices}.html") for devices in (40, 816, 10_000)
    }

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            for devices, file in pages.items():
                for (width, height), scheme in zip(SIZES, ("light", "dark"), strict=True):
                    await page.look(scheme, width, height)
                    await page.open(file.as_uri())
                    await page.wait_for(READY)
                    await see(page, devices)
            assert page.complaints == []

    asyncio.run(story())


async def see(page: Page, devices: int) -> None:
    """Look at one page at several zooms."""
    assert await page.evaluate("page.map.dense") == (devices > MOST_DOTS)
    assert await page.evaluate(OVERFLOW) == [], "nothing sticks out to the right"
    assert min(await page.evaluate(CONTRAST % WORDS)) >= 4.5
    assert await page.evaluate("document.querySelectorAll('.ranked .rows button').length") == 3 * 10
    assert "115 more, mean" in await page.evaluate("document.querySelector('.ranked').textContent")
    for _ in range(3):
        labels = await page.evaluate("page.map.labels.map(({ text, box }) => ({ text, box }))")
        size = await page.evaluate("[page.map.window.width, page.map.window.height]")
        assert_apart(labels, size)
        await page.evaluate("document.querySelector('.zoom button').click()")
        await page.evaluate(DRAWN)
    assert any(label["text"].startswith("node") for label in labels)
    assert f"{devices:,} devices" in await page.evaluate("page.map.canvas.getAttribute('aria-label')")


def assert_apart(labels: list[dict[str, Any]], size: list[float]) -> None:
    """Names are in the map and none covers another."""
    assert len(labels) >= 4
    for label in labels:
        left, top, right, bottom = label["box"]
        assert left >= 0 and top >= 0 and right <= size[0] and bottom <= size[1], label
    for one, other in itertools.combinations(labels, 2):
        a, b = one["box"], other["box"]
        meet = a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        assert not meet, (one["text"], other["text"])


def test_places_that_would_cover_a_map_wait_until_it_is_nearer(tmp_path: Path) -> None:
    file = draw_plan(crowd(3000, access_points=900, nodes=600), tmp_path / "m.html")

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            await page.open(file.as_uri())
            await page.wait_for(READY)
            assert await page.evaluate("page.map.places.length") == 10 + 10 + 2
            assert "zoom in for all" in await page.evaluate("document.getElementById('legend').textContent")
            await page.evaluate("page.select('point', 777, true)")
            await page.evaluate(DRAWN)
            chosen = "page.map.places.some((p) => p.kind === 'point' && p.index === 777)"
            assert await page.evaluate(chosen) and await page.evaluate("page.map.places.length") > 30
            labels = await page.evaluate("page.map.labels.map(({ text, box }) => ({ text, box }))")
            assert_apart(labels, [1500, 1050])
            assert "site-777" in {label["text"] for label in labels}

    asyncio.run(story())


def test_a_device_is_found_by_keys_and_said_in_words(tmp_path: Path) -> None:
    made = crowd(5000)
    file = draw_plan(made, tmp_path / "m.html")
    device = int((~made.decisions.local).nonzero()[0][77])

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            await page.open(file.as_uri())
            await page.wait_for(READY)
            await page.evaluate(ask(str(device)))
            assert (await page.evaluate(FOUND))[0].strip() == f"device {device}"
            await key(page, "Enter")
            await page.evaluate(DRAWN)
            said = await page.evaluate("document.getElementById('chosen').innerText")
            scenario = made.scenario
            assert scenario.access_points[int(made.decisions.access_point[device])] in said
            assert scenario.nodes[int(made.decisions.node[device])] in said and "transmits" in said
            assert await page.evaluate("page.map.window.zoom") >= 6
            await page.evaluate("page.map.canvas.focus()")
            await key(page, "0")
            assert await page.evaluate("page.map.window.zoom") == 1
            await key(page, "+")
            assert await page.evaluate("page.map.window.zoom") == pytest.approx(1.4)
            await page.evaluate(ask("no such thing"))
            assert await page.evaluate(FOUND) == ["nothing by that name"]
            everything = "page.map.seenCount"
            await page.evaluate("page.map.window.showAll()")
            await page.evaluate(DRAWN)
            assert await page.evaluate(everything) == 5000
            await page.evaluate("document.querySelector('#legend input').click()")
            await page.evaluate(DRAWN)
            assert await page.evaluate(everything) == 5000 - int((made.decisions.slice == 0).sum())
            assert page.complaints == []

    asyncio.run(story())


async def key(page: Page, name: str) -> None:
    for kind in ("keyDown", "keyUp"):
        text = {"text": name} if len(name) == 1 and kind == "keyDown" else {}
        await page.call("Input.dispatchKeyEvent", type=kind, key=name, **text)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=\"document.title='evil'\"><b id=evil>"
    scenario = preset("paper-slicing", devices=5, seed=1).with_(access_points=(evil, "ap1", "ap2"))
    file = draw_scenario(scenario, tmp_path / "m.html")

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            await page.open(file.as_uri())
            await page.wait_for(READY)
            await page.evaluate(ask("onerror"))
            assert (await page.evaluate(FOUND))[0].startswith(evil)
            await page.evaluate("page.select('point', 0)")
            assert evil in await page.evaluate("document.getElementById('chosen').innerText")
            assert await page.evaluate(
                "document.getElementById('evil') === null && !document.querySelector('img')"
            )
            assert "evil" not in await page.evaluate("document.title")
            assert await page.evaluate(OVERFLOW) == []

    asyncio.run(story())


def test_a_network_without_places_is_drawn_in_columns(tmp_path: Path) -> None:
    made: Plan = crowd(300, access_points=8, nodes=4)
    nowhere = made.scenario.with_(sites=type(made.scenario.sites)())
    moved = made.with_(scenario=nowhere)
    moved.__dict__["certificate"] = made.certificate
    file = draw_plan(moved, tmp_path / "m.html")

    async def story() -> None:
        async with browser(tmp_path / "profile") as page:
            await page.open(file.as_uri())
            await page.wait_for(READY)
            labels = await page.evaluate("page.map.labels.map(({ text, box }) => ({ text, box }))")
            assert_apart(labels, [2000, 2000])
            assert page.complaints == []

    asyncio.run(story())
