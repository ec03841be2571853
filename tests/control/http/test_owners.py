"""Devices belong to the token that made them, and events name who asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace

import httpx

from slicewright.control.http.guards.auth import Access, Scope, Token
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Checkpoint, DevicesAdmitted
from slicewright.control.state.fold import fold
from slicewright.control.state.state import dump
from slicewright.network.scenario import Scenario
from tests.control.support.problems import problem
from tests.control.support.running import running
from tests.control.support.scenes import as_body, state_with


def token(name: str, scope: str, expires_s: float | None = None) -> Token:
    """A token whose secret is its name."""
    return Token(name, hashlib.sha256(name.encode()).hexdigest(), frozenset({Scope(scope)}), expires_s)


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


TOKENS = (token("anna", "request"), token("ben", "request"), token("ops", "admin"))


def test_devices_belong_to_the_token_that_made_them(small: Scenario) -> None:
    body = {"devices": [{**as_body(devices_of(small)[0]), "id": "annas"}]}
    measured = {"counter": 1, "task_bits": 1e6}

    async def story() -> None:
        async with running(small, access=Access(TOKENS)) as (plane, client):
            assert (await client.post("/v1/requests", json=body, headers=bearer("anna"))).status_code == 201
            calls = {
                "POST": ("/v1/requests", body),
                "PUT": ("/v1/measurements/annas", measured),
                "DELETE": ("/v1/requests/annas", None),
            }
            for method, (path, sent) in calls.items():
                answer = await client.request(method, path, json=sent, headers=bearer("ben"))
                problem(answer, 403, "foreign-device")
            for who in ("anna", "ops"):
                for method in ("POST", "PUT"):
                    path, sent = calls[method]
                    answer = await client.request(method, path, json=sent, headers=bearer(who))
                    assert answer.status_code in (201, 202), answer.text
            assert plane.orchestrator.state.owners == {"annas": "anna"}, (
                "an administrator does not take it over"
            )
            other = await client.put("/v1/measurements/device-0", json=measured, headers=bearer("ben"))
            assert other.status_code == 202, "devices of the start are everybody's"
            assert (await client.delete("/v1/requests/annas", headers=bearer("anna"))).status_code == 204
            assert (await client.post("/v1/requests", json=body, headers=bearer("ben"))).status_code == 201
            assert plane.orchestrator.state.owners == {"annas": "ben"}
            await _events_name_who_asked(client)

    asyncio.run(story())


async def _events_name_who_asked(client: httpx.AsyncClient) -> None:
    newest = (await client.get("/livez")).json()["sequence"]
    answer = await client.get(f"/v1/events?after=0&most={newest}", headers=bearer("ops"))
    found = [block.splitlines() for block in answer.text.split("\n\n") if "event: devices-" in block]
    told = [json.loads(lines[-1].removeprefix("data: ")) for lines in found]
    who = [event["by"] for event in told if event.get("source") != "manager"]
    assert who[0] == "" and who[1] == "anna" and who[-2:] == ["anna", "ben"]


def test_owners_survive_a_checkpoint(small: Scenario) -> None:
    state, devices = state_with(small, admitted=False)
    state = fold(state, DevicesAdmitted(devices[:1], by="anna"))
    state = fold(state, DevicesAdmitted(devices[1:2], by="local"))
    again = fold(state, Checkpoint(dump(state)))
    assert again.owners == state.owners == {devices[0].id: "anna"}
    older = {name: value for name, value in dump(state).items() if name != "owners"}
    assert fold(state, Checkpoint(older)).owners == {}
    assert replace(state, owners={}).devices == state.devices
