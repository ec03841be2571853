"""A headless Chromium driven over its debugging protocol: pages, scripts, screenshots."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import math
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.waiting import PATIENCE_S

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
)  # fmt: skip

OVERFLOW = """[...document.querySelectorAll('main *, header *')]
    .filter((e) => !e.closest('svg') && e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 80))"""
"""Expression: what sticks out to the right of a page, which should be nothing."""
CONTRAST = """(() => {
  const light = (text) => {
    const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = text.match(/[0-9.]+/g).map(Number);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b) + 0.05;
  };
  const element = document.querySelector("%s");
  const style = getComputedStyle(element);
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
  const inks = [element.closest("svg") ? style.fill : style.color, getComputedStyle(behind).backgroundColor];
  const [dark, bright] = inks.map(light).sort((a, b) => a - b);
  return bright / dark;
})()"""
"""Contrast of an element's text against what is behind it (WCAG 2); 4.5 is good for small text."""
DRAWN = """(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const ends = (moving) => moving.playState === "running" && moving.effect.getComputedTiming().endTime < Infinity;
  await frame();
  await Promise.all(document.getAnimations().filter(ends).map((moving) => moving.finished.catch(() => null)));
  await frame(); // what has a new size asks for the next one to be drawn in
  await frame();
  return true;
})()"""
"""Expression: what has changed is laid out and drawn, and nothing moves to its place any more."""


class Page:
    """One tab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol."""
        number = next(self._numbers)
        await self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(await asyncio.wait_for(self._connection.recv(), PATIENCE_S))
            if message.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(message["params"])[:500])
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.complaints.append(message["params"]["entry"]["text"])
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def evaluate(self, expression: str) -> Any:
        """The value of a script."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def wait_for(self, expression: str, *, timeout_s: float = PATIENCE_S) -> None:
        """Until an expression gives something true; while the page is still loading it may fail."""
        tried = f"(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"
        async with asyncio.timeout(timeout_s):
            while not await self.evaluate(tried):
                await asyncio.sleep(0.1)

    async def open(self, url: str) -> None:
        """Load a page."""
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)

    async def look(self, scheme: str, width: int, height: int) -> None:
        """Show the page in a colour scheme, in a window of a size, and wait until it is drawn."""
        preference = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=preference)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        await self.evaluate(DRAWN)

    async def screenshot(self, path: Path) -> None:
        """A picture of what is visible."""
        shot = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    async def pictures(self, folder: Path, name: str, *, height: int = 4000) -> None:
        """The whole page from top to bottom, in pictures of so many pixels at most: ``name-00.png`` and so on."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        for number, top in enumerate(range(0, math.ceil(size["height"]), height)):
            part = {"x": 0, "y": top, "width": size["width"], "height": min(height, size["height"] - top)}
            shot = await self.call(
                "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={**part, "scale": 1}
            )
            (folder / f"{name}-{number:02}.png").write_bytes(base64.b64decode(shot["data"]))


def chromium() -> str | None:
    """The browser's program, if installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@asynccontextmanager
async def browser(profile: Path, *, width: int = 1500, height: int = 1050) -> AsyncIterator[Page]:
    """A browser with a fresh profile and one empty page."""
    program = chromium()
    assert program is not None
    command = [
        program,
        *FLAGS,
        f"--user-data-dir={profile}",
        f"--window-size={width},{height}",
        "about:blank",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port_file = profile / "DevToolsActivePort"
        async with asyncio.timeout(PATIENCE_S):
            while not port_file.exists() or len(port_file.read_text().split()) < 2:
                await asyncio.sleep(0.05)
        port, path = port_file.read_text().split()
        async with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as whole:
            targets = Page(whole)
            found = await targets.call("Target.getTargets")
            page = next(t for t in found["targetInfos"] if t["type"] == "page")["targetId"]
        async with connect(f"ws://127.0.0.1:{port}/devtools/page/{page}", max_size=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
