"""Decisions: what methods propose, what pins leave, why devices stay local, and what replay finds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.control.decision.decide import LAST_GOOD, decide, decide_last_good
from slicewright.control.decision.recording import decided
from slicewright.control.decision.settlement import Settlement
from slicewright.control.journal.logs import read_log
from slicewright.control.journal.records import GENESIS, chained, to_line
from slicewright.control.sharing.allocation import allocate
from slicewright.control.state.commands import admit
from slicewright.control.state.device import Device, devices_of
from slicewright.control.state.events import (
    Decided,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    MethodChanged,
    NetworkSet,
    Sent,
)
from slicewright.control.state.fold import fold, sends
from slicewright.control.state.grants import Grant
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.reasons import Reason, fits_beside
from slicewright.control.state.situation import Pin, Situation
from slicewright.control.state.state import OrchestratorState, dump, load
from slicewright.control.views.dry_run import dry_run
from slicewright.control.views.explain import explain
from slicewright.control.views.picture import Picture
from slicewright.control.views.replay import replay_log
from slicewright.errors import InvalidScenarioError, UnknownNameError
from slicewright.slicing.shares import optimal_shares
from tests.control.support import crowded, moved, scenario_of, state_with

OPTIONS = ControlOptions(rounds=20)


def decide_now(
    state: OrchestratorState, pinned: frozenset[str] = frozenset(), method: str = "auto"
) -> tuple[OrchestratorState, Settlement]:
    situation = state.situation(pinned)
    settlement = decide(
        situation,
        method,
        rounds=OPTIONS.rounds,
        seed=0,
        epoch=state.epoch + 1,
        previous=state.places,
        keep_ratio=OPTIONS.keep_ratio,
    )
    assert settlement is not None
    event = decided(
        situation, settlement, (), epoch=state.epoch + 1, options=OPTIONS, pinned=pinned, previous=state.places,
        duration_s=0.01,
    )  # fmt: skip
    return fold(state, event), settlement


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("seed", range(3))
def test_managers_arrive_at_the_planned_optimum(queueing: str, seed: int) -> None:
    scenario = scenario_of(20, seed, queueing=queueing)
    _, settlement = decide_now(state_with(scenario)[0])
    direct = sw.plan(scenario, rounds=OPTIONS.rounds)
    assert settlement.plan is not None
    assert settlement.plan.decisions == direct.decisions
    assert settlement.plan.cost_s == pytest.approx(direct.cost_s, rel=1e-9)


def test_devices_stay_where_they_are_while_that_costs_little() -> None:
    state, devices = state_with(sw.preset("paper-slicing", devices=60, seed=1))
    state, first = decide_now(state)
    rng = np.random.default_rng(0)
    stirred = fresh = 0
    for k in range(6):
        state = fold(state, DevicesAdmitted((moved(devices[k], rng),)))
        free = decide(state.situation(), "auto", rounds=OPTIONS.rounds, seed=0)
        before = state.places
        state, kept = decide_now(state)
        assert free is not None
        assert free.plan is not None
        assert kept.plan is not None
        assert kept.plan.cost_s <= free.plan.cost_s * (1 + OPTIONS.keep_ratio)
        stirred += sum(before.get(d) != kept.places.get(d) for d in kept.devices)
        fresh += sum(before.get(d) != free.places.get(d) for d in free.devices)
    assert stirred < fresh / 2, (stirred, fresh)
    assert first.places


def test_scenario_and_network_survive_the_way_through_documents() -> None:
    scenario = scenario_of(15, 3)
    network = Network.from_document(json.loads(json.dumps(Network.of(scenario).document)))
    again = network.scenario(devices_of(scenario))
    np.testing.assert_array_equal(np.asarray(again.rate_bps), np.asarray(scenario.rate_bps))
    np.testing.assert_array_equal(again.slice_cycles, scenario.slice_cycles)
    assert network.digest == Network.of(scenario).digest


def test_reasons_say_what_holds() -> None:
    scenario = crowded(24, 1)
    state, devices = state_with(scenario)
    far = replace(devices[0], id="far", rate_bps={}, position_m=None)
    hasty = replace(devices[1], id="hasty", arrival_rate_hz=1e5)
    quick = replace(devices[2], id="quick", local_capacity_hz=1e12, local_cycles=1e6)
    state = fold(state, DevicesAdmitted((far, hasty, quick)))
    _, settlement = decide_now(state)
    assert settlement.reasons["far"] is Reason.OUT_OF_REACH
    assert settlement.reasons["hasty"] is Reason.UNSTABLE
    assert settlement.reasons["quick"] is Reason.TOO_SLOW
    assert set(settlement.reasons) | set(settlement.places) == set(state.devices)
    assert not set(settlement.reasons) & set(settlement.places)
    assert Reason.NO_CAPACITY in settlement.reasons.values()


@pytest.mark.parametrize("queueing", ["node", "device"])
def test_room_beside_others_is_what_the_closed_form_says(queueing: str) -> None:
    scenario = crowded(14, 5).with_(queueing=queueing)
    plan = sw.plan(scenario, rounds=5)
    home = np.flatnonzero(plan.decisions.local)
    fits = fits_beside(scenario, home, plan.decisions)
    for k, i in enumerate(home.tolist()):
        for j in range(scenario.n_nodes):
            for n in range(scenario.n_slices):
                triple = [
                    x.copy() for x in (plan.decisions.access_point, plan.decisions.node, plan.decisions.slice)
                ]
                triple[0][i], triple[1][i], triple[2][i] = 0, j, n
                tried = optimal_shares(scenario, sw.Decisions(*triple))
                assert fits[k, j, n] == (tried is not None), (i, j, n)


def test_a_pinned_slice_keeps_all_it_may_hold() -> None:
    state, devices = state_with(scenario_of(16, 2))
    state, _ = decide_now(state)
    for sent in sends(state):
        state = fold(state, sent)  # on their way, not acknowledged
    rng = np.random.default_rng(0)
    state = fold(state, DevicesAdmitted(tuple(moved(d, rng) for d in devices)))
    _, settlement = decide_now(state, frozenset({"s1"}))
    pin = Pin.of(state.accounts["s1"])
    assert "s1" not in settlement.targets
    assert not pin.devices & {d for g in settlement.targets.values() for d in g.seats}
    for point in state.situation().network.access_points:
        given = sum(g.bandwidth.get(point, 0.0) for g in settlement.targets.values())
        assert given + pin.bandwidth.get(point, 0.0) <= 1 + 1e-9
    for node, bound in pin.others_hz.items():
        assert sum(g.arrivals_hz.get(node, 0.0) for g in settlement.targets.values()) <= bound * (1 + 1e-9)
    assert {settlement.reasons[d] for d in pin.devices if d in settlement.reasons} <= {Reason.SLICE_AWAY}


def test_with_all_slices_away_newcomers_stay_local_and_know_why() -> None:
    state, devices = state_with(scenario_of(8, 2))
    state, _ = decide_now(state)
    for sent in sends(state):
        state = fold(state, sent)
    state = fold(state, DevicesAdmitted((replace(devices[0], id="late"),)))
    _, settlement = decide_now(state, frozenset(state.accounts))
    assert settlement.targets == {}
    assert settlement.reasons["late"] is Reason.SLICE_AWAY


def test_the_last_good_plan_survives_losing_a_node() -> None:
    state, _ = state_with(scenario_of(12, 4))
    state, settlement = decide_now(state)
    assert settlement.places
    document = json.loads(json.dumps(state.situation().network.document))
    gone = next(iter(settlement.places.values())).node
    row = document["nodes"]["names"].index(gone)
    for name in ("names", "kinds", "capacity_hz", "position_m"):
        del document["nodes"][name][row]
    state = fold(state, NetworkSet(document))
    last = decide_last_good(state.situation(), state.places)
    assert last.method == LAST_GOOD
    assert last.plan is not None
    assert last.plan.violations.feasible
    assert all(place.node != gone for place in last.places.values())
    assert any(device in last.places for device in settlement.places)


def test_what_no_longer_fits_computes_locally() -> None:
    _, settlement = decide_now(state_with(crowded(16, 2))[0])
    grant = max(settlement.targets.values(), key=lambda g: len(g.seats))
    slower = {d: replace(seat, cycles=seat.cycles * 1.5) for d, seat in grant.seats.items()}
    allocation = allocate(grant, slower)
    assert Reason.NO_CAPACITY in allocation.local.values()
    assert set(allocation.local) | set(allocation.compute) == set(grant.seats)


def test_admission_names_what_is_wrong() -> None:
    state, devices = state_with(scenario_of(4, 0))
    with pytest.raises(InvalidScenarioError, match="did you mean 's0'"):
        admit(state, [replace(devices[0], slice_cycles={"s00": 1e6})], most=100)
    with pytest.raises(InvalidScenarioError, match=r"rate_bps\[0\].*without position_m"):
        admit(state, [replace(devices[0], position_m=None)], most=100)
    with pytest.raises(InvalidScenarioError, match="twice"):
        admit(state, [devices[0], devices[0]], most=100)


def test_an_explanation_agrees_with_the_judge() -> None:
    state, _ = state_with(crowded(10, 3))
    state, settlement = decide_now(state)
    picture = Picture(state, "desired")
    plan = settlement.plan
    assert plan is not None
    device = next(iter(settlement.places))
    i = settlement.devices.index(device)
    answer = explain(picture, device, most=10_000)
    assert sum(a["chosen"] for a in answer["alternatives"]) == 1
    s = plan.scenario
    for alternative in answer["alternatives"]:
        c = alternative["choice"]
        triple = [x.copy() for x in (plan.decisions.access_point, plan.decisions.node, plan.decisions.slice)]
        names = [x.name for x in s.slices]
        triple[0][i], triple[1][i], triple[2][i] = (
            (-1, -1, -1)
            if c["local"]
            else (s.access_points.index(c["access_point"]), s.nodes.index(c["node"]), names.index(c["slice"]))
        )
        decisions = sw.Decisions(*triple)
        shares = optimal_shares(s, decisions)
        assert alternative["feasible"] == (shares is not None)
        if shares is not None:
            cost = replace(plan, decisions=decisions, shares=shares).cost_s
            assert alternative["system_cost_s"] == pytest.approx(cost, rel=1e-9)
        else:
            assert alternative["why_not"]


def test_a_dry_run_changes_nothing_and_says_what_would_be() -> None:
    state, devices = state_with(scenario_of(10, 3))
    state, _ = decide_now(state)
    impossible = replace(devices[0], id="impossible", arrival_rate_hz=1e5)
    answer = dry_run(
        state, add=[replace(devices[1], id="new"), impossible], remove=[devices[2].id], network=None, method="auto",
        options=OPTIONS,
    )  # fmt: skip
    checks = {c["device"]: c for c in answer["checks"]}
    assert checks["impossible"]["result"] == "INFEASIBLE"
    assert checks["impossible"]["reason"] == Reason.UNSTABLE
    assert answer["plan"]["status"] in ("feasible", "optimal")
    assert len(answer["plan"]["decisions"]) == 10
    with pytest.raises(UnknownNameError):
        dry_run(state, add=[], remove=[], network=None, method="no-such", options=OPTIONS)


def history() -> tuple[list[Event], OrchestratorState]:
    """A day in the life: requests, decisions, moves, a refusal, another method."""
    rng = np.random.default_rng(1)
    state = OrchestratorState()
    events: list[Event] = []

    def happen(event: Event) -> None:
        nonlocal state
        events.append(event)
        state = fold(state, event)

    scenario = scenario_of(14, 6)
    devices: tuple[Device, ...] = devices_of(scenario)
    happen(NetworkSet(Network.of(scenario).document))
    happen(DevicesAdmitted(devices, key="k", request_digest="d"))
    for round_ in range(6):
        pinned = frozenset({"s2"}) if round_ == 3 else frozenset()
        _, settlement = decide_now(state, pinned, state.methods.active)
        situation = state.situation(pinned)
        happen(
            decided(
                situation, settlement, (), epoch=state.epoch + 1, options=OPTIONS, pinned=pinned,
                previous=state.places, duration_s=float(rng.random()),
            )
        )  # fmt: skip
        sent: Sent
        for sent in sends(state, pinned):
            happen(sent)
        happen(DevicesAdmitted((moved(devices[round_], rng),)))
        if round_ == 2:
            happen(MethodChanged("switch", "best-response"))
        if round_ == 4:
            happen(DevicesRemoved((devices[0].id,)))
    return events, state


def test_the_state_survives_a_checkpoint() -> None:
    _, state = history()
    again = load(json.loads(json.dumps(dump(state))))
    assert dump(again) == dump(state)
    assert isinstance(again.accounts["s0"].held, Grant)
    assert again.situation().digest == state.situation().digest


def test_replay_finds_no_difference_and_finds_every_alteration(tmp_path: Path) -> None:
    events, _ = history()
    records = chained(GENESIS, 0, 1.5, events)
    lines = [to_line(record) for record in records]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines))
    report = replay_log(read_log(log))
    assert report.differences == ()
    assert (report.decisions, report.recomputed) == (6, 6)
    altered = list(lines)
    where = next(k for k, line in enumerate(lines) if '"decided"' in line)
    altered[where] = altered[where].replace('"seed":0', '"seed":1', 1)
    log.write_text("\n".join(altered))
    assert [d.what for d in replay_log(read_log(log)).differences] == ["chain"]
    log.write_text("\n".join(lines[:where] + lines[where + 1 :]))
    assert "chain" in [d.what for d in replay_log(read_log(log)).differences]
    # Somebody rewrites a decision and the chain after it: the hashes fit, the answer does not.
    k, made = next((k, e) for k, e in enumerate(events) if isinstance(e, Decided))
    forged = replace(made, cost_s=1.0)
    report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], forged, *events[k + 1 :]]))
    assert [d.what for d in report.differences] == ["cost_s"]


def test_a_situation_knows_its_devices_by_digest() -> None:
    state, devices = state_with(scenario_of(5, 0))
    here = state.situation()
    other = Situation(here.network, (moved(devices[0], np.random.default_rng(0)), *devices[1:]))
    assert here.digest != other.digest
