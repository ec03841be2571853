"""The HTTP side: tasks are asked for, looked at and ended in JSON; problems are RFC 9457 documents.

``POST /v1/tasks`` (one task, or a list that is decided together), ``GET /v1/tasks``, ``GET`` and ``DELETE``
``/v1/tasks/{id}``, ``GET /v1/switches``, ``GET /healthz``. Who may ask is for :mod:`checks` to say, sockets are for
:mod:`server`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from slicewright.enforcement.sdn.decision import read_request
from slicewright.enforcement.sdn.service import Running, Service
from slicewright.errors import EnforcementError, InvalidInputError
from slicewright.files.strict_json import BrokenTextError, parse_json
from slicewright.types import Document

MOST_TASKS_AT_ONCE = 200


class Reply(NamedTuple):
    """Status, document, and where what was made can be found."""

    status: HTTPStatus
    body: Document | list[Document] | None = None
    location: str | None = None


def respond(service: Service, method: str, path: str, body: bytes = b"") -> Reply:
    """Answer one request. Pure routing: no sockets."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    match method, parts:
        case "GET", ["healthz"]:
            away = [switch["name"] for switch in service.switches() if not switch["connected"]]
            return Reply(HTTPStatus.OK, {"status": "degraded" if away else "ok", "switches_away": away})
        case "GET", ["v1", "switches"]:
            return Reply(HTTPStatus.OK, service.switches())
        case "GET", ["v1", "tasks"]:
            return Reply(HTTPStatus.OK, service.tasks())
        case "POST", ["v1", "tasks"]:
            return _submit(service, body)
        case "GET", ["v1", "tasks", number] if _is_number(number):
            task = service.task(int(number))
            return Reply(HTTPStatus.OK, task) if task else _no_task(number)
        case "DELETE", ["v1", "tasks", number] if _is_number(number):
            return _end(service, number)
        case "GET" | "DELETE", ["v1", "tasks", other]:
            return _no_task(other[:50])
        case _, ["healthz"] | ["v1", "switches"] | ["v1", "tasks"] | ["v1", "tasks", _]:
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not for {path}")
    return problem(HTTPStatus.NOT_FOUND, f"there is nothing at {path[:200]}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _end(service: Service, number: str) -> Reply:
    try:
        return Reply(HTTPStatus.NO_CONTENT) if service.end(int(number)) else _no_task(number)
    except EnforcementError as refusal:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(refusal))


def problem(status: HTTPStatus, detail: str, **extra: object) -> Reply:
    """An RFC 9457 problem document."""
    return Reply(status, {"title": status.phrase, "status": int(status), "detail": detail, **extra})


def _no_task(number: str) -> Reply:
    return problem(HTTPStatus.NOT_FOUND, f"there is no task {number}; it may have ended")


def _submit(service: Service, body: bytes) -> Reply:
    try:
        document = parse_json(body.decode("utf-8"))
    except UnicodeDecodeError as broken:
        return problem(HTTPStatus.BAD_REQUEST, f"the body is not UTF-8: byte {broken.start}")
    except BrokenTextError as broken:
        return problem(HTTPStatus.BAD_REQUEST, f"the body {str(broken)[:400]}")
    several = isinstance(document, list)
    try:
        listed = document if isinstance(document, list) else [document]
        if not 0 < len(listed) <= MOST_TASKS_AT_ONCE:
            return problem(HTTPStatus.BAD_REQUEST, f"a list holds 1 to {MOST_TASKS_AT_ONCE} tasks")
        requests = [read_request(one, service.fabric.topology) for one in listed]
        results = service.submit(requests)
    except InvalidInputError as wrong:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(wrong)[:400], field=wrong.field[:200])
    except EnforcementError as refusal:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(refusal))
    shown = [
        {"state": "rejected", "reason": one} if isinstance(one, str) else service.describe(one)
        for one in results
    ]
    if several:
        return Reply(HTTPStatus.OK, shown)
    only = results[0]
    if isinstance(only, Running):
        return Reply(HTTPStatus.CREATED, shown[0], f"/v1/tasks/{only.number}")
    return problem(HTTPStatus.CONFLICT, only, state="rejected")
