"""The HTTP side: tasks are asked for, looked at and ended in JSON; problems are RFC 9457 documents.

``POST /v1/tasks`` (one task, or a list that is decided together), ``GET /v1/tasks``, ``GET`` and ``DELETE``
``/v1/tasks/{id}``, ``GET /v1/switches``, ``GET /healthz``. There is no authentication: bind it to where only the
management network can reach.
"""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from slicewright.enforcement.sdn.decision import read_request
from slicewright.enforcement.sdn.service import Running, Service
from slicewright.errors import EnforcementError, InvalidInputError
from slicewright.types import Document

MOST_BYTES = 1 << 20
_log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """Status, document, and where what was made can be found."""

    status: HTTPStatus
    body: Document | list[Document] | None = None
    location: str | None = None


def respond(service: Service, method: str, path: str, body: bytes = b"") -> Answer:
    """Answer one request. Pure routing: no sockets."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    match method, parts:
        case "GET", ["healthz"]:
            away = [switch["name"] for switch in service.switches() if not switch["connected"]]
            return Answer(HTTPStatus.OK, {"status": "degraded" if away else "ok", "switches_away": away})
        case "GET", ["v1", "switches"]:
            return Answer(HTTPStatus.OK, service.switches())
        case "GET", ["v1", "tasks"]:
            return Answer(HTTPStatus.OK, service.tasks())
        case "POST", ["v1", "tasks"]:
            return _submit(service, body)
        case "GET", ["v1", "tasks", number] if number.isdecimal():
            task = service.task(int(number))
            return Answer(HTTPStatus.OK, task) if task else _no_task(number)
        case "DELETE", ["v1", "tasks", number] if number.isdecimal():
            return Answer(HTTPStatus.NO_CONTENT) if service.end(int(number)) else _no_task(number)
        case _, ["healthz"] | ["v1", "switches"] | ["v1", "tasks"] | ["v1", "tasks", _]:
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not for {path}")
    return problem(HTTPStatus.NOT_FOUND, f"there is nothing at {path}")


def problem(status: HTTPStatus, detail: str, **extra: object) -> Answer:
    """An RFC 9457 problem document."""
    return Answer(status, {"title": status.phrase, "status": int(status), "detail": detail, **extra})


def _no_task(number: str) -> Answer:
    return problem(HTTPStatus.NOT_FOUND, f"there is no task {number}; it may have ended")


def _submit(service: Service, body: bytes) -> Answer:
    try:
        document = json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError) as broken:
        return problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {broken}")
    several = isinstance(document, list)
    try:
        requests = [
            read_request(one, service.fabric.topology) for one in (document if several else [document])
        ]
        if not requests:
            return problem(HTTPStatus.BAD_REQUEST, "the list of tasks is empty")
        results = service.submit(requests)
    except InvalidInputError as wrong:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(wrong), field=wrong.field)
    except EnforcementError as refusal:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(refusal))
    shown = [
        {"state": "rejected", "reason": one} if isinstance(one, str) else service.describe(one)
        for one in results
    ]
    if several:
        return Answer(HTTPStatus.OK, shown)
    only = results[0]
    if isinstance(only, Running):
        return Answer(HTTPStatus.CREATED, shown[0], f"/v1/tasks/{only.number}")
    return problem(HTTPStatus.CONFLICT, only, state="rejected")


def http_server(service: Service, host: str, port: int) -> ThreadingHTTPServer:
    """A server that answers with :func:`respond`; call ``serve_forever`` on it.

    Raises:
        EnforcementError: the address cannot be bound.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = (
            True  # head and body are two packets: the second would wait for an acknowledgement
        )
        server_version = "slicewright"

        def _answer(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self.close_connection = True
                self._write(
                    problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body is at most {MOST_BYTES} bytes")
                )
                return
            self._write(respond(service, self.command, self.path, self.rfile.read(int(length))))

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _answer

        def _write(self, answer: Answer) -> None:
            data = b"" if answer.body is None else json.dumps(answer.body).encode()
            kind = (
                "application/problem+json" if answer.status >= HTTPStatus.BAD_REQUEST else "application/json"
            )
            self.send_response(answer.status)
            if data:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            _log.info(format, *args)

    try:
        return ThreadingHTTPServer((host, port), Handler)
    except OSError as refusal:
        raise EnforcementError(f"cannot listen on {host}:{port}: {refusal.strerror}") from None
