"""The certificate is valid whatever it is started from, and tight enough to be worth printing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.network.regimes import REGIMES
from slicewright.network.scenario import Scenario
from slicewright.slicing import Decisions, Plan, iterated_search, lower_bound
from slicewright.slicing._kernels.bound import relax, times_alone
from slicewright.slicing._kernels.queue_bound import (
    bound_with_queues,
    first_tangents,
    queue_edges,
    times_under_queues,
)
from slicewright.slicing.compact import compact
from slicewright.slicing.search import UNLIMITED
from tests.brute_force import optimum
from tests.instances import scenarios


@given(scenarios(most_devices=3, most_nodes=2), st.integers(1, 60))
@settings(max_examples=25, deadline=None)
def test_bound_is_below_the_optimum_after_any_number_of_rounds(scenario: Scenario, rounds: int) -> None:
    assert lower_bound(scenario, rounds=rounds) <= optimum(scenario) * (1 + 1e-9)


@given(scenarios(most_devices=10))
@settings(max_examples=30, deadline=None)
def test_the_start_hardly_matters_to_the_relaxation(scenario: Scenario) -> None:
    """Where queues are shared, prices are looked for from the plan on, and what is found depends on it."""
    scenario = scenario.with_(queueing="device")
    decisions, _ = iterated_search(scenario, rounds=30)
    warm, cold = lower_bound(scenario, start=decisions), lower_bound(scenario)
    assert warm == pytest.approx(cold, rel=5e-3)


@pytest.mark.parametrize("regime", [name for name in REGIMES if name != "paper"])
def test_shared_queues_are_bounded_below_every_plan_and_above_the_relaxation(regime: str) -> None:
    for seed in range(4):
        scenario = sw.preset(f"regime/{regime}", devices=10, seed=seed)
        decisions, shares = iterated_search(scenario, rounds=200)
        cost = Plan(scenario, decisions, shares).cost_s
        relaxation = lower_bound(scenario.with_(queueing="device"), start=decisions)
        warm, cold = lower_bound(scenario, start=decisions), lower_bound(scenario)
        assert max(warm, cold) <= cost * (1 + 1e-9)
        assert warm >= relaxation * (1 - 1e-2)


@given(st.sampled_from(["balanced", "compute", "saturated", "xr"]), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_extreme_scales_lift_no_bound_above_a_plan(regime: str, seed: int) -> None:
    """Prices of a device whose local time dwarfs all others nearly cancel in the bound."""
    random = np.random.default_rng(seed)
    scenario = sw.preset(f"regime/{regime}", devices=6, seed=seed)
    speed, rate, work = (10.0 ** random.uniform(low, high, 6) for low, high in ((-14, 4), (-60, 0), (-9, 0)))
    scenario = scenario.with_(
        local_capacity_hz=scenario.local_capacity_hz * speed,
        arrival_rate_hz=scenario.arrival_rate_hz * rate,
        slice_cycles=scenario.slice_cycles * work[:, None],
    )
    decisions, shares = iterated_search(scenario, rounds=100)
    cost = Plan(scenario, decisions, shares).cost_s
    assert lower_bound(scenario, start=decisions) <= cost * (1 + 1e-9)
    assert lower_bound(scenario) <= cost * (1 + 1e-9)


@given(scenarios(most_devices=3, most_nodes=2), st.integers(0, 2**32), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_any_prices_at_all_are_a_bound(scenario: Scenario, seed: int, rounds: int) -> None:
    """What is proven must not depend on how well prices were chosen."""
    random = np.random.default_rng(seed)
    scenario = scenario.with_(queueing="node")
    packed = compact(scenario)
    problem, link, group = packed.with_decisions(Decisions.all_local(scenario.n_devices))
    alone = times_alone(problem)
    edges = queue_edges(problem, alone)
    resources = relax(problem, alone, link, group, 1, UNLIMITED)[2]
    tangents = first_tangents(problem, alone, edges, resources, link, group)
    for part in tangents:
        part *= np.exp(random.normal(0.0, 2.0, part.shape))
    n_slices = scenario.n_slices
    tangents.interval[:, :, 1 + n_slices :] = random.uniform(
        0, 1, tangents.interval[:, :, 1 + n_slices :].shape
    )
    tangents.radio[1] = random.uniform(0, 1, tangents.radio[1].shape)
    times = times_under_queues(problem, alone, edges)
    found = bound_with_queues(problem, tangents, times, edges, 0.1, rounds, UNLIMITED)
    assert found <= optimum(scenario) * (1 + 1e-9)


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
