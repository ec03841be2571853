"""Twenty thousand devices over NATS: admitted a thousand at a time, until every manager holds what was decided.

The orchestrator, three managers in a process of their own and a NATS server, on loopback. What is counted besides the
time: answers that were no success, and leases that were lost because a process was busy for longer than they last.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

import slicewright as sw
from benchmarks.control import served
from slicewright.control.state.device import devices_of
from tests.control.support.scenes import as_body

AT_ONCE = 1000
PATIENCE_S = 600.0


def main(scale: str) -> None:
    """Print the figures.

    Args:
        scale: ``quick`` admits 4,000, ``full`` 20,000.
    """
    count = 4_000 if scale == "quick" else 20_000
    nats = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if nats is None:
        print("nats-server is not installed")
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url, _ = stack.enter_context(served(Path(folder), 50, nats))
        began = time.perf_counter()
        refused = _admit(url, count)
        admitted_s = time.perf_counter() - began
        settled = _settled(url, count)
        took_s = time.perf_counter() - began
        log = (Path(folder) / "serve.log").read_text()
        lost = log.count("longer than its lease lasts")
        print(
            f"{count:,} devices: admitted in {admitted_s:.1f} s, {'settled' if settled else 'NOT settled'} after"
            f" {took_s:.1f} s; {refused} answers without success, {lost} leases lost"
        )


def _admit(url: str, count: int) -> int:
    """Ask for devices, again where there was no success; how often there was none."""
    devices, refused = devices_of(sw.preset("paper-slicing", devices=count)), 0
    with httpx.Client(base_url=url, timeout=120, headers={"Prefer": "respond-async"}) as client:
        for k in range(0, count, AT_ONCE):
            body = {"devices": [as_body(device) for device in devices[k : k + AT_ONCE]]}
            while client.post("/v1/requests", json=body).status_code // 100 != 2:
                refused += 1
                time.sleep(1.0)
    return refused


def _settled(url: str, count: int) -> bool:
    """Wait until every manager holds what was decided about all of them."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        slices = httpx.get(f"{url}/v1/slices", timeout=60)
        figures = httpx.get(f"{url}/v1/overview", timeout=60)
        if slices.status_code == figures.status_code == 200:
            active = all(one["state"] == "active" for one in slices.json()["slices"])
            known = int(figures.json()["devices"]["tag"].rpartition("-")[2])
            if active and known >= count and not figures.json()["broken"]:
                return True
        time.sleep(0.5)
    return False
