"""From settings to a running process: what ``slicewright serve`` starts."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from slicewright.control.journal.base import Journal
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.plane.first_requests import FirstRequests
from slicewright.control.serve.settings import ServeSettings, check
from slicewright.control.sharing.rules import LearnedShares, share_rule
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.errors import ControlError
from slicewright.control.transport.memory import MemoryTransport
from slicewright.errors import InvalidOptionError, MissingExtraError
from slicewright.policies.slicing import policy

if TYPE_CHECKING:
    from slicewright.control.http.guards.auth import Access
    from slicewright.control.transport.nats_connection import NatsAddress
    from slicewright.control.transport.nats_server import NatsDeployment

Say = Callable[[str], None]


def serve_forever(
    settings: ServeSettings, *, say: Say, on_answering: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted.

    Args:
        settings: what to serve.
        say: told what happens at the start, one line at a time; settings are named between backquotes.
        on_answering: told the address as soon as calls are answered.

    Raises:
        InvalidOptionError: settings that do not go together.
        UnknownNameError: no such method or share rule.
        MissingExtraError: the extra ``control`` is not installed.
        RefusedError: the NATS server does not let this process in, or is not the one it should be.
    """
    check(settings)
    rule = share_rule(settings.options.shares)
    access = _access(settings)
    if isinstance(rule, LearnedShares) and settings.role != "sro":
        missing = rule.prepare()
        if missing:
            say(f"`shares` {rule.name}: {missing}; the closed form shares instead")
    address = _nats_address(settings)
    if address is not None:
        _check_nats(settings, address, say)
    if settings.role == "slice-manager" and address is not None:
        _manage(settings, address, say)
    elif settings.city:
        from slicewright.control.serve.city import serve_city

        serve_city(settings, access, say=say)
    else:
        _orchestrate(settings, address, access, say, on_answering)


def _access(settings: ServeSettings) -> Access:
    """Who may call; without tokens nobody from elsewhere can."""
    try:
        from slicewright.control.http.guards.auth import Access, TokenFile
        from slicewright.loopback import is_loopback
    except ImportError as error:
        raise MissingExtraError("slicewright serve", "control") from error
    if settings.role == "slice-manager":
        return Access()  # answers nobody
    access = Access() if settings.tokens is None else Access(TokenFile(settings.tokens))
    if access.open and not is_loopback(settings.host):
        raise InvalidOptionError(
            "host",
            "must be this machine (127.0.0.1) without tokens",
            value=settings.host,
            fix="add `tokens`",
        )
    return access


def _manage(settings: ServeSettings, address: NatsAddress, say: Say) -> None:
    from slicewright.control.plane.over_nats import manage_slices

    say(f"managing {', '.join(settings.slices)} over {address.shown}")
    running = manage_slices(
        address,
        settings.slices,
        instance=settings.name,
        options=settings.options,
        deployment=_deployment(settings),
    )
    asyncio.run(running)


def _orchestrate(
    settings: ServeSettings,
    address: NatsAddress | None,
    access: Access,
    say: Say,
    on_answering: Callable[[str], None] | None,
) -> None:
    from slicewright.control.serve.listening import listen

    policy(settings.method)
    with listen(settings.host, settings.port) as listener:
        plane = make_plane(settings, address)
        if access.open:
            say("no `tokens`: everybody on this machine may do everything, nobody else is served")
        if settings.store is None and settings.nats is None:
            say("no `store`: requests and the decision log end with this process")
        answering = partial(_told, settings, listener, say, on_answering, "dashboard and API")
        _run(plane, access, listener, answering)
    if plane.fatal:
        raise ControlError(f"the control plane has stopped: {plane.fatal}")


def _told(
    settings: ServeSettings,
    listener: socket.socket,
    say: Say,
    on_answering: Callable[[str], None] | None,
    what: str,
) -> None:
    """Say where something can be had."""
    from slicewright.control.serve.listening import address_of

    url = address_of(listener, settings.host)
    say(f"{what} on {url}")
    if on_answering is not None:
        on_answering(url)


def _run(plane: ControlPlane, access: Access, listener: socket.socket, answering: Callable[[], None]) -> None:
    """Answer HTTP until told to stop; event streams end at once instead of waiting for their clients."""
    from slicewright.control.http.app import create_app
    from slicewright.control.http.guards.connections import ConnectionLimits
    from slicewright.control.serve.listening import AnsweringServer

    connections = ConnectionLimits()
    server = AnsweringServer(
        create_app(plane, access=access, connections=connections),
        connections=connections,
        answering=answering,
        leaving=plane.orchestrator.feed.close,
    )
    plane.on_fatal = partial(setattr, server, "should_exit", True)
    server.run(sockets=[listener])


def _nats_address(settings: ServeSettings) -> NatsAddress | None:
    if settings.nats is None:
        return None
    from slicewright.control.transport.nats_connection import NatsAddress

    return NatsAddress(
        settings.nats,
        settings.nats_credentials,
        settings.nats_ca,
        settings.nats_certificate,
        settings.nats_key,
    )


def _deployment(settings: ServeSettings) -> NatsDeployment:
    from slicewright.control.transport.nats_server import NatsDeployment

    return NatsDeployment(
        settings.nats_prefix,
        settings.nats_replicas,
        settings.nats_monitors,
        settings.nats_unsynced,
        settings.nats_keep,
    )


def _check_nats(settings: ServeSettings, address: NatsAddress, say: Say) -> None:
    from slicewright.control.transport.nats_connection import check_address
    from slicewright.control.transport.nats_server import check_durability, check_version

    writes = settings.role != "slice-manager"
    check = partial(check_durability, deployment=_deployment(settings)) if writes else check_version
    away = asyncio.run(check_address(address, settings.name, check))
    if writes and settings.nats_unsynced:
        say("`nats_unsynced`: a power failure of the NATS server may cost acknowledged requests")
    if away:
        say(f"{away}; waiting for it")


def first_requests(settings: ServeSettings) -> FirstRequests | None:
    """The network and devices of the scenario, if one is given."""
    return (
        None if settings.scenario is None else FirstRequests.of_scenario(settings.scenario, settings.method)
    )


def make_plane(settings: ServeSettings, address: NatsAddress | None) -> ControlPlane:
    """The control plane of this process."""
    first = first_requests(settings)
    if address is not None:
        from slicewright.control.plane.over_nats import remote_plane

        managers = settings.role == "all"
        return remote_plane(
            address,
            instance=settings.name,
            options=settings.options,
            first=first,
            managers=managers,
            deployment=_deployment(settings),
        )
    from slicewright.control.journal.sqlite.journal import SqliteJournal

    clock = SystemClock()
    journal: Journal = MemoryJournal()
    if settings.store is not None:
        journal = SqliteJournal(
            settings.store,
            segment_bytes=settings.store_segment_bytes,
            keep=settings.store_keep,
            archive=settings.store_archive,
            exclusive=True,
        )
    return ControlPlane(
        journal,
        MemoryTransport(clock, lease_s=math.inf),  # nobody else can take what is in this process
        clock=clock,
        instance=settings.name,
        options=settings.options,
        first=first,
    )
