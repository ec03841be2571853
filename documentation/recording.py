"""Records the dashboard while a simulated crowd walks: ``python -m documentation.recording FILE.gif``."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image

from documentation.examples import ROOT
from tests.control.support.browser import browser

PORT = 18451
FRAMES, APART_S, SHOWN_MS = 14, 1.5, 500
SIZE, COLOURS = (1280, 800), 64
PATIENCE_S = 180


async def record(path: Path) -> None:
    """Start a control plane with a crowd, look at it for a while, and write what was seen."""
    command = [
        sys.executable,
        "-m",
        "slicewright",
        "serve",
        "paper-slicing",
        "--simulate",
        "--instance",
        "leader",  # rather than the name of the machine that this runs on
        "--port",
        str(PORT),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await _ready()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            shots = []
            async with browser(Path(folder) / "profile") as page:
                await page.look("dark", *SIZE)
                await page.open(f"http://127.0.0.1:{PORT}/")
                await asyncio.sleep(8)
                for number in range(FRAMES):
                    shot = Path(folder) / f"{number}.png"
                    await page.screenshot(shot)
                    shots.append(Image.open(shot).convert("RGB").quantize(COLOURS))
                    await asyncio.sleep(APART_S)
            path.parent.mkdir(parents=True, exist_ok=True)
            shots[0].save(
                path, save_all=True, append_images=shots[1:], duration=SHOWN_MS, loop=0, optimize=True
            )
    finally:
        server.terminate()
        server.wait(30)


async def _ready() -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5):
                    return
            except (URLError, TimeoutError):
                await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
