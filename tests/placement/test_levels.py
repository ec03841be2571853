"""The linear programme of given levels: its value by prices, against a solver of linear programmes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from slicewright.placement import PLACEMENT_REGIMES, Tasks, placement_preset
from slicewright.placement._kernels.bound import Copies
from slicewright.placement._kernels.grid import make_grid
from slicewright.placement._kernels.levels import new_levels, settle, value_at
from slicewright.placement._kernels.problem import Problem
from slicewright.placement.bound import NEVER_NS, copies_of
from slicewright.placement.search import compiled_problem
from slicewright.types import FloatArray, IntArray

SMALL = {"lower_coins": 3, "upper_coins": 2, "access_points": 3}


def drawn_tasks(name: str, seed: int) -> Tasks:
    tasks = placement_preset(f"regime/{name}", tasks=8, seed=seed, **SMALL)
    return tasks.with_(arrival_rate_hz=3.0 * tasks.arrival_rate_hz)


def programme_by_solver(problem: Problem, copies: Copies, level: IntArray) -> float:
    """bit hops. Each task takes parts of candidates that its nodes' levels let in, or is rejected in part."""
    nodes, cost, rows = problem.n_nodes, [], []
    whole = []
    for k in range(problem.count.size):
        for c in range(-1, problem.count[k]):
            used = np.zeros(nodes + 1)
            for side in range(2) if c >= 0 else ():
                j = problem.node[k, c, side]
                if copies.rank[k, j, copies.label[k, c, side]] < level[j]:
                    break
                used[j] += problem.arrival[k]
            else:
                cost.append(problem.rejection[k] if c < 0 else problem.cost[k, c])
                rows.append(used[:nodes])
                whole.append(np.arange(problem.count.size) == k)
    room = np.where(copies.levels > 0, copies.floor[np.arange(nodes), level[:nodes]], 0.0)
    solved = linprog(
        cost,
        A_ub=np.array(rows).T,
        b_ub=room,
        A_eq=np.array(whole, dtype=float).T,
        b_eq=np.ones(len(whole[0])),
    )
    assert solved.success
    return float(solved.fun)


def by_prices(
    problem: Problem, copies: Copies, level: IntArray, price: FloatArray, most: float, passes: int
) -> float:
    """bit hops. What is promised at the levels after so many passes from the prices."""
    grid, levels = make_grid(problem, copies, int(problem.option.max()) + 1), new_levels(problem)
    levels.level[:], levels.price[:] = level, price
    return float(value_at(copies, grid, levels, most, passes))


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(sorted(PLACEMENT_REGIMES)), seed=st.integers(0, 10_000))
def test_prices_promise_no_more_than_the_programme_and_come_near_it(name: str, seed: int) -> None:
    tasks, rng = drawn_tasks(name, seed), np.random.default_rng(seed)
    problem = compiled_problem(tasks)
    copies = copies_of(problem)
    level = np.zeros(problem.n_nodes + 1, dtype=np.int64)
    for j in range(problem.n_nodes):
        level[j] = rng.integers(max(1, copies.levels[j]))
    programme = programme_by_solver(problem, copies, level)
    start = np.append(rng.random(problem.n_nodes) * problem.rejection.max(), 0.0)
    unpriced = np.zeros(problem.n_nodes + 1)
    for prices in (start, unpriced):
        once = by_prices(problem, copies, level, prices, programme, 1)
        reached = by_prices(problem, copies, level, prices, programme, 300)
        assert once <= reached <= programme * (1 + 1e-9)
    assert reached >= 0.9 * programme


@settings(max_examples=10, deadline=None)
@given(name=st.sampled_from(sorted(PLACEMENT_REGIMES)), seed=st.integers(0, 10_000))
def test_nodes_keep_the_levels_they_are_told_to_keep(name: str, seed: int) -> None:
    problem = compiled_problem(drawn_tasks(name, seed))
    copies = copies_of(problem)
    grid, levels = make_grid(problem, copies, int(problem.option.max()) + 1), new_levels(problem)
    fixed = np.arange(problem.n_nodes) % 2 == 0
    levels.level[:-1] = np.where(fixed, np.maximum(copies.levels - 1, 0), 0)
    settle(copies, grid, levels, fixed, 3, NEVER_NS)
    assert (levels.level[:-1][fixed] == np.maximum(copies.levels - 1, 0)[fixed]).all()
    assert (levels.price >= 0.0).all()
