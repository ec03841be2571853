"""Clients of a city that mean harm, and clumsy ones: a short version of ``make fuzz``."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx
import numpy as np

import slicewright as sw
from slicewright.control.city.app import create_city_app
from slicewright.control.city.service import CityControl
from slicewright.control.http.guards.limits import Limits
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.device import devices_of
from tests.control.support.hostile import CITY_READS, Call, city_corpus, fault
from tests.control.support.scenes import as_body

CITY = sw.preset("city/paper", devices=60, seed=1)
CHOSEN = 300
LOG_READS = ("0", "5", "-1", "x", "99999999999999999999", "%00", "4611686018427387903")


def test_odd_requests_of_a_city_are_refused_and_nothing_dies(tmp_path: Path) -> None:
    """In one process: what the application does not catch is raised here."""
    calls = list(city_corpus(CITY.nodes[0], as_body(devices_of(CITY)[0])))
    calls = random.Random(0).sample(calls, CHOSEN) + [Call("GET", f"/v1/log?after={n}") for n in LOG_READS]

    async def work() -> None:
        control = CityControl(CITY, SqliteJournal(tmp_path / "log.db"), clock=SystemClock(), idle_s=np.inf)
        app = create_city_app(control, limits=Limits(rate_hz=1e6, burst=10**6))
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            faults = []
            for call in calls:
                try:
                    answer = await client.request(
                        call.method, call.path, content=call.body, headers=call.written_headers
                    )
                except (httpx.InvalidURL, UnicodeError):
                    continue  # what no client can send
                if said := fault(answer):
                    faults.append((call.method, call.path, (call.body or b"")[:200], said))
            assert not faults, faults[:5]
            for path in CITY_READS:
                assert (await client.get(path)).status_code in (200, 404), path
        assert not control.fatal

    asyncio.run(work())
