"""What every operation needs: the control plane, and the caller's name and scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from slicewright.control.http.auth import Access, Scope
from slicewright.control.plane.control_plane import ControlPlane


# All of these are coroutines: the framework would run plain functions in a thread each, which costs more than they do.
async def plane_of(request: Request) -> ControlPlane:
    """The control plane that the app serves."""
    plane: ControlPlane = request.app.state.plane
    return plane


def _needs(scope: Scope) -> Callable[[Request], Awaitable[str]]:
    async def check(request: Request) -> str:
        access: Access = request.app.state.access
        return access.caller(request, scope)

    return check


Plane = Annotated[ControlPlane, Depends(plane_of)]
Reader = Annotated[str, Depends(_needs(Scope.READ))]
Requester = Annotated[str, Depends(_needs(Scope.REQUEST))]
Admin = Annotated[str, Depends(_needs(Scope.ADMIN))]
