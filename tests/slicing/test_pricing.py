"""A node's best set at given prices, as column generation asks for it, against all 65,536 sets of eight devices."""

from __future__ import annotations

import numpy as np
import pytest

import slicewright as sw
from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.problem import Problem
from slicewright.slicing.compact import compact
from slicewright.slicing.exact._kernels.master import make_master
from slicewright.slicing.exact._kernels.node.branch_and_bound import search_parts
from slicewright.slicing.exact._kernels.node.small_sets import search_small_sets
from slicewright.slicing.exact._kernels.pricing import (
    Prices,
    PricingBuffers,
    gain_of,
    make_buffers,
    price_everything,
)
from slicewright.slicing.exact.choices import all_choices
from slicewright.types import BoolArray, FloatArray

DEVICES, SLICES = 8, 3
SETS = 2**DEVICES
FOREVER = 2**62


def one_node(queueing: str, speed_hz: float) -> Scenario:
    """Eight devices before one access point and one node, whose speed decides how many meet on it."""
    return sw.preset(
        "paper-slicing", devices=DEVICES, access_points=1, coins=0, mecs=1, slices=SLICES, seed=4, queueing=queueing,
        mec_capacity_hz=(speed_hz, 1.2 * speed_hz), arrival_rate_hz=(0.1, 0.4),
    )  # fmt: skip


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize(("speed_hz", "generous", "least"), [(4e8, 0.6, 1), (2e9, 0.3, 5), (1e10, 0.5, 7)])
def test_the_best_set_is_found_and_proven(
    queueing: str, speed_hz: float, generous: float, least: int
) -> None:
    scenario = one_node(queueing, speed_hz)
    members = members_of_sets()
    costs = node_costs(scenario, members)
    radio_costs = (members @ np.sqrt(scenario.task_bits / scenario.rate_bps[:, 0])) ** 2
    most = 0
    for seed in range(4):
        draw = np.random.default_rng(seed).uniform(0.0, generous, (2, DEVICES))
        radio, compute = draw * scenario.local_time_s
        gains = members @ compute - costs
        most = max(most, int(members[gains.argmax()].sum()))
        truth = radio.sum() + compute.sum() - gains.max() - (members @ radio - radio_costs).max()
        bounds = bounds_at(scenario, radio, compute)
        for bound, hoped in bounds:
            assert bound <= truth * (1 + 1e-9)
            assert hoped >= truth * (1 - 1e-9)
        assert bounds[-1] == pytest.approx((truth, truth), rel=1e-7)
    assert most >= least, "how many devices meet is what is tried here"


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("speed_hz", [4e8, 2e9, 1e10])
@pytest.mark.parametrize("generous", [0.2, 0.6])
def test_both_searches_of_a_node_find_what_enumeration_finds(
    queueing: str, speed_hz: float, generous: float
) -> None:
    """Device by device, and by intervals of the queue: the search of a node takes whichever fits."""
    scenario = one_node(queueing, speed_hz)
    problem, members = compact(scenario).problem, members_of_sets()
    costs, alone = node_costs(scenario, members), all_choices(problem).alone
    for seed in range(5):
        price = np.random.default_rng(seed).uniform(0.0, generous, DEVICES) * scenario.local_time_s
        most = max(0.0, float((members @ price - costs).max()))
        tolerance = 1e-9 * float(price.sum())
        for search in (by_devices, by_intervals):
            buffers = make_buffers(DEVICES, 1, SLICES)
            bound = search(problem, alone, price, buffers, tolerance)
            gain = gain_of(buffers.offer, price)
            assert gain == pytest.approx(most, abs=2 * tolerance)
            assert gain <= bound <= gain + 2 * tolerance


def by_devices(
    problem: Problem, alone: FloatArray, price: FloatArray, buffers: PricingBuffers, tolerance: float
) -> float:
    known, best, _ = search_small_sets(
        problem, 0, alone, price, buffers.offer, buffers.nodes.small, 0.0, 0.0, tolerance, FOREVER
    )
    assert known
    return float(best) + tolerance


def by_intervals(
    problem: Problem, alone: FloatArray, price: FloatArray, buffers: PricingBuffers, tolerance: float
) -> float:
    return float(
        search_parts(
            problem, 0, alone, price, buffers.offer, buffers.scratch, buffers.nodes, 0.0, 0.0, tolerance, 4000,
            4000, FOREVER,
        )
    )  # fmt: skip


def bounds_at(scenario: Scenario, radio: FloatArray, compute: FloatArray) -> list[tuple[float, float]]:
    """What the kernels prove and what they hope for: after a quick look, loosely, and as nearly as they can."""
    problem = compact(scenario).problem
    buffers = make_buffers(DEVICES, 1, SLICES)
    master = make_master(DEVICES, 2, 500, 5000)
    master.price[:] = 0.0
    said = []
    for margin in (0.0, 0.1 * float(radio.sum() + compute.sum()), 1e-9):
        prices = Prices(radio.copy(), compute.copy())
        bound, hoped, _ = price_everything(
            problem, all_choices(problem), prices, buffers, master, margin, 1e-10, 1e-9, FOREVER
        )
        said.append((float(bound), float(hoped)))
    return said


def members_of_sets() -> BoolArray:
    """(256, 8) who is in which set; the number of a set has a bit for each member."""
    return (np.arange(SETS)[:, None] >> np.arange(DEVICES) & 1).astype(bool)


def node_costs(scenario: Scenario, members: BoolArray) -> FloatArray:
    """(256,) s. Execution time of each set, in the best of its divisions among the slices."""
    costs = np.full(SETS, np.inf)
    for users in range(SETS):
        parts = [part for part in range(users + 1) if part & users == part]
        group = group_costs(scenario, members, users, parts)
        of = [dict(zip(parts, row, strict=True)) for row in group.T.tolist()]
        two = {
            both: min(of[0][one] + of[1][both ^ one] for one in parts if one & both == one) for both in parts
        }
        costs[users] = min(two[both] + of[2][users ^ both] for both in parts)
    return costs


def group_costs(scenario: Scenario, members: BoolArray, users: int, parts: list[int]) -> FloatArray:
    """(P, N) s. min sum 1/x with sum L x = surplus, x >= 1/tau: parts of a node's users in a slice, by bisection."""
    rate, tau = scenario.arrival_rate_hz, scenario.local_time_s
    inside = members[parts][:, None, :]
    load = np.where(inside, scenario.slice_cycles.T[None], 0.0)
    queue = rate[members[users]].sum() if scenario.queueing == "node" else rate
    surplus = scenario.node_capacity_hz[0] - (load * queue).sum(axis=2)
    feasible = (surplus > 0) & ((load / tau).sum(axis=2) <= surplus)
    root = np.sqrt(np.where(inside, load, 1.0))
    speeds = lambda level: np.maximum(1 / tau, level[:, :, None] / root)
    low = np.zeros(surplus.shape)
    high = np.where(feasible, surplus, 1.0)  # all roots are above 1
    for _ in range(100):
        middle = (low + high) / 2
        fits = (load * speeds(middle)).sum(axis=2) <= surplus
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    costs: FloatArray = np.where(feasible, np.where(inside, 1 / speeds(low), 0.0).sum(axis=2), np.inf)
    costs[~inside[:, 0].any(axis=1)] = 0.0
    return costs
