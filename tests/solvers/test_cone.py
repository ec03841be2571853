"""SP3 as a cone programme: the optimum, with and without a start, within limits."""

from __future__ import annotations

import math

import pytest

import slicewright as sw
from slicewright.network import Scenario, load_scenario, preset
from slicewright.policies.slicing import solver as reference
from slicewright.policies.slicing.policy import Answer, FunctionPolicy, Limit
from slicewright.slicing import Decisions, Shares, evaluate, iterated_search
from slicewright.slicing.published.cone_programme import solve_cone
from slicewright.solvers import SolverOptions, SolverStatus, solver
from tests.brute_force import optimum
from tests.instances import REFERENCE, each_reference


def cost(scenario: Scenario, decisions: Decisions, shares: Shares) -> float:
    """System cost of a feasible plan."""
    times, violations = evaluate(scenario, decisions, shares)
    assert violations.feasible, violations.explain()
    return float(times.completion_s.sum())


def tiny(queueing: str, seed: int) -> Scenario:
    """Small enough to try everything, loaded enough for 13b to matter."""
    return preset(
        "paper-slicing", devices=3, seed=seed, access_points=2, coins=1, mecs=1, slices=2, queueing=queueing,
        coin_capacity_hz=(4e8, 6e8), mec_capacity_hz=(8e8, 1e9), local_capacity_hz=(2e7, 2e8),
    )  # fmt: skip


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_against_enumeration(queueing: str, seed: int) -> None:
    scenario = tiny(queueing, seed)
    answer = solve_cone(scenario)
    best = optimum(scenario)
    assert answer.result.status is SolverStatus.OPTIMAL
    assert cost(scenario, answer.decisions, answer.shares) == pytest.approx(best, rel=1e-4)
    assert answer.bound_s <= best * (1 + 1e-9)
    assert answer.bound_s >= best * (1 - 2e-4)


@pytest.mark.skipif(not solver("gurobi").available, reason="the extra 'gurobi' is not installed")
@pytest.mark.parametrize("queueing", ["node", "device"])
def test_gurobi_agrees_with_scip(queueing: str) -> None:
    scenario = tiny(queueing, 1)
    assert solve_cone(scenario, solver="gurobi").bound_s == pytest.approx(
        solve_cone(scenario).bound_s, rel=2e-4
    )


@each_reference(most_devices=6)
def test_the_method_solver_returns_the_reference_optima(entry: dict[str, float]) -> None:
    plan = sw.plan(load_scenario(REFERENCE / str(entry["file"])), method="solver")
    assert plan.cost_s == pytest.approx(entry["best_known_cost_s"], rel=1e-4)
    assert plan.status == "optimal"
    assert plan.lower_bound_s <= entry["best_known_cost_s"] * (1 + 1e-9)
    assert "scip" in plan.notes[-1]


def test_a_start_is_taken_and_never_made_worse() -> None:
    scenario = preset("paper-slicing", devices=15, seed=2)
    start = iterated_search(scenario, rounds=200)
    answer = solve_cone(scenario, start=start, options=SolverOptions(time_limit_s=0.5))
    assert answer.result.status in (SolverStatus.FEASIBLE, SolverStatus.OPTIMAL)
    assert answer.result.values is not None
    assert answer.result.objective <= cost(scenario, *start) * (1 + 1e-6)
    assert cost(scenario, answer.decisions, answer.shares) <= cost(scenario, *start)


def test_without_time_for_a_point_everybody_stays_local() -> None:
    scenario = preset("paper-slicing", devices=30, seed=2)
    answer = solve_cone(scenario, options=SolverOptions(time_limit_s=1e-3))
    assert math.isfinite(answer.bound_s)
    assert 0.0 <= answer.bound_s <= cost(scenario, answer.decisions, answer.shares)


def test_rounds_are_nodes_and_repeat_bit_for_bit() -> None:
    scenario = preset("paper-slicing", devices=3, seed=1)
    one, other = (sw.plan(scenario, method="solver-cold", rounds=1, seed=5) for _ in range(2))
    assert one.decisions == other.decisions
    assert one.proven_bound_s == other.proven_bound_s


def test_the_planner_gives_solvers_a_minute_by_default() -> None:
    limits: list[Limit] = []

    def noting(scenario: Scenario, limit: Limit, seed: int) -> Answer:
        limits.append(limit)
        return reference._cold(scenario, limit, seed)

    policy = FunctionPolicy("patient", "", noting, 60.0)
    sw.register_policy(policy, replace=True)
    sw.plan(tiny("node", 0), method="patient")
    sw.plan(tiny("node", 0), method="patient", budget_s=5.0)
    assert [limit.budget_s for limit in limits[-2:]] == [60.0, 5.0]


def test_devices_out_of_reach_stay_local() -> None:
    scenario = tiny("node", 0)
    rates = scenario.rate_bps.copy()
    rates[1] = 0.0
    answer = solve_cone(scenario.with_(rate_bps=rates))
    assert answer.decisions.local[1]
