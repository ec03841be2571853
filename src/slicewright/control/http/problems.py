"""Errors as RFC 9457 problem documents with stable codes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from slicewright.control.journal.base import JournalError
from slicewright.control.journal.feed import CursorTooOldError
from slicewright.control.requests.commands import (
    CapacityError,
    KeyReusedError,
    NoNetworkError,
    StaleError,
    TrialError,
    UnknownDeviceError,
)
from slicewright.control.requests.owners import ForeignDeviceError
from slicewright.control.state.errors import NotLeadingError, UndecidableError
from slicewright.errors import InvalidInputError, SlicewrightError, UnknownNameError

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Answer a request with a problem document.

    Args:
        status: HTTP status.
        code: stable, for machines; part of the ``type`` URI.
        detail: one sentence about this occurrence.
        headers: of the answer.
        **more: further members of the document.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = dict(headers or {}), more


def problem_response(problem: Problem) -> JSONResponse:
    """The answer."""
    document = {
        "type": f"urn:slicewright:problem:{problem.code}",
        "title": problem.code.replace("-", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.more,
    }
    return JSONResponse(document, problem.status, problem.headers, media_type=MEDIA_TYPE)


def of_error(error: SlicewrightError | LookupError) -> Problem:
    """The problem of an error that the library raises on purpose."""
    text = str(error)
    match error:
        case NotLeadingError():
            return Problem(503, "not-leading", text, headers={"Retry-After": "1"})
        case UndecidableError():
            return Problem(422, "undecidable", text)
        case JournalError():
            return Problem(507, "journal-not-writable", text, headers={"Retry-After": "5"})
        case UnknownDeviceError():
            return Problem(404, "unknown-device", text)
        case ForeignDeviceError():
            return Problem(403, "foreign-device", text)
        case KeyReusedError():
            return Problem(422, "idempotency-key-reused", text)
        case CapacityError():
            return Problem(409, "too-many-devices", text)
        case NoNetworkError():
            return Problem(409, "no-network", text)
        case StaleError():
            return Problem(412, "network-has-changed", text)
        case TrialError():
            return Problem(409, "method-not-proven", text)
        case CursorTooOldError():
            return Problem(410, "cursor-too-old", text, oldest=error.oldest)
        case UnknownNameError():
            return Problem(422, "unknown-name", text, known=error.known)
        case InvalidInputError():
            place = {"field": error.field, "index": list(error.index)}
            return Problem(422, "invalid-input", text, place=place, rule=error.rule, fix=error.fix)
    return Problem(500, "internal-error", text)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem document."""

    async def own(_: Request, error: Exception) -> JSONResponse:
        return problem_response(
            error
            if isinstance(error, Problem)
            else Problem(500, "internal-error", "unexpected; see the server's log")
        )

    async def library(_: Request, error: Exception) -> JSONResponse:
        if isinstance(error, (SlicewrightError, LookupError)):
            return problem_response(of_error(error))
        return problem_response(Problem(500, "internal-error", "unexpected"))

    async def framework(_: Request, error: Exception) -> JSONResponse:
        status = error.status_code if isinstance(error, HTTPException) else 500
        phrase = HTTPStatus(status).phrase
        code = phrase.lower().replace(" ", "-").replace("'", "")
        headers = error.headers if isinstance(error, HTTPException) else None
        detail = str(error.detail) if isinstance(error, HTTPException) else phrase
        return problem_response(Problem(status, code, detail, headers=headers))

    async def validation(_: Request, error: Exception) -> JSONResponse:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        errors = [{"at": ".".join(map(str, item["loc"])), "rule": item["msg"]} for item in found[:20]]
        first = f"{errors[0]['at']}: {errors[0]['rule']}" if errors else "the request is not valid"
        return problem_response(Problem(422, "invalid-request", first, errors=errors))

    app.add_exception_handler(Exception, own)
    app.add_exception_handler(Problem, own)
    app.add_exception_handler(SlicewrightError, library)
    app.add_exception_handler(CursorTooOldError, library)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, validation)


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems that an operation may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}},
        }
        for status in statuses
    }
