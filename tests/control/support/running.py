"""A running control plane in the test's own event loop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from slicewright.control.http.app import create_app
from slicewright.control.http.guards.auth import Access
from slicewright.control.http.guards.limits import Limits
from slicewright.control.journal.base import Journal
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.plane.first_requests import FirstRequests
from slicewright.control.state.clock import Clock, SystemClock
from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.transport.memory import MemoryTransport
from slicewright.network.scenario import Scenario
from tests.control.support.processes import compile_kernels
from tests.waiting import PATIENCE_S

QUICK = ControlOptions(
    rounds=10, epoch_s=0.1, heartbeat_s=0.1, ack_timeout_s=20.0, away_after_s=60.0, deadline_s=60.0
)
"""Fast where nothing goes wrong, patient where a busy machine only looks as if something did."""


@asynccontextmanager
async def running(
    scenario: Scenario | None = None,
    *,
    journal: Journal | None = None,
    options: ControlOptions = QUICK,
    access: Access = Access(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    clock: Clock = SystemClock(),  # noqa: B008 - has no state
) -> AsyncIterator[tuple[ControlPlane, httpx.AsyncClient]]:
    """A control plane and a client that calls it without sockets."""
    compile_kernels()
    first = None if scenario is None else FirstRequests(Network.of(scenario), devices_of(scenario))
    plane = ControlPlane(
        journal or MemoryJournal(),
        MemoryTransport(clock, lease_s=math.inf),
        clock=clock,
        instance="test",
        options=options,
        first=first,
    )
    app = create_app(plane, access=access, limits=limits)
    await plane.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not plane.orchestrator.leading or (scenario is not None and plane.faults):
                await asyncio.sleep(0.01)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            yield plane, client
    finally:
        await plane.stop()


async def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)
