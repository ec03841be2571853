"""What every operation needs: the control plane, the caller and what it may do, and a place where work is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from slicewright.control.http.guards.auth import Access, Caller, Scope
from slicewright.control.http.guards.work import Bench, GoOn, Streams, Value
from slicewright.control.plane.control_plane import ControlPlane


# All of these are coroutines: the framework would run plain functions in a thread each, which costs more than they do.
async def plane_of(request: Request) -> ControlPlane:
    """The control plane that the app serves."""
    plane: ControlPlane = request.app.state.plane
    return plane


def _needs(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    async def check(request: Request) -> Caller:
        access: Access = request.app.state.access
        return access.caller(request.headers, scope)

    return check


Plane = Annotated[ControlPlane, Depends(plane_of)]
Reader = Annotated[Caller, Depends(_needs(Scope.READ))]
Requester = Annotated[Caller, Depends(_needs(Scope.REQUEST))]
Admin = Annotated[Caller, Depends(_needs(Scope.ADMIN))]


@dataclass(frozen=True)
class Desk:
    """Where the work for one reader's request is done."""

    request: Request
    caller: Caller
    bench: Bench

    async def do(self, work: Callable[[GoOn], Value]) -> Value:
        """Some work beside the loop; see :meth:`~slicewright.control.http.guards.work.Bench.do`."""
        return await self.bench.do(self.request, self.caller.name, work)


async def desk_of(request: Request, caller: Reader) -> Desk:
    """A reader's."""
    return Desk(request, caller, request.app.state.bench)


ReaderDesk = Annotated[Desk, Depends(desk_of)]


def streams_of(request: Request, name: str) -> Streams:
    """The counted streams of a kind: ``events`` or ``log``."""
    streams: Streams = request.app.state.streams[name]
    return streams
