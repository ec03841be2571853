"""Plans from columns: what search does not reach where nodes are full, and how near to proofs they lead."""

from __future__ import annotations

import pytest

import slicewright as sw
from slicewright.slicing.exact import solve_exact
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import optimal_shares


@pytest.mark.parametrize(("devices", "seed"), [(28, 9002), (35, 9002)])
def test_columns_give_plans_that_search_does_not_reach(devices: int, seed: int) -> None:
    scenario = sw.preset("regime/balanced", devices=devices, seed=seed, queueing="node")
    searched = sw.Plan(scenario, *iterated_search(scenario, rounds=300))
    found = solve_exact(scenario, most_parts=1)
    assert found.cost_s < searched.cost_s * (1 - 0.003)
    shares = optimal_shares(scenario, found.decisions)
    assert shares is not None
    plan = sw.Plan(scenario, found.decisions, shares)
    assert plan.violations.feasible
    assert plan.cost_s == pytest.approx(found.cost_s, rel=1e-9)


def test_a_proof_without_a_budget_repeats_bit_for_bit() -> None:
    scenario = sw.preset("regime/balanced", devices=20, seed=3, queueing="node")
    one, two = (solve_exact(scenario, most_parts=8) for _ in range(2))
    assert (one.cost_s, one.bound_s, one.parts) == (two.cost_s, two.bound_s, two.parts)


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("regime", ["paper", "balanced", "compute"])
def test_a_small_network_is_proven_optimal(regime: str, queueing: str) -> None:
    scenario = sw.preset(f"regime/{regime}", devices=10, seed=7001, queueing=queueing)
    plan = sw.plan(scenario, rounds=400)
    assert plan.status == "optimal"
    assert plan.lower_bound_s <= solve_exact(scenario, gap=1e-7).cost_s
