"""A simulated crowd that talks to a control plane over HTTP, as devices of their own would."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from slicewright.control.state.device import devices_of

if TYPE_CHECKING:
    from slicewright.network.scenario import Scenario
    from slicewright.simulation.movement.crowd import Crowd, CrowdReport

_AGAIN_S = 1.0
_TIMEOUT_S = 30.0


class CrowdClient:
    """Sends what a crowd reports, tick by tick, from a thread of its own that ends with the process.

    Attributes:
        answers: how often each HTTP status came back; 0 counts calls without an answer.
    """

    def __init__(self, scenario: Scenario, crowd: Crowd, *, tick_s: float = 1.0) -> None:
        """Nothing sent yet.

        Args:
            scenario: whose devices the control plane began with, by the names it gives them.
            crowd: of the same scenario.
            tick_s: s between two rounds of reports.
        """
        self.answers = Counter[int]()
        self._devices, self._crowd, self._tick_s = devices_of(scenario), crowd, tick_s
        self._stopped = threading.Event()
        # Counters must rise for as long as a journal lives, so they begin with the time of day.
        self._counter = time.time_ns() // 1000

    def start(self, url: str) -> None:
        """Send to a control plane from now on."""
        threading.Thread(target=self.run, args=(url,), name="crowd", daemon=True).start()

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()

    def run(self, url: str) -> None:
        """Send until stopped."""
        target = urlsplit(url)
        while not self._stopped.is_set():
            connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=_TIMEOUT_S)
            try:
                while not self._stopped.wait(self._tick_s):
                    for report in self._crowd.step(self._tick_s):
                        self._send(connection, report)
            except (OSError, http.client.HTTPException):
                self.answers[0] += 1
                self._stopped.wait(_AGAIN_S)
            finally:
                connection.close()

    def _send(self, connection: http.client.HTTPConnection, report: CrowdReport) -> None:
        device = self._devices[report.device]
        self._counter += 1
        body: dict[str, object] | None
        if report.what == "left":
            method, path, body = "DELETE", f"/v1/requests/{device.id}", None
        elif report.what == "joined":
            known = {name: value for name, value in asdict(device).items() if value is not None}
            told = known | {
                "rate_bps": report.rate_bps,
                "arrival_rate_hz": report.arrival_rate_hz,
                "position_m": report.position_m,
            }
            method, path, body = "POST", "/v1/requests", {"devices": [told]}
        else:
            method, path = "PUT", f"/v1/measurements/{device.id}"
            body = {
                "counter": self._counter,
                "rate_bps": report.rate_bps,
                "arrival_rate_hz": report.arrival_rate_hz,
            }
        text = None if body is None else json.dumps(body)
        connection.request(method, path, body=text, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        self.answers[answer.status] += 1
