"""Roles as separate processes over NATS."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from functools import partial

from slicewright.control.journal.nats.journal import NatsJournal
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.plane.first_requests import FirstRequests
from slicewright.control.plane.instance_name import InstanceName
from slicewright.control.sharing.rules import share_rule
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import SystemClock, end
from slicewright.control.state.options import ControlOptions
from slicewright.control.transport.nats import NatsTransport
from slicewright.control.transport.nats_connection import NatsAddress, NatsConnection
from slicewright.control.transport.nats_server import (
    DEFAULT_DEPLOYMENT,
    NatsDeployment,
    check_durability,
)


def remote_plane(
    address: NatsAddress,
    *,
    instance: str,
    options: ControlOptions,
    first: FirstRequests | None,
    managers: bool,
    deployment: NatsDeployment = DEFAULT_DEPLOYMENT,
) -> ControlPlane:
    """An orchestrator over NATS, with managers in the same process or elsewhere."""
    connection = NatsConnection(address, instance)
    replicas, prefix = deployment.replicas, deployment.prefix
    check = partial(check_durability, connection, deployment)
    return ControlPlane(
        NatsJournal(connection, replicas=replicas, deployment=prefix, check=check, keep=deployment.keep),
        NatsTransport(connection, replicas=replicas, deployment=prefix),
        clock=SystemClock(),
        instance=instance,
        options=options,
        first=first,
        managers=None if managers else (),
    )


async def manage_slices(
    address: NatsAddress,
    slices: tuple[str, ...],
    *,
    instance: str,
    options: ControlOptions,
    deployment: NatsDeployment = DEFAULT_DEPLOYMENT,
) -> None:
    """Run managers until the process is told to stop."""
    connection = NatsConnection(address, instance)
    transport = NatsTransport(connection, replicas=deployment.replicas, deployment=deployment.prefix)
    rule = share_rule(options.shares, limit_s=options.share_limit_s)
    made = (
        SliceManager(name, transport, clock=SystemClock(), instance=instance, options=options, rule=rule)
        for name in slices
    )
    name = InstanceName(transport, instance, clock=SystemClock())
    running = [asyncio.create_task(_manage(name, options, [manager.run() for manager in made]))]
    stop: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, _resolve, stop)
    await asyncio.wait({*running, stop}, return_when=asyncio.FIRST_COMPLETED)
    ended = await end(running)
    await name.give_back()
    await transport.close()
    for error in ended:
        if error is not None:
            raise error


async def _manage(
    name: InstanceName, options: ControlOptions, managers: list[Coroutine[None, None, None]]
) -> None:
    """Run managers under a name that nobody else has."""
    try:
        await name.take()
    except BaseException:
        for manager in managers:
            manager.close()
        raise
    running = [asyncio.create_task(part) for part in (*managers, name.keep(options.heartbeat_s))]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = await end(running)
    for error in ended:
        if error is not None:
            raise error


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
