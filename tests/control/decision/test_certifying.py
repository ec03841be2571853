"""Certificates follow their decisions: the answer does not wait for them, the record has every one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

import slicewright as sw
from slicewright.control.decision.certifying import Certifier, certificate
from slicewright.control.journal.records import GENESIS, chained
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Certified, Decided, DecisionChanged
from slicewright.control.views.replay import replay_log
from tests.control.support.processes import PATIENCE_S
from tests.control.support.running import running, until
from tests.control.support.scenes import as_body, moved, scenario_of

SCENARIO = scenario_of(30, 2)


def test_every_decision_is_certified_before_the_next_one_is_recorded() -> None:
    async def story() -> None:
        rng, devices = np.random.default_rng(0), devices_of(SCENARIO)
        async with running(SCENARIO) as (plane, client):
            for k in range(12):
                body = {"devices": [as_body(moved(devices[k], rng))]}
                assert (await client.post("/v1/requests", json=body)).status_code == 201
            sro = plane.orchestrator
            await until(
                lambda: sro.state.settled and sro.state.last is not None and sro.state.last.gap is not None
            )
            records = await plane.journal.read()
            kinds = [r.event for r in records if isinstance(r.event, Decided | DecisionChanged | Certified)]
            assert all(isinstance(e, Certified) == bool(k % 2) for k, e in enumerate(kinds))
            for decision, certified in zip(kinds[::2], kinds[1::2], strict=True):
                assert isinstance(decision, Decided | DecisionChanged)
                assert isinstance(certified, Certified)
                assert decision.epoch == certified.epoch
                assert decision.cost_s is not None
                assert certified.gap == decision.cost_s / certified.lower_bound_s - 1 >= 0
            overview = (await client.get("/v1/overview")).json()
            newest = kinds[-1]
            assert isinstance(newest, Certified)
            assert overview["gap"] == newest.gap
            stream = await client.get("/v1/events", params={"after": 0, "most": len(records) - 2})
            assert "event: certified" in stream.text
            assert replay_log(records).differences == ()
            events = [r.event for r in records]
            k = max(k for k, e in enumerate(events) if isinstance(e, Certified))
            forged = replace(newest, lower_bound_s=1.0)
            report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], forged, *events[k + 1 :]]))
            assert [d.what for d in report.differences] == ["certificate"]
            other = replace(newest, epoch=1)
            report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], other, *events[k + 1 :]]))
            assert [d.what for d in report.differences] == ["epoch"]

    asyncio.run(story())


@pytest.mark.parametrize("threads", [True, False])
def test_a_certificate_stays_until_it_is_recorded_and_wakes_the_loop(threads: bool) -> None:
    async def story() -> None:
        woken = asyncio.Event()
        certifier = Certifier(longest_s=10.0, threads=threads, wake=woken.set)
        plan = sw.plan(SCENARIO, rounds=5)
        certifier.begin(3, None)
        assert await certifier.finished() == ()
        certifier.begin(4, plan)
        await asyncio.wait_for(woken.wait(), PATIENCE_S)
        assert certifier.ready() == certifier.ready() == (certificate(4, plan),)
        certifier.forget()
        assert certifier.ready() == ()
        certifier.close()

    asyncio.run(story())


def test_one_that_takes_too_long_holds_nobody_up() -> None:
    async def story() -> None:
        certifier = Certifier(longest_s=1e-4, threads=True, wake=lambda: None)
        large = sw.plan(sw.preset("paper-slicing", devices=800, seed=1), rounds=0)
        certifier.begin(1, large)
        assert await certifier.finished() == ()
        certifier.begin(2, large)
        assert await certifier.finished() == (), "the thread is still busy with the first"
        certifier.close()

    asyncio.run(story())
