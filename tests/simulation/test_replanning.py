"""Plans made anew by every method: each plugs in by its name, with the shares that it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.network.regimes import REGIMES
from slicewright.policies.slicing import policy
from slicewright.simulation import Air, Replanning, Settings, Simulation, Walk, Walkers


@pytest.fixture(scope="module")
def plan() -> sw.Plan:
    return sw.plan(sw.preset("paper-slicing", devices=8, seed=2), method="greedy")


def moving(plan: sw.Plan, **options: Any) -> Simulation:
    return Simulation(
        plan,
        Settings(seed=1, air=Air(shadowing_db=4.0)),
        movement=Walkers(plan.scenario, Walk(speed_mps=(5.0, 15.0)), seed=1),
        replanning=Replanning(every_s=10.0, certify=True, **options),
    )


@pytest.mark.parametrize("method", sw.policies())
def test_every_method_plans_anew(plan: sw.Plan, method: str) -> None:
    slow = getattr(policy(method), "default_budget_s", None) is not None
    limit: dict[str, float] = {"budget_s": 0.05} if slow else {"rounds": 3}
    run = moving(plan, method=method, **limit)
    tasks = run.advance(20.5)
    assert len(tasks) + run.queues.n_inside == run.queues.n_arrived
    assert [step.now_s for step in run.steps] == [10.0, 20.0]
    for step in run.steps:
        assert step.bound_s <= step.cost_s * (1 + 1e-9) < np.inf
        assert step.missed >= 0 and step.decision_s > 0


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("method", ["warm", "incremental"])
def test_plans_stay_feasible_whatever_is_scarce(regime: str, method: str) -> None:
    scenario = sw.preset(f"regime/{regime}", devices=12, seed=3)
    run = moving(sw.plan(scenario, rounds=10), method=method, rounds=10)
    run.advance(30.5)
    assert len(run.steps) == 3
    for step in run.steps:
        assert step.bound_s <= step.cost_s * (1 + 1e-9) < np.inf
        assert method == "incremental" or step.cost_s <= step.kept_s * (1 + 1e-9)
    problem, devices = run.scenario_now()
    assert devices.size == 12 and run.decisions.valid(problem).all()


def test_equal_shares_are_in_force_where_a_method_gives_equal_shares(plan: sw.Plan) -> None:
    run = moving(plan, method="erap", rounds=1)
    run.advance(9.5)
    run.advance(10.0)
    problem, _ = run.scenario_now()
    asked = sw.plan(problem, method="erap", rounds=1, seed=0)
    assert run.steps[0].cost_s == pytest.approx(asked.cost_s, rel=1e-12)
    assert run.steps[0].cost_s > sw.plan(problem, method="auto", rounds=20).cost_s
    np.testing.assert_array_equal(run.bandwidth_share, asked.shares.bandwidth)
