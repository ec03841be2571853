"""The control plane on loopback: requests per second and time to a decision, one process and over NATS.

Every request changes one device and is answered with its decision, which is on disk by then. ``decision`` is the
orchestrator's own time, ``answer`` the whole way of one client's request, ``requests/s`` what 16 clients get together,
and ``by processor`` what they would get if the server's process had a core to itself: requests by its processor time.
``together`` says how many requests a decision was about: where clients are slow, or the machine has other work, few
come while one is made, and each request costs more. So the clients here do nothing but write and read bytes.
Below each row stands what of the target it keeps: times are those of this machine as busy as it is, so only a quiet one
tells about them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Self

import httpx
import numpy as np

import slicewright as sw
from slicewright.control.state.device import devices_of
from slicewright.network.scenario_file import save_scenario
from tests.control.support.processes import processor_s
from tests.control.support.scenes import as_body

CLIENTS = 16
TARGETS_MS = {50: (5.0, 8.0), 500: (15.0, 25.0)}
"""Devices to the medians that a decision, and the whole answer, may take."""
TARGET_RATE = 500.0
"""Requests per second that one processor is to answer."""
PATIENCE_S = 300
READ_TOGETHER = 100
"""Decisions whose events are read together: a stream that begins further back than the server keeps is refused."""
_SERVE = (sys.executable, "-c", "from slicewright.cli.main import run; run()", "serve", "--port", "0")


def main(scale: str) -> None:
    """Print the table.

    Args:
        scale: ``quick`` or ``full``; full asks more often.
    """
    count = 100 if scale == "quick" else 1000
    nats = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or ""
    print(
        "transport        devices  decision p50/p99 ms   answer p50/p99 ms   requests/s  by processor  together"
    )
    for devices in (50, 500):
        for transport in ("one process", "NATS"):
            if transport == "NATS" and not Path(nats).exists():
                print(f"{transport:<16} {devices:>7}  nats-server is not installed")
                continue
            with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
                url, process = stack.enter_context(
                    served(Path(folder), devices, nats if transport == "NATS" else None)
                )
                found = asyncio.run(_measure(url, process, devices, count))
                print(f"{transport:<16} {devices:>7}  {found.row}\n    {found.against(devices)}", flush=True)


@contextmanager
def served(folder: Path, devices: int, nats: str | None) -> Iterator[tuple[str, int]]:
    """Address and process of a control plane that has settled; every server finds a free port itself and says which."""
    scenario = str(save_scenario(sw.preset("paper-slicing", devices=devices), folder / "scenario.json"))
    log = folder / "serve.log"
    with ExitStack() as stack:

        def start(*command: str) -> int:
            return stack.enter_context(_running(command, log)).pid

        if nats is None:
            orchestrator = start(*_SERVE, scenario, "--store", str(folder / "journal.db"))
        else:
            ports = ("-p", "-1", "--ports_file_dir", str(folder))
            process = start(nats, "-a", "127.0.0.1", *ports, "-js", "-sd", str(folder / "nats"))
            bus = _sought(folder / f"{Path(nats).name}_{process}.ports", r"nats://[^\"]+")
            orchestrator = start(*_SERVE, scenario, "--nats", bus, "--nats-unsynced", "--role", "sro")
            slices = [option for n in range(3) for option in ("--slice", f"s{n}")]
            start(*_SERVE, "--nats", bus, "--role", "slice-manager", *slices)
        url = _sought(log, r"http://127\.0\.0\.1:\d+")
        _wait_until_settled(url)
        yield url, orchestrator


@contextmanager
def _running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with the block."""
    with log.open("ab") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


def _sought(file: Path, pattern: str) -> str:
    """The first words of a file that look so, as soon as they are there."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(FileNotFoundError):
            if found := re.search(pattern, file.read_text()):
                return found.group()
        time.sleep(0.05)
    raise RuntimeError(f"no server said where it is in {file}")


def _wait_until_settled(url: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            answer = httpx.get(f"{url}/v1/slices", timeout=5)
            if answer.status_code == 200 and all(
                s["state"] == "active" and s["held_revision"] for s in answer.json()["slices"]
            ):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the control plane did not start")


class _Client:
    """One connection that stays, and one request after another on it.

    Args:
        url: of the server.
    """

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, body: bytes) -> float:
        """Have a device admitted; s until the whole answer was there.

        Raises:
            RuntimeError: it was refused.
        """
        began = time.perf_counter()
        head = f"POST /v1/requests HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        answered = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)\r\ncontent-length: (\d+)", answered)
        text = await self._reader.readexactly(int(length[1]) if length else 0)
        if not answered.startswith("HTTP/1.1 201"):
            raise RuntimeError(f"{answered.partition(chr(13))[0]}: {text.decode()}")
        return time.perf_counter() - began


def _bodies(devices: int) -> Iterator[bytes]:
    """Requests without end: some device somewhere else."""
    rng = np.random.default_rng(0)
    known = devices_of(sw.preset("paper-slicing", devices=devices))
    while True:
        x, y = map(float, rng.uniform(0, 500, 2))
        moved = replace(known[int(rng.integers(devices))], position_m=(x, y))
        yield json.dumps({"devices": [as_body(moved)]}).encode()


class _Found(NamedTuple):
    """What was measured.

    Attributes:
        decisions, answers: s, of single requests. rate: requests per second, of all clients together.
        by_processor: the same for each second that the server's process has worked. together: requests per decision.
    """

    decisions: list[float]
    answers: list[float]
    rate: float
    by_processor: float
    together: float

    @property
    def row(self) -> str:
        """Of the table."""
        times = f"{_quantiles(self.decisions):>19}   {_quantiles(self.answers):>17}"
        return f"{times}   {self.rate:>10.0f}   {self.by_processor:>11.0f}   {self.together:>7.1f}"

    def against(self, devices: int) -> str:
        """The target, and what of it is kept."""
        decision_ms, answer_ms = TARGETS_MS[devices]
        parts = (
            ("decision", 1e3 * float(np.median(self.decisions)) <= decision_ms, f"p50 <= {decision_ms:g} ms"),
            ("answer", 1e3 * float(np.median(self.answers)) <= answer_ms, f"p50 <= {answer_ms:g} ms"),
            ("by processor", self.by_processor >= TARGET_RATE, f">= {TARGET_RATE:g} requests/s"),
        )
        return "target: " + ", ".join(
            f"{what} {rule} {'kept' if kept else 'MISSED'}" for what, kept, rule in parts
        )


async def _measure(url: str, process: int, devices: int, count: int) -> _Found:
    bodies = _bodies(devices)
    async with httpx.AsyncClient(base_url=url, timeout=60) as reader, _Client(url) as client:
        for _ in range(10):
            await client.ask(next(bodies))
        answers: list[float] = []
        decisions: list[float] = []
        while len(answers) < count:
            start, some = (
                (await reader.get("/livez")).json()["sequence"],
                min(READ_TOGETHER, count - len(answers)),
            )
            answers += [await client.ask(next(bodies)) for _ in range(some)]
            decisions += await _decisions(reader, start, some)
        todo = [[next(bodies) for _ in range(max(1, 2 * count // CLIENTS))] for _ in range(CLIENTS)]
        asked = sum(map(len, todo))
        epoch = (await reader.get("/livez")).json()["epoch"]
        began, used_s = time.perf_counter(), processor_s(process)

        async def keep_asking(mine: list[bytes]) -> None:
            async with _Client(url) as one:
                for body in mine:
                    await one.ask(body)

        await asyncio.gather(*map(keep_asking, todo))
        rate, by_processor = asked / (time.perf_counter() - began), asked / (processor_s(process) - used_s)
        together = asked / max(1, (await reader.get("/livez")).json()["epoch"] - epoch)
    return _Found(decisions, answers, rate, by_processor, together)


async def _decisions(client: httpx.AsyncClient, start: int, count: int) -> list[float]:
    """Durations of the decisions since a record, from the event stream."""
    found: list[float] = []
    async with client.stream("GET", f"/v1/events?after={start}") as stream:
        stream.raise_for_status()
        kind = ""
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind == "decided":
                found.append(json.loads(line.removeprefix("data: "))["duration_s"])
                if len(found) == count:
                    break
    return found


def _quantiles(seconds: list[float]) -> str:
    return " / ".join(f"{1e3 * float(np.quantile(seconds, q)):.1f}" for q in (0.5, 0.99))
