"""SP1 and SP2 by Ipopt agree with the closed forms: two independent ways to one optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.errors import InvalidPlanError
from slicewright.network import Scenario, preset
from slicewright.slicing import Decisions, Shares, evaluate, optimal_shares
from slicewright.slicing.published.baselines import random_decisions
from slicewright.slicing.published.ipopt_shares import ipopt_shares
from slicewright.solvers import solver
from tests.instances import scenarios

pytestmark = pytest.mark.skipif(
    not solver("ipopt").available, reason="the extra 'reference' is not installed"
)


def cost(scenario: Scenario, decisions: Decisions, shares: Shares) -> float:
    """System cost of a feasible plan."""
    times, violations = evaluate(scenario, decisions, shares)
    assert violations.feasible, violations.explain()
    return float(times.completion_s.sum())


@settings(max_examples=40, deadline=None)
@given(scenarios(), st.integers(0, 1000))
def test_same_optimum(scenario: Scenario, seed: int) -> None:
    decisions, closed = random_decisions(scenario, seed=seed)
    reference = ipopt_shares(scenario, decisions)
    assert reference.shares is not None
    assert cost(scenario, decisions, reference.shares) == pytest.approx(
        cost(scenario, decisions, closed), rel=1e-6
    )


def crowded(queueing: str) -> tuple[Scenario, Decisions]:
    """Six devices on one slow node, where 13b binds for those with quick processors of their own."""
    scenario = preset(
        "paper-slicing", devices=6, seed=4, coins=1, mecs=0, slices=2, queueing=queueing,
        local_capacity_hz=(2e7, 2e8), coin_capacity_hz=(4e8, 4e8), arrival_rate_hz=(0.05, 0.1),
    )  # fmt: skip
    zero = np.zeros(6, dtype=np.int64)
    return scenario, Decisions(zero, zero, np.array([0, 0, 0, 1, 1, 1]))


@pytest.mark.parametrize("queueing", ["node", "device"])
def test_same_optimum_where_13b_binds(queueing: str) -> None:
    scenario, decisions = crowded(queueing)
    closed = optimal_shares(scenario, decisions)
    assert closed is not None
    times, _ = evaluate(scenario, decisions, closed)
    binding = np.isclose(times.execute_s, scenario.local_time_s, rtol=1e-9)
    assert 0 < binding.sum() < 6
    reference = ipopt_shares(scenario, decisions)
    assert reference.shares is not None
    assert cost(scenario, decisions, reference.shares) == pytest.approx(
        cost(scenario, decisions, closed), rel=1e-6
    )


def test_decisions_that_no_shares_make_feasible() -> None:
    scenario, decisions = crowded("node")
    slow = scenario.with_(node_capacity_hz=scenario.node_capacity_hz / 4)
    assert optimal_shares(slow, decisions) is None
    assert ipopt_shares(slow, decisions).shares is None


def test_nobody_offloads() -> None:
    scenario, _ = crowded("node")
    reference = ipopt_shares(scenario, Decisions.all_local(6))
    assert reference.results == ()
    assert reference.shares is not None
    assert not reference.shares.bandwidth.any()


def test_decisions_that_do_not_exist_are_refused() -> None:
    scenario, decisions = crowded("node")
    with pytest.raises(InvalidPlanError, match="13a"):
        ipopt_shares(scenario, Decisions(decisions.access_point, decisions.node + 5, decisions.slice))
