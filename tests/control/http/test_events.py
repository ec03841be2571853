"""The event stream: resumed where it broke off."""

from __future__ import annotations

import asyncio

import httpx

from slicewright.control.state.device import devices_of
from slicewright.control.state.state import OrchestratorState
from slicewright.network.scenario import Scenario
from tests.control.support.problems import problem
from tests.control.support.running import running, until
from tests.control.support.scenes import as_body


def certified(state: OrchestratorState) -> bool:
    return state.last is not None and state.last.gap is not None


async def read_events(
    client: httpx.AsyncClient, query: str, headers: dict[str, str] | None = None
) -> list[dict[str, str]]:
    answer = await client.get(f"/v1/events?{query}", headers=headers or {})
    assert answer.status_code == 200, answer.text
    blocks = [block for block in answer.text.split("\n\n") if "event:" in block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_events_resume_where_they_broke_off(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (plane, client):
            await until(lambda: plane.orchestrator.state.settled)
            everything = await read_events(client, "after=0&most=8")
            assert [e["event"] for e in everything[:4]] == [
                "took-over",
                "network-set",
                "devices-admitted",
                "decided",
            ]
            ids = [int(e["id"]) for e in everything]
            assert ids == sorted(set(ids))
            rest = await read_events(client, "most=4", {"Last-Event-ID": str(ids[3])})
            assert [e["id"] for e in rest] == [e["id"] for e in everything[4:8]]
            problem(await client.get("/v1/events?after=999999"), 410, "cursor-too-old")

    asyncio.run(story())


def test_a_cursor_that_is_no_longer_kept_is_too_old(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (plane, client):
            plane.orchestrator.feed._items = type(plane.orchestrator.feed._items)(maxlen=3)
            body = as_body(devices_of(small)[0])
            for k in range(4):
                await client.post("/v1/requests", json={"devices": [{**body, "id": f"x{k}"}]})
            # Nothing more comes of it: what is kept stays the same while the answer is on its way.
            await until(lambda: plane.orchestrator.state.settled and certified(plane.orchestrator.state))
            answer = await client.get("/v1/events?after=1")
            assert problem(answer, 410, "cursor-too-old")["oldest"] == plane.orchestrator.feed._items[0].id

    asyncio.run(story())
