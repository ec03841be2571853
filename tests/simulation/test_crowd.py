"""A simulated crowd: what it reports, and that the control plane's API takes every word of it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import slicewright as sw
from slicewright.cli.crowd_client import CrowdClient
from slicewright.control.http.routes.schemas import NewMeasurement, NewRequests
from slicewright.control.state.device import devices_of
from slicewright.errors import InvalidOptionError
from slicewright.simulation.movement.crowd import Crowd
from slicewright.simulation.movement.mobility import Walk
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def scenario() -> sw.Scenario:
    return sw.preset("paper-slicing", devices=8, seed=2)


def test_a_crowd_repeats_and_only_who_is_there_reports(scenario: sw.Scenario) -> None:
    def told() -> list[tuple[int, str, tuple[tuple[str, float], ...]]]:
        crowd = Crowd(scenario, stay_s=20.0, away_s=10.0, seed=3)
        return [
            (report.device, report.what, tuple(report.rate_bps.items()))
            for _ in range(120)
            for report in crowd.step(1.0)
        ]

    first = told()
    assert first == told()
    here = dict.fromkeys(range(8), True)
    for device, what, rates in first:
        assert here[device] == (what != "joined")
        here[device] = what != "left"
        assert bool(rates) == here[device]
    assert {what for _, what, _ in first} == {"measured", "joined", "left"}


def test_who_stands_still_has_nothing_to_report(scenario: sw.Scenario) -> None:
    crowd = Crowd(scenario, stay_s=1e9, least_change=10.0)
    crowd.step(1.0)
    assert crowd.step(1.0) == []
    with pytest.raises(InvalidOptionError, match="stay_s"):
        Crowd(scenario, stay_s=0.0)


def test_the_api_takes_what_the_crowd_sends(scenario: sw.Scenario) -> None:
    calls: list[tuple[str, str, bytes]] = []
    begin = {known.position_m for known in devices_of(scenario)}

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            calls.append(
                (self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            )
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_POST = do_DELETE = _take

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    restless = Walk(speed_mps=(1.0, 5.0), pause_s=0.0)
    client = CrowdClient(scenario, Crowd(scenario, walk=restless, stay_s=0.5, away_s=0.5), tick_s=0.05)
    sending = threading.Thread(target=client.run, args=(f"http://127.0.0.1:{server.server_port}/",))
    sending.start()
    wait_for(lambda: {name for name, _, _ in tuple(calls)} == {"PUT", "POST", "DELETE"}, "calls of all kinds")
    client.stop()
    sending.join()
    server.shutdown()
    server.server_close()
    assert client.answers[202] == len(calls)
    last = 0
    for method, path, body in calls:
        if method == "PUT":
            measured = NewMeasurement.model_validate(json.loads(body))
            assert measured.counter > last and measured.rate_bps
            last = measured.counter
        elif method == "POST":
            (device,) = NewRequests.model_validate(json.loads(body)).devices
            assert device.rate_bps and device.device().id.startswith("device-")
            assert device.position_m not in begin, "a device comes back where it is by now"
        else:
            assert path.startswith("/v1/requests/device-") and body == b""
