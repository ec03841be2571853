"""Records a plan on a terminal, then the dashboard of a crowd: ``python -m documentation.recording FILE.gif``."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from rich.console import Console
from rich.text import Text

from documentation.examples import ROOT
from tests.control.support.browser import Page, browser

PORT = 18451
FRAMES, APART_S, SHOWN_MS, READ_MS = 14, 1.5, 500, 3500
SIZE, COLOURS = (1280, 800), 64
PATIENCE_S = 180
PLAN, SERVE = "slicewright plan paper-slicing --show 4", "slicewright serve paper-slicing --simulate"
_LENGTHS = (0, 12, 17, 31, len(PLAN))
TYPED = len(_LENGTHS)
"""So many pictures show the first command while it is typed."""
_TERMINAL = """<!doctype html><meta charset="utf-8"><body style="margin:0;background:#141a20;color:#e6edf3">
<pre style="padding:28px 36px;font:17px/1.42 'DejaVu Sans Mono',monospace">{code}</pre></body>"""


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
            shots: list[Image.Image] = []
            times_ms: list[int] = []
            async with browser(Path(folder) / "profile") as page:
                await page.look("dark", *SIZE)
                for text, shown_ms in _typed():
                    shots.append(await _terminal(page, Path(folder), text))
                    times_ms.append(shown_ms)
                await page.open(f"http://127.0.0.1:{PORT}/")
                await asyncio.sleep(8)
                for number in range(FRAMES):
                    shot = Path(folder) / f"{number}.png"
                    await page.screenshot(shot)
                    shots.append(Image.open(shot).convert("RGB").quantize(COLOURS))
                    times_ms.append(SHOWN_MS)
                    await asyncio.sleep(APART_S)
            # From the finished plan on: what shows one picture only shows that, and the typing ends the round.
            shots, times_ms = shots[TYPED:] + shots[:TYPED], times_ms[TYPED:] + times_ms[:TYPED]
            path.parent.mkdir(parents=True, exist_ok=True)
            shots[0].save(
                path, save_all=True, append_images=shots[1:], duration=times_ms, loop=0, optimize=True
            )
    finally:
        server.terminate()
        server.wait(30)


def _typed() -> list[tuple[str, int]]:
    """What stands on the terminal, one state after the other, and for how long, ms."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "FORCE_COLOR": "1", "COLUMNS": "100"}
    answer = subprocess.run(
        [sys.executable, "-m", *PLAN.split()], env=environment, capture_output=True, text=True, check=True
    ).stdout.rstrip()
    states = [("$ " + PLAN[:length], SHOWN_MS // 2) for length in _LENGTHS]
    whole = f"$ {PLAN}\n{answer}"
    states.append((whole, READ_MS))
    return [*states, (f"{whole}\n\n$ {SERVE}", 2 * SHOWN_MS)]


async def _terminal(page: Page, folder: Path, text: str) -> Image.Image:
    """A picture of a terminal with this text, ANSI colours and all."""
    console = Console(record=True, file=io.StringIO(), width=110)
    console.print(Text.from_ansi(text))
    shown, shot = folder / "terminal.html", folder / "terminal.png"
    shown.write_text(console.export_html(inline_styles=True, code_format=_TERMINAL), encoding="utf-8")
    await page.open(shown.as_uri())
    await page.wait_for("document.readyState === 'complete'")
    await page.screenshot(shot)
    return Image.open(shot).convert("RGB").quantize(COLOURS)


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
