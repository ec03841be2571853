"""Ejections: prices kept from before are those of the present, and never above what a move truly costs."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.network.scenario import Scenario
from slicewright.slicing import iterated_search
from slicewright.slicing._kernels.best_response import make_pricing, respond_alone
from slicewright.slicing._kernels.ejection import eject, prices
from slicewright.slicing._kernels.local_search import promises
from slicewright.slicing._kernels.problem import LOCAL, empty_state, rebuild, total_cost, weigh_plan
from slicewright.slicing.compact import compact
from tests.instances import scenarios

FOREVER = np.int64(2**62)


def thinned(scenario: Scenario, seed: int) -> tuple[Any, Any]:
    """Links and groups of a plan of a short search of which some devices are local again."""
    decisions, _ = iterated_search(scenario, rounds=2, seed=seed)
    _, link, group = compact(scenario).with_decisions(decisions)
    kept = np.random.default_rng(seed).random(link.size) < 0.8
    return np.where(kept, link, LOCAL), np.where(kept, group, LOCAL)


def node_cost(problem: Any, group: Any, j: int) -> float:
    """What node ``j`` costs under best shares where devices have these groups."""
    link = np.where(group == LOCAL, LOCAL, problem.start[:-1])
    state = empty_state(problem)
    rebuild(problem, state, link, group)
    return float(state.node_cost[j])


def in_best_slice(problem: Any, group: Any, i: Any, j: int) -> float:
    """What node ``j`` costs once device ``i`` has joined it where it costs least."""
    costs = []
    for g in range(j, problem.capacity.size, problem.n_nodes):
        changed = group.copy()
        changed[i] = g
        costs.append(node_cost(problem, changed, j))
    return min(costs)


@settings(max_examples=40)
@given(scenario=scenarios(most_devices=8), seed=st.integers(0, 1000))
def test_no_price_is_above_what_a_move_truly_costs(scenario: Scenario, seed: int) -> None:
    problem = compact(scenario).problem
    state, r = empty_state(problem), prices.make_rivals(problem)
    link, group = thinned(scenario, seed)
    rebuild(problem, state, link, group)
    prices.look_again(problem, state, r)
    for k in range(scenario.n_devices):
        gone = group.copy()
        gone[k] = LOCAL
        for j in range(problem.n_nodes):
            if group[k] == LOCAL:
                true = in_best_slice(problem, group, k, j) - state.node_cost[j]
                assert r.entered[j, k] <= true + 1e-9 * abs(true) + 1e-12
        if group[k] == LOCAL:
            continue
        j = int(group[k] % problem.n_nodes)
        for i in np.flatnonzero(group == LOCAL):
            true = in_best_slice(problem, gone, i, j)
            assert r.taken[k, i] <= true * (1.0 + 1e-9)


def test_prices_are_true_where_nobody_is_held_by_local_time() -> None:
    scenario = sw.preset("regime/saturated", devices=20, seed=4)
    problem = compact(scenario).problem
    state, r = empty_state(problem), prices.make_rivals(problem)
    link, group = thinned(scenario, 4)
    rebuild(problem, state, link, group)
    prices.look_again(problem, state, r)
    compared = 0
    for k in np.flatnonzero(group != LOCAL):
        gone = group.copy()
        gone[k] = LOCAL
        j = int(group[k] % problem.n_nodes)
        for i in np.flatnonzero(group == LOCAL):
            true = in_best_slice(problem, gone, i, j)
            compared += bool(np.isfinite(true) and r.taken[k, i] == pytest.approx(true, rel=1e-9))
    assert compared > 20


@settings(max_examples=40)
@given(scenario=scenarios(most_devices=12), seed=st.integers(0, 1000))
def test_prices_that_were_kept_are_those_of_the_present(scenario: Scenario, seed: int) -> None:
    problem = compact(scenario).problem
    state, kept = empty_state(problem), prices.make_rivals(problem)
    for turn in range(3):
        rebuild(problem, state, *thinned(scenario, seed + turn))
        prices.look_again(problem, state, kept)
    fresh = prices.make_rivals(problem)
    prices.look_again(problem, state, fresh)
    offloaded = state.group != LOCAL
    assert np.array_equal(kept.node, fresh.node)
    np.testing.assert_allclose(kept.relief, fresh.relief, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(kept.taken[offloaded], fresh.taken[offloaded], rtol=1e-9)
    np.testing.assert_allclose(kept.entered, fresh.entered, rtol=1e-9, atol=1e-12)


@settings(max_examples=40)
@given(scenario=scenarios(most_devices=12), seed=st.integers(0, 1000), keep_link=st.booleans())
def test_to_whom_prices_promise_nothing_has_nothing_to_gain(
    scenario: Scenario, seed: int, keep_link: bool
) -> None:
    problem = compact(scenario).problem
    state, r, pricing = empty_state(problem), prices.make_rivals(problem), make_pricing(problem)
    link, group = thinned(scenario, seed)
    for i in range(scenario.n_devices):
        rebuild(problem, state, link, group)
        prices.keep_up(problem, state, r)
        if keep_link and link[i] == LOCAL:
            continue
        rounding = 1e-9 * total_cost(problem, state)
        promised = promises.promises(problem, state, r, i, keep_link)
        saved = respond_alone(problem, state, i, pricing, keep_link)
        assert promised or saved <= rounding


@settings(max_examples=40)
@given(scenario=scenarios(most_devices=12), seed=st.integers(0, 1000))
def test_prices_after_a_move_are_those_of_the_present(scenario: Scenario, seed: int) -> None:
    problem = compact(scenario).problem
    state, kept, pricing = empty_state(problem), prices.make_rivals(problem), make_pricing(problem)
    rebuild(problem, state, *thinned(scenario, seed))
    prices.keep_up(problem, state, kept)
    for i in range(scenario.n_devices):
        before = state.group[i]
        if respond_alone(problem, state, i, pricing, False) > 0.0 and state.group[i] != before:
            prices.note_move(problem, state, kept, i, before)
    fresh = prices.make_rivals(problem)
    prices.keep_up(problem, state, fresh)
    offloaded = state.group != LOCAL
    assert np.array_equal(kept.node, fresh.node) and np.array_equal(kept.present, fresh.present)
    np.testing.assert_allclose(kept.relief, fresh.relief, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(kept.back[offloaded], fresh.back[offloaded], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(kept.entered, fresh.entered, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("remembers", [True, False])
def test_what_ejections_save_is_what_the_plan_costs_less(remembers: bool, queueing: str) -> None:
    scenario = sw.preset("regime/balanced", devices=24, seed=2, queueing=queueing)
    problem = compact(scenario).problem
    state, r = empty_state(problem), prices.make_rivals(problem)
    if not remembers:  # as where there are more devices than prices are kept for
        r = r._replace(taken=r.taken[:1].copy(), entered=r.entered[:, :1].copy())
    rebuild(problem, state, *thinned(scenario, 1))
    before, _ = weigh_plan(problem, state.link, state.group)
    order = np.arange(scenario.n_devices)
    saved = eject.eject_each(problem, state, r, order, order.size, FOREVER)
    after, _ = weigh_plan(problem, state.link, state.group)
    assert saved > 0.0
    assert before - after == pytest.approx(saved, rel=1e-9)
    assert total_cost(problem, state) == pytest.approx(after, rel=1e-12)


def test_nothing_moves_where_no_ejection_pays() -> None:
    scenario = sw.preset("regime/balanced", devices=24, seed=2)
    problem = compact(scenario).problem
    state, r = empty_state(problem), prices.make_rivals(problem)
    rebuild(problem, state, *thinned(scenario, 1))
    order = np.arange(scenario.n_devices)
    while eject.eject_each(problem, state, r, order, order.size, FOREVER) > 0.0:
        pass
    before = [np.array(column) for column in (state.link, state.group, state.radio)]
    assert eject.eject_each(problem, state, r, order, order.size, FOREVER) == 0.0
    for column, was in zip((state.link, state.group, state.radio), before, strict=True):
        assert np.array_equal(column, was)
