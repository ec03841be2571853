"""The HTTP API: what it accepts, refuses and remembers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx

import slicewright as sw
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.device import devices_of
from slicewright.control.views.replay import replay_log
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.policy import Answer, FunctionPolicy, Limit
from slicewright.policies.slicing.registry import register_policy
from slicewright.slicing.published import baselines
from tests.control.support.problems import problem
from tests.control.support.running import QUICK, running, until
from tests.control.support.scenes import as_body


class ClockAhead(SystemClock):
    """The machine's clock, some s ahead of itself: an epoch passes when a test says so."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


def test_requests_are_decided_shown_and_withdrawn(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (plane, client):
            plan = (await client.get("/v1/plan?view=desired")).json()
            scenario = sw.load_scenario((await client.get("/v1/scenario")).json())
            assert sw.check(scenario, plan).feasible
            assert len(plan["decisions"]) == 12
            body = as_body(replace(devices_of(small)[0], id="cam"))
            answer = await client.post("/v1/requests", json={"devices": [body]})
            assert answer.status_code == 201
            assert answer.headers["location"] == "/v1/requests/cam"
            (view,) = answer.json()["devices"]
            assert view["state"] in ("offloaded", "local")
            assert (view["reason"] is None) == (view["state"] == "offloaded")
            assert (await client.get("/v1/requests/cam")).json()["id"] == "cam"
            assert (await client.delete("/v1/requests/cam")).status_code == 204
            problem(await client.get("/v1/requests/cam"), 404, "unknown-device")
            problem(await client.delete("/v1/requests/cam"), 404, "unknown-device")
            await until(lambda: plane.orchestrator.state.settled)
            granted = (await client.get("/v1/plan")).json()
            assert granted["decisions"] == (await client.get("/v1/plan?view=desired")).json()["decisions"]

    asyncio.run(story())


def test_an_answer_that_the_caller_has_is_not_made_again(small: Scenario) -> None:
    async def asked(client: httpx.AsyncClient, path: str) -> list[httpx.Response]:
        first = await client.get(path)
        tag = first.headers["etag"]
        seen = (tag, f'"0-00", W/{tag}', "*", '"1-00"')
        return [first, *[await client.get(path, headers={"If-None-Match": name}) for name in seen]]

    async def story() -> None:
        async with running(small) as (plane, client):
            for path in ("/v1/plan", "/v1/scenario", "/v1/devices"):
                for _ in range(100):  # until nothing is decided or proven meanwhile
                    before = plane.orchestrator.position
                    answers = await asked(client, path)
                    if plane.orchestrator.position is before:
                        break
                assert [answer.status_code for answer in answers] == [200, 304, 304, 304, 200]
                tags = {answer.headers["etag"] for answer in answers}
                assert tags == {f'"{before.sequence}-{before.hash[:16]}"'}
                assert answers[1].content == b""
            tag = answers[0].headers["etag"]
            await client.delete(f"/v1/requests/{next(iter(plane.orchestrator.state.devices))}")
            changed = await client.get("/v1/devices", headers={"If-None-Match": tag})
            assert changed.status_code == 200
            assert len(changed.json()["devices"]) == 11

    asyncio.run(story())


def test_a_repeated_key_is_answered_and_not_carried_out_again(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (plane, client):
            body = {"devices": [{k: v for k, v in as_body(devices_of(small)[0]).items() if k != "id"}]}
            key = {"Idempotency-Key": "order-66"}
            first = await client.post("/v1/requests", json=body, headers=key)
            again = await client.post("/v1/requests", json=body, headers=key)
            assert (first.status_code, again.status_code) == (201, 200)
            assert again.headers["idempotency-replayed"] == "true"
            assert [d["id"] for d in first.json()["devices"]] == [d["id"] for d in again.json()["devices"]]
            assert len(plane.orchestrator.state.devices) == 13
            body["devices"][0]["task_bits"] *= 2
            problem(await client.post("/v1/requests", json=body, headers=key), 422, "idempotency-key-reused")

    asyncio.run(story())


def test_the_network_is_replaced_only_by_who_has_seen_it(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (plane, client):
            now = await client.get("/v1/network")
            network, tag = now.json(), now.headers["etag"]
            problem(await client.put("/v1/network", json=network), 428, "if-match-needed")
            problem(
                await client.put("/v1/network", json=network, headers={"If-Match": '"77"'}),
                412,
                "network-has-changed",
            )
            broken = {**network, "nodes": {**network["nodes"], "capacity_hz": [[1.0]]}}
            problem(
                await client.put("/v1/network", json=broken, headers={"If-Match": tag}), 422, "invalid-input"
            )
            smaller = json.loads(json.dumps(network))
            for name in ("names", "kinds", "capacity_hz", "position_m"):
                smaller["nodes"][name] = smaller["nodes"][name][1:]
            done = await client.put("/v1/network", json=smaller, headers={"If-Match": tag})
            assert done.status_code == 200
            assert done.headers["etag"] != tag
            await until(lambda: plane.orchestrator.state.settled and not plane.orchestrator.state.dirty)
            scenario = sw.load_scenario((await client.get("/v1/scenario")).json())
            assert sw.check(scenario, (await client.get("/v1/plan")).json()).feasible
            assert scenario.n_nodes == small.n_nodes - 1

    asyncio.run(story())


def test_slices_can_come_and_go(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (plane, client):
            network = (await client.get("/v1/network")).json()
            network["slices"] = [{"name": "s0"}, {"name": "fresh", "sst": 9, "sd": "00000a"}]
            network["nodes"]["capacity_hz"] = [row[:2] for row in network["nodes"]["capacity_hz"]]
            answer = await client.put("/v1/network", json=network, headers={"If-Match": "*"})
            assert answer.status_code == 200
            await until(lambda: plane.orchestrator.state.settled and not plane.orchestrator.state.dirty)
            held = {s["name"]: s["devices"] for s in (await client.get("/v1/slices")).json()["slices"]}
            assert held.get("s1", 0) == held.get("s2", 0) == 0
            plan = plane.picture().plan
            assert plan is not None
            assert sw.check(plan.scenario, plan).feasible
            body = as_body(replace(devices_of(small)[0], id="new", slice_cycles={"fresh": 1e7}))
            view = (await client.post("/v1/requests", json={"devices": [body]})).json()["devices"][0]
            assert view["slice"] in ("fresh", None)

    asyncio.run(story())


def test_errors_of_any_kind_are_problems(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (_, client):
            problem(await client.get("/nowhere"), 404, "not-found")
            problem(await client.patch("/v1/plan"), 405, "method-not-allowed")
            problem(await client.post("/v1/requests", json={"devices": []}), 422, "invalid-request")
            wrong = {"devices": [{**as_body(devices_of(small)[0]), "slice_cycles": {"s9": 1e6}}]}
            assert "did you mean" in str(
                problem(await client.post("/v1/requests", json=wrong), 422, "invalid-input")
            )
            negative = {"devices": [{**as_body(devices_of(small)[0]), "task_bits": -1}]}
            problem(await client.post("/v1/requests", json=negative), 422, "invalid-request")
            echoed = await client.get("/livez", headers={"x-correlator": "abc-123"})
            assert echoed.headers["x-correlator"] == "abc-123"

    asyncio.run(story())


def test_an_empty_plane_says_so_and_takes_a_network(small: Scenario) -> None:
    async def story() -> None:
        async with running() as (plane, client):
            assert (await client.get("/readyz")).status_code == 503
            for path in (
                "/v1/plan",
                "/v1/network",
                "/v1/slices",
                "/v1/nodes",
                "/v1/access-points",
                "/v1/overview",
            ):
                problem(await client.get(path), 409, "no-network")
            body = {"devices": [as_body(devices_of(small)[0])]}
            problem(await client.post("/v1/requests", json=body), 409, "no-network")
            async with running(small) as (_, other):
                network = (await other.get("/v1/network")).json()
            assert (
                await client.put("/v1/network", json=network, headers={"If-Match": '"0"'})
            ).status_code == 200
            assert (await client.get("/v1/plan")).json()["decisions"] == []
            assert (await client.post("/v1/requests", json=body)).status_code == 201
            await until(lambda: not plane.faults)
            assert (await client.get("/readyz")).status_code == 200

    asyncio.run(story())


def test_explain_nodes_access_points_and_metrics(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (_, client):
            answer = (await client.get("/v1/devices/device-3/explain?alternatives=500")).json()
            costs = [a["system_cost_s"] for a in answer["alternatives"] if a["feasible"]]
            assert costs == sorted(costs)
            problem(await client.get("/v1/devices/nobody/explain"), 404, "unknown-device")
            for profile, dedicated in (("hard", True), ("guaranteed", False)):
                points = (await client.get(f"/v1/access-points?profile={profile}")).json()["access_points"]
                for point in points:
                    policies = point["rRMPolicyRatio"]
                    assert sum(p["rRMPolicyMinRatio"] for p in policies) <= 100
                    for p in policies:
                        assert (
                            p["rRMPolicyDedicatedRatio"] <= p["rRMPolicyMinRatio"] <= p["rRMPolicyMaxRatio"]
                        )
                        assert (p["rRMPolicyDedicatedRatio"] > 0) == (
                            dedicated and p["rRMPolicyMinRatio"] > 0
                        )
                    assert not point["starved_devices"]
            nodes = (await client.get("/v1/nodes")).json()["nodes"]
            assert all(0 <= s["load"] < 1 for node in nodes for s in node["slices"].values())
            text = (await client.get("/metrics")).text
            assert 'slicewright_constraint_residual{constraint="13c"} 0.0' in text
            assert "device-" not in text

    asyncio.run(story())


def test_the_log_of_a_running_plane_replays(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (plane, client):
            for k in range(3):
                body = as_body(replace(devices_of(small)[k], id=f"extra-{k}"))
                await client.post("/v1/requests", json={"devices": [body]})
            await until(lambda: plane.orchestrator.state.settled)
            first = (await client.get("/v1/log")).text.splitlines()
            report = replay_log(await plane.journal.read())
            assert report.decisions >= 4
            assert report.recomputed == report.decisions
            assert report.differences == ()
            last = (await client.get("/v1/log")).text.splitlines()
            assert len(first) <= report.records <= len(last)  # a certificate may still follow its decision
            assert last[: len(first)] == first

    asyncio.run(story())


def test_a_measurement_reaches_the_manager_at_once_and_the_orchestrator_with_the_epoch(
    small: Scenario,
) -> None:
    async def story() -> None:
        clock, epoch_s = ClockAhead(), QUICK.away_after_s / 2
        async with running(small, options=replace(QUICK, epoch_s=epoch_s), clock=clock) as (plane, client):

            async def pass_an_epoch(counter: int) -> None:
                statuses = plane.orchestrator.statuses

                def told() -> bool:
                    newest = statuses[place.slice].measured.get(device)
                    return newest is not None and newest.counter == counter

                await until(told)
                clock.ahead_s += epoch_s
                body = {
                    "devices": [as_body(replace(devices_of(small)[0], id=f"after-{clock.ahead_s:.0f}-s"))]
                }
                assert (await client.post("/v1/requests", json=body)).status_code == 201

            await until(lambda: plane.orchestrator.state.settled)
            device, place = next(iter(plane.orchestrator.state.places.items()))
            before = plane.orchestrator.state.devices[device].task_bits
            change = {"counter": 1, "task_bits": before * 2}
            assert (await client.put(f"/v1/measurements/{device}", json=change)).status_code == 202
            await until(lambda: device in plane.managers[place.slice].state.measured)
            assert plane.orchestrator.state.devices[device].task_bits == before
            await pass_an_epoch(1)
            await until(lambda: plane.orchestrator.state.devices[device].task_bits == before * 2)
            gone = {"counter": 2, "departed": True}
            await client.put(f"/v1/measurements/{device}", json=gone)
            await pass_an_epoch(2)
            await until(lambda: device not in plane.orchestrator.state.devices)
            problem(await client.put(f"/v1/measurements/{device}", json=gone), 404, "unknown-device")

    asyncio.run(story())


def test_methods_are_tried_switched_and_rolled_back_without_a_dropped_request(small: Scenario) -> None:
    def half_hearted(scenario: Scenario, limit: Limit, seed: int) -> Answer:
        return Answer(*baselines.all_local(scenario))

    register_policy(FunctionPolicy("half-hearted", "for this test", half_hearted), replace=True)

    async def story() -> None:
        async with running(small) as (plane, client):
            body = as_body(devices_of(small)[0])
            answers: list[int] = []

            async def ask() -> None:
                while True:
                    answers.append((await client.post("/v1/requests", json={"devices": [body]})).status_code)
                    await asyncio.sleep(0.005)

            asking = asyncio.create_task(ask())
            problem(await client.post("/v1/methods:canary", json={"method": "atuo"}), 422, "unknown-name")
            problem(await client.post("/v1/methods:rollBack", json={}), 409, "method-not-proven")
            await client.post("/v1/methods:canary", json={"method": "half-hearted"})
            fallback_chain = plane.orchestrator.fallback_chain
            await until(lambda: fallback_chain.trial is not None and fallback_chain.trial.decisions >= 20)
            assert fallback_chain.trial is not None
            assert fallback_chain.trial.cost_ratio > 1.1
            problem(await client.post("/v1/methods:switch", json={}), 409, "method-not-proven")
            await client.post("/v1/methods:canary", json={"method": "best-response"})
            trial = lambda: fallback_chain.trial
            await until(
                lambda: trial() is not None and trial().method == "best-response" and trial().decisions >= 20,
            )
            switched = await client.post("/v1/methods:switch", json={})
            assert switched.json()["active"] == "best-response", switched.text
            await until(
                lambda: (d := plane.orchestrator.state.last) is not None and d.method == "best-response"
            )
            back = await client.post("/v1/methods:rollBack", json={})
            assert back.json()["active"] == "auto"
            asking.cancel()
            assert set(answers) == {201}
            assert replay_log(await plane.journal.read()).differences == ()

    asyncio.run(story())


def test_placements(small: Scenario) -> None:
    async def story() -> None:
        async with running(small) as (_, client):
            tasks = {"schema": "slicewright/tasks/v1", "preset": "paper-placement", "tasks": 20}
            answer = await client.post("/v1/placements", json=tasks)
            assert answer.status_code == 200, answer.text
            assert answer.json()["schema"] == "slicewright/placement/v1"
            problem(await client.post("/v1/placements", json={"preset": "no"}), 422, "unknown-name")

    asyncio.run(story())


def test_the_default_waits_for_the_epoch_when_told_to(small: Scenario) -> None:
    async def story() -> None:
        clock, epoch_s = ClockAhead(), QUICK.away_after_s / 2
        options = replace(QUICK, on_demand=False, epoch_s=epoch_s)
        async with running(small, options=options, clock=clock) as (plane, client):
            await until(lambda: plane.orchestrator.state.settled)
            body = {"devices": [as_body(replace(devices_of(small)[0], id="one"))]}
            early = await client.post("/v1/requests", json=body, headers={"Prefer": "respond-async"})
            assert early.status_code == 202
            assert early.json()["devices"][0]["reason"] == "not-decided-yet"
            clock.ahead_s += epoch_s
            assert (await client.post("/v1/requests", json=body)).status_code == 201

    asyncio.run(story())
