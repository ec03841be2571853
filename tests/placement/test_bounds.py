"""Bounds hold for any prices, in every regime and at every scale: against enumeration, and against HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.placement import PLACEMENT_REGIMES, Tasks, lower_bound, place, placement_preset
from slicewright.placement._kernels.opening.market import open_market, trade
from slicewright.placement._kernels.opening.sweep import sweep
from slicewright.placement.bound import (
    NEVER_NS,
    Fees,
    bound_of,
    copies_of,
    open_fees,
    raise_bound,
    regrets_of,
    without_the_hopeless,
)
from slicewright.placement.branching import Branching
from slicewright.placement.exact import solve_exact
from slicewright.placement.judge import judge
from slicewright.placement.search import compiled_problem, explore_levels, unsettled
from slicewright.types import FloatArray
from tests.placement.problems import cheapest_by_enumeration

SMALL: dict[str, Any] = {"lower_coins": 3, "upper_coins": 2, "access_points": 3}
ROUNDING = 1 + 1e-9
some = settings(max_examples=30, deadline=None)


@st.composite
def regime_tasks(draw: st.DrawFn, *, most_tasks: int = 3) -> Tasks:
    """Few tasks of any regime on a few nodes, so that all placements can be tried."""
    name = draw(st.sampled_from(sorted(PLACEMENT_REGIMES)))
    crowd = draw(st.sampled_from([1.0, 3.0, 10.0]))  # as if there were more of them
    tasks = placement_preset(
        f"regime/{name}", tasks=draw(st.integers(1, most_tasks)), seed=draw(st.integers(0, 10_000)), **SMALL
    )
    return tasks.with_(arrival_rate_hz=tasks.arrival_rate_hz * crowd)


def random_fees(tasks: Tasks, seed: int, shape: tuple[int, ...]) -> FloatArray:
    """Fees from nothing to more than any task would pay."""
    rng = np.random.default_rng(seed)
    fees = tasks.rejection_cost[:, None, None] * 10.0 ** rng.uniform(-4.0, 0.5, shape)
    fees[:, -1] = 0.0  # the node that does not exist asks for nothing
    return np.asarray(np.where(rng.random(shape) < 0.3, 0.0, fees))


@some
@given(tasks=regime_tasks(), seed=st.integers(0, 1000))
def test_no_prices_prove_more_than_the_optimum(tasks: Tasks, seed: int) -> None:
    best = cheapest_by_enumeration(tasks)
    problem = compiled_problem(tasks)
    copies = copies_of(problem)
    fees = random_fees(tasks, seed, copies.rank.shape)
    assert bound_of(problem, copies, fees) <= best * ROUNDING
    assert bound_of(problem, copies, sweep(problem, copies, fees)) <= best * ROUNDING
    assert open_fees(problem, copies, 3.0 * best).bound <= best * ROUNDING
    traded, _ = trade(problem, open_market(problem, copies), best * (0.5 + seed % 3), 20, NEVER_NS)
    assert traded <= best * ROUNDING
    raised = raise_bound(problem, Fees(copies, fees, 0.0, 0.0), best * (0.5 + seed % 3), iterations=20)
    assert raised.bound <= best * ROUNDING


@some
@given(tasks=regime_tasks(), seed=st.integers(0, 1000), above=st.floats(0.0, 0.5))
def test_what_prices_rule_out_is_no_part_of_the_optimum(tasks: Tasks, seed: int, above: float) -> None:
    best = cheapest_by_enumeration(tasks)
    problem = compiled_problem(tasks)
    copies = copies_of(problem)
    for fee in (random_fees(tasks, seed, copies.rank.shape), open_fees(problem, copies, best).fee):
        value = bound_of(problem, copies, fee)
        fees = Fees(copies, fee, value, value)
        cost = best * (1.0 + above)
        left, _, _ = without_the_hopeless(problem, fees, regrets_of(problem, fees), cost)
        keep = np.zeros((tasks.n_tasks, tasks.options.count), dtype=bool)
        for k in range(tasks.n_tasks):
            keep[k, left.option[k, : left.count[k]]] = True
        choice, _ = solve_exact(tasks, keep=keep)
        assert choice is not None
        assert judge(tasks, choice).objective_bit_hops == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("load", [0.55, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_exact_keeps_limits_that_are_all_alike(load: float, seed: int) -> None:
    """No limit of a node is tighter than another, so that only what may arrive there at most keeps tasks in time."""
    n = 3
    alike = placement_preset("regime/paper", tasks=n, seed=seed, **SMALL).with_(
        cycles=np.full(n, 1e7), deadline_s=np.full(n, 1.0), access_point=np.zeros(n, dtype=np.int64)
    )
    rate = load * float(np.median(alike.options.limit[0, :-1, 0]))
    tasks = alike.with_(arrival_rate_hz=np.full(n, rate))
    choice, bound = solve_exact(tasks)
    assert choice is not None
    judged = judge(tasks, choice)
    assert judged.violations.feasible
    assert judged.objective_bit_hops == pytest.approx(cheapest_by_enumeration(tasks), rel=1e-6)
    assert bound <= judged.objective_bit_hops * ROUNDING


@some
@given(tasks=regime_tasks(), seed=st.integers(0, 1000), above=st.floats(0.0, 0.5))
def test_proof_by_cases_never_ends_above_the_optimum(tasks: Tasks, seed: int, above: float) -> None:
    best = cheapest_by_enumeration(tasks)
    problem = compiled_problem(tasks)
    copies = copies_of(problem)
    fee = random_fees(tasks, seed, copies.rank.shape) if seed % 2 else open_fees(problem, copies, best).fee
    value = bound_of(problem, copies, fee)
    cases = Branching(problem, Fees(copies, fee, value, value))
    for _ in range(20):
        cases.grow(best * (1.0 + above), cases=5, deadline_ns=NEVER_NS)
        assert cases.proven(best * (1.0 + above)) <= best * ROUNDING


@pytest.mark.parametrize("name", ["paper", "saturated"])
def test_small_cases_are_proven_optimal(name: str) -> None:
    for seed in range(70_000, 70_003):
        assert (
            place(placement_preset(f"regime/{name}", tasks=20, seed=seed), iterations=100_000).status
            == "optimal"
        )


@pytest.mark.parametrize("name", sorted(PLACEMENT_REGIMES))
def test_bound_and_search_are_on_either_side_of_what_highs_proves(name: str) -> None:
    tasks = placement_preset(f"regime/{name}", tasks=12, seed=4, **SMALL)
    choice, proven = solve_exact(tasks, gap=1e-7, time_limit_s=5.0)
    assert choice is not None
    optimum = judge(tasks, choice).objective_bit_hops
    assert lower_bound(tasks) <= optimum * (1 + 1e-6)
    found = place(tasks, iterations=3000)
    assert proven * (1 - 1e-6) <= found.objective_bit_hops <= optimum * 1.02
    assert found.lower_bound_bit_hops <= optimum * (1 + 1e-6)


@some
@given(tasks=regime_tasks(), seed=st.integers(0, 1000))
def test_scales_far_apart_cost_nobody_their_precision(tasks: Tasks, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks = tasks.with_(
        size_bits=tasks.size_bits * 10.0 ** rng.uniform(-9.0, 6.0, tasks.n_tasks),
        arrival_rate_hz=tasks.arrival_rate_hz * 10.0 ** rng.uniform(-9.0, 1.0, tasks.n_tasks),
    )
    best = cheapest_by_enumeration(tasks)
    found = place(tasks, iterations=1000)
    assert found.violations.feasible
    assert found.objective_bit_hops == pytest.approx(best, rel=1e-9)
    assert found.lower_bound_bit_hops <= best * ROUNDING


def test_levels_settle_on_a_good_division_at_once() -> None:
    tasks = placement_preset("regime/large", seed=1, tasks=150, arrival_rate_hz=(1.0, 1.0))
    problem = compiled_problem(tasks)
    nobody = np.full(tasks.n_tasks, -1)
    chosen, settled, _ = explore_levels(
        problem, copies_of(problem), start=nobody, settled=unsettled(problem.n_nodes), rounds=2
    )
    assert settled.begun == 2
    cost = np.where(
        chosen < 0, problem.rejection, problem.cost[np.arange(chosen.size), np.maximum(chosen, 0)]
    ).sum()
    greedy = place(tasks, "greedy-nearest").objective_bit_hops
    assert cost < 0.5 * greedy


def test_many_tasks_are_placed_and_proven_without_a_long_search() -> None:
    found = place(placement_preset("regime/large", seed=60_001), iterations=10_000)
    best_known = 9.68e10  # of many seconds
    assert found.violations.feasible
    assert found.objective_bit_hops < 1.1 * best_known
    assert found.gap < 0.2
