"""Answers that a caller has already: what follows from the journal alone changes with its newest record only."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Response

from slicewright.control.plane.control_plane import ControlPlane
from slicewright.types import Document

IfNoneMatch = Annotated[str | None, Header(description="ETags of answers that the caller has")]
UNCHANGED: dict[int | str, Document] = {304: {"description": "The caller has this answer already"}}
"""OpenAPI entry."""


def tag_of(plane: ControlPlane) -> str:
    """ETag of whatever follows from the journal as it is now; a journal that went back never repeats one."""
    here = plane.orchestrator.position
    return f'"{here.sequence}-{here.hash[:16]}"'


def unchanged(tag: str, if_none_match: str | None, response: Response) -> Response | None:
    """The answer to a caller who has this one already; None if a whole answer is to be made.

    Args:
        tag: of the whole answer, which gets it.
        if_none_match: header of the request.
        response: whose headers the whole answer will have.
    """
    response.headers["ETag"] = tag
    seen = [name.strip().removeprefix("W/") for name in (if_none_match or "").split(",")]
    return Response(status_code=304, headers={"ETag": tag}) if tag in seen or "*" in seen else None
