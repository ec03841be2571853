"""The certificate is valid whatever it is started from, and tight enough to be worth printing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.network.regimes import REGIMES
from slicewright.network.scenario import Scenario
from slicewright.slicing import Decisions, DualPrices, Plan, iterated_search, lower_bound
from slicewright.slicing.certificate import LEAST_ROUNDS
from slicewright.slicing.certificate import certify as certify_plan
from slicewright.slicing.compact import compact
from slicewright.slicing.exact import solve_exact
from slicewright.slicing.exact._kernels.ascent import make_pool
from slicewright.slicing.exact._kernels.certify import certify
from slicewright.slicing.exact._kernels.pricing import Prices, make_buffers
from slicewright.slicing.exact.choices import all_choices
from slicewright.slicing.exact.set_bound import WALK_ROUNDS
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
    """Whole sets are looked for from the plan on, and what is proven with them depends on it."""
    decisions, _ = iterated_search(scenario, rounds=30)
    warm, cold = lower_bound(scenario, start=decisions, queues=False), lower_bound(scenario, queues=False)
    assert warm == pytest.approx(cold, rel=5e-3)


@pytest.mark.parametrize("queueing", ["device", "node"])
@pytest.mark.parametrize("seed", range(3))
def test_where_not_everybody_fits_the_relaxation_does_not_stop_half_way(seed: int, queueing: str) -> None:
    scenario = sw.preset("regime/compute", devices=30, seed=seed, queueing=queueing)
    decisions, _ = iterated_search(scenario, rounds=30)
    warm, cold = lower_bound(scenario, start=decisions, queues=False), lower_bound(scenario, queues=False)
    assert warm == pytest.approx(cold, rel=2e-3)


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


@given(scenarios(most_devices=3, most_nodes=2), st.integers(0, 2**32), st.integers(1, 5), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_any_prices_at_all_are_a_bound(scenario: Scenario, seed: int, rounds: int, efforts: int) -> None:
    """What is proven must not depend on how well prices were chosen, nor on the plan they are meant for."""
    random = np.random.default_rng(seed)
    problem, _, _ = compact(scenario).with_decisions(Decisions.all_local(scenario.n_devices))
    buffers = make_buffers(scenario.n_devices, scenario.n_nodes, scenario.n_slices)
    cost = float(problem.local_time.sum()) * random.lognormal()
    begin, best = (
        Prices(*(problem.local_time * random.lognormal(-1.0, 2.0, scenario.n_devices) for _ in range(2)))
        for _ in range(2)
    )
    found = certify(
        problem, all_choices(problem), begin, best, buffers, make_pool(scenario.n_nodes), cost, np.inf, 1e-6 * cost,
        60, rounds, efforts, 2000, UNLIMITED,
    )  # fmt: skip
    assert found <= optimum(scenario) * (1 + 1e-9)


@given(scenarios(most_devices=4, most_nodes=2), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_certificate_from_any_prices_is_below_the_optimum(scenario: Scenario, seed: int) -> None:
    random = np.random.default_rng(seed)
    offers = scenario.local_time_s * random.lognormal(-1.0, 3.0, (2, scenario.n_devices))
    # In so few rounds as this, few devices are not proven optimal without prices.
    found = lower_bound(scenario, prices=DualPrices(*offers), rounds=WALK_ROUNDS - 1)
    assert 0 < found <= optimum(scenario) * (1 + 1e-9)


@pytest.mark.parametrize(("regime", "devices"), [("paper", 30), ("balanced", 30), ("balanced", 10)])
def test_useless_prices_prove_no_less_than_the_relaxation(regime: str, devices: int) -> None:
    scenario = sw.preset(f"regime/{regime}", devices=devices, seed=1)
    start, _ = iterated_search(scenario, rounds=100)
    relaxation = lower_bound(scenario, start=start, queues=False)
    for factor in (0.0, 1.0, 1e9):
        offers = DualPrices(factor * scenario.local_time_s, factor * scenario.local_time_s)
        for budget_s in (None, 0.0):
            assert lower_bound(scenario, start=start, prices=offers, budget_s=budget_s) > 0
        assert lower_bound(scenario, start=start, prices=offers) >= relaxation * (1 - 1e-9)


@pytest.mark.parametrize("prices", [([1.0], [1.0, 1.0]), ([np.nan, 1.0], [1.0, 1.0])])
def test_prices_that_are_none_are_refused(prices: tuple[list[float], list[float]]) -> None:
    offers = DualPrices(*(np.array(part) for part in prices))
    with pytest.raises(InvalidOptionError, match=r"prices\.radio_s"):
        lower_bound(sw.preset("paper-slicing", devices=2), prices=offers)


def test_prices_of_an_earlier_certificate_or_plan_prove_much_in_little_time() -> None:
    scenario = sw.preset("regime/balanced", devices=30, seed=4, queueing="node")
    found = solve_exact(scenario, most_parts=1)
    assert found.prices is not None
    columns = certify_plan(scenario, start=found.decisions, prices=found.prices, rounds=LEAST_ROUNDS)
    nothing = certify_plan(scenario, start=found.decisions, rounds=LEAST_ROUNDS)
    again = certify_plan(scenario, start=found.decisions, prices=columns.prices, rounds=LEAST_ROUNDS)
    assert found.cost_s / columns.bound_s - 1 < 0.2 * (found.cost_s / nothing.bound_s - 1)
    assert again.bound_s > 0.9 * columns.bound_s


@pytest.mark.parametrize(("regime", "widest"), [("balanced", 0.04), ("compute", 0.08), ("saturated", 0.005)])
def test_where_nodes_are_full_whole_sets_are_what_proves(regime: str, widest: float) -> None:
    for seed in range(2):
        scenario = sw.preset(f"regime/{regime}", devices=20, seed=seed)
        plan = Plan(scenario, *iterated_search(scenario, rounds=1500))
        relaxation = lower_bound(scenario, start=plan.decisions, queues=False)
        assert 0 <= plan.gap < widest
        assert plan.gap < 0.2 * (plan.cost_s / relaxation - 1)


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
