"""Two processes of one name, or on one store: the second is refused with one sentence, the first goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from slicewright.control.plane.instance_name import PATIENCE_S as NAME_S
from slicewright.control.plane.instance_name import InstanceName, SameInstanceError
from slicewright.control.state.clock import LoopClock
from slicewright.control.transport.memory import MemoryTransport
from slicewright.network.scenario_file import save_scenario
from tests.control.support.processes import Served, nats_server, needs_nats, over_nats
from tests.control.support.scenes import scenario_of
from tests.control.support.simulated_time import simulate
from tests.waiting import wait_for


def test_a_name_is_one_process_and_free_again_when_that_has_died() -> None:
    async def story() -> None:
        clock = LoopClock()
        transport = MemoryTransport(clock, lease_s=3.0)
        first, second, other = (InstanceName(transport, name, clock=clock) for name in ("a", "a", "b"))
        await first.take()
        await other.take()
        keeping = asyncio.create_task(first.keep(1.0))
        with pytest.raises(SameInstanceError, match="`instance` a"):
            await second.take()
        assert clock.monotonic() > NAME_S
        keeping.cancel()
        await second.take()
        keeping = asyncio.create_task(second.keep(1.0))
        with pytest.raises(SameInstanceError):
            await first.keep(1.0)  # it stood still: from now on it is the one too many
        keeping.cancel()
        await second.give_back()
        await first.take()

    simulate(story)


def test_one_store_serves_one_process(tmp_path: Path) -> None:
    scenario, store = save_scenario(scenario_of(4, 3), tmp_path / "s.json"), tmp_path / "journal.db"
    first, second = (
        Served((str(scenario), "--store", str(store), "--rounds", "5"), tmp_path / name, flags=())
        for name in ("first", "second")
    )
    first.start()
    try:
        wait_for(lambda: first.get("/readyz"), "ready")
        second.start()
        assert "is in use by another process" in second.refusal().splitlines()[-1]
        assert first.get("/readyz")
        first.kill()
        second.start()
        wait_for(lambda: second.get("/readyz"), "ready once the first has gone")
    finally:
        first.stop()
        second.stop()


@needs_nats
def test_one_name_serves_one_process(tmp_path: Path) -> None:
    with nats_server(tmp_path) as url:
        role = (*over_nats(url), "--role", "slice-manager", "--slice", "s0", "--instance", "m")
        first, second = (Served(role, tmp_path / name, flags=()) for name in ("first", "second"))
        first.start()
        try:
            wait_for(lambda: "managing" in first.said, "the first is there")
            second.start()
            codes = wait_for(
                lambda: [p.process for p in (first, second) if p.process and p.process.poll()], "one ends"
            )
            assert len(codes) == 1, "one of them goes on"
            ended = first if first.process in codes else second
            assert "another process runs as --instance m" in ended.refusal().splitlines()[-1]
        finally:
            first.stop()
            second.stop()
