"""The certificate is valid whatever it is started from, and tight enough to be worth printing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.network.scenario import Scenario
from slicewright.slicing import Plan, iterated_search, lower_bound
from tests.brute_force import optimum
from tests.instances import scenarios


@given(scenarios(most_devices=3, most_nodes=2), st.integers(1, 60))
@settings(max_examples=25, deadline=None)
def test_bound_is_below_the_optimum_after_any_number_of_rounds(scenario: Scenario, rounds: int) -> None:
    assert lower_bound(scenario, rounds=rounds) <= optimum(scenario) * (1 + 1e-9)


@given(scenarios(most_devices=10))
@settings(max_examples=30, deadline=None)
def test_the_start_hardly_matters(scenario: Scenario) -> None:
    decisions, _ = iterated_search(scenario, rounds=30)
    warm, cold = lower_bound(scenario, start=decisions), lower_bound(scenario)
    assert warm == pytest.approx(cold, rel=5e-3)


def test_mean_gap_at_published_sizes() -> None:
    gaps = []
    for seed in range(12):
        scenario = sw.preset("paper-slicing", devices=30 + seed, seed=seed)
        gaps.append(Plan(scenario, *iterated_search(scenario, rounds=300)).gap)
    assert np.mean(gaps) < 0.006


@pytest.mark.parametrize(("queueing", "widest"), [("node", 0.02), ("device", 0.005)])
def test_near_the_pole_the_bound_stays_useful(queueing: str, widest: float) -> None:
    """Heavily loaded nodes, where plain Frank-Wolfe steps stall."""
    for seed in range(5):
        scenario = sw.preset(
            "paper-slicing", devices=40, seed=seed, cycles_per_bit=(2, 10), queueing=queueing
        )
        plan = Plan(scenario, *iterated_search(scenario, rounds=300))
        assert 0 <= plan.gap < widest


def test_no_offloading_at_all_is_certified_exactly() -> None:
    scenario = sw.preset("paper-slicing", devices=5, seed=1)
    scenario = scenario.with_(local_capacity_hz=np.full(5, 1e15))
    plan = sw.plan(scenario, rounds=1)
    assert plan.decisions.local.all()
    assert plan.status == "optimal"
