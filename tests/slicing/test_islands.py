"""Islands: a crossing takes over whole nodes and leaves true sums, and search with them repeats and finds optima."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.network.scenario import Scenario
from slicewright.slicing import Plan, iterated_search
from slicewright.slicing._kernels import islands
from slicewright.slicing._kernels.insertion import make_bench
from slicewright.slicing._kernels.problem import LOCAL, empty_state, rebuild, total_cost, weigh_plan
from slicewright.slicing.compact import compact
from slicewright.slicing.exact import solve_exact
from tests.instances import scenarios

MANY_ROUNDS = 300
"""Enough for islands to be settled."""


def settled(scenario: Scenario) -> tuple[Any, Any, islands.Islands]:
    """The problem, a state, and an island for each of three searches of different length."""
    packed = compact(scenario)
    state, found = empty_state(packed.problem), islands.make_islands(scenario.n_devices)
    for k in range(3):
        decisions, _ = iterated_search(scenario, rounds=2 * k, seed=k)
        _, link, group = packed.with_decisions(decisions)
        rebuild(packed.problem, state, link, group)
        islands.settle(packed.problem, state, found, k)
    return packed.problem, state, found


@settings(max_examples=60)
@given(scenario=scenarios(most_devices=12), seed=st.integers(0, 2**32))
def test_a_crossing_takes_over_whole_nodes_and_leaves_true_sums(scenario: Scenario, seed: int) -> None:
    problem, state, found = settled(scenario)
    chosen, taken = np.zeros(problem.n_nodes, np.bool_), np.empty(scenario.n_devices, np.int64)
    bench, random = make_bench(problem), np.array([seed], np.uint64)
    islands.cross(problem, state, found, 0, 2, random, bench, taken, chosen)
    cost, _ = weigh_plan(problem, state.link, state.group)
    assert total_cost(problem, state) == pytest.approx(cost, rel=1e-9)
    assert 1 <= chosen.sum() <= islands.CROSS_MOST
    assert ((state.link == LOCAL) == (state.group == LOCAL)).all()
    theirs, ours = found.group[2], found.group[0]
    for i in range(scenario.n_devices):
        if theirs[i] != LOCAL and chosen[theirs[i] % problem.n_nodes]:
            assert state.group[i] == theirs[i]
        elif ours[i] != LOCAL and not chosen[ours[i] % problem.n_nodes]:
            assert state.group[i] == ours[i]


def test_the_cheapest_island_is_told_by_what_rounding_took_too() -> None:
    found = islands.make_islands(1)
    found.cost[:3] = [[5.0, 1e-17], [5.0, 0.0], [7.0, 0.0]]
    assert islands.best_island(found, 3) == 1
    assert islands.best_island(found, 1) == 0


def test_the_island_that_is_kept_is_kept_whole() -> None:
    _, _, found = settled(sw.preset("regime/balanced", devices=10, seed=3))
    before = [np.array(column) for column in found]
    islands.leave_all_but(found, 2)
    for column, was in zip(found, before, strict=True):
        assert np.array_equal(column[0], was[2])


def test_a_plan_that_another_island_has_already_is_noticed() -> None:
    problem, state, found = settled(sw.preset("regime/balanced", devices=10, seed=3))
    rebuild(problem, state, found.link[2], found.group[2])
    assert islands.is_elsewhere(problem, state, found, 0, 3)
    assert not islands.is_elsewhere(problem, state, found, 2, 3)


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("regime", ["balanced", "compute"])
def test_search_with_islands_repeats_and_finds_the_optimum(regime: str, queueing: str) -> None:
    scenario = sw.preset(f"regime/{regime}", devices=10, seed=5, queueing=queueing)
    first, again = (iterated_search(scenario, rounds=MANY_ROUNDS, seed=2) for _ in range(2))
    assert all(
        np.array_equal(getattr(first[0], field), getattr(again[0], field))
        for field in ("access_point", "node", "slice")
    )
    optimum = solve_exact(scenario, budget_s=20.0)
    assert Plan(scenario, *first).cost_s == pytest.approx(optimum.cost_s, rel=1e-4)
