"""SP1 and SP2: the closed forms are optimal, feasible and agree with an interior-point solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.errors import InvalidScenarioError
from slicewright.network.scenario import Scenario
from slicewright.slicing import (
    Decisions,
    Plan,
    bandwidth_shares,
    compute_shares,
    equal_shares,
    iterated_search,
    optimal_shares,
    proportional_shares,
    radio_shares,
)
from slicewright.types import FloatArray
from tests.brute_force import cost_of
from tests.instances import scenarios

positive = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=8)


@given(positive)
def test_radio_shares_are_stationary(times: list[float]) -> None:
    shares = radio_shares(np.array(times))
    assert shares.sum() == pytest.approx(1)
    marginal = np.array(times) / shares**2  # equal at the optimum of sum T / share on the simplex
    assert np.allclose(marginal, marginal[0])


def test_radio_shares_name_the_bad_entry() -> None:
    with pytest.raises(InvalidScenarioError, match=r"transmission_s\[1\] is 0 but must be positive"):
        radio_shares(np.array([1.0, 0.0]))


def test_bandwidth_shares_of_unused_access_points_are_zero() -> None:
    shares = bandwidth_shares(np.array([[1.0, 3.0], [0.0, 0.0]]))
    assert shares.tolist() == [[0.25, 0.75], [0.0, 0.0]]


@given(
    st.lists(
        st.tuples(st.floats(1e7, 1e9), st.floats(0.05, 20), st.floats(0.01, 0.5)), min_size=1, max_size=7
    ),
    st.floats(1e8, 2e10),
)
def test_compute_shares_satisfy_the_optimality_conditions(
    devices: list[tuple[float, float, float]], capacity: float
) -> None:
    work, tau, queue = map(np.array, zip(*devices, strict=True))
    shares = compute_shares(work, tau, queue, capacity)
    budget = capacity - work @ queue
    if shares is None:
        assert (work / tau).sum() > budget * (1 - 1e-9) or budget <= 0
        return
    surplus = shares * capacity / work - queue
    assert shares.sum() == pytest.approx(1, rel=1e-9)
    assert (surplus >= 1 / tau * (1 - 1e-9)).all()
    free = surplus > 1 / tau * (1 + 1e-9)
    level = surplus * np.sqrt(work)
    if free.any():  # equal marginal value where 13b does not bind, a smaller one where it does
        assert np.allclose(level[free], level[free][0])
        assert (level[~free] >= level[free][0] * (1 - 1e-6)).all()


@given(scenarios(), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_optimal_shares_attain_the_cost_of_an_independent_computation(scenario: Scenario, seed: int) -> None:
    decisions = _random_decisions(scenario, seed)
    shares = optimal_shares(scenario, decisions)
    expected = cost_of(scenario, decisions)
    if shares is None:
        assert expected == np.inf
    else:
        plan = Plan(scenario, decisions, shares)
        assert plan.violations.feasible, plan.violations.explain()
        assert plan.cost_s == pytest.approx(expected, rel=1e-8)


@given(scenarios(), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_rules_of_thumb_never_beat_the_closed_form(scenario: Scenario, seed: int) -> None:
    decisions = _random_decisions(scenario, seed)
    best = optimal_shares(scenario, decisions)
    for rule in (equal_shares, proportional_shares):
        plan = Plan(scenario, decisions, rule(scenario, decisions))
        if plan.violations.feasible and best is not None:
            assert Plan(scenario, decisions, best).cost_s <= plan.cost_s * (1 + 1e-9)


@given(scenarios(most_devices=6))
@settings(max_examples=30, deadline=None)
def test_relabelling_slices_leaves_the_radio_cost_unchanged(scenario: Scenario) -> None:
    decisions, _ = iterated_search(scenario, rounds=5)
    if scenario.n_slices < 2:
        return
    moved = np.where(decisions.local, -1, (decisions.slice + 1) % scenario.n_slices)
    other = Decisions(decisions.access_point, decisions.node, moved)
    radio = [
        Plan(
            scenario, d, proportional_shares(scenario, d).__class__(*_radio_only(scenario, d))
        ).times.transmit_s.sum()
        for d in (decisions, other)
    ]
    assert radio[0] == pytest.approx(radio[1], rel=1e-9)


def _radio_only(scenario: Scenario, decisions: Decisions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Optimal bandwidth and radio shares; compute shares do not matter for transmission."""
    transmission = np.zeros(scenario.n_devices)
    off = np.flatnonzero(~decisions.local)
    transmission[off] = scenario.task_bits[off] / scenario.rate_of(off, decisions.access_point[off])
    sums = np.zeros((scenario.n_access_points, scenario.n_slices))
    np.add.at(sums, (decisions.access_point[off], decisions.slice[off]), np.sqrt(transmission[off]))
    radio = np.zeros(scenario.n_devices)
    radio[off] = np.sqrt(transmission[off]) / sums[decisions.access_point[off], decisions.slice[off]]
    return bandwidth_shares(sums), radio, np.zeros(scenario.n_devices)


def _random_decisions(scenario: Scenario, seed: int) -> Decisions:
    rng = np.random.default_rng(seed)
    local = rng.random(scenario.n_devices) < 0.3
    draw = lambda n: np.where(local, -1, rng.integers(n, size=scenario.n_devices))
    return Decisions(draw(scenario.n_access_points), draw(scenario.n_nodes), draw(scenario.n_slices))
