"""One schedule: a world is built, things go wrong in it, and at last it is quiet."""

from __future__ import annotations

import asyncio
import logging
from functools import cache
from unittest.mock import patch

from slicewright.control.journal import records
from slicewright.control.state.clock import end
from slicewright.control.state.events import MethodChanged, NetworkSet
from slicewright.control.state.network import Network
from tests.control.simulation.memo import worked_out_once
from tests.control.simulation.store import written_by_version
from tests.control.simulation.world import CLIENTS, ORCHESTRATORS, SLICES, World
from tests.control.support.scenes import scenario_of
from tests.control.support.simulated_time import simulate


@cache
def _network() -> Network:
    return Network.of(scenario_of(2, 1, coins=2))


def run_schedule(seed: int) -> World:
    """One schedule; ``broken`` says which promise was, if any."""
    world = World(seed)

    async def story() -> None:
        for name in (*ORCHESTRATORS, *SLICES):
            world.start(name)
        clients: list[asyncio.Task[None]] = []
        try:
            await world.until_broken(_found(world))
            clients.extend(asyncio.create_task(world.client(k)) for k in range(CLIENTS))
            await world.until_broken(world.troubles())
            await world.until_broken(asyncio.sleep(1.0))
            await end(clients)
            await world.until_broken(world.quiet())
        finally:
            await end([*clients, *world.tasks.values()])

    logger = logging.getLogger("slicewright")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with patch.object(records, "_written", written_by_version), worked_out_once():
            simulate(story)
    finally:
        logger.setLevel(level)
    return world


async def _found(world: World) -> None:
    """The first request of all: a network."""
    while not world.leaders:
        await asyncio.sleep(0.2)
    document, method = _network().document, MethodChanged("switch", "simulated")
    await world.leaders[0].submit(lambda _: (NetworkSet(document), method), wait=True)
