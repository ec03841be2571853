"""Connections: how many there may be, how long the head of a request may take, how long an answer may lie.

What the server underneath leaves open: it waits for ever for a head that never ends, keeps whatever is sent as headers,
and keeps an answer for ever that nobody takes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from slicewright.loopback import client_network


@dataclass
class ConnectionLimits:
    """Limits, and the connections that are open.

    Attributes:
        most: connections of everybody together. each: of one client address (an IPv6 network of 64 bits is one).
        head_s: s for the head of a request, from the end of the request before or the beginning of the connection.
        head_bytes: of the head of a request.
        stalled_s: s that a client may take to take anything of an answer.
    """

    most: int = 1000
    each: int = 250
    head_s: float = 10.0
    head_bytes: int = 32 * 1024
    stalled_s: float = 30.0
    open: Counter[str] = field(default_factory=Counter, init=False)
    refused: Counter[str] = field(default_factory=Counter, init=False)

    def takes(self, client: str) -> bool:
        """Whether one more connection of this client is served."""
        return self.open.total() < self.most and self.open[client] < self.each


class LimitedProtocol(HttpToolsProtocol):
    """One connection; a subclass for each server names the self.limits."""

    limits: ConnectionLimits

    _counted: str | None = None
    _header_bytes = 0
    _head_bytes = 0
    _head: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types its own
        """Serve it, or say that there are too many."""
        super().connection_made(transport)
        client = client_network(self.client[0] if self.client else "")
        if not self.limits.takes(client):
            self.limits.refused["connections"] += 1
            transport.write(_TOO_MANY)
            transport.close()
            return
        self.limits.open[client] += 1
        self._counted = client
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._stop(self._head)
        self._stop(self._stalled)
        if self._counted is not None:
            self.limits.open[self._counted] -= 1
            if not self.limits.open[self._counted]:
                del self.limits.open[self._counted]
            self._counted = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; a head that grows too large ends the connection."""
        if self._counted is None or self.transport.is_closing():
            return
        in_head = self._head is not None
        super().data_received(data)
        if in_head and self._head is not None:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head_bytes:
                self._end("head_bytes", _TOO_LARGE)

    def on_message_begin(self) -> None:
        """A new request."""
        self._header_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or a trailer, of which there may be as few."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > self.limits.head_bytes:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP."""
        self.limits.refused["not_http"] += 1
        self.transport.write(_NOT_HTTP)
        self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop(self._head)
        self._head, self._head_bytes = None, 0
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The next head may take its time from now on."""
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline:
            self._await_head()

    def pause_writing(self) -> None:
        """The client takes nothing: it may for a while."""
        super().pause_writing()
        self._stop(self._stalled)
        self._stalled = self.loop.call_later(self.limits.stalled_s, self._give_up)

    def resume_writing(self) -> None:
        """It takes something again."""
        self._stop(self._stalled)
        super().resume_writing()

    def _await_head(self) -> None:
        self._stop(self._head)
        self._head_bytes = 0
        self._head = self.loop.call_later(self.limits.head_s, self._end, "head_s", _TOO_SLOW)

    def _give_up(self) -> None:
        self.limits.refused["stalled_s"] += 1
        self.transport.abort()

    def _end(self, why: str, answer: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.limits.refused[why] += 1
            self.transport.write(answer)
            self.transport.close()

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


def protocol(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """The server's protocol within limits."""
    return type("ProtocolWithinLimits", (LimitedProtocol,), {"limits": limits})


def _answer(status: str, code: str, detail: str) -> bytes:
    body = (
        f'{{"type":"urn:slicewright:problem:{code}","title":"{status[4:]}","status":{status[:3]},'
        f'"detail":"{detail}","code":"{code}"}}'
    )
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode("ascii")


_TOO_MANY = _answer("503 Service Unavailable", "too-many-connections", "too many connections are open")
_TOO_LARGE = _answer(
    "431 Request Header Fields Too Large", "head-too-large", "the head of the request is too large"
)
_NOT_HTTP = _answer("400 Bad Request", "not-http", "this cannot be read as HTTP")
_TOO_SLOW = _answer("408 Request Timeout", "head-too-slow", "the head of the request takes too long")


def server_settings(limits: ConnectionLimits) -> dict[str, Any]:
    """Settings of the server for these limits."""
    return {"http": protocol(limits), "ws": "none", "proxy_headers": False, "timeout_keep_alive": 5}
