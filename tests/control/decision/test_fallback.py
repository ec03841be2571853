"""Methods that are slow or fail: the chain goes on, and no request is lost."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

from slicewright.control.state.device import devices_of
from slicewright.control.views.replay import replay_log
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.policy import Answer, FunctionPolicy, Limit
from slicewright.policies.slicing.registry import register_policy
from slicewright.slicing.published import baselines
from tests.control.support.running import QUICK, running, until
from tests.control.support.scenes import as_body, scenario_of
from tests.waiting import PATIENCE_S

SCENARIO = scenario_of(10, 3)
BODY = as_body(devices_of(SCENARIO)[0])


def test_a_slow_model_costs_quality_but_no_request() -> None:
    stuck, go_on = threading.Event(), threading.Event()
    go_on.set()

    def sluggish(scenario: Scenario, limit: Limit, seed: int) -> Answer:
        if not go_on.is_set():
            stuck.set()
            go_on.wait(PATIENCE_S)
        return Answer(*baselines.all_local(scenario))

    register_policy(FunctionPolicy("sluggish", "for this test", sluggish), replace=True)
    options = replace(QUICK, deadline_s=3.0, most_failures=3)

    async def story() -> None:
        async with running(SCENARIO, options=options) as (plane, client):
            switch = {"method": "sluggish", "force": True}
            assert (await client.post("/v1/methods:switch", json=switch)).status_code == 200
            ask = {"devices": [BODY]}
            await client.post("/v1/requests", json=ask)
            assert plane.orchestrator.state.last is not None
            assert plane.orchestrator.state.last.method == "sluggish"
            go_on.clear()
            paths = []
            for _ in range(3):
                assert (await client.post("/v1/requests", json=ask)).status_code == 201
                first = plane.orchestrator.state.last.attempts[0]
                paths.append((first.method, first.result))
            assert stuck.is_set()
            assert paths == [("sluggish", "late"), ("sluggish", "busy"), ("sluggish", "busy")]
            go_on.set()
            await until(lambda: plane.orchestrator.state.methods.active == "auto")
            assert replay_log(await plane.journal.read()).differences == ()

    asyncio.run(story())


def test_a_method_that_fails_falls_back() -> None:
    def broken(scenario: Scenario, limit: Limit, seed: int) -> Answer:
        raise ZeroDivisionError("weights are missing")

    register_policy(FunctionPolicy("broken", "for this test", broken), replace=True)

    async def story() -> None:
        async with running(SCENARIO) as (plane, client):
            await client.post("/v1/methods:switch", json={"method": "broken", "force": True})
            assert (await client.post("/v1/requests", json={"devices": [BODY]})).status_code == 201
            last = plane.orchestrator.state.last
            assert last is not None
            assert [(a.method, a.result) for a in last.attempts] == [
                ("broken", "failed"),
                ("best-response", "used"),
            ]
            assert "weights are missing" in last.attempts[0].detail

    asyncio.run(story())
