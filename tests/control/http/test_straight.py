"""The straight way of requests against the framework's: what both may answer, they answer alike."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from starlette.datastructures import Headers

from slicewright.control.http.guards.bodies import MOST_CHARACTERS, MOST_DEPTH, check_json
from slicewright.control.http.guards.headers import KnownHeaders
from slicewright.control.http.problems import Problem
from slicewright.control.http.routes.schemas import NewRequests
from slicewright.control.http.straight import StraightRequests
from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.network.scenario import Scenario
from tests.control.support.hostile import ODD_BODIES, mutated, valid_bodies
from tests.control.support.running import running
from tests.control.support.scenes import as_body

PATH = "/v1/requests"


async def never(*_: object) -> None:
    """The straight way has nothing to say: the framework answers."""


def test_a_body_means_the_same_whoever_reads_it(small: Scenario) -> None:
    """The framework validates what Python's reader made of a body, the straight way the body itself."""
    document = valid_bodies(dict(Network.of(small).document))["POST", PATH]
    read = refused = 0
    for body in (*ODD_BODIES, *mutated(document)):
        try:
            check_json(body)
        except Problem:
            continue  # neither gets to see it
        try:
            whole = NewRequests.model_validate(json.loads(body))
        except ValidationError:
            refused += 1
            with pytest.raises(ValidationError):
                NewRequests.model_validate_json(body)
        else:
            read += 1
            assert NewRequests.model_validate_json(body) == whole
    assert read > 20
    assert refused > 100


def _is_read(body: bytes) -> bool:
    try:
        check_json(body)
    except Problem:
        return False
    return True


def test_a_body_that_is_short_is_looked_at_as_strictly_as_a_long_one(small: Scenario) -> None:
    document = valid_bodies(dict(Network.of(small).document))["POST", PATH]
    deep = [b"[" * depth + b"]" * depth for depth in (MOST_DEPTH - 1, MOST_DEPTH, MOST_DEPTH + 1)]
    texts = [rb'["\u0000"]', rb'["\ud800"]', b'["' + b"x" * MOST_CHARACTERS + b'"]', '["\u00e9"]'.encode()]
    bodies = [*ODD_BODIES, *mutated(document), *deep, *texts]
    assert [_is_read(body) for body in bodies] == [
        _is_read(body + b" " * 2 * MOST_CHARACTERS) for body in bodies
    ]


def test_headers_are_found_as_the_framework_finds_them() -> None:
    raw = [(b"host", b"a"), (b"x-two", b"first"), (b"x-two", b"second"), (b"x-odd", b"\xe9")]
    scope = {"type": "http", "headers": raw}
    known, theirs = KnownHeaders(scope), Headers(scope=scope)
    for name in ("host", "HOST", "x-two", "X-Two", "x-odd", "absent"):
        assert known.get(name) == theirs.get(name)
        assert known.get(name, "other") == theirs.get(name, "other")
        assert (name in known) == (name in theirs)
    assert set(known) == set(theirs)


def test_answers_and_refusals_are_those_of_the_framework(
    small: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = as_body(replace(devices_of(small)[0], id="cam"))
    elsewhere = {**device, "slice_cycles": {"nowhere": 1e6}}
    twice = {"devices": [device, device]}
    calls: list[tuple[Any, dict[str, str]]] = [
        ({"devices": [device]}, {}),
        ({"devices": [device, {**device, "id": "van"}]}, {}),
        ({"devices": [device]}, {"Idempotency-Key": "{way}-1"}),
        ({"devices": [device]}, {"Idempotency-Key": "{way}-1"}),
        ({"devices": [{**device, "task_bits": 1e6}]}, {"Idempotency-Key": "{way}-1"}),
        ({"devices": [device]}, {"Idempotency-Key": "two words"}),
        ({"devices": [elsewhere]}, {}),
        (twice, {}),
        ({"devices": []}, {}),
        ({"devices": [{**device, "task_bits": "much"}]}, {}),
        ({"devices": [device]}, {"Host": "elsewhere.example"}),
        ({"devices": [device]}, {"Prefer": "respond-async"}),
        ({"devices": [device]}, {"Content-Type": "text/plain"}),
    ]

    async def told(client: httpx.AsyncClient, way: str) -> list[tuple[int, dict[str, str], Any]]:
        out = []
        for body, headers in calls:
            named = {name: value.format(way=way) for name, value in headers.items()}
            answer = await client.post(PATH, json=body, headers=named)
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name not in ("x-correlator", "content-length")
            }
            out.append((answer.status_code, kept, _shape(answer.json())))
        return out

    async def story() -> None:
        async with running(small) as (_, client):
            straight = await told(client, "straight")
            with monkeypatch.context() as patched:
                patched.setattr(StraightRequests, "_answered", never)
                framework = await told(client, "framework")
            assert straight == framework
            statuses = [status for status, *_ in straight]
            assert statuses[:5] == [201, 201, 201, 200, 422]
            metrics = (await client.get("/metrics")).text
            counted = [line for line in metrics.splitlines() if f'route="{PATH}"' in line]
            assert any('status="201"' in line for line in counted), "requests are counted by their route"

    asyncio.run(story())


def _shape(document: Any) -> Any:
    """A problem as it is; of an answer its names and ids: places and times depend on what was decided before."""
    if "devices" not in document:
        return document
    return sorted(document), [(sorted(device), device["id"]) for device in document["devices"]]
