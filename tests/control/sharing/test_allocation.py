"""SP1 by a manager's learned model: what is used of its answer, what is overruled, and what the log says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.control.messages.details import Details, details_of
from slicewright.control.sharing.allocation import allocate
from slicewright.control.sharing.rules import Advice, LearnedShares, NoAdviceError, share_rule
from slicewright.control.slice_manager.state import ManagerState, inform, receive
from slicewright.control.state.device import devices_of
from slicewright.control.state.grants import Grant
from slicewright.control.state.network import Network
from slicewright.errors import UnknownNameError
from slicewright.models.slicing.session import FOLDER_VARIABLE
from tests.control.support.learned_shares import AS_TRAINED, LEARNED, decision, details_for, judged, managed
from tests.control.support.scenes import crowded, judge_world, scenario_of


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
