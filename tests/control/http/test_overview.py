"""The dashboard's document: columns that agree with the devices' own documents, and names only where they are new."""

from __future__ import annotations

import asyncio

import numpy as np

import slicewright as sw
from slicewright.slicing import Decisions, Plan, optimal_shares
from slicewright.slicing.loads import loads_of
from tests.columns import column_of
from tests.control.support.running import running
from tests.present import present
from tests.waiting import PATIENCE_S


def test_columns_say_what_the_documents_of_the_devices_say() -> None:
    scenario = sw.preset("paper-slicing", devices=30, seed=3)

    async def story() -> None:
        async with running(scenario) as (_, client):
            view = (await client.get("/v1/overview")).json()
            async with asyncio.timeout(PATIENCE_S):  # until all hold what they are to end up with
                while any(manager["state"] != "active" for manager in view["managers"]):
                    await asyncio.sleep(0.05)
                    view = (await client.get("/v1/overview")).json()
            columns = view["devices"]
            point, node, slice_ = (column_of(columns[name]) for name in ("point", "node", "slice"))
            reason, x = column_of(columns["reason"]), column_of(columns["x"])
            assert len(columns["names"]) == point.size == 30 and (point >= 0).any() and (point < 0).any()
            for i, name in enumerate(columns["names"]):
                device = (await client.get(f"/v1/requests/{name}")).json()
                if device["state"] == "local":
                    assert point[i] == node[i] == slice_[i] == -1
                    assert columns["reasons"][reason[i]] == device["reason"]
                else:
                    assert view["access_points"][point[i]] == device["access_point"]
                    assert view["nodes"][node[i]]["name"] == device["node"]
                    assert view["slices"][slice_[i]] == device["slice"]
                    assert reason[i] == -1
            assert scenario.sites.device_m is not None
            decisions = Decisions(*(place.astype(np.int64) for place in (point, node, slice_)))
            use = loads_of(
                Plan(scenario, decisions, present(optimal_shares(scenario, decisions)))
            ).utilisation
            np.testing.assert_allclose([n["use"] for n in view["nodes"]], use, atol=1e-12)
            assert use.any(), "as on a plan's own page"
            np.testing.assert_allclose(x, scenario.sites.device_m[:, 0], rtol=1e-6)

    asyncio.run(story())


def test_names_are_sent_again_only_when_they_have_changed() -> None:
    async def story() -> None:
        async with running(sw.preset("paper-slicing", devices=6, seed=3)) as (_, client):
            devices = (await client.get("/v1/overview")).json()["devices"]
            again = (await client.get("/v1/overview", params={"known": devices["tag"]})).json()["devices"]
            assert (
                again["names"] is None
                and again["tag"] == devices["tag"]
                and again["point"] == devices["point"]
            )
            assert (await client.delete(f"/v1/requests/{devices['names'][2]}")).status_code in (200, 202, 204)
            fewer = (await client.get("/v1/overview", params={"known": devices["tag"]})).json()["devices"]
            assert fewer["names"] == [*devices["names"][:2], *devices["names"][3:]]

    asyncio.run(story())
