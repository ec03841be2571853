"""The planner of cities against the dense one, against the judge, and against trying everything."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidPlanError, InvalidScenarioError
from slicewright.network import NodeLists, Scenario, preset, scenario_to_dict
from slicewright.slicing import Decisions, lower_bound
from slicewright.slicing._kernels.problem import total_cost
from slicewright.slicing.city import certificate, whole_sets
from slicewright.slicing.city._kernels.shares import shares_of
from slicewright.slicing.city._kernels.whole_sets import prove_sets
from slicewright.slicing.city.bound import CityPrices, prove
from slicewright.slicing.city.pack import pack, state_from
from slicewright.slicing.city.search import city_search, construct
from slicewright.slicing.city.whole_sets import tighten
from slicewright.slicing.judge import evaluate
from slicewright.slicing.published.baselines import random_decisions
from slicewright.slicing.search import best_response
from slicewright.slicing.shares import Shares, optimal_shares
from tests import brute_force

REGIMES = ("paper", "balanced", "realistic")
QUEUEING = ("node", "device")


def _dense(regime: str, queueing: str, devices: int, seed: int = 0) -> Scenario:
    return preset(f"regime/{regime}", devices=devices, seed=seed, queueing=queueing)


def _cost(scenario: Scenario, decisions: Decisions) -> float:
    shares = optimal_shares(scenario, decisions)
    return np.inf if shares is None else float(evaluate(scenario, decisions, shares)[0].completion_s.sum())


@pytest.mark.parametrize("queueing", QUEUEING)
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("devices", [10, 40])
def test_with_every_candidate_listed_costs_and_shares_are_the_dense_ones(
    regime: str, queueing: str, devices: int
) -> None:
    scenario = _dense(regime, queueing, devices)
    problem = pack(scenario)
    for decisions in (best_response(scenario)[0], random_decisions(scenario, seed=1)[0]):
        state = state_from(problem, decisions)
        expected = _cost(scenario, decisions)
        assert total_cost(problem, state) == pytest.approx(expected, rel=1e-9)
        if np.isfinite(expected):
            dense, mine = optimal_shares(scenario, decisions), Shares(*shares_of(problem, state))
            assert dense is not None
            for name in ("bandwidth", "radio", "compute"):
                assert getattr(mine, name) == pytest.approx(getattr(dense, name), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("queueing", QUEUEING)
@pytest.mark.parametrize("regime", REGIMES)
def test_plans_are_feasible_cost_what_the_judge_says_and_lie_above_both_bounds(
    regime: str, queueing: str
) -> None:
    scenario = _dense(regime, queueing, 30)
    decisions, shares = city_search(scenario)
    times, violations = evaluate(scenario, decisions, shares)
    cost = float(times.completion_s.sum())
    assert violations.feasible, violations.explain()
    problem = pack(scenario)
    state = state_from(problem, decisions)
    assert total_cost(problem, state) == pytest.approx(cost, rel=1e-9)
    best = min(cost, sw.plan(scenario, rounds=200).cost_s)
    assert lower_bound(scenario, start=decisions) <= best * (1 + 1e-9)
    assert prove(problem, state).bound_s <= best * (1 + 1e-9)


@pytest.mark.parametrize("queueing", QUEUEING)
@pytest.mark.parametrize("seed", range(6))
def test_no_bound_exceeds_the_optimum_whatever_the_prices(queueing: str, seed: int) -> None:
    ranges = {} if seed % 2 else {"cycles_per_bit": (20.0, 60.0)}
    scenario = preset(
        "paper-slicing", devices=3, seed=seed, queueing=queueing, access_points=2, coins=2, slices=2, **ranges
    )
    optimum = brute_force.optimum(scenario)
    problem, rng = pack(scenario), np.random.default_rng(seed)
    for decisions in (Decisions.all_local(3), city_search(scenario)[0]):
        state = state_from(problem, decisions)
        assert prove(problem, state, rounds=60).bound_s <= optimum * (1 + 1e-9)
        for _ in range(20):
            prices = CityPrices(rng.lognormal(0, 3, 2), rng.lognormal(0, 3, 3))
            assert prove(problem, state, prices=prices, rounds=2).bound_s <= optimum * (1 + 1e-9)


@pytest.mark.parametrize("queueing", QUEUEING)
@pytest.mark.parametrize("seed", range(6))
def test_whole_sets_make_the_bound_tighter_and_never_exceed_the_optimum(queueing: str, seed: int) -> None:
    scenario = preset(
        "paper-slicing", devices=4, seed=seed, queueing=queueing, access_points=2, coins=1, slices=2,
        cycles_per_bit=(20.0, 60.0),
    )  # fmt: skip
    problem = pack(scenario)
    state = construct(problem)
    for rounds in (1, 40):
        proof = prove(problem, state, rounds=rounds)
        tight = tighten(problem, state, proof, threads=1 + seed % 2)
        assert proof.bound_s <= tight <= brute_force.optimum(scenario) * (1 + 1e-9)
    assert tighten(problem, state, proof, budget_s=0.0) >= proof.bound_s


def test_whole_sets_prove_most_of_what_the_relaxation_leaves_open() -> None:
    problem = pack(sw.preset("city/balanced", devices=200))
    state = construct(problem)
    proof = prove(problem, state)
    tight = tighten(problem, state, proof)
    assert tight == tighten(problem, state, proof, threads=2)
    cost = float(total_cost(problem, state))
    assert cost / tight - 1 < 0.7 * (cost / proof.bound_s - 1)


def test_sets_that_can_close_little_are_looked_at_further_only_where_a_budget_asks_for_it() -> None:
    problem = pack(sw.preset("city/realistic", devices=150))
    state = construct(problem)
    proof = prove(problem, state)
    by_itself, asked = tighten(problem, state, proof), tighten(problem, state, proof, budget_s=100.0)
    assert proof.bound_s < by_itself < asked <= total_cost(problem, state)


def test_what_looks_at_whole_sets_is_loaded_before_anybody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = list[int]()

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return prove_sets(*arguments)

    monkeypatch.setattr(whole_sets, "prove_sets", counted)
    certificate.load_kernels.__wrapped__()
    assert calls


def test_settling_nodes_ends_with_its_part_of_the_time() -> None:
    problem = pack(sw.preset("city/paper", devices=2_000))
    state = construct(problem)
    hurried = prove(problem, state, budget_s=1e-6)
    assert 0.0 < hurried.bound_s <= prove(problem, state, rounds=20).bound_s
    assert hurried.rounds == 1


@pytest.mark.parametrize("queueing", QUEUEING)
def test_lists_are_kept_to_and_the_best_of_everything_allowed_is_bounded(queueing: str) -> None:
    whole = preset(
        "paper-slicing", devices=3, seed=5, queueing=queueing, access_points=2, coins=2, slices=2, cycles_per_bit=30.0
    )  # fmt: skip
    scenario = whole.with_(node_lists=NodeLists(np.array([0, 1, 3, 3]), np.array([1, 0, 2])))
    decisions, shares = city_search(scenario)
    times, violations = evaluate(scenario, decisions, shares)
    assert violations.feasible
    options = [
        [(-1, -1, -1), *((a, j, n) for a in range(2) for j in nodes for n in range(2))]
        for nodes in ([1], [0, 2], [])
    ]
    best = min(
        _cost(whole, Decisions(*map(np.array, zip(*v, strict=True)))) for v in itertools.product(*options)
    )
    assert best <= times.completion_s.sum() * (1 + 1e-9)
    assert lower_bound(scenario, start=decisions) <= best * (1 + 1e-9)
    outside = Decisions(np.array([0, -1, -1]), np.array([0, -1, -1]), np.array([0, -1, -1]))
    assert evaluate(scenario, outside, Shares.none(scenario))[1].broken == ("13a",)
    with pytest.raises(InvalidPlanError, match=r"decisions\[0\]"):
        state_from(pack(scenario), outside)


@pytest.mark.parametrize("queueing", QUEUEING)
@pytest.mark.parametrize("regime", REGIMES)
def test_a_city_is_planned_by_name(regime: str, queueing: str) -> None:
    scenario = sw.preset(f"city/{regime}", devices=400, seed=2, queueing=queueing)
    plan = sw.plan(scenario)
    assert plan.violations.feasible
    assert 0 < plan.lower_bound_s <= plan.cost_s
    by_default, by_name = (sw.plan(scenario, method=method, rounds=60) for method in ("auto", "city"))
    assert by_name.cost_s == by_default.cost_s


def test_the_bound_repeats_bit_for_bit_on_any_number_of_threads() -> None:
    scenario = sw.preset("city/paper", devices=300)
    problem = pack(scenario)
    state = state_from(problem, city_search(scenario)[0])
    values = {prove(problem, state, rounds=20, threads=threads).bound_s for threads in (1, 2, 3)}
    assert len(values) == 1


def test_dense_methods_say_that_they_do_not_read_lists() -> None:
    scenario = sw.preset("city/paper", devices=20)
    with pytest.raises(InvalidScenarioError, match="use method auto or city"):
        sw.plan(scenario, method="best-response")


def test_lists_survive_a_file() -> None:
    scenario = sw.preset("city/paper", devices=50)
    again = sw.load_scenario(scenario_to_dict(scenario))
    assert scenario.node_lists is not None
    assert again.node_lists is not None
    assert np.array_equal(again.node_lists.node, scenario.node_lists.node)
    assert np.array_equal(again.links.rate_bps, scenario.links.rate_bps)


@pytest.mark.parametrize(
    ("start", "node", "message"),
    [
        ([0, 1], [0], r"devices.nodes.start must have shape|must have shape"),
        ([0, 1, 1, 2], [0, 3], "index from 0 to 2"),
        ([0, 2, 2, 2], [1, 1], r"devices.nodes.node\[1\] is 1 but must rise"),
        ([0, 2, 1, 2], [0, 1], "must rise from 0 to 2"),
    ],
)
def test_damaged_lists_are_refused(start: list[int], node: list[int], message: str) -> None:
    scenario = preset("paper-slicing", devices=3, coins=2)
    with pytest.raises(InvalidScenarioError, match=message):
        scenario.with_(node_lists=NodeLists(np.array(start), np.array(node)))
