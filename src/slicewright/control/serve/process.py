"""From settings to a running process: what ``slicewright serve`` starts."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from slicewright.control.journal.records import Journal, MemoryJournal
from slicewright.control.plane.control_plane import ControlPlane, FirstRequests
from slicewright.control.sharing.rules import LearnedShares, share_rule
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.control.state.options import DEFAULTS, Options
from slicewright.control.state.state import ControlError
from slicewright.control.transport.base import MemoryTransport, Transport
from slicewright.errors import InvalidOptionError, MissingExtraError
from slicewright.network.scenario_file import load_scenario
from slicewright.policies import policy

if TYPE_CHECKING:
    from slicewright.control.transport.nats_connection import NatsAddress

ROLES = ("all", "sro", "slice-manager")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Setup:
    """Everything that ``slicewright serve`` can be told; see its options."""

    scenario: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    role: str = "all"
    slices: tuple[str, ...] = ()
    nats: str | None = None
    nats_credentials: Path | None = None
    nats_ca: Path | None = None
    nats_certificate: Path | None = None
    nats_key: Path | None = None
    instance: str | None = None
    store: Path | None = None
    store_segment_bytes: int = 0
    tokens: Path | None = None
    method: str = "auto"
    options: Options = DEFAULTS


def serve_forever(setup: Setup, *, say: Say) -> None:
    """Serve until interrupted.

    Args:
        setup: what to serve.
        say: told what happens at the start, one line at a time.

    Raises:
        InvalidOptionError: settings that do not go together.
        UnknownNameError: no such method or share rule.
        MissingExtraError: the extra ``control`` is not installed.
        RefusedError: the NATS server does not let this process in, or is not the one it should be.
    """
    check(setup)
    rule = share_rule(setup.options.shares)
    try:
        import uvicorn

        from slicewright.control.http import Access, create_app, read_tokens
        from slicewright.control.http.auth import is_loopback
    except ImportError as error:
        raise MissingExtraError("slicewright serve", "control") from error
    if isinstance(rule, LearnedShares) and setup.role != "sro":
        missing = rule.prepare()
        if missing:
            say(f"--shares {rule.name}: {missing}; the closed form shares instead")
    if setup.nats is not None:
        _check_nats(_address(setup, setup.nats), instance_name(setup), say)
    if setup.role == "slice-manager" and setup.nats is not None:
        from slicewright.control.plane.over_nats import manage_slices

        say(f"managing {', '.join(setup.slices)} over {_address(setup, setup.nats).shown}")
        asyncio.run(
            manage_slices(
                _address(setup, setup.nats),
                setup.slices,
                instance=instance_name(setup),
                options=setup.options,
            )
        )
        return
    tokens = read_tokens(setup.tokens) if setup.tokens is not None else ()
    if not tokens and not is_loopback(setup.host):
        raise InvalidOptionError(
            "--host",
            "must be this machine (127.0.0.1) without tokens",
            value=setup.host,
            fix="add --tokens FILE",
        )
    policy(setup.method)
    plane = make_plane(setup)
    if not tokens:
        say("no --tokens: everybody on this machine may do everything, nobody else is served")
    if setup.store is None and setup.nats is None:
        say("no --store: requests and the decision log end with this process")
    listener = _listen(setup.host, setup.port)
    shown = f"[{setup.host}]" if ":" in setup.host else setup.host
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


def check(setup: Setup) -> None:
    """Refuse settings that do not go together.

    Raises:
        InvalidOptionError: names the option.
    """
    if setup.role not in ROLES:
        raise InvalidOptionError("--role", f"must be one of {', '.join(ROLES)}", value=setup.role)
    if setup.role != "all" and setup.nats is None:
        raise InvalidOptionError(
            "--role", "needs a transport between the roles", value=setup.role, fix="add --nats URL"
        )
    if setup.role == "slice-manager" and not setup.slices:
        raise InvalidOptionError("--slice", "must name at least one slice to manage")
    if setup.store_segment_bytes and setup.store is None:
        raise InvalidOptionError(
            "--store-segment", "is for a journal in files", fix="add --store FILE, or leave it out"
        )
    if setup.role == "sro" and setup.options.shares != DEFAULTS.shares:
        raise InvalidOptionError(
            "--shares", "is for slice managers", value=setup.options.shares, fix="give it to their processes"
        )
    if setup.role != "slice-manager" and setup.slices:
        raise InvalidOptionError("--slice", "is for --role slice-manager")


def instance_name(setup: Setup) -> str:
    """The name of this process."""
    return setup.instance or f"{socket.gethostname()}-{os.getpid()}"


def first_requests(setup: Setup) -> FirstRequests | None:
    """The network and devices of the scenario, if one is given."""
    if setup.scenario is None:
        return None
    scenario = load_scenario(setup.scenario)
    return FirstRequests(Network.of(scenario), devices_of(scenario), setup.method)


def _address(setup: Setup, url: str) -> NatsAddress:
    from slicewright.control.transport.nats_connection import NatsAddress

    return NatsAddress(url, setup.nats_credentials, setup.nats_ca, setup.nats_certificate, setup.nats_key)


def _check_nats(address: NatsAddress, name: str, say: Say) -> None:
    from slicewright.control.transport.nats_connection import check_address

    away = asyncio.run(check_address(address, name))
    if away:
        say(f"{away}; waiting for it")


def make_plane(setup: Setup) -> ControlPlane:
    """The control plane of this process."""
    if setup.nats is not None:
        from slicewright.control.plane.over_nats import remote_plane

        return remote_plane(
            _address(setup, setup.nats),
            instance=instance_name(setup),
            options=setup.options,
            first=first_requests(setup),
            managers=setup.role == "all",
        )
    from slicewright.control.journal.sqlite import SqliteJournal

    clock = SystemClock()
    journal: Journal = MemoryJournal()
    if setup.store is not None:
        journal = SqliteJournal(setup.store, segment_bytes=setup.store_segment_bytes)
    transport: Transport = MemoryTransport(clock)
    return ControlPlane(
        journal,
        transport,
        clock=clock,
        instance=instance_name(setup),
        options=setup.options,
        first=first_requests(setup),
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
