"""Plans of the API say why a proven gap is large."""

from __future__ import annotations

import asyncio

import slicewright as sw
from slicewright.slicing.open_gap import explain_gap
from tests.control.support.running import running


def test_a_large_gap_is_explained_in_every_plan_of_the_api() -> None:
    scenario = sw.preset("regime/balanced", devices=30, seed=2)

    async def story() -> None:
        async with running(scenario) as (_, client):
            document = (await client.get("/v1/plan?view=desired")).json()
            problem = (await client.get("/v1/scenario")).json()
            plan = sw.load_plan(sw.load_scenario(problem), document)
            sentence = explain_gap(plan)
            assert sentence is not None
            assert document["notes"] == [sentence]
            tried = (await client.post("/v1/plan:dryRun", json={"devices": []})).json()["plan"]
            assert tried["notes"][-1].startswith("proven only within")
            seen = (await client.get("/v1/overview")).json()
            assert seen["gap"] is None or seen["gap_reason"] == sentence

    asyncio.run(story())


def test_a_small_gap_needs_no_words() -> None:
    async def story() -> None:
        async with running(sw.preset("paper-slicing", devices=8, seed=1)) as (_, client):
            assert "notes" not in (await client.get("/v1/plan?view=desired")).json()
            assert (await client.get("/v1/overview")).json()["gap_reason"] is None

    asyncio.run(story())
