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
from slicewright.errors import SlicewrightError
from slicewright.network.scenario_file import load_scenario
from slicewright.slicing.city.certificate import load_kernels

if TYPE_CHECKING:
    from slicewright.control.http.guards.auth import Access

Say = Callable[[str], None]


def serve_city(settings: ServeSettings, access: Access, *, say: Say) -> None:
    """Serve until interrupted; answers once the city is planned and proven, or read from its journal.

    Args:
        settings: what to serve. access: who may call.
        say: told what happens at the start.

    Raises:
        InvalidOptionError: the port cannot be had.
        ControlError: the city has stopped, or the journal is another's.
    """
    from slicewright.control.serve.listening import listen

    with listen(settings.host, settings.port) as listener:
        _serve(settings, access, say, listener)


def _serve(settings: ServeSettings, access: Access, say: Say, listener: socket.socket) -> None:
    from slicewright.control.city.app import create_city_app
    from slicewright.control.city.service import CityControl
    from slicewright.control.http.guards.connections import ConnectionLimits
    from slicewright.control.serve.listening import AnsweringServer, address_of

    scenario = load_scenario(settings.scenario or "")
    journal: Journal = MemoryJournal()
    if settings.store is not None:
        journal = SqliteJournal(settings.store, exclusive=True)
    control = CityControl(scenario, journal, clock=SystemClock(), saves=settings.store)
    if access.open:
        say("no `tokens`: everybody on this machine may do everything, nobody else is served")
    if settings.store is None:
        say("no `store`: requests and their decisions end with this process")
    say(f"planning {scenario.n_devices} devices, or reading what has become of them; calls wait until then")

    async def begin() -> None:
        try:
            await control.start()
        except SlicewrightError:
            await control.stop()
            raise
        load_kernels()  # after a journal that is refused, before the first call

    def answering() -> None:
        say(f"a city of {scenario.n_devices} devices on {address_of(listener, settings.host)}")

    server = AnsweringServer(
        create_city_app(control, access=access),
        connections=ConnectionLimits(),
        first=begin,
        answering=answering,
    )
    control.on_fatal = partial(setattr, server, "should_exit", True)
    server.run(sockets=[listener])
    if control.fatal:
        raise ControlError(f"the city has stopped: {control.fatal}")
