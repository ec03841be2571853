"""The API against its own OpenAPI document: generated requests, valid and not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings

from slicewright.control.http.app import create_app
from slicewright.control.http.limits import Limits
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.plane.first_requests import FirstRequests
from slicewright.control.serve.process import listen
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.control.transport.memory import MemoryTransport
from tests.control.support.processes import wait_for
from tests.control.support.running import QUICK
from tests.control.support.scenes import scenario_of

schemathesis = pytest.importorskip("schemathesis")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on a free port."""
    scenario = scenario_of(6, 0)
    first = FirstRequests(Network.of(scenario), devices_of(scenario))
    listener = listen("127.0.0.1", 0)
    started: list[uvicorn.Server] = []

    async def serve() -> None:
        clock = SystemClock()
        plane = ControlPlane(
            MemoryJournal(),
            MemoryTransport(clock),
            clock=clock,
            instance="contract",
            options=QUICK,
            first=first,
        )
        app = create_app(plane, limits=Limits(rate_hz=1e6, burst=10**6))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        started.append(server)
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    wait_for(
        lambda: started and started[0].started and httpx.get(f"{address}/readyz").status_code == 200,
        "ready",
    )
    yield address
    started[0].should_exit = True
    thread.join(20)


# A document cannot say which slices and devices exist: valid requests that name others are refused, rightly.
valid_but_impossible = schemathesis.checks.positive_data_acceptance


def operations() -> list[Any]:
    """The operations of the API's own document; the event stream, which does not end, is left out."""
    clock = SystemClock()
    plane = ControlPlane(MemoryJournal(), MemoryTransport(clock), clock=clock, instance="contract")
    schema = schemathesis.openapi.from_dict(create_app(plane).openapi()).exclude(path="/v1/events")
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("operation", operations(), ids=lambda op: op.label)
def test_every_answer_is_as_documented(operation: Any, url: str) -> None:
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(base_url=url, timeout=20, excluded_checks=[valid_but_impossible])

    check()
