"""The life of a shipped ONNX model in the control plane: loaded, tried in the shadow, in charge, rolled back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import slicewright as sw
from slicewright.control.http.routes.operations import TRIAL_DECISIONS
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import Decided, DecisionChanged, MethodChanged
from slicewright.control.views.replay import replay_log
from slicewright.models.slicing.session import FOLDER_VARIABLE
from tests.control.support.running import QUICK, running, until
from tests.control.support.scenes import as_body, moved, scenario_of

SCENARIO = scenario_of(16, 5, coins=8)
"""The network that the published models are made for."""


class Traffic:
    """Clients that move devices without a pause; every answer counts."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client, self._devices = client, devices_of(SCENARIO)
        self.answers: list[int] = []
        self.asked = 0

    async def ask(self, number: int) -> None:
        """One client, until cancelled between two requests."""
        rng = np.random.default_rng(number)
        while True:
            device = moved(self._devices[int(rng.integers(len(self._devices)))], rng)
            self.asked += 1
            answer = await self._client.post("/v1/requests", json={"devices": [as_body(device)]})
            self.answers.append(answer.status_code)
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def flowing(self, clients: int = 3) -> AsyncIterator[None]:
        """Traffic while inside."""
        tasks = [asyncio.create_task(self.ask(number)) for number in range(clients)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def nothing_dropped(self, clients: int = 3) -> None:
        """Every request but those under way at the end was accepted with its decision."""
        assert set(self.answers) <= {200, 201}
        assert self.asked - len(self.answers) <= clients


async def methods(client: httpx.AsyncClient, action: str = "", **body: Any) -> dict[str, Any]:
    if not action:
        found: dict[str, Any] = (await client.get("/v1/methods")).json()
        return found
    answer = await client.post(f"/v1/methods:{action}", json=body)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


@pytest.mark.parametrize("model", ["deepsets-s", "bipartite"])
def test_a_shipped_model_comes_and_goes_without_a_dropped_request(model: str) -> None:
    async def story() -> None:
        async with running(SCENARIO) as (plane, client):
            traffic, sro = Traffic(client), plane.orchestrator
            async with traffic.flowing():
                early = await client.post("/v1/methods:switch", json={"method": model})
                assert early.status_code == 409, "not without a trial"
                trial = (await methods(client, "canary", method=model))["trial"]
                await until(
                    lambda: (
                        sro.fallback_chain.trial is not None
                        and sro.fallback_chain.trial.decisions >= TRIAL_DECISIONS
                    ),
                )
                assert {
                    r.event.method
                    for r in await plane.journal.read()
                    if isinstance(r.event, Decided | DecisionChanged)
                } == {"auto"}, "a shadow has no effect"
                trial = (await methods(client))["trial"]
                assert (trial["method"], trial["failures"]) == (model, 0)
                switched = await methods(client, "switch", reason="did well")
                assert (switched["active"], switched["previous"]) == (model, "auto")
                epoch = sro.state.epoch
                await until(lambda: sro.state.epoch >= epoch + 10)
                assert sro.state.last is not None
                assert sro.state.last.method == model
                assert [(a.method, a.result) for a in sro.state.last.attempts] == [(model, "used")]
                back = await methods(client, "rollBack", reason="an exercise")
                assert (back["active"], back["previous"]) == ("auto", None)
                epoch = sro.state.epoch
                await until(lambda: sro.state.epoch >= epoch + 3)
                assert sro.state.last.method == "auto"
            traffic.nothing_dropped()
            await until(lambda: sro.state.settled and not sro.state.dirty)
            plan = (await client.get("/v1/plan")).json()
            assert sw.check(sw.load_scenario((await client.get("/v1/scenario")).json()), plan).feasible
            records = await plane.journal.read()
            changes = [(e.action, e.method) for r in records if isinstance(e := r.event, MethodChanged)]
            assert changes == [("canary", model), ("switch", model), ("roll-back", "auto")]
            decisions = [e for r in records if isinstance(e := r.event, Decided | DecisionChanged)]
            learned = [e for e in decisions if e.method == model]
            assert len(learned) >= 10
            report = replay_log(records)
            assert report.differences == (), "a replay asks the model again and finds the same"

    asyncio.run(story())


def test_a_model_whose_file_is_damaged_leaves_the_plan_to_the_search(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real file, cut short, as after a bad copy: the policy says so, and no request is dropped."""
    shipped = Path(sw.__file__).parent / "models" / "weights"
    for ending in ("json", "onnx"):
        data = (shipped / f"deepsets-s.{ending}").read_bytes()
        (tmp_path / f"deepsets-s.{ending}").write_bytes(data if ending == "json" else data[: len(data) // 2])
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))

    async def story() -> None:
        async with running(SCENARIO, options=replace(QUICK, most_failures=3)) as (plane, client):
            traffic = Traffic(client)
            async with traffic.flowing():
                await methods(client, "canary", method="deepsets-s")
                await until(
                    lambda: (t := plane.orchestrator.fallback_chain.trial) is not None and t.decisions > 0
                )
                trial = (await methods(client))["trial"]
                assert "search alone: model 'deepsets-s' cannot be loaded" in trial["remark"]
                await methods(client, "switch", method="deepsets-s", force=True)
                epoch = plane.orchestrator.state.epoch
                await until(lambda: plane.orchestrator.state.epoch >= epoch + 5)
            traffic.nothing_dropped()
            assert plane.orchestrator.state.last is not None
            assert "cannot be loaded" in plane.orchestrator.state.last.attempts[0].detail
            assert max(plane.orchestrator.state.last.residuals.values()) <= 1e-6

    asyncio.run(story())
