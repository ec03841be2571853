"""Certificates follow their decisions, and nobody waits for them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import slicewright as sw
from slicewright.control.decision import certifying
from slicewright.control.decision.certifying import Certifier, certificate
from slicewright.control.journal.records import GENESIS, chained
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Certified, Decided, DecisionChanged
from slicewright.control.views.replay import replay_log
from tests.control.support.running import running, until
from tests.control.support.scenes import as_body, moved, scenario_of
from tests.waiting import PATIENCE_S

SCENARIO = scenario_of(30, 2)


def test_decisions_are_certified_every_so_often_and_the_last_one_for_certain() -> None:
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
            decisions = {
                r.event.epoch: r.event for r in records if isinstance(r.event, Decided | DecisionChanged)
            }
            certificates = [r.event for r in records if isinstance(r.event, Certified)]
            epochs = [certified.epoch for certified in certificates]
            assert epochs == sorted(set(epochs))
            assert epochs[-1] == max(decisions)
            for certified in certificates:
                cost_s = decisions[certified.epoch].cost_s
                assert cost_s is not None
                assert certified.gap == cost_s / certified.lower_bound_s - 1 >= 0
            overview = (await client.get("/v1/overview")).json()
            newest = certificates[-1]
            assert overview["gap"] == newest.gap
            stream = await client.get("/v1/events", params={"after": 0, "most": len(records) - 2})
            assert "event: certified" in stream.text
            assert replay_log(records).differences == ()
            events = [r.event for r in records]
            k = max(k for k, e in enumerate(events) if isinstance(e, Certified))
            forged = replace(newest, lower_bound_s=1.0)
            report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], forged, *events[k + 1 :]]))
            assert [d.what for d in report.differences] == ["certificate"]
            other = replace(newest, epoch=newest.epoch + 1)
            report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], other, *events[k + 1 :]]))
            assert [d.what for d in report.differences] == ["epoch"]

    asyncio.run(story())


def certifier(wake: Callable[[], None] = lambda: None, *, threads: bool = True) -> Certifier:
    return Certifier(threads=threads, wake=wake)


@pytest.mark.parametrize("threads", [True, False])
def test_a_certificate_stays_until_it_is_recorded_and_wakes_the_loop(threads: bool) -> None:
    async def story() -> None:
        woken = asyncio.Event()
        one = certifier(woken.set, threads=threads)
        plan = sw.plan(SCENARIO, rounds=5)
        one.begin(3, None)
        assert one.ready() == ()
        one.begin(4, plan)
        await asyncio.wait_for(woken.wait(), PATIENCE_S)
        found = certificate(4, plan)
        assert one.ready() == one.ready() == (found,)
        one.recorded(certificate(3, plan))
        assert one.ready() == (found,), "that was another"
        one.recorded(found)
        assert one.ready() == ()
        one.close()

    asyncio.run(story())


def test_one_that_takes_long_holds_nobody_up_and_is_recorded_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine with many devices there never was a certificate: whatever was late was thrown away."""
    worked: list[int] = []
    free = threading.Event()

    def slow(epoch: int, plan: sw.Plan) -> Certified:
        worked.append(epoch)
        free.wait(PATIENCE_S)
        return Certified(epoch, 1.0, 0.0)

    monkeypatch.setattr(certifying, "certificate", slow)
    monkeypatch.setattr(certifying, "LEAST_REST_S", 0.01)
    monkeypatch.setattr(certifying, "REST_RATIO", 0.0)

    async def story() -> None:
        woken = asyncio.Event()
        one, plan = certifier(woken.set), sw.plan(SCENARIO, rounds=0)
        for epoch in range(1, 6):
            one.begin(epoch, plan)
        assert one.ready() == ()
        free.set()
        await asyncio.wait_for(woken.wait(), PATIENCE_S)
        (first,) = one.ready()
        assert first.epoch == 1
        one.recorded(first)
        await until(lambda: bool(one.ready()))
        assert [found.epoch for found in one.ready()] == [5]
        assert worked == [1, 5], "the newest after it, and none of those between"
        one.close()

    asyncio.run(story())


def test_what_is_found_for_another_leader_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()

    def slow(epoch: int, plan: sw.Plan) -> Certified:
        free.wait(PATIENCE_S)
        return Certified(epoch, 1.0, 0.0)

    monkeypatch.setattr(certifying, "certificate", slow)
    monkeypatch.setattr(certifying, "LEAST_REST_S", 0.01)

    async def story() -> None:
        one, plan = certifier(), sw.plan(SCENARIO, rounds=0)
        one.begin(1, plan)
        one.begin(2, plan)
        one.forget()
        free.set()
        await until(lambda: not one.busy)
        assert one.ready() == ()
        one.begin(3, plan)
        await until(lambda: bool(one.ready()))
        assert [found.epoch for found in one.ready()] == [3]
        one.close()

    asyncio.run(story())


def test_between_certificates_there_is_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work_s: list[float] = []

    def quick(epoch: int, plan: sw.Plan) -> Certified:
        at_work_s.append(time.monotonic())
        return Certified(epoch, 1.0, 0.0)

    monkeypatch.setattr(certifying, "certificate", quick)

    async def story() -> None:
        one, plan = certifier(), sw.plan(SCENARIO, rounds=0)
        one.begin(1, plan)
        await until(lambda: bool(one.ready()))
        one.begin(2, plan)
        await until(lambda: one.ready()[0].epoch == 2)
        first_s, second_s = at_work_s
        assert second_s - first_s >= certifying.LEAST_REST_S
        one.close()

    asyncio.run(story())
