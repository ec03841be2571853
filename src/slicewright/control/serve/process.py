"""From settings to a running process: what ``slicewright serve`` starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from slicewright.control.journal.base import Journal
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.serve.settings import ServeSettings, check, first_requests, instance_name
from slicewright.control.sharing.rules import LearnedShares, share_rule
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.errors import ControlError
from slicewright.control.transport.base import Transport
from slicewright.control.transport.memory import MemoryTransport
from slicewright.errors import InvalidOptionError, MissingExtraError
from slicewright.policies.slicing import policy

if TYPE_CHECKING:
    from slicewright.control.transport.nats_connection import NatsAddress

Say = Callable[[str], None]


def serve_forever(settings: ServeSettings, *, say: Say) -> None:
    """Serve until interrupted.

    Args:
        settings: what to serve.
        say: told what happens at the start, one line at a time.

    Raises:
        InvalidOptionError: settings that do not go together.
        UnknownNameError: no such method or share rule.
        MissingExtraError: the extra ``control`` is not installed.
        RefusedError: the NATS server does not let this process in, or is not the one it should be.
    """
    check(settings)
    rule = share_rule(settings.options.shares)
    try:
        import uvicorn

        from slicewright.control.http.app import create_app
        from slicewright.control.http.auth import Access, is_loopback, read_tokens
    except ImportError as error:
        raise MissingExtraError("slicewright serve", "control") from error
    if isinstance(rule, LearnedShares) and settings.role != "sro":
        missing = rule.prepare()
        if missing:
            say(f"--shares {rule.name}: {missing}; the closed form shares instead")
    if settings.nats is not None:
        _check_nats(_address(settings, settings.nats), instance_name(settings), say)
    if settings.role == "slice-manager" and settings.nats is not None:
        from slicewright.control.plane.over_nats import manage_slices

        say(f"managing {', '.join(settings.slices)} over {_address(settings, settings.nats).shown}")
        asyncio.run(
            manage_slices(
                _address(settings, settings.nats),
                settings.slices,
                instance=instance_name(settings),
                options=settings.options,
            )
        )
        return
    tokens = read_tokens(settings.tokens) if settings.tokens is not None else ()
    if not tokens and not is_loopback(settings.host):
        raise InvalidOptionError(
            "--host",
            "must be this machine (127.0.0.1) without tokens",
            value=settings.host,
            fix="add --tokens FILE",
        )
    policy(settings.method)
    plane = make_plane(settings)
    if not tokens:
        say("no --tokens: everybody on this machine may do everything, nobody else is served")
    if settings.store is None and settings.nats is None:
        say("no --store: requests and the decision log end with this process")
    listener = _listen(settings.host, settings.port)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    say(f"dashboard and API on http://{shown}:{listener.getsockname()[1]}/")
    config = uvicorn.Config(
        create_app(plane, access=Access(tokens)),
        log_level="warning",
        timeout_graceful_shutdown=2,
        lifespan="on",
        access_log=False,
        server_header=False,
    )

    class Server(uvicorn.Server):
        """Lets event streams end at once instead of waiting for their clients."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            plane.orchestrator.feed.close()
            super().handle_exit(sig, frame)

    server = Server(config)
    plane.on_fatal = partial(setattr, server, "should_exit", True)
    server.run(sockets=[listener])
    if plane.fatal:
        raise ControlError(f"the control plane has stopped: {plane.fatal}")


def _address(settings: ServeSettings, url: str) -> NatsAddress:
    from slicewright.control.transport.nats_connection import NatsAddress

    return NatsAddress(
        url, settings.nats_credentials, settings.nats_ca, settings.nats_certificate, settings.nats_key
    )


def _check_nats(address: NatsAddress, name: str, say: Say) -> None:
    from slicewright.control.transport.nats_connection import check_address

    away = asyncio.run(check_address(address, name))
    if away:
        say(f"{away}; waiting for it")


def make_plane(settings: ServeSettings) -> ControlPlane:
    """The control plane of this process."""
    if settings.nats is not None:
        from slicewright.control.plane.over_nats import remote_plane

        return remote_plane(
            _address(settings, settings.nats),
            instance=instance_name(settings),
            options=settings.options,
            first=first_requests(settings),
            managers=settings.role == "all",
        )
    from slicewright.control.journal.sqlite import SqliteJournal

    clock = SystemClock()
    journal: Journal = MemoryJournal()
    if settings.store is not None:
        journal = SqliteJournal(settings.store, segment_bytes=settings.store_segment_bytes)
    transport: Transport = MemoryTransport(clock)
    return ControlPlane(
        journal,
        transport,
        clock=clock,
        instance=instance_name(settings),
        options=settings.options,
        first=first_requests(settings),
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InvalidOptionError("--port", f"cannot be listened on: {error.strerror}", value=port) from None
    return listener
