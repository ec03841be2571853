"""A server of one process: its port is taken before anything is worked out, and its address is said when it answers."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from slicewright.control.http.guards.connections import ConnectionLimits, server_settings
from slicewright.errors import InvalidOptionError

if TYPE_CHECKING:
    from fastapi import FastAPI

_WAITING = 128
"""Connections that may wait until the server answers; it allows more then."""


async def _nothing() -> None:
    """Nothing has to be done first."""


class AnsweringServer(uvicorn.Server):
    """Answers HTTP until told to stop.

    Args:
        app: what is served.
        connections: limits on them.
        first: done before the application starts; what it raises ends the server and is raised by ``run``.
        answering: called once connections are answered.
        leaving: called when the server is told to stop, before it waits for what is under way.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        connections: ConnectionLimits,
        first: Callable[[], Awaitable[None]] = _nothing,
        answering: Callable[[], None] = lambda: None,
        leaving: Callable[[], None] = lambda: None,
    ) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            timeout_graceful_shutdown=2,
            lifespan="on",
            access_log=False,
            server_header=False,
            **server_settings(connections),
        )
        super().__init__(config)
        self._first, self._answering, self._leaving = first, answering, leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the server does, with what comes before and after."""
        await self._first()
        await super().startup(sockets)
        if self.started:
            self._answering()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to stop."""
        self._leaving()
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one. Who connects early is answered when the server is ready.

    Raises:
        InvalidOptionError: the port is taken, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Accepted sockets inherit the protocol, and asyncio turns Nagle off only for those that say TCP: without it, an
    # answer of two packets waits 40 ms for the acknowledgement of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_WAITING)  # two that were only bound would both have the port, until they listen
    except OSError as error:
        listener.close()
        raise InvalidOptionError("port", f"cannot be listened on: {error.strerror}", value=port) from None
    return listener


def address_of(listener: socket.socket, host: str) -> str:
    """Its URL, by the host that was asked for."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}/"
