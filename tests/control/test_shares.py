"""SP1 by a manager's learned model: what is used of its answer, what is overruled, and what the log says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.control.decision.decide import decide
from slicewright.control.decision.settlement import Settlement
from slicewright.control.journal.logs import read_log
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.records import GENESIS, chained
from slicewright.control.messages.details import DETAILS, Details, details_of
from slicewright.control.messages.keys import measurement_key
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.sharing.allocation import Allocation, allocate
from slicewright.control.sharing.rules import Advice, LearnedShares, NoAdviceError, share_rule
from slicewright.control.slice_manager.state import ManagerState, inform, receive, status_of
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, NetworkSet, SharesReported
from slicewright.control.state.grants import Grant
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.transport.memory import MemoryTransport
from slicewright.control.views.documents import slice_documents
from slicewright.control.views.drift import drift_gauges
from slicewright.control.views.picture import Picture
from slicewright.control.views.replay import replay_log
from slicewright.errors import UnknownNameError
from slicewright.models.slicing.session import FOLDER_VARIABLE
from slicewright.network.scenario import Scenario
from slicewright.network.scenario_file import save_scenario
from tests.control.processes import NATS, Served, free_port, nats_server, wait_for
from tests.control.support import crowded, judge_world, scenario_of, simulate, state_with

LEARNED = LearnedShares("deepsets-s", limit_s=5.0)
AS_TRAINED = scenario_of(24, 3, coins=8)


def decision(scenario: Scenario) -> Settlement:
    settlement = decide(state_with(scenario)[0].situation(), "auto", rounds=20, seed=0)
    assert settlement is not None
    return settlement


def details_for(scenario: Scenario, name: str) -> Details:
    return details_of(Network.of(scenario), devices_of(scenario), name)


def managed(scenario: Scenario, rule: LearnedShares = LEARNED) -> dict[str, ManagerState]:
    out = {}
    for name, grant in decision(scenario).targets.items():
        manager = inform(ManagerState.fresh(name, rule=rule), details_for(scenario, name))
        out[name] = receive(manager, replace(grant, revision=1))
    return out


def judged(scenario: Scenario, managers: dict[str, ManagerState]) -> None:
    devices = {d.id: d for d in devices_of(scenario)}
    grants = {name: m.grant for name, m in managers.items()}
    judge_world(Network.of(scenario), devices, grants, {n: m.allocation for n, m in managers.items()})


def test_the_shipped_model_shares_within_the_grant() -> None:
    managers = managed(AS_TRAINED)
    judged(AS_TRAINED, managers)
    assert {m.sharing.path for m in managers.values()} == {"deepsets-s"}
    for manager in managers.values():
        exact = allocate(manager.grant)
        assert manager.allocation.radio != exact.radio, "the model is no closed form"
        assert manager.sharing.cost_ratio > 1, "and nothing is better than the optimum"
        assert set(manager.allocation.radio) == set(manager.grant.seats)
        sums: dict[str, float] = {}
        for device, share in manager.allocation.radio.items():
            point = manager.grant.seats[device].access_point
            sums[point] = sums.get(point, 0.0) + share
        assert all(total == pytest.approx(1.0) for total in sums.values()), "renormalised to the granted"


def test_only_ratios_of_the_models_answer_count_among_those_who_use_a_resource() -> None:
    name, grant = next(iter(decision(AS_TRAINED).targets.items()))
    advice = LEARNED.advise(grant.seats, details_for(AS_TRAINED, name))
    assert advice is not None
    shares = allocate(grant, advice=advice).radio
    for one, share in shares.items():
        for other in shares:
            if grant.seats[one].access_point == grant.seats[other].access_point:
                ratio = advice.radio[one] / advice.radio[other]
                assert share / shares[other] == pytest.approx(ratio)


def test_where_the_answer_would_break_a_rule_the_closed_form_answers_and_says_so() -> None:
    overruled = []
    for seed in range(3):
        scenario = scenario_of(50, seed, coins=8, coin_capacity_hz=(2e8, 4e8))
        managers = managed(scenario)
        judged(scenario, managers)
        for manager in managers.values():
            exact, seats = allocate(manager.grant).compute, manager.grant.seats
            for node in sorted({seat.node for seat in seats.values()}):
                if f"on node {node} " in manager.sharing.reason:
                    overruled.append(manager.sharing.reason)
                    here = [d for d in exact if seats[d].node == node]
                    assert [manager.allocation.compute[d] for d in here] == [exact[d] for d in here]
    assert any("would not be stable (13c)" in reason for reason in overruled)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 3), chance=st.integers(0, 2**32 - 1))
def test_no_advice_whatever_breaks_a_constraint(seed: int, chance: int) -> None:
    scenario, rng = crowded(12, seed), np.random.default_rng(chance)
    grants, allocations = decision(scenario).targets, {}
    for name, grant in grants.items():
        wild = {d: float(rng.choice([0.0, -1.0, 1e-12, np.nan, np.inf, rng.random()])) for d in grant.seats}
        fair = {d: float(rng.random()) for d in list(grant.seats)[int(rng.integers(3)) :]}
        allocations[name] = allocate(grant, advice=Advice(wild, fair if rng.random() < 0.5 else wild))
    judge_world(Network.of(scenario), {d.id: d for d in devices_of(scenario)}, grants, allocations)


def advice_refused(rule: LearnedShares, grant: Grant, details: Details | None) -> str:
    with pytest.raises(NoAdviceError) as caught:
        rule.advise(grant.seats, details)
    manager = ManagerState.fresh(grant.slice, rule=rule)
    manager = manager if details is None else inform(manager, details)
    manager = receive(manager, replace(grant, revision=1))
    assert manager.allocation == allocate(grant), "the closed form answers"
    assert manager.sharing.path == "closed-form"
    assert manager.sharing.reason == str(caught.value)
    return str(caught.value)


def test_every_reason_for_the_closed_form_is_stated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    name, grant = next(iter(decision(AS_TRAINED).targets.items()))
    details = details_for(AS_TRAINED, name)
    assert "details of the requests have not come" in advice_refused(LEARNED, grant, None)
    some = details_of(Network.of(AS_TRAINED), devices_of(AS_TRAINED)[:1], name)
    assert "have not come yet" in advice_refused(LEARNED, grant, some)
    assert "there is no model 'not-shipped'" in advice_refused(LearnedShares("not-shipped"), grant, details)
    slow = LearnedShares("deepsets-s", limit_s=1e-9)
    assert "ms of the 1e-06 ms it has" in advice_refused(slow, grant, details)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "deepsets-s.json").write_text("{}")
    assert "cannot be loaded" in advice_refused(LEARNED, grant, details)
    monkeypatch.delenv(FOLDER_VARIABLE)
    small = scenario_of(12, 0)
    other, few = next(iter(decision(small).targets.items()))
    assert "networks of 9 nodes, this one has 5" in advice_refused(LEARNED, few, details_for(small, other))
    many = scenario_of(60, 0, coins=8)
    which, large = next(iter(decision(many).targets.items()))
    assert "5 to 50 devices, this one has 60" in advice_refused(LEARNED, large, details_for(many, which))
    with pytest.raises(UnknownNameError, match="did you mean 'deepsets-s'"):
        share_rule("deepset-s")


def test_details_survive_their_way_and_refuse_to_be_crooked() -> None:
    details = details_for(AS_TRAINED, "s1")
    assert DETAILS.validate_json(DETAILS.dump_json(details)) == details
    with pytest.raises(ValueError, match="cycles has 1 entries, not 24"):
        replace(details, cycles=(1.0,))


def test_managers_with_a_model_are_told_what_it_needs_and_the_log_says_what_they_did() -> None:
    options = ControlOptions(rounds=5, shares="deepsets-s", share_limit_s=5.0)
    devices = devices_of(AS_TRAINED)

    async def story() -> None:
        clock = LoopClock()
        transport, journal = MemoryTransport(clock), MemoryJournal()
        sro = Orchestrator(journal, transport, clock=clock, instance="a", options=options, threads=False)
        managers = {
            name: SliceManager(
                name, transport, clock=clock, instance=name, options=options,
                rule=share_rule(options.shares, limit_s=5.0) if name != "s2" else share_rule("closed-form"),
            )
            for name in ("s0", "s1", "s2")
        }  # fmt: skip
        tasks = [asyncio.create_task(sro.run())]
        tasks += [asyncio.create_task(manager.run()) for manager in managers.values()]
        while not sro.leading:
            await asyncio.sleep(0.1)
        document = Network.of(AS_TRAINED).document
        await sro.submit(lambda s: (NetworkSet(document), DevicesAdmitted(devices)), wait=True)
        await asyncio.sleep(6)
        assert set(sro.state.shares_reported) == {"s0", "s1"}
        for name in ("s0", "s1"):
            assert managers[name].state.sharing.path == "deepsets-s"
            assert sro.state.shares_reported[name].radio == managers[name].state.allocation.radio
            assert sro.state.shares_reported[name].revision == sro.state.accounts[name].held.revision
        for gauge in drift_gauges(Picture(sro.state, "desired"), Picture(sro.state), sro.statuses):
            if "drift" in gauge.name:
                assert [s.value for s in gauge.samples] == [0.0] * 9, (
                    "a model's shares on record are no drift"
                )
        picture = Picture(sro.state)
        assert picture.plan is not None
        assert picture.plan.violations.feasible, picture.plan.violations.explain()
        assert picture.plan.cost_s > (Picture(sro.state, "desired").plan or picture.plan).cost_s
        shown = {s["name"]: s["manager"]["shares"] for s in slice_documents(picture, sro.statuses, {})}
        assert shown["s0"]["path"] == "deepsets-s"
        assert shown["s2"] == {"path": "closed-form", "reason": "", "cost_ratio": 1.0}
        # A measurement and a departure: shares follow, and so does the log once the grants do.
        device = next(iter(managers["s0"].state.allocation.radio))
        bits = managers["s0"].state.grant.seats[device].task_bits
        newer = Measurement(device, 1, task_bits=bits / 2)
        await transport.put(measurement_key(device), MEASUREMENT.dump_json(newer))
        await sro.submit(lambda s: (DevicesRemoved((devices[0].id,)),), wait=True)
        await asyncio.sleep(8)
        assert sro.state.settled
        for name in ("s0", "s1"):
            assert sro.state.shares_reported[name].radio == managers[name].state.allocation.radio
        await end(tasks)
        assert replay_log(journal.records).differences == ()
        events = [record.event for record in journal.records]
        k = max(k for k, e in enumerate(events) if isinstance(e, SharesReported) and len(e.compute) > 1)
        kept = events[k]
        assert isinstance(kept, SharesReported)
        forged = replace(kept, compute=dict.fromkeys(kept.compute, 0.9))
        report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], forged, *events[k + 1 :]]))
        assert "shares" in [d.what for d in report.differences]

    simulate(story)


def test_a_successor_of_a_manager_goes_on_with_the_model() -> None:
    manager = managed(AS_TRAINED)["s0"]
    status = status_of(manager, "first")
    again = ManagerState.resumed(status, rule=LEARNED)
    assert again.sharing.path == "closed-form", "until it is told of the requests"
    again = inform(again, details_for(AS_TRAINED, "s0"))
    assert again.allocation == manager.allocation
    assert isinstance(again.allocation, Allocation)


def test_a_log_of_the_first_release_is_read_as_it_was_written() -> None:
    file = Path(__file__).parent / "data" / "log-0.1.0.jsonl"
    report = replay_log(read_log(file))
    assert report.differences == ()
    assert (report.records, report.recomputed) == (15, 2)
    assert "shared" not in json.loads(file.read_text().splitlines()[13])["event"]["state"]


def test_serve_with_a_model_and_with_one_whose_file_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, store = str(save_scenario(AS_TRAINED, tmp_path / "s.json")), tmp_path / "journal.db"
    damaged = tmp_path / "models"
    damaged.mkdir()
    card = resources.files("slicewright.models") / "weights" / "set-transformer-2.json"
    (damaged / "set-transformer-2.json").write_text(card.read_text(encoding="utf-8"), encoding="utf-8")
    (damaged / "set-transformer-2.onnx").write_bytes(b"half a file")
    monkeypatch.setenv(FOLDER_VARIABLE, str(damaged))
    for name, path, words in (
        ("deepsets-s", "deepsets-s", ""),
        ("set-transformer-2", "closed-form", "cannot be loaded"),
    ):
        port = free_port()
        one = Served(
            (file, "--port", str(port), "--store", str(store), "--shares", name), tmp_path / name, port
        )
        one.start()
        try:
            wait_for(lambda: one.get("/readyz"), 60, "ready")  # noqa: B023

            def shared() -> Any:
                slices = (one.get("/v1/slices") or {"slices": []})["slices"]  # noqa: B023
                ways = [s["manager"]["shares"] for s in slices if s["manager"] and s["devices"]]
                good = [w for w in ways if w["path"] == path and words in w["reason"]]  # noqa: B023
                return good if len(good) == 3 else None

            wait_for(shared, 20, f"shares by {path}")
            violations = sw.check(sw.load_scenario(one.get("/v1/scenario")), one.get("/v1/plan"))
            assert violations.feasible, violations.explain()
        finally:
            one.stop()
        assert words in (tmp_path / name).read_text()
    report = replay_log(read_log(store))
    assert report.differences == ()
    paths = {r.event.path for r in read_log(store) if isinstance(r.event, SharesReported)}
    assert paths == {"deepsets-s", "closed-form"}


@pytest.mark.skipif(NATS is None, reason="nats-server is not installed")
def test_managers_of_their_own_process_share_by_their_model_over_nats(tmp_path: Path) -> None:
    file, port = str(save_scenario(AS_TRAINED, tmp_path / "s.json")), free_port()
    with nats_server(tmp_path) as url:
        sro = Served((file, "--nats", url, "--role", "sro", "--port", str(port)), tmp_path / "sro", port)
        names = [word for n in range(3) for word in ("--slice", f"s{n}")]
        arguments = ("--nats", url, "--role", "slice-manager", *names, "--shares", "deepsets-s")
        managers = Served(arguments, tmp_path / "managers")
        for one in (sro, managers):
            one.start()

        def shared() -> bool:
            slices = (sro.get("/v1/slices") or {"slices": []})["slices"]
            return bool(slices) and all(
                s["manager"] and s["manager"]["shares"]["path"] == "deepsets-s" and s["state"] == "active"
                for s in slices
            )

        try:
            wait_for(shared, 60, "all slices shared by the model")
            before = {s["manager"]["instance"] for s in sro.get("/v1/slices")["slices"]}
            managers.kill()
            managers.start()

            def succeeded() -> bool:
                slices = (sro.get("/v1/slices") or {"slices": []})["slices"]
                return shared() and not before & {s["manager"]["instance"] for s in slices}

            wait_for(succeeded, 60, "a successor goes on")
            violations = sw.check(sw.load_scenario(sro.get("/v1/scenario")), sro.get("/v1/plan"))
            assert violations.feasible, violations.explain()
        finally:
            for one in (managers, sro):
                one.stop()
