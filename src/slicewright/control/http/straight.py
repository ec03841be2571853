"""The request that there are most of, on a straight way: ``POST /v1/requests`` beside the framework's routing.

Finding the route, solving dependencies and validating the answer cost more than all that is done for the request. Only
what is plainly as it should be goes this way, through the same functions; everything else, and so every message about
what is wrong with a request, is left to the framework.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slicewright.control.http.guards.auth import Access
from slicewright.control.http.guards.auth import Scope as Rights
from slicewright.control.http.guards.bodies import given_again
from slicewright.control.http.guards.headers import KnownHeaders
from slicewright.control.http.problems import Problem, of_error, problem_response
from slicewright.control.http.routes.requests import KEY_PATTERN, MOST_OF_A_KEY, PATH, ask
from slicewright.control.http.routes.schemas import NewRequests
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.errors import SlicewrightError

_KEY = re.compile(KEY_PATTERN)


@dataclass(frozen=True)
class _Route:
    """By what requests are counted."""

    path: str


_ROUTE = _Route(PATH)


class StraightRequests:
    """ASGI, inside the guard, which has read the body and looked through it.

    Args:
        app: for everything else. plane: that decides. access: who may ask.
    """

    def __init__(self, app: ASGIApp, *, plane: ControlPlane, access: Access) -> None:
        self._app, self._plane, self._access = app, plane, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        ours = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        if not ours or scope.get("root_path"):
            await self._app(scope, receive, send)
            return
        first = await receive()
        response = await self._answered(scope, first)
        if response is None:
            await self._app(scope, given_again(first, receive), send)
            return
        scope["route"] = _ROUTE
        await response(scope, receive, send)

    async def _answered(self, scope: Scope, message: Message) -> Response | None:
        """The answer; None if this is for the framework to say something about."""
        headers = KnownHeaders(scope)
        key = headers.get("idempotency-key")
        written: bytes = message.get("body", b"")
        if message["type"] != "http.request" or message.get("more_body") or not _plain(key):
            return None
        try:
            body = NewRequests.model_validate_json(written)
        except ValidationError:
            return None
        try:
            caller = self._access.caller(headers, Rights.REQUEST)
            prefer = headers.get("prefer", "")
            asked = await ask(self._plane, caller, body, written, key=key, prefer=prefer)
        except Problem as problem:
            return problem_response(problem)
        except (SlicewrightError, LookupError) as error:
            return problem_response(of_error(error))
        told = asked.answer.model_dump_json()
        return Response(told, asked.status, asked.headers, media_type="application/json")


def _plain(key: str | None) -> bool:
    return key is None or (len(key) <= MOST_OF_A_KEY and _KEY.match(key) is not None)
