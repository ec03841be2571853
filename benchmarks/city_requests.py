"""A city's control plane on loopback: requests at many live devices, answered once their decision is on disk.

``decision`` is the city's own time, ``answer`` the whole way of one client's request, ``processor`` what the server's
process used for each, and ``record`` the bytes in the journal, all of them the difference that one request made.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np

import slicewright as sw
from benchmarks.control import _running, _sought
from slicewright.control.state.device import Device, devices_of
from slicewright.network.scenario_file import save_scenario
from tests.control.support.processes import processor_s

SIZES = {"quick": (10_000,), "full": (10_000, 100_000)}
REQUESTS = {"quick": 500, "full": 2_000}
WARM = 20
PATIENCE_S = 900
_SERVE = (
    sys.executable,
    "-c",
    "from slicewright.cli.main import run; run()",
    "serve",
    "--port",
    "0",
    "--city",
)


def main(scale: str) -> None:
    """One line for each size: a quarter joins, a quarter leaves, half moves and changes."""
    print("devices   decision p50/p99 ms   answer p50/p99 ms   processor ms   record bytes   restart s")
    for devices in SIZES[scale]:
        with tempfile.TemporaryDirectory() as folder:
            figures = asyncio.run(_figures(Path(folder), devices, REQUESTS[scale]))
        print(f"{devices:>7}   {figures}", flush=True)


async def _figures(folder: Path, devices: int, requests: int) -> str:
    scenario = folder / "city.yaml"
    save_scenario(sw.preset("city/paper", devices=devices), scenario, columns="parquet")
    command = (*_SERVE, str(scenario), "--store", str(folder / "journal.db"))
    log = folder / "serve.log"
    with _running(command, log) as process:
        async with httpx.AsyncClient(base_url=await _ready(log), timeout=60) as client:
            answers, decisions, used_ms = await _ask(client, process.pid, devices, requests)
            lines = (await client.get("/v1/log?after=1")).text.splitlines()
            before = (await client.get("/v1/plan")).json()
    log.unlink()
    began = time.perf_counter()
    with _running(command, log):
        async with httpx.AsyncClient(base_url=await _ready(log), timeout=60) as client:
            after = (await client.get("/v1/plan")).json()
    if after["cost_s"] != before["cost_s"]:
        raise RuntimeError(f"a restart has changed the plan: {before} and {after}")
    took = time.perf_counter() - began
    written = np.mean([len(line) for line in lines])
    told = f"{_quantiles(decisions):>19}   {_quantiles(answers):>17}   {used_ms:>12.2f}"
    return f"{told}   {written:>12.0f}   {took:>9.1f}"


async def _ready(log: Path) -> str:
    """The address of a server that answers."""
    url = _sought(log, r"http://127\.0\.0\.1:\d+")
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if (await client.get("/livez")).json()["ready"]:
                    return url
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
    raise RuntimeError("the city did not start")


async def _ask(
    client: httpx.AsyncClient, process: int, devices: int, requests: int
) -> tuple[list[float], list[float], float]:
    """(ms of answers, ms of decisions, processor ms of the server for each request), one request after the other."""
    others = sw.preset("city/paper", devices=devices, hotspot_part=0.35)
    described = devices_of(others)
    rng, known = np.random.default_rng(0), [f"device-{i}" for i in range(devices)]
    answers: list[float] = []
    decisions: list[float] = []
    used = 0.0
    for k in range(WARM + requests):
        if k == WARM:
            used = processor_s(process)
        kind, at = rng.integers(4), int(rng.integers(len(known)))
        began = time.perf_counter()
        if kind == 1:
            answer = await client.delete(f"/v1/requests/{known[at]}")
            known[at] = known[-1]
            known.pop()
        else:
            name = f"new-{k}" if kind == 0 else known[at]
            if kind == 0:
                known.append(name)
            body = _body(others, described, int(rng.integers(devices)), name)
            began = time.perf_counter()
            answer = await client.post("/v1/requests", json={"devices": [body]})
        took = time.perf_counter() - began
        answer.raise_for_status()
        if k >= WARM:
            answers.append(1e3 * took)
            decisions.append(1e3 * answer.json()["decision_s"])
    return answers, decisions, 1e3 * (processor_s(process) - used) / requests


def _body(city: sw.Scenario, described: Sequence[Device], i: int, name: str) -> dict[str, Any]:
    """Device i of a city as a request: with its rates, and by its position the nodes near it."""
    links = city.links
    reach = slice(links.start[i], links.start[i + 1])
    rates = zip(links.access_point[reach].tolist(), links.rate_bps[reach].tolist(), strict=True)
    said = {**asdict(described[i]), "id": name}
    return {**said, "rate_bps": {city.access_points[a]: rate for a, rate in rates}}


def _quantiles(ms: Sequence[float]) -> str:
    return " / ".join(f"{np.quantile(ms, q):.2f}" for q in (0.5, 0.99))
