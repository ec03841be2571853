"""Moves of whole groups (queueing "device"): each is the best of its kind, and says truly what it saves."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

import slicewright as sw
from slicewright.network.scenario import Scenario
from slicewright.slicing import Plan, iterated_search
from slicewright.slicing._kernels.ejection.prices import make_rivals
from slicewright.slicing._kernels.groups import division, reassignment, selection
from slicewright.slicing._kernels.groups.regroup import make_regrouping, mark_all, regroup
from slicewright.slicing._kernels.local_search.exchange import make_workspace
from slicewright.slicing._kernels.problem import LOCAL, empty_state, rebuild, total_cost, weigh_plan
from slicewright.slicing.compact import compact
from slicewright.slicing.exact import solve_exact
from tests.instances import scenarios

FOREVER = np.int64(2**62)


def searched(scenario: Scenario, seed: int, *, rounds: int = 0) -> tuple[Any, Any]:
    """The problem, and the state of a random plan of it after some search."""
    packed = compact(scenario)
    problem = packed.problem
    random = np.random.default_rng(seed)
    decisions, _ = iterated_search(scenario, rounds=rounds, seed=seed)
    _, link, group = packed.with_decisions(decisions)
    kept = random.random(link.size) < 0.8
    state = empty_state(problem)
    rebuild(problem, state, np.where(kept, link, LOCAL), np.where(kept, group, LOCAL))
    return problem, state


def true_cost(problem: Any, state: Any) -> float:
    cost, _ = weigh_plan(problem, state.link, state.group)
    return float(cost)


def crowded(seed: int, devices: int = 14) -> Scenario:
    """Some nodes that take several devices each."""
    return sw.preset("regime/compute", devices=devices, seed=seed, coins=2, queueing="device")


@pytest.mark.parametrize("seed", range(12))
def test_places_are_dealt_out_at_least_cost(seed: int) -> None:
    problem, state = searched(sw.preset("regime/compute", devices=30, seed=seed, queueing="device"), seed)
    deal, random = reassignment.make_deal(problem), np.array([seed], np.uint64)
    count = reassignment.gather(problem, state, deal, random)
    reassignment.price_places(problem, deal, count)
    reassignment.deal_out(deal, count)
    places = deal.group.size
    costs = np.full((count, places + count), 1e30)
    costs[:, :places] = np.minimum(deal.cost[:count], 1e30)
    costs[np.arange(count), places + np.arange(count)] = deal.home[:count]
    rows, columns = linear_sum_assignment(costs)
    taken = [x for x in deal.place[:count] if x != reassignment.NOWHERE]
    assert len(set(taken)) == len(taken) > 0
    dealt = sum(
        deal.home[c] if x == reassignment.NOWHERE else deal.cost[c, x]
        for c, x in enumerate(deal.place[:count])
    )
    assert dealt == pytest.approx(costs[rows, columns].sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_no_other_division_of_two_groups_is_cheaper(seed: int) -> None:
    problem, state = searched(crowded(seed), seed)
    r, random = division.make_division(problem), np.array([seed], np.uint64)
    division.divide_each(problem, state, r, random, FOREVER)
    best, tried = true_cost(problem, state), 0
    sizes = np.bincount(state.group[state.group != LOCAL], minlength=problem.capacity.size)
    large = np.flatnonzero(sizes >= division.FEWEST)
    for one, g in enumerate(large):
        for h in large[one + 1 :]:
            members = np.flatnonzero((state.group == g) | (state.group == h))
            assert members.size <= 2 * division.HALF
            for subset in range(1 << members.size):
                group = state.group.copy()
                group[members] = np.where((subset >> np.arange(members.size)) & 1, g, h)
                assert weigh_plan(problem, state.link, group)[0] >= best * (1 - 1e-9)
                tried += 1
    assert tried > 0


@pytest.mark.parametrize("seed", range(8))
def test_no_other_selection_is_cheaper(seed: int) -> None:
    problem, state = searched(crowded(seed, devices=24), seed)
    r, random = selection.make_selection(problem), np.array([seed], np.uint64)
    sizes = np.bincount(state.group[state.group != LOCAL], minlength=problem.capacity.size)
    g = int(sizes.argmax())
    count = selection.gather_candidates(problem, state, r, g, random)
    devices, links = r.device[:count].copy(), r.link[:count].copy()
    assert count > sizes[g] >= selection.FEWEST
    subset = selection.best_selection(problem, state, r, g, count)
    before = true_cost(problem, state)
    saved = selection.enter_or_leave(problem, state, r, g, count, subset) if subset else 0.0
    best = true_cost(problem, state)
    assert before - best == pytest.approx(saved, rel=1e-9, abs=1e-9 * before)
    for other in range(1 << count):
        serves = ((other >> np.arange(count)) & 1).astype(bool)
        link, group = state.link.copy(), state.group.copy()
        link[devices], group[devices] = np.where(serves, links, LOCAL), np.where(serves, g, LOCAL)
        assert weigh_plan(problem, link, group)[0] >= best * (1 - 1e-9)


@given(scenarios(most_devices=12), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_moves_save_what_they_say_and_never_cost(scenario: Scenario, seed: int) -> None:
    problem, state = searched(dataclasses.replace(scenario, queueing="device"), seed)
    deal, chosen, divided = (
        reassignment.make_deal(problem),
        selection.make_selection(problem),
        division.make_division(problem),
    )
    random = np.array([seed], np.uint64)
    for move in (
        lambda: reassignment.reassign(problem, state, deal, random),
        lambda: selection.select_each(problem, state, chosen, random, divided.dirty, FOREVER),
        lambda: division.divide_each(problem, state, divided, random, FOREVER),
    ):
        before = true_cost(problem, state)
        saved = move()
        after = true_cost(problem, state)
        assert saved >= 0.0 and after < np.inf
        assert total_cost(problem, state) == pytest.approx(after, rel=1e-9)
        assert before - after == pytest.approx(saved, rel=1e-6, abs=1e-9 * before)


def test_regrouping_ends_and_then_finds_nothing() -> None:
    problem, state = searched(crowded(3, devices=40), 3)
    regrouping, random = make_regrouping(problem), np.array([3], np.uint64)
    order = np.argsort(-problem.local_time)
    scratch = make_workspace(problem, make_rivals(problem))
    costs = [true_cost(problem, state)]
    for _ in range(2):
        mark_all(regrouping)
        regroup(problem, state, regrouping, random, order, order.size, scratch, FOREVER)
        costs.append(true_cost(problem, state))
    assert costs[1] < 0.99 * costs[0]
    assert costs[2] == pytest.approx(costs[1], rel=1e-3)


@pytest.mark.parametrize("seed", [7001, 7003, 7005])
def test_a_few_rounds_are_enough_where_one_node_takes_a_dozen_devices(seed: int) -> None:
    """Three groups of five devices each: by moves of one or two devices search was 5 to 29 % above after 20 rounds."""
    scenario = sw.preset("regime/compute", devices=30, seed=seed, queueing="device")
    plan = Plan(scenario, *iterated_search(scenario, rounds=20))
    assert plan.cost_s <= solve_exact(scenario).cost_s * 1.001
