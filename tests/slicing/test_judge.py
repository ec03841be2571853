"""One judge: each constraint is reported where it is broken, and by how much."""

from collections.abc import Callable

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidPlanError
from slicewright.slicing import Decisions, Plan, Shares, Violations, evaluate
from slicewright.slicing.judge import times_of
from slicewright.types import FloatArray


@pytest.fixture
def plan() -> Plan:
    return sw.plan(sw.preset("paper-slicing", devices=12, seed=3), rounds=100)


def _shares(plan: Plan, **changed: FloatArray) -> Shares:
    parts = {"bandwidth": plan.shares.bandwidth, "radio": plan.shares.radio, "compute": plan.shares.compute}
    return Shares(**{name: changed.get(name, value).copy() for name, value in parts.items()})


def _broken(
    plan: Plan, decisions: Decisions | None = None, shares: Shares | None = None
) -> tuple[Violations, set[str]]:
    violations = evaluate(plan.scenario, decisions or plan.decisions, shares or plan.shares)[1]
    return violations, set(violations.broken)


def test_a_sound_plan_breaks_nothing_and_costs_the_sum_of_its_times(plan: Plan) -> None:
    violations, broken = _broken(plan)
    assert not broken
    assert violations.feasible
    assert violations.explain() == ""
    assert plan.cost_s == pytest.approx(plan.times.completion_s.sum())


def test_times_follow_the_model_page(plan: Plan) -> None:
    s, d, shares = plan.scenario, plan.decisions, plan.shares
    i = int(np.flatnonzero(~d.local)[0])
    a, j, n = d.access_point[i], d.node[i], d.slice[i]
    arrivals = s.arrival_rate_hz[d.node == j].sum()
    transmit = s.task_bits[i] / s.rate_bps[i, a] / (shares.bandwidth[a, n] * shares.radio[i])
    execute = 1 / (shares.compute[i] * s.node_capacity_hz[j, n] / s.slice_cycles[i, n] - arrivals)
    assert plan.times.transmit_s[i] == pytest.approx(transmit)
    assert plan.times.execute_s[i] == pytest.approx(execute)


def test_the_times_alone_are_those_of_the_judgement(plan: Plan) -> None:
    times, _ = evaluate(plan.scenario, plan.decisions, plan.shares)
    alone = times_of(plan.scenario, plan.decisions, plan.shares)
    np.testing.assert_array_equal(alone.transmit_s, times.transmit_s)
    np.testing.assert_array_equal(alone.execute_s, times.execute_s)
    with pytest.raises(InvalidPlanError, match="radio_share"):
        times_of(
            plan.scenario, plan.decisions, Shares(plan.shares.bandwidth, np.zeros(1), plan.shares.compute)
        )


def test_13a_counts_devices_without_exactly_one_decision(plan: Plan) -> None:
    d = plan.decisions
    half = Decisions(
        np.where(np.arange(12) == 4, 0, d.access_point), np.where(np.arange(12) == 4, -1, d.node), d.slice
    )
    violations, broken = _broken(plan, half)
    assert "13a" in broken
    assert violations.residuals["13a"] == 1
    assert violations.worst["13a"] == "device 4"


def test_13a_rejects_places_that_do_not_exist(plan: Plan) -> None:
    i = int(np.flatnonzero(~plan.decisions.local)[0])
    node = plan.decisions.node.copy()
    node[i] = 99
    assert "13a" in _broken(plan, Decisions(plan.decisions.access_point, node, plan.decisions.slice))[1]


def test_13b_is_measured_in_seconds_of_execution(plan: Plan) -> None:
    i = int(np.flatnonzero(~plan.decisions.local)[0])
    d, s = plan.decisions, plan.scenario
    arrivals = s.arrival_rate_hz[d.node == d.node[i]].sum()
    slow = plan.shares.compute.copy()
    wanted = 2 * s.local_time_s[i]
    slow[i] = (
        (arrivals + 1 / wanted) * s.slice_cycles[i, d.slice[i]] / s.node_capacity_hz[d.node[i], d.slice[i]]
    )
    violations, broken = _broken(plan, shares=_shares(plan, compute=slow))
    assert broken == {"13b"}
    assert violations.residuals["13b"] == pytest.approx(s.local_time_s[i], rel=1e-6)
    assert violations.worst["13b"] == f"device {i}"


def test_13c_reports_the_missing_service_rate(plan: Plan) -> None:
    i = int(np.flatnonzero(~plan.decisions.local)[0])
    none = plan.shares.compute.copy()
    none[i] = 0.0
    violations, broken = _broken(plan, shares=_shares(plan, compute=none))
    assert "13c" in broken
    arrivals = plan.scenario.arrival_rate_hz[plan.decisions.node == plan.decisions.node[i]].sum()
    assert violations.residuals["13c"] == pytest.approx(arrivals)


def test_a_queue_exactly_at_its_limit_is_not_stable(plan: Plan) -> None:
    i = int(np.flatnonzero(~plan.decisions.local)[0])
    d, s = plan.decisions, plan.scenario
    arrivals = s.arrival_rate_hz[d.node == d.node[i]].sum()
    share = plan.shares.compute.copy()
    share[i] = arrivals * s.slice_cycles[i, d.slice[i]] / s.node_capacity_hz[d.node[i], d.slice[i]]
    assert "13b" in _broken(plan, shares=_shares(plan, compute=share))[1]


@pytest.mark.parametrize(
    ("rule", "part", "change"),
    [
        ("13d", "bandwidth", lambda x: x + 0.1),
        ("13e", "radio", lambda x: x * 1.2),
        ("13e", "compute", lambda x: x * 1.2),
        ("13f", "bandwidth", lambda x: np.where(x == 0, -0.2, x)),
        ("13g", "radio", lambda x: np.where(x == 0, -0.2, x)),
        ("13g", "compute", lambda x: np.where(x == 0, -0.2, x)),
    ],
)
def test_each_share_rule_is_caught(rule: str, part: str, change: Callable[[FloatArray], FloatArray]) -> None:
    scenario = sw.preset("paper-slicing", devices=12, seed=3, access_points=4, slices=5)
    scenario = scenario.with_(
        local_capacity_hz=np.where(np.arange(12) == 0, 1e12, scenario.local_capacity_hz)
    )
    plan = sw.plan(scenario, rounds=50)
    shares = _shares(plan, **{part: change(getattr(plan.shares, part))})
    violations, broken = _broken(plan, shares=shares)
    assert rule in broken
    assert rule in violations.explain()
    assert violations.worst[rule]


def test_wrong_shapes_and_nan_are_named(plan: Plan) -> None:
    with pytest.raises(InvalidPlanError, match="radio_share"):
        evaluate(plan.scenario, plan.decisions, _shares(plan, radio=np.ones(3)))
    shares = _shares(plan)
    shares.compute[2] = np.nan
    with pytest.raises(InvalidPlanError, match=r"compute_share\[2\] is nan"):
        evaluate(plan.scenario, plan.decisions, shares)


def test_status_is_infeasible_whatever_the_cost(plan: Plan) -> None:
    assert (
        Plan(plan.scenario, plan.decisions, _shares(plan, radio=plan.shares.radio * 2)).status == "infeasible"
    )
