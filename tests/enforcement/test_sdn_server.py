"""The HTTP side of the OpenFlow application against clients that mean harm, and clumsy ones."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial

import pytest

from slicewright.cli.commands.operating.sdn import _checks
from slicewright.enforcement.sdn.api import respond
from slicewright.enforcement.sdn.checks import Checks, RefusedError
from slicewright.enforcement.sdn.server import ServerLimits, http_server
from slicewright.errors import InvalidOptionError
from tests.control.support.hostile import ODD_BODIES, ODD_HEADERS, mutated
from tests.enforcement.test_sdn_service import TASK, Network, network
from tests.waiting import PATIENCE_S, wait_for

__all__ = ["network"]
JSON = {"Content-Type": "application/json"}


@contextmanager
def serving(
    network: Network, *, checks: Checks | None = None, limits: ServerLimits | None = None
) -> Iterator[int]:
    server = http_server(
        partial(respond, network[0]), "127.0.0.1", 0, checks=checks or Checks(rate_hz=1e6), limits=limits
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def call(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str | bytes] | None = None,
) -> tuple[int, bytes, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as client:
        client.request(method, path, body, headers or {})
        answer = client.getresponse()
        return answer.status, answer.read(), answer.headers.get("Content-Type", "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-Forwarded-For": "127.0.0.1"}, 403),
        ({"Forwarded": "for=1.2.3.4"}, 403),
        ({"X-Envoy-External-Address": "1.2.3.4"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Length": "2000000"}, 413),
        ({"Content-Length": "-1"}, 400),
        ({"Content-Length": "9" * 5000}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_what_a_page_or_a_proxy_might_send_is_refused(
    network: Network, headers: dict[str, str | bytes], status: int
) -> None:
    with serving(network) as port:
        made = json.dumps(TASK).encode()
        found, body, media = call(port, "POST", "/v1/tasks", made, {**JSON, **headers})
        assert found == status, body
        assert media == "application/problem+json"
        assert json.loads(body)["status"] == status
        assert network[0].tasks() == []
        assert call(port, "GET", "/healthz")[0] == 200


def test_a_token_is_asked_for_and_then_other_names_are_served(network: Network) -> None:
    checks = Checks(hashlib.sha256(b"a token of some length").hexdigest(), rate_hz=1e6)
    with serving(network, checks=checks) as port:
        assert call(port, "GET", "/v1/tasks")[0] == 401
        assert call(port, "GET", "/v1/tasks", headers={"Authorization": "Bearer \xff"})[0] == 401
        known: dict[str, str | bytes] = {"Authorization": "Bearer a token of some length", "Host": "edge.lan"}
        assert call(port, "GET", "/v1/tasks", headers=known)[0] == 200


def test_others_are_not_served_without_a_token() -> None:
    with pytest.raises(InvalidOptionError, match="token-file"):
        _checks("0.0.0.0", None)
    assert _checks("127.0.0.1", None).token_sha256 is None


def test_a_client_that_asks_too_often_waits(network: Network) -> None:
    clock = [0.0]
    checks = Checks(rate_hz=1.0, burst=3, now=lambda: clock[0])
    with serving(network, checks=checks) as port:
        assert [call(port, "GET", "/healthz")[0] for _ in range(5)] == [200, 200, 200, 429, 429]
        clock[0] = 1.5
        assert [call(port, "GET", "/healthz")[0] for _ in range(2)] == [200, 429]


def test_rates_are_kept_by_who_brings_the_token_else_by_network() -> None:
    checks = Checks(hashlib.sha256(b"right").hexdigest(), rate_hz=1.0, burst=2, now=lambda: 0.0)

    def status(secret: str, client: str) -> int:
        try:
            checks.check("GET", {"host": ["edge.lan"], "authorization": [f"Bearer {secret}"]}, client)
        except RefusedError as refusal:
            return int(refusal.status)
        return 200

    guesses = [status(f"wrong{k}", f"2001:db8::{k}") for k in range(4)]
    assert guesses == [401, 401, 429, 429], "made-up tokens share what their network has"
    assert [status("right", f"2001:db8::{k}") for k in range(3)] == [200, 200, 429]


def test_connections_are_counted_and_slow_ones_end(network: Network) -> None:
    limits = ServerLimits(connections=4, connections_each=4, request_s=0.4)
    with serving(network, limits=limits) as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]

        def served() -> bool:
            for link in slow:  # a byte now and then does not help
                with suppress(OSError):  # it has been ended
                    link.send(b"a")
            with suppress(OSError, http.client.HTTPException):  # turned away: four are open
                return call(port, "GET", "/healthz")[0] == 200
            return False

        try:
            for k, link in enumerate(slow):
                with suppress(OSError):  # ended already, on a machine that let it wait
                    link.sendall(
                        (b"GET /healthz HTTP/1.1\r\nX: ", b"POST /v1/tasks HTTP/1.1\r\n", b"", b"G")[k]
                    )
            wait_for(served, "the end of those who are slow")
        finally:
            for link in slow:
                link.close()


def test_odd_requests_get_problems_and_the_server_lives(network: Network) -> None:
    bodies = [*ODD_BODIES, *mutated(TASK), b"[" + b"{}," * 500 + b"{}]"]
    with serving(network) as port:
        for body in bodies:
            status, said, _ = call(port, "POST", "/v1/tasks", body, dict(JSON))
            assert status in (200, 201, 400, 409, 413, 422), (body[:200], status, said[:300])
            assert len(said) < 20_000
        for name, value in ODD_HEADERS:
            status, said, _ = call(port, "GET", "/v1/tasks", headers={name: value})
            assert status < 500, (name, value, said)
        for path in (
            "/v1/tasks/" + "9" * 5000,
            "/v1/tasks/%b2",
            "/v1/tasks/%00",
            "/" + "a" * 60_000,
            "//",
            "/v1",
        ):
            status, said, media = call(port, "GET", path)
            assert status in (404, 414), (path[:50], status)
            assert media == "application/problem+json"
        for method in ("PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"):
            assert call(port, method, "/v1/tasks", None, dict(JSON))[0] == 405
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.sendall(b"\x00\xff\r\n\r\n")
            link.recv(1000)
        assert call(port, "GET", "/healthz")[0] == 200
