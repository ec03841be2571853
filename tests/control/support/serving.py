"""A control plane behind a real socket, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from slicewright.control.http.app import create_app
from slicewright.control.http.guards.auth import LOCAL_ONLY, Access
from slicewright.control.http.guards.connections import ConnectionLimits, server_settings
from slicewright.control.http.guards.limits import Limits
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.plane.first_requests import FirstRequests
from slicewright.control.serve.listening import listen
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.control.transport.memory import MemoryTransport
from slicewright.network.scenario import Scenario
from tests.control.support.local_http import local_http
from tests.control.support.processes import compile_kernels
from tests.control.support.running import QUICK
from tests.waiting import PATIENCE_S, wait_for

UNHURRIED = Limits(rate_hz=1e6, burst=10**6)
"""No limit on how often a test asks."""


@contextmanager
def serving(
    scenario: Scenario,
    *,
    access: Access = LOCAL_ONLY,
    limits: Limits = UNHURRIED,
    connections: ConnectionLimits | None = None,
) -> Iterator[str]:
    """The address of a server that is ready."""
    compile_kernels()
    first = FirstRequests(Network.of(scenario), devices_of(scenario))
    listener = listen("127.0.0.1", 0)
    limited = ConnectionLimits() if connections is None else connections
    started: list[uvicorn.Server] = []

    async def serve() -> None:
        clock = SystemClock()
        plane = ControlPlane(
            MemoryJournal(),
            MemoryTransport(clock, lease_s=math.inf),
            clock=clock,
            instance="contract",
            options=QUICK,
            first=first,
        )
        app = create_app(plane, access=access, limits=limits, connections=limited)
        config = uvicorn.Config(
            app, log_level="error", timeout_graceful_shutdown=1, **server_settings(limited)
        )
        started.append(uvicorn.Server(config))
        await started[0].serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        wait_for(
            lambda: (
                started and started[0].started and local_http().get(f"{address}/readyz").status_code == 200
            ),
            "ready",
        )
        yield address
    finally:
        if started:
            started[0].should_exit = True
        thread.join(PATIENCE_S)
