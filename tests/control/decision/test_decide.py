"""Decisions: what methods propose, what slices that cannot be changed keep, and why devices stay local."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import slicewright as sw
from slicewright.control.decision.decide import LAST_GOOD, _improved, decide, decide_last_good
from slicewright.control.decision.free_problem import free_problem
from slicewright.control.decision.settlement import settle
from slicewright.control.sharing.allocation import allocate
from slicewright.control.state.events import DevicesAdmitted, NetworkSet
from slicewright.control.state.fold import fold, sends
from slicewright.control.state.reasons import Reason
from slicewright.control.state.situation import Pin
from tests.control.support.decisions import DECISION_OPTIONS, decide_now
from tests.control.support.scenes import crowded, moved, scenario_of, state_with


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("seed", range(3))
def test_managers_arrive_at_the_planned_optimum(queueing: str, seed: int) -> None:
    scenario = scenario_of(20, seed, queueing=queueing)
    _, settlement = decide_now(state_with(scenario)[0])
    direct = sw.plan(scenario, rounds=DECISION_OPTIONS.rounds)
    assert settlement.plan is not None
    assert settlement.plan.decisions == direct.decisions
    assert settlement.plan.cost_s == pytest.approx(direct.cost_s, rel=1e-9)


def test_devices_stay_where_they_are_while_that_costs_little() -> None:
    state, devices = state_with(sw.preset("paper-slicing", devices=60, seed=1))
    state, first = decide_now(state)
    rng = np.random.default_rng(0)
    stirred = fresh = 0
    for k in range(12):
        state = fold(state, DevicesAdmitted((moved(devices[k], rng),)))
        free = decide(state.situation(), "auto", rounds=DECISION_OPTIONS.rounds, seed=0)
        before = state.places
        state, kept = decide_now(state)
        assert free is not None
        assert free.plan is not None
        assert kept.plan is not None
        assert kept.plan.cost_s <= free.plan.cost_s * (1 + DECISION_OPTIONS.keep_ratio)
        stirred += sum(before.get(d) != kept.places.get(d) for d in kept.devices)
        fresh += sum(before.get(d) != free.places.get(d) for d in free.devices)
    assert stirred < fresh / 2, (stirred, fresh)
    assert first.places


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
    slower = {d: replace(seat, cycles=seat.cycles * 2.0) for d, seat in grant.seats.items()}
    allocation = allocate(grant, slower)
    assert Reason.NO_CAPACITY in allocation.local.values()
    assert set(allocation.local) | set(allocation.compute) == set(grant.seats)


@pytest.mark.parametrize("method", ["auto", "erap", "random", "local"])
def test_sparing_the_settling_of_an_answer_changes_no_decision(method: str) -> None:
    """As decided before: both the answer and the last plan settled, and their costs compared."""
    state, devices = state_with(scenario_of(24, 3))
    state, _ = decide_now(state)
    rng = np.random.default_rng(1)
    for k in range(8):
        state = fold(state, DevicesAdmitted((moved(devices[k], rng),)))
        situation, previous = state.situation(), state.places
        fresh = decide(situation, method, rounds=10, seed=0)
        problem = free_problem(situation)
        assert problem is not None
        kept = settle(situation, _improved(situation, problem, previous), method, epoch=0)
        assert fresh is not None
        assert fresh.plan is not None
        assert kept is not None
        assert kept.plan is not None
        expected = fresh if kept.plan.cost_s > fresh.plan.cost_s * 1.002 else kept
        found = decide(situation, method, rounds=10, seed=0, previous=previous, keep_ratio=0.002)
        assert found is not None
        assert found.places == expected.places
        assert found.targets == expected.targets
        state, _ = decide_now(state)
