"""Requests that mean harm, or were made by somebody clumsy: valid ones with every part replaced by something odd."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

LONG = "x" * 131_072
ODD_VALUES: tuple[str, ...] = (
    "null", "true", "0", "-1", "1e308", "-1e308", "1e-320", "1e999", "-0.0", "1" + "0" * 400, "9" * 39, "NaN",
    "Infinity", '""', '"9"', '"\\ud800"', '"\\u0000"', '"\\n\\r"', '"../../etc/passwd"', '"\\u202e"',
    json.dumps("y" * 200), json.dumps(LONG), "[]", "[[]]", "[null]", "{}", '{"a": {"a": {}}}', '{"a": 1, "a": 2}',
)  # fmt: skip
"""JSON texts, some of which are none."""
ODD_BODIES: tuple[bytes, ...] = (
    b"", b"{", b"[", b"nul", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"\x00", b'"', b"1", b"null", b"[]", b"{}",
    b"[" * 100_000,
    b'{"a":' * 50_000, b"[" * 33 + b"]" * 33, b'{"devices": [], "devices": []}', b'{"\\ud800": 1}',
    b'{"a": "\xed\xa0\x80"}',
    b"1" * 5000, b"-" + b"9" * 5000, b'{"x": ' + b"1" * 10_000 + b"}", LONG.encode(), b'{"' + LONG.encode() + b'": 1}',
    b"[" + b"1," * 200_000 + b"1]", b"[" + b"{}," * 200_000 + b"{}]",
)  # fmt: skip
ODD_HEADERS: tuple[tuple[str, bytes], ...] = (
    ("Idempotency-Key", b"\xff"), ("Idempotency-Key", b"k" * 5000), ("Idempotency-Key", b""), ("If-Match", b'"' * 3000),
    ("If-Match", b'"999999999999999999999999"'), ("If-Match", b"\xff"), ("X-Correlator", b"\xff" * 300),
    ("Prefer", b"\xff, respond-async"), ("Last-Event-ID", b"9" * 20), ("Last-Event-ID", b"\xb2"), ("Accept", b"\xff"),
    ("Content-Type", b"application/json; charset=\xff"), ("Content-Type", b"text/plain"), ("Content-Type", b""),
    ("Content-Encoding", b"gzip"), ("Authorization", b"Bearer \xff"), ("Authorization", b"Basic"), ("Cookie",
    b"a" * 8000),
    ("Host", b"evil.example"), ("Host", b""), ("Origin", b"null"), ("X-Forwarded-For", b"127.0.0.1"),
    ("Forwarded", b"for=1.2.3.4"), ("Sec-Fetch-Site", b"cross-site"), ("X-HTTP-Method-Override", b"DELETE"),
    ("Range", b"bytes=0-0,-1,9-"), ("Expect", b"200-maybe"), ("Upgrade", b"h2c"),
)  # fmt: skip
ODD_PATHS: tuple[str, ...] = (
    "/v1/requests/%00", "/v1/requests/%ff", "/v1/requests/..%2f..%2fetc", "/v1/requests/%0a",
    "/v1/requests/" + "a" * 129,
    "/v1/requests/" + "a" * 7000, "/v1/requests/%F0%9F%98%80", "/v1/requests/%ED%A0%80", "/v1/devices/%0d%0ax/explain",
    "/dashboard/..%2fapp.py", "/dashboard/%00", "/dashboard/../../app.py", "/v1/requests/", "//v1/plan", "/v1/plan/",
    "/v1/plan:", "/v1/plan%3AdryRun", "/v1/events?after=-1", "/v1/events?after=99999999999999999999",
    "/v1/events?after=x",
    "/v1/events?most=-1", "/v1/log?after=99999999999999999999", "/v1/log?after=%00", "/v1/plan?view=x",
    "/v1/plan?view=granted&view=desired", "/v1/access-points?mcc=%D9%A0%D9%A0%D9%A1",
    "/v1/access-points?mnc=1&profile=%00",
    "/v1/devices/d/explain?alternatives=1e9", "/v1/devices/d/explain?alternatives=-1", "/v1/placements?budget_s=nan",
    "/v1/placements?budget_s=inf", "/v1/placements?seed=-1", "/v1/placements?method=" + "m" * 5000,
    "/v1/placements?method=exact", "/v1/plan?" + "&".join(f"a{i}=1" for i in range(500)),
    "/openapi.json?x=%ff", "/?%00",
)  # fmt: skip


class Call(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def written_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers as they are sent."""
        headers = [(name.encode(), value) for name, value in self.headers]
        if self.body is not None and not any(name == "Content-Type" for name, _ in self.headers):
            headers.append((b"Content-Type", b"application/json"))
        return headers

    def ask(self, client: httpx.Client) -> httpx.Response:
        """Send it; the event stream is asked to end at once."""
        path = self.path
        if path.startswith("/v1/events"):
            path += ("&" if "?" in path else "?") + "most=0"
        return client.request(self.method, path, content=self.body, headers=self.written_headers)


def valid_bodies(network: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """A valid body of every operation that takes one."""
    device = {
        "id": "odd", "task_bits": 1e6, "local_cycles": 1e8, "local_capacity_hz": 1e9, "arrival_rate_hz": 0.1,
        "slice_cycles": {network["slices"][0]["name"]: 1e8},
        "rate_bps": {network["access_points"]["names"][0]: 1e7}, "position_m": [1.0, 2.0], "tx_power_w": 0.1,
    }  # fmt: skip
    tasks = {
        "schema": "slicewright/tasks/v1", "split": "proportional",
        "nodes": {"names": ["a", "b"], "kinds": ["coin", "mec"], "capacity_hz": [1e9, 2e9]},
        "access_points": {"names": ["p"]}, "links": [["p", "a", 1.0], ["a", "b", 1.0]],
        "tasks": {"access_point": [0], "size_bits": [1e6], "cycles": [1e6], "deadline_s": [1.0],
    "arrival_rate_hz": [1.0]},
    }  # fmt: skip
    method = {"method": "greedy", "force": True, "reason": "odd"}
    return {
        ("POST", "/v1/requests"): {"devices": [device]},
        ("PUT", "/v1/network"): network,
        ("POST", "/v1/plan:dryRun"): {
            "devices": [device],
            "remove": [],
            "network": network,
            "method": "greedy",
        },
        ("PUT", "/v1/measurements/odd"): {
            "counter": 1,
            "task_bits": 1e6,
            "arrival_rate_hz": 0.1,
            "departed": False,
        },
        ("POST", "/v1/placements"): tasks,
        **{
            ("POST", f"/v1/methods:{verb}"): method for verb in ("canary", "switch", "dropCanary", "rollBack")
        },
    }


def mutated(document: Any) -> Iterator[bytes]:
    """The document with each part in turn replaced, left out or doubled."""
    marker = "@@odd@@"
    for path in _paths(document):
        changed = _replaced(document, path, marker)
        text = json.dumps(changed)
        for odd in ODD_VALUES:
            yield text.replace(json.dumps(marker), odd).encode()
        if isinstance(path[-1], str):
            extra = json.dumps(path[-1])
            yield (
                json.dumps(_replaced(document, path, marker))
                .replace(f'{extra}: "{marker}"', f"{extra}: 1, {extra}: 2")
                .encode()
            )


def _paths(document: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if here:
        yield here
    if isinstance(document, dict):
        for key, item in document.items():
            yield from _paths(item, (*here, key))
    elif isinstance(document, list):
        for index, item in enumerate(document[:2]):
            yield from _paths(item, (*here, index))


def _replaced(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def corpus(network: dict[str, Any]) -> Iterator[Call]:
    """Everything."""
    bodies = valid_bodies(network)
    if_match = (("If-Match", b"*"), ("Prefer", b"respond-async"))
    for (method, path), document in bodies.items():
        for body in (*ODD_BODIES, *mutated(document)):
            yield Call(method, path, body, if_match)
        for header in ODD_HEADERS:
            yield Call(method, path, json.dumps(document).encode(), (header,))
    for path in ODD_PATHS:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"):
            yield Call(method, path, None if method in ("GET", "HEAD") else b"{}")
    for path in READS:
        for header in ODD_HEADERS:
            yield Call("GET", path, None, (header,))
        yield Call("GET", path, b'{"a": 1, "a": 2}')


def city_corpus(node: str, device: dict[str, Any]) -> Iterator[Call]:
    """Everything against the API of a city.

    Args:
        node: one that there is. device: valid, as a request has it.
    """
    bodies = {
        ("POST", "/v1/requests"): {"devices": [device]},
        ("PUT", f"/v1/nodes/{node}"): {"capacity_hz": [1e9, 1e9]},
        ("PUT", "/v1/nodes/nowhere"): {"capacity_hz": [0.0]},
    }
    for (method, path), document in bodies.items():
        for body in (*ODD_BODIES, *mutated(document)):
            yield Call(method, path, body)
        for header in ODD_HEADERS:
            yield Call(method, path, json.dumps(document).encode(), (header,))
    for path in (*ODD_PATHS, "/v1/nodes/%00", "/v1/nodes/" + "n" * 7000, "/v1/requests/odd"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"):
            yield Call(method, path, None if method in ("GET", "HEAD") else b"{}")
    for path in CITY_READS:
        for header in ODD_HEADERS:
            yield Call("GET", path, None, (header,))


CITY_READS = (
    "/livez",
    "/readyz",
    "/v1/plan",
    "/v1/overview",
    "/v1/overview?known=x",
    "/v1/requests/device-1",
    "/v1/requests/nobody",
    "/openapi.json",
    "/",
)
READS = (
    "/livez", "/readyz", "/metrics", "/v1/plan", "/v1/plan?view=desired", "/v1/scenario", "/v1/devices", "/v1/overview",
    "/v1/network", "/v1/slices", "/v1/nodes", "/v1/access-points", "/v1/methods", "/v1/events", "/v1/log?after=0",
    "/v1/requests/odd", "/v1/devices/odd/explain", "/openapi.json", "/",
)  # fmt: skip


def fault(answer: httpx.Response) -> str:
    """What is wrong with an answer; empty if nothing is: an odd request gets a problem of its own making, no crash."""
    if answer.status_code == 500 or answer.status_code > 507:
        return f"{answer.status_code}: {answer.text[:300]}"
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        if answer.headers.get("content-type") != "application/problem+json":
            return f"{answer.status_code} is no problem document: {answer.text[:300]}"
        if len(answer.content) > 20_000:
            return f"a problem of {len(answer.content)} bytes"
    return ""
