"""Packing tasks into nodes whose levels are given: what it must keep, and that it is worth its time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.placement import Tasks, judge, placement_preset
from slicewright.placement._kernels.construct import Guide, fill_by_price, new_scratch
from slicewright.placement._kernels.fill import chosen_options
from slicewright.placement._kernels.grid import make_grid
from slicewright.placement._kernels.levels import new_levels, settle, settled_regrets
from slicewright.placement._kernels.packing import pack
from slicewright.placement._kernels.problem import REJECTED, empty_state, total_cost
from slicewright.placement.bound import NEVER_NS, copies_of
from slicewright.placement.search import compiled_problem
from slicewright.types import FloatArray, IntArray

SMALL = {"lower_coins": 3, "upper_coins": 2, "access_points": 3}


def before_and_after(tasks: Tasks, *, seed: int, steps: int) -> tuple[float, float, IntArray, FloatArray]:
    """Objectives in bit hops before and after packing, (K,) options afterwards, and (J + 1,) 1/s the floors."""
    problem = compiled_problem(tasks)
    copies, levels, nodes = copies_of(problem), new_levels(problem), problem.n_nodes
    grid = make_grid(problem, copies, int(problem.option.max()) + 1)
    settle(copies, grid, levels, np.zeros(nodes, dtype=np.bool_), 10, NEVER_NS)
    some = np.flatnonzero(problem.count)
    guide = Guide(np.empty(problem.cost.shape), np.empty(tasks.n_tasks), some)
    settled_regrets(problem, copies, levels, guide.regret, guide.rejected)
    state, scratch = empty_state(problem), new_scratch(problem)
    used = copies.levels > 0
    scratch.floor[:nodes][used] = copies.floor[np.flatnonzero(used), levels.level[:nodes][used]]
    fill_by_price(problem, state, scratch, guide)
    before, best = float(total_cost(problem, state)), np.full(tasks.n_tasks, REJECTED)
    pack(problem, state, scratch, guide, best, np.array([seed], dtype=np.uint64), steps, NEVER_NS)
    np.testing.assert_array_equal(state.chosen, best)
    assert not scratch.marked.any()
    return before, float(total_cost(problem, state)), chosen_options(problem, best), scratch.floor


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), most=st.floats(1.0, 20.0))
def test_packed_tasks_are_in_time_above_the_floors_and_no_dearer(seed: int, most: float) -> None:
    """And what packing says that they cost is what the judge says."""
    tasks = placement_preset("regime/uneven", tasks=10, seed=seed, arrival_rate_hz=(0.05, most), **SMALL)
    before, after, choice, floor = before_and_after(tasks, seed=seed, steps=100)
    judged = judge(tasks, choice)
    assert judged.violations.feasible
    assert after <= before * (1.0 + 1e-12)
    np.testing.assert_allclose(judged.objective_bit_hops, after, rtol=1e-9)
    for k in np.flatnonzero(choice != REJECTED):
        for j, limit in zip(tasks.options.nodes[choice[k]], tasks.options.limit[k, choice[k]], strict=True):
            assert j < 0 or limit >= floor[j] * (1.0 - 1e-9)


def test_packing_repeats_and_lets_in_what_filling_leaves_out() -> None:
    """Of the regime's own size; filling alone is 4 % dearer at least."""
    pairs = []
    for instance in range(3):
        tasks = placement_preset("regime/uneven", seed=instance)
        before, after, choice, _ = before_and_after(tasks, seed=1, steps=3000)
        np.testing.assert_array_equal(choice, before_and_after(tasks, seed=1, steps=3000)[2])
        pairs.append(after / before)
    assert np.mean(pairs) < 0.96
