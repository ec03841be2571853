"""A client that notes what it was promised, and checks of what became of it."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import httpx

import slicewright as sw
from tests.control.support.local_http import local_http
from tests.control.support.processes import Served
from tests.waiting import PATIENCE_S, wait_for

PAUSE_S = 0.1


class Load:
    """A client that asks for devices, each with its own key, until it has an answer; notes what was promised.

    It asks some eight times a second, so that a slow machine does not end up with thousands of devices.

    Args:
        servers: that it tries one after the other.
        device: as the API takes it; every request is for one more like it.
    """

    def __init__(self, servers: list[Served], device: dict[str, Any]) -> None:
        self._servers = servers
        self._device = {k: v for k, v in device.items() if k != "id"}
        self.promised: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            key = f"key-{number}"
            body = {"devices": [self._device]}
            answer = self._ask(body, key, number)
            if answer is not None:
                self.promised[key] = answer
                number += 1
                self._stop.wait(PAUSE_S)

    def _ask(self, body: dict[str, Any], key: str, number: int) -> str | None:
        for address in [server.address for server in self._servers if server.address]:
            with contextlib.suppress(httpx.HTTPError):
                answer = local_http().post(
                    f"{address}/v1/requests", json=body, headers={"Idempotency-Key": key}, timeout=10
                )
                if answer.status_code in (200, 201, 202):
                    found: str = answer.json()["devices"][0]["id"]
                    return found
        time.sleep(0.1)
        return None


def read(url: str) -> httpx.Response:
    """A document, asked for again while the server has too much to do: it says so rather than let a client wait."""

    def unless_busy() -> httpx.Response | None:
        answer = local_http().get(url)
        return None if answer.status_code == 503 else answer.raise_for_status()

    found = wait_for(unless_busy, url)
    assert found is not None
    return found


def assert_nothing_lost_or_doubled(url: str, promised: dict[str, str]) -> None:
    """Every promised device is there once; nothing is there that was never promised, but for one request in doubt."""
    listed = [d["id"] for d in read(f"{url}/v1/devices").json()["devices"]]
    assert len(listed) == len(set(listed))
    assert set(promised.values()) <= set(listed)
    assert len(set(promised.values())) == len(promised)
    extra = set(listed) - set(promised.values()) - {f"device-{k}" for k in range(10)}
    assert len(extra) <= 1


def assert_plan_obeys(url: str) -> None:
    """The plan in force breaks nothing."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:  # the two documents must be of the same moment
        before = read(f"{url}/v1/plan")
        scenario = read(f"{url}/v1/scenario")
        after = read(f"{url}/v1/plan")
        if before.headers["etag"] == after.headers["etag"]:
            violations = sw.check(sw.load_scenario(scenario.json()), before.json())
            assert violations.feasible, violations.explain()
            return
    raise AssertionError("the plan never stood still")
