"""Sockets under the HTTP side: bounded connections, and a deadline for everything that a client has to send or take."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias

from slicewright.enforcement.sdn.api import Reply, problem
from slicewright.enforcement.sdn.checks import Checks, RefusedError
from slicewright.errors import EnforcementError
from slicewright.loopback import client_network

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_log = logging.getLogger(__name__)
Respond: TypeAlias = Callable[[str, str, bytes], Reply]
_SAFE_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))


@dataclass(frozen=True)
class ServerLimits:
    """What clients may have of the server.

    Attributes:
        connections, connections_each: at a time, of all clients and of one address (an IPv6 network of 64 bits is one).
        request_s: s that a request may take to arrive, from the end of the one before.
        answer_s: s that an answer may take to be taken.
    """

    connections: int = 128
    connections_each: int = 32
    request_s: float = 10.0
    answer_s: float = 10.0


class _Inbound(io.RawIOBase):
    """What a client sends, until its time is over. Python's own server waits anew for every byte."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self.ends_s = 0.0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """The next bytes.

        Raises:
            TimeoutError: the request should have been complete by now.
        """
        left_s = self.ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # head and body are two packets: the second would wait for an acknowledgement
    )
    server_version, sys_version = "slicewright", ""
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._inbound = _Inbound(self.connection)
        self.rfile = io.BufferedReader(self._inbound)

    def handle_one_request(self) -> None:
        self._inbound.ends_s = time.monotonic() + self.server.limits.request_s
        super().handle_one_request()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever the method, the answer is ours
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        try:
            headers: dict[str, list[str]] = {}
            for key, value in self.headers.items():
                headers.setdefault(key.lower(), []).append(value)
            length = self.server.checks.check(self.command, headers, self.client_address[0])
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return  # the client has left
            answer = self.server.respond(self.command, self.path, body)
        except RefusedError as refusal:
            self.close_connection = True  # what follows may be a body that was not read
            answer = problem(refusal.status, refusal.detail)
        except TimeoutError:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one request, all others go on
            _log.exception("an answer failed")
            self.close_connection = True
            answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this should not have happened; see the log")
        self._write(answer)

    def _write(self, answer: Reply) -> None:
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.connection.settimeout(self.server.limits.answer_s)
        self.send_response(answer.status)
        if data:
            wrong = answer.status >= HTTPStatus.BAD_REQUEST
            self.send_header("Content-Type", "application/problem+json" if wrong else "application/json")
        self.send_header("Content-Length", str(len(data)))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Bearer realm="slicewright"')
        if answer.location:
            self.send_header("Location", answer.location)
        for name, value in _SAFE_HEADERS:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What Python's server refuses by itself (a line too long, too many headers) is a problem document as well."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        if getattr(self, "request_version", "") in ("", "HTTP/0.9"):
            self.request_version = "HTTP/1.0"
        status = HTTPStatus(code)
        self._write(problem(status, message or status.phrase))

    def log_message(self, format: str, *args: object) -> None:
        _log.info("%s", (format % args).encode("unicode_escape").decode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], respond: Respond, checks: Checks, limits: ServerLimits
    ) -> None:
        self.respond, self.checks, self.limits = respond, checks, limits
        self._open: Counter[str] = Counter()
        self._counting = threading.Lock()
        super().__init__(address, _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more connection of this client."""
        client = client_network(client_address[0])
        with self._counting:
            full = self._open.total() >= self.limits.connections
            if full or self._open[client] >= self.limits.connections_each:
                return False
            self._open[client] += 1
        return True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._counting:
                self._open[client_network(client_address[0])] -= 1
                self._open += Counter()  # forgets who has none

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left or took too long is no error of ours."""
        _log.info("a connection of %s broke off", client_address[0], exc_info=True)


def http_server(
    respond: Respond,
    host: str,
    port: int,
    *,
    checks: Checks | None = None,
    limits: ServerLimits | None = None,
) -> ThreadingHTTPServer:
    """A server; call ``serve_forever`` on it.

    Args:
        respond: the answer to a method, a path and a body.
        host, port: where it listens.
        checks: of every request; by default this machine alone is served.
        limits: on connections and their time.

    Raises:
        EnforcementError: the address cannot be bound.
    """
    try:
        return _Server((host, port), respond, checks or Checks(), limits or ServerLimits())
    except OSError as refusal:
        raise EnforcementError(f"cannot listen on {host}:{port}: {refusal.strerror}") from None
