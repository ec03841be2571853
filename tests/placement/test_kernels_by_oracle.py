"""What nodes earn at their levels against plain Python, and fees and prices of levels against what they must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.placement import PLACEMENT_REGIMES, Tasks, placement_preset
from slicewright.placement._kernels.bound import Copies, level_regrets, make_work
from slicewright.placement._kernels.earnings import CLASSES
from slicewright.placement._kernels.grid import fit_prices, make_grid, open_node
from slicewright.placement._kernels.levels import new_levels
from slicewright.placement.bound import bound_of, copies_of, levels_at, settled_fees
from slicewright.placement.search import compiled_problem
from slicewright.types import FloatArray
from tests.placement.problems import cheapest_by_enumeration

SMALL = {"lower_coins": 3, "upper_coins": 2, "access_points": 3}
some = settings(max_examples=25, deadline=None)
regimes = st.sampled_from(sorted(PLACEMENT_REGIMES))


def small_tasks(name: str, seed: int, tasks: int = 8) -> Tasks:
    drawn = placement_preset(f"regime/{name}", tasks=tasks, seed=seed, **SMALL)
    return drawn.with_(arrival_rate_hz=3.0 * drawn.arrival_rate_hz)


def earned(tasks: Tasks, copies: Copies, fee: FloatArray, j: int, level: int) -> float:
    """bit hops. What node j earns at a level: the dearest item of every task, densest first, the last in part."""
    rank, capacity = copies.rank, copies.capacity
    offers = []
    for k in range(tasks.n_tasks):
        open_classes = [fee[k, j, q] for q in range(copies.classes[k, j]) if rank[k, j, q] >= level]
        offers.append((max(open_classes, default=0.0), tasks.arrival_rate_hz[k]))
    room, total = capacity[j, level], 0.0
    for paid, own in sorted(offers, key=lambda offer: -offer[0] / offer[1]):
        part = min(1.0, room / own)
        total += part * paid
        room -= part * own
    return total


@some
@given(name=regimes, seed=st.integers(0, 10_000))
def test_one_pass_over_all_levels_earns_what_each_earns_alone(name: str, seed: int) -> None:
    tasks, rng = small_tasks(name, seed), np.random.default_rng(seed)
    problem = compiled_problem(tasks)
    copies = copies_of(problem)
    fee = tasks.rejection_cost[:, None, None] * rng.random(copies.rank.shape)
    fee[rng.random(fee.shape) < 0.3] = 0.0
    fee[:, -1] = 0.0
    assert fee.shape[2] == CLASSES
    regret = level_regrets(problem, copies, make_work(problem, copies), fee)
    for j in range(problem.n_nodes):
        alone = [earned(tasks, copies, fee, j, level) for level in range(copies.levels[j])]
        best = max(alone, default=0.0)
        assert regret[j, : copies.levels[j]] == pytest.approx(
            best - np.array(alone), abs=1e-6 * max(best, 1.0)
        )


@some
@given(name=regimes, seed=st.integers(0, 10_000))
def test_fees_of_any_levels_and_prices_prove_no_more_than_the_optimum(name: str, seed: int) -> None:
    tasks, rng = small_tasks(name, seed, tasks=3), np.random.default_rng(seed)
    problem = compiled_problem(tasks)
    copies = copies_of(problem)
    best = cheapest_by_enumeration(tasks)
    typical = float((problem.rejection / problem.arrival).mean())
    for scale in (0.0, 0.1, 1.0):
        floor = np.array(
            [copies.floor[j, rng.integers(max(1, copies.levels[j]))] for j in range(problem.n_nodes)]
        )
        price = np.append(scale * typical * rng.random(problem.n_nodes), 0.0)
        fees = settled_fees(problem, copies, floor, price)
        assert fees.bound <= best * (1 + 1e-9)
        assert fees.value == bound_of(problem, copies, fees.fee, fees.work)


def test_prices_are_found_however_far_off_the_known_placement_is() -> None:
    tasks = placement_preset("regime/large", tasks=100, seed=1, arrival_rate_hz=(1.5, 1.5))
    problem = compiled_problem(tasks)
    copies = copies_of(problem)
    grid, levels = make_grid(problem, copies, int(problem.option.max()) + 1), new_levels(problem)
    levels.level[:] = levels_at(copies, np.median(np.where(copies.floor > 0, copies.floor, np.nan), axis=1))
    for j in range(problem.n_nodes):
        open_node(grid, levels.level, j)

    def reached(target: float, passes: int) -> float:
        levels.price[:] = 0.0
        return float(fit_prices(grid, copies, levels.level, levels.price, target, passes, 1e-4))

    best = reached(problem.rejection.sum(), 2000)
    for target in (problem.rejection.sum(), 10.0 * problem.rejection.sum()):
        assert reached(target, 80) >= 0.97 * best
