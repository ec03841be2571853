"""Limits on connections, heads, bodies and rates: whoever is slow, large or many costs nobody else anything."""

from __future__ import annotations

import asyncio
import socket
import time

import httpx

from slicewright.control.http.guards.auth import Access
from slicewright.control.http.guards.connections import ConnectionLimits
from slicewright.control.http.guards.limits import Limits
from slicewright.loopback import client_network
from slicewright.network.scenario import Scenario
from tests.control.http.test_owners import TOKENS, bearer
from tests.control.support.load import read
from tests.control.support.problems import problem
from tests.control.support.running import running
from tests.control.support.serving import serving
from tests.waiting import PATIENCE_S, wait_for


def answer_to(address: str, *parts: bytes) -> bytes:
    """What the server says to raw bytes until it closes the connection."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as link:
        for part in parts:
            link.sendall(part)
        said = b""
        while chunk := link.recv(65536):
            said += chunk
    return said


UNHURRIED = Limits(body_s=0.5, rate_hz=1e6, burst=10**6)


def test_slow_clients_are_told_so(small: Scenario) -> None:
    limits = ConnectionLimits(head_s=1.0)
    with serving(small, connections=limits, limits=UNHURRIED) as address:
        assert answer_to(address).startswith(b"HTTP/1.1 408"), "nothing is asked for"
        assert answer_to(address, b"GET /livez HTTP/1.1\r\nHost: ").startswith(b"HTTP/1.1 408")
        text = read(f"{address}/metrics").text
        assert 'slicewright_http_connections_ended_total{limit="head_s"}' in text
        assert limits.refused["head_s"] >= 2


def test_large_and_odd_clients_are_told_so_and_each_head_has_its_own_time(small: Scenario) -> None:
    limits = ConnectionLimits(head_s=3.0, head_bytes=4096)  # much more than a busy machine lets one wait
    with serving(small, connections=limits, limits=UNHURRIED) as address:
        assert b"head-too-large" in answer_to(address, b"GET /livez HTTP/1.1\r\nX: " + b"x" * 5000)
        many = b"".join(b"X-%d: y\r\n" % k for k in range(800))
        assert answer_to(address, b"GET /livez HTTP/1.1\r\n" + many + b"\r\n").startswith(b"HTTP/1.1 400")
        assert b"urn:slicewright:problem:not-http" in answer_to(address, b"\x16\x03\x01 hello\r\n\r\n")
        slow = b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        assert b"body-too-slow" in answer_to(address, slow, b"Content-Length: 9\r\n\r\n{")
        ended = limits.refused["head_s"]
        with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
            end = time.monotonic() + limits.head_s
            while client.get("/livez").raise_for_status() and time.monotonic() < end:
                time.sleep(0.4)  # together longer than one head may take
        assert limits.refused["head_s"] == ended, "one connection, and never too slow"


def test_so_many_connections_and_no_more(small: Scenario) -> None:
    limits = ConnectionLimits(most=20, each=4, head_s=30.0)  # a busy machine must not end those that are held
    with serving(small, connections=limits, limits=UNHURRIED) as address:
        port = int(address.rsplit(":", 1)[1])
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
        try:
            wait_for(lambda: limits.open.total() >= 4, "four connections")
            assert b"too-many-connections" in answer_to(address)
        finally:
            for link in held:
                link.close()
        assert limits.refused["connections"] == 1


def test_addresses_of_one_network_are_one_client() -> None:
    assert (
        client_network("2001:db8::1")
        == client_network("2001:db8::ffff:2")
        != client_network("2001:db8:0:1::1")
    )
    assert client_network("::ffff:10.0.0.1") == "10.0.0.1" != client_network("10.0.0.2")
    assert client_network("unix") == "unix"


def test_rates_are_kept_by_who_somebody_is_and_not_by_what_he_says(small: Scenario) -> None:
    async def story() -> None:
        limits = Limits(rate_hz=0.001, burst=3)
        async with running(small, access=Access(TOKENS), limits=limits) as (_, client):
            made_up = [
                (await client.get("/v1/plan", headers=bearer(f"guess{k}"))).status_code for k in range(5)
            ]
            assert made_up == [401, 401, 401, 429, 429], "made-up tokens share what their address has"
            assert (await client.get("/v1/plan", headers=bearer("anna"))).status_code == 200
            for _ in range(2):
                await client.get("/v1/plan", headers=bearer("anna"))
            problem(await client.get("/v1/plan", headers=bearer("anna")), 429, "too-many-requests")
            assert (await client.get("/v1/plan", headers=bearer("ben"))).status_code == 200

    asyncio.run(story())


def test_without_tokens_nobody_comes_through_a_proxy(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (_, client):
            for name in (
                "X-Forwarded-For",
                "X-Forwarded-Host",
                "Forwarded",
                "Via",
                "X-Real-IP",
                "CF-Connecting-IP",
            ):
                problem(await client.get("/v1/plan", headers={name: "127.0.0.1"}), 403, "forwarded")
            cross = {"Sec-Fetch-Site": "cross-site"}
            problem(await client.get("/v1/log", headers=cross), 403, "foreign-origin")
            for host in ("[::1]:8080", "[::1]", "localhost", "127.0.0.1:1"):
                assert (await client.get("/v1/plan", headers={"Host": host})).status_code == 200, host

    asyncio.run(story())


def test_slow_methods_are_not_for_readers(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (_, client):
            for method in ("exact", "solver"):
                problem(
                    await client.post("/v1/plan:dryRun", json={"method": method}), 422, "method-not-allowed"
                )
            problem(await client.post("/v1/plan:dryRun", json={"method": "autoo"}), 422, "unknown-name")
            problem(await client.post("/v1/placements?method=exact", json={}), 422, "method-not-allowed")
            assert (await client.post("/v1/plan:dryRun", json={"method": "greedy"})).status_code == 200

    asyncio.run(story())


def test_a_caller_has_so_many_logs_at_once(small: Scenario) -> None:
    async def story() -> None:
        async with running(small, limits=Limits(logs_each=0)) as (_, client):
            problem(await client.get("/v1/log"), 429, "too-many-streams")

    asyncio.run(story())
