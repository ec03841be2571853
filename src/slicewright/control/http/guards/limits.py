"""Limits on what one caller may send, and headers that every answer has: ASGI, around the whole app."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slicewright.control.http.guards.auth import LOCAL_ONLY, Access
from slicewright.control.http.guards.bodies import check_json, given_again
from slicewright.control.http.guards.headers import KnownHeaders
from slicewright.control.http.problems import Problem, problem_response
from slicewright.loopback import client_network

_MOST_CALLERS = 10_000
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({b"x-correlator", b"x-content-type-options"})
_UNKEPT, _NO_GUESSING = (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@dataclass(frozen=True)
class Limits:
    """What one caller may have of the server.

    Attributes:
        body_bytes: larger requests are refused. body_s: so are those whose body takes longer, s.
        rate_hz, burst: requests per second and caller, and how many at once.
        places, waiting, work_s: of answers that take work, see :class:`~slicewright.control.http.guards.work.Bench`.
        streams, streams_each: event streams, of all callers and of one.
        logs, logs_each: readings of the decision log, of all callers and of one.
    """

    body_bytes: int = 1 << 20
    body_s: float = 10.0
    rate_hz: float = 500.0
    burst: int = 1000
    places: int = 2
    waiting: int = 64
    work_s: float = 10.0
    streams: int = 200
    streams_each: int = 16
    logs: int = 4
    logs_each: int = 2


DEFAULT_LIMITS = Limits()


class ClientLeftError(Exception):
    """The client has left before its request was complete."""


class Guard:
    """Body size, time and form, rate, content type, correlation id, and headers for browsers.

    Args:
        app: to guard. limits: see there. count: told method, route and status of every answer.
        access: knows tokens. Rates are kept by the name of a valid token, else by the client's address: whoever makes
            tokens up gets no more than one address does, and pushes nobody else out.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        count: Callable[[str, str, int], None],
        access: Access = LOCAL_ONLY,
    ) -> None:
        self._app, self._limits, self._count, self._access = app, limits, count, access
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard HTTP; pass the rest on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = KnownHeaders(scope)
        correlator = headers.get("x-correlator", "")
        if not correlator or len(correlator) > 128 or not _SAFE.issuperset(correlator):
            correlator = f"{random.getrandbits(64):016x}"  # names an answer, opens nothing

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_ours(message["headers"], correlator)
                route = scope.get("route")
                path = getattr(route, "path", "unmatched")
                self._count(_known_method(scope["method"]), path, message["status"])
            await send(message)

        try:
            self._refuse(scope, headers)
            if scope["method"] not in _WITHOUT_BODY:
                body = await self._body(receive, headers)
                receive = given_again({"type": "http.request", "body": body, "more_body": False}, receive)
        except Problem as problem:
            await problem_response(problem)(scope, receive, answer)
        except ClientLeftError:
            return
        else:
            await self._app(scope, receive, answer)

    def _refuse(self, scope: Scope, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if (
            length.isascii()
            and length.isdigit()
            and (len(length) > 15 or int(length) > self._limits.body_bytes)
        ):
            raise self._too_large()
        has_body = length not in ("", "0") or "transfer-encoding" in headers
        media = headers.get("content-type", "").split(";")[0].strip().lower()
        if has_body and scope["method"] != "GET" and media != "application/json":
            raise Problem(415, "unsupported-media-type", "send application/json")
        wait_s = self._wait_s(self._identity(scope, headers))
        if wait_s > 0:
            retry = {"Retry-After": str(max(1, round(wait_s)))}
            raise Problem(429, "too-many-requests", "slow down", headers=retry)

    def _identity(self, scope: Scope, headers: Headers) -> str:
        token = None if self._access.open else self._access.token(headers)
        if token is not None:
            return f"token {token.name}"
        return f"address {client_network(str((scope.get('client') or ('',))[0]))}"

    async def _body(self, receive: Receive, headers: Headers) -> bytes:
        """The whole body, looked through.

        Raises:
            Problem: it is too large, takes too long, or is not strict JSON.
            ClientLeftError: it never came.
        """
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._limits.body_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientLeftError
                    part = message.get("body", b"")
                    size += len(part)
                    if size > self._limits.body_bytes:
                        raise self._too_large()
                    parts.append(part)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            slow = f"the body takes more than {self._limits.body_s:g} s"
            raise Problem(408, "body-too-slow", slow, headers={"Connection": "close"}) from None
        body = b"".join(parts)
        media = headers.get("content-type", "").split(";")[0].strip().lower()
        if body and media == "application/json":
            check_json(body)
        return body

    def _too_large(self) -> Problem:
        largest = f"at most {self._limits.body_bytes} bytes per request"
        return Problem(413, "content-too-large", largest, headers={"Connection": "close"})

    def _wait_s(self, caller: str) -> float:
        """A token bucket per caller; 0 lets the request through."""
        now = time.monotonic()
        level, since = self._buckets.pop(caller, (float(self._limits.burst), now))
        level = min(float(self._limits.burst), level + (now - since) * self._limits.rate_hz)
        allowed = level >= 1.0
        self._buckets[caller] = (level - 1.0 if allowed else level, now)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - level) / self._limits.rate_hz


def _with_ours(headers: Iterable[tuple[bytes, bytes]], correlator: str) -> list[tuple[bytes, bytes]]:
    """Headers of an answer with those that every answer has; how it may be kept is the answer's own to say."""
    out = [pair for pair in headers if pair[0] not in _OURS]
    if all(name != b"cache-control" for name, _ in out):
        out.append(_UNKEPT)
    out += (_NO_GUESSING, (b"x-correlator", correlator.encode("ascii")))
    return out


def _known_method(method: str) -> str:
    """For labels, of which callers must not make as many as they like."""
    return method if method in _WITHOUT_BODY or method in ("POST", "PUT", "PATCH", "DELETE") else "other"
