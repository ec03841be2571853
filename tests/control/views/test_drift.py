"""The drift metric: what managers report against what they are to enforce."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from slicewright.control.decision.decide import decide
from slicewright.control.messages.keys import GRANT_KEYS, measurement_key, slice_key
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.sharing.allocation import allocate
from slicewright.control.slice_manager.state import ManagerState, receive, status_of
from slicewright.control.state.grants import GRANT
from slicewright.control.views.drift import drift
from tests.control.support.running import QUICK, running, until
from tests.control.support.scenes import scenario_of, state_with
from tests.waiting import PATIENCE_S

SCENARIO = scenario_of(12, 4)


def test_drift_is_what_is_missing_or_too_much() -> None:
    settlement = decide(state_with(SCENARIO)[0].situation(), "auto", rounds=10, seed=0)
    assert settlement is not None
    name, target = max(settlement.targets.items(), key=lambda item: len(item[1].seats))
    wanted = allocate(target)
    nothing = drift(target, wanted, None)
    assert nothing["bandwidth"] == max(target.bandwidth.values())
    assert nothing["compute"] == max(wanted.compute.values())
    manager = receive(ManagerState.fresh(name), replace(target, revision=1))
    assert drift(target, wanted, status_of(manager, "m")) == {"bandwidth": 0.0, "radio": 0.0, "compute": 0.0}
    point = next(iter(target.bandwidth))
    less = replace(target, bandwidth={**target.bandwidth, point: target.bandwidth[point] - 0.125})
    assert drift(less, wanted, status_of(manager, "m"))["bandwidth"] == pytest.approx(0.125)


def test_the_metric_shows_what_a_manager_enforces_of_its_own_accord() -> None:
    async def story() -> None:
        # No epoch comes to the rescue, so that the drift stays to be seen.
        async with running(SCENARIO, options=replace(QUICK, epoch_s=1000.0)) as (plane, client):

            async def drifts() -> dict[tuple[str, str], float]:
                found = {}
                for family in text_string_to_metric_families((await client.get("/metrics")).text):
                    for sample in family.samples if "drift" in family.name else ():
                        assert set(sample.labels) == {"slice", "resource"}, "no device as a label"
                        found[sample.labels["slice"], sample.labels["resource"]] = sample.value
                return found

            async def reaches(condition: str, name: str, resource: str) -> None:
                async with asyncio.timeout(PATIENCE_S):
                    while ((await drifts())[name, resource] > 1e-9) != (condition == "some"):
                        await asyncio.sleep(0.02)

            await until(lambda: plane.orchestrator.state.settled)
            for name in ("s0", "s1", "s2"):
                await reaches("none", name, "radio")
            assert len(await drifts()) == 9
            # A device sends four times as much: its manager shares anew at once, the plan does not know yet.
            manager = next(m for m in plane.managers.values() if _crowded_point(m.state.grant.seats))
            device = _crowded_point(manager.state.grant.seats)
            bits = manager.state.grant.seats[device].task_bits
            newer = MEASUREMENT.dump_json(Measurement(device, 1, task_bits=4 * bits))
            await plane.transport.put(measurement_key(device), newer)
            await reaches("some", manager.state.slice, "radio")
            # A grant that nobody ordered, as of a future that was lost: the leader gives its own again, in a new term.
            held = manager.state.grant
            wrong = replace(held, revision=held.revision + 50, bandwidth=dict.fromkeys(held.bandwidth, 0.01))
            async with asyncio.timeout(PATIENCE_S):
                # Again and again: a manager that stood still reads what lies there last, which may be another grant.
                while manager.state.grant.order <= wrong.order:
                    await plane.transport.put(slice_key(GRANT_KEYS, held.slice), GRANT.dump_json(wrong))
                    await asyncio.sleep(1.0)
            # What the slice holds comes once more in that term, and only then what it is to hold.
            await until(lambda: manager.state.grant.bandwidth != wrong.bandwidth)
            assert manager.state.grant.term > held.term
            await reaches("none", held.slice, "bandwidth")
            shown = json.loads((await client.get("/v1/slices")).text)["slices"]
            assert {s["name"] for s in shown} == {"s0", "s1", "s2"}

    asyncio.run(story())


def _crowded_point(seats: object) -> str:
    """A device that shares its access point within the slice, or nothing."""
    assert isinstance(seats, dict)
    points = [seat.access_point for seat in seats.values()]
    return next((d for d, seat in seats.items() if points.count(seat.access_point) > 1), "")
