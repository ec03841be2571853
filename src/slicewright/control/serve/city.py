"""Serving a city that is followed event by event."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from slicewright.control.journal.base import Journal
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.serve.settings import ServeSettings
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.errors import ControlError
from slicewright.network.scenario_file import load_scenario
from slicewright.slicing.city.certificate import load_kernels

if TYPE_CHECKING:
    from slicewright.control.http.guards.auth import Access

Say = Callable[[str], None]


def serve_city(
    settings: ServeSettings,
    access: Access,
    *,
    say: Say,
    listening: Callable[[str], socket.socket],
) -> None:
    """Serve until interrupted; answers once the city is planned and proven, or read from its journal.

    Args:
        settings: what to serve. access: who may call.
        say: told what happens at the start.
        listening: says where something can be had, and gives the socket.

    Raises:
        ControlError: the city has stopped, or the journal is another's.
    """
    import uvicorn

    from slicewright.control.city.app import create_city_app
    from slicewright.control.city.service import CityControl
    from slicewright.control.http.guards.connections import ConnectionLimits, server_settings

    scenario = load_scenario(settings.scenario or "")
    load_kernels()
    journal: Journal = MemoryJournal()
    if settings.store is not None:
        journal = SqliteJournal(settings.store, exclusive=True)
    control = CityControl(scenario, journal, clock=SystemClock(), saves=settings.store)
    if access.open:
        say("no `tokens`: everybody on this machine may do everything, nobody else is served")
    if settings.store is None:
        say("no `store`: requests and their decisions end with this process")
    listener = listening(f"a city of {scenario.n_devices} devices")
    config = uvicorn.Config(
        create_city_app(control, access=access),
        log_level="warning",
        timeout_graceful_shutdown=2,
        lifespan="on",
        access_log=False,
        server_header=False,
        **server_settings(ConnectionLimits()),
    )
    server = uvicorn.Server(config)
    control.on_fatal = partial(setattr, server, "should_exit", True)
    server.run(sockets=[listener])
    if control.fatal:
        raise ControlError(f"the city has stopped: {control.fatal}")
