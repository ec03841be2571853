"""Who may do what, and how much of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slicewright.control.http.guards.auth import Access, Scope, Token, read_tokens
from slicewright.control.http.guards.limits import Limits
from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from tests.control.support.problems import problem
from tests.control.support.running import running


def test_scopes(small: Scenario) -> None:
    tokens = [
        Token(name, hashlib.sha256(name.encode()).hexdigest(), frozenset({Scope(name)}))
        for name in ("read", "request", "admin")
    ]

    async def story() -> None:
        async with running(small, access=Access(tokens)) as (_, client):
            network = (await client.get("/v1/network", headers={"Authorization": "Bearer read"})).json()
            calls = {
                "read": ("GET", "/v1/plan", None),
                "request": ("DELETE", "/v1/requests/nobody", None),
                "admin": ("PUT", "/v1/network", network),
            }
            allowed = {
                "read": ["read"],
                "request": ["read", "request"],
                "admin": ["read", "request", "admin"],
            }
            for token, can in allowed.items():
                for scope, (method, path, body) in calls.items():
                    headers = {"Authorization": f"Bearer {token}", "If-Match": '"999"'}
                    answer = await client.request(method, path, json=body, headers=headers)
                    assert (answer.status_code == 403) == (scope not in can), (token, scope, answer.text)
            for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic read"}):
                answer = await client.get("/v1/plan", headers=header)
                problem(answer, 401, "unauthorized")
                assert answer.headers["www-authenticate"].startswith("Bearer")
            assert (await client.get("/livez")).status_code == 200

    asyncio.run(story())


def test_without_tokens_other_names_and_foreign_pages_are_refused(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (_, client):
            problem(await client.get("/v1/plan", headers={"Host": "evil.example"}), 403, "loopback-only")
            problem(
                await client.get("/v1/plan", headers={"Origin": "http://evil.example"}), 403, "foreign-origin"
            )
            own = {"Origin": "http://127.0.0.1:8080"}
            assert (await client.get("/v1/plan", headers=own)).status_code == 200

    asyncio.run(story())


def test_token_files(tmp_path: Path) -> None:
    file = tmp_path / "tokens.yaml"
    file.write_text("tokens:\n- {name: ops, token: 0123456789abcdef, scopes: [admin]}\n")
    (token,) = read_tokens(file)
    assert token.sha256 == hashlib.sha256(b"0123456789abcdef").hexdigest()
    for text in (
        "tokens: []",
        "tokens: [{name: a, token: short, scopes: [read]}]",
        "tokens: [{name: a, token: 0123456789abcdef, scopes: [root]}]",
        "tokens: [{name: a, token: 0123456789abcdef}]",
        "tokens: [{name: a, tokn: x}]",
    ):
        file.write_text(text)
        with pytest.raises(InvalidOptionError):
            read_tokens(file)


def test_limits(small: Scenario) -> None:
    async def story() -> None:
        async with running(small, limits=Limits(body_bytes=2000, rate_hz=0.1, burst=8)) as (_, client):
            problem(await client.post("/v1/requests", content=b"x" * 2001), 413, "content-too-large")

            async def slowly() -> AsyncIterator[bytes]:
                for _ in range(30):
                    yield b'{"a": "' + b"b" * 100

            headers = {"Content-Type": "application/json"}
            problem(
                await client.post("/v1/requests", content=slowly(), headers=headers), 413, "content-too-large"
            )
            problem(await client.post("/v1/requests", content="a=1"), 415, "unsupported-media-type")
            for _ in range(8):
                answer = await client.get("/livez")
            document = problem(answer, 429, "too-many-requests")
            assert int(answer.headers["retry-after"]) >= 1
            assert document["title"] == "Too many requests"

    asyncio.run(story())
