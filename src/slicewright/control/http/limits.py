"""Limits on what one caller may send, and headers that every answer has: ASGI, around the whole app."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slicewright.control.http.problems import Problem, problem_response

_MOST_CALLERS = 10_000
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@dataclass(frozen=True)
class Limits:
    """Attributes:
    body_bytes: larger requests are refused. rate_hz, burst: requests per second and caller, and how many at once.
    """

    body_bytes: int = 1 << 20
    rate_hz: float = 500.0
    burst: int = 1000


DEFAULT_LIMITS = Limits()


class Guard:
    """Body size, rate, content type, correlation id, and headers for browsers.

    Args:
        app: to guard. limits: see there. count: told method, route and status of every answer.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, count: Callable[[str, str, int], None]) -> None:
        self._app, self._limits, self._count = app, limits, count
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard HTTP; pass the rest on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlator = headers.get("x-correlator", "")
        if not correlator or len(correlator) > 128 or not _SAFE.issuperset(correlator):
            correlator = f"{random.getrandbits(64):016x}"  # names an answer, opens nothing
        started = exceeded = False

        async def answer(message: Message) -> None:
            nonlocal started
            if exceeded and not started:
                return  # whatever the app makes of half a body is not the answer
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                out["x-correlator"] = correlator
                out.setdefault("cache-control", "no-store")
                out["x-content-type-options"] = "nosniff"
                route = scope.get("route")
                path = getattr(route, "path", "unmatched")
                self._count(scope["method"], path, message["status"])
            await send(message)

        problem = self._refuse(scope, headers)
        if problem is not None:
            await problem_response(problem)(scope, receive, answer)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read, exceeded
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > self._limits.body_bytes:
                    exceeded = True
                    return {"type": "http.disconnect"}
            return message

        await self._app(scope, counted, answer)
        if exceeded and not started:
            exceeded = False
            await problem_response(self._too_large())(scope, receive, answer)

    def _refuse(self, scope: Scope, headers: Headers) -> Problem | None:
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._limits.body_bytes:
            return self._too_large()
        has_body = length not in ("", "0") or "transfer-encoding" in headers
        media = headers.get("content-type", "").split(";")[0].strip().lower()
        if has_body and scope["method"] != "GET" and media != "application/json":
            return Problem(415, "unsupported-media-type", "send application/json")
        wait_s = self._wait_s(headers.get("authorization") or str((scope.get("client") or ("",))[0]))
        if wait_s > 0:
            retry = {"Retry-After": str(max(1, round(wait_s)))}
            return Problem(429, "too-many-requests", "slow down", headers=retry)
        return None

    def _too_large(self) -> Problem:
        return Problem(413, "content-too-large", f"at most {self._limits.body_bytes} bytes per request")

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
