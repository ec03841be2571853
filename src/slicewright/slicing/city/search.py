"""Decisions for a city: best response in sweeps over the devices whose options have changed."""

from __future__ import annotations

import time

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.slicing.city._kernels.problem import Problem, State, empty_state, listing
from slicewright.slicing.city._kernels.shares import shares_of
from slicewright.slicing.city._kernels.sweep import spatial_order, sweep
from slicewright.slicing.city.pack import decisions_of, pack, state_from
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares

ENOUGH = 1e-5
"""Sweeps end when one saves less than this part of the local times of all devices."""
MOST_SWEEPS = 60
FOREVER = 2**62


def improve(
    problem: Problem, state: State, *, deadline_ns: int = FOREVER, most_sweeps: int = MOST_SWEEPS
) -> int:
    """Best response until nothing changes or little is saved, in place; returns the moves made."""
    order = spatial_order(problem)
    dirty = np.ones(order.size, dtype=np.bool_)
    on_access_point = listing(problem.link_start, problem.access_point, problem.n_access_points)
    on_node = listing(problem.node_start, problem.node, problem.capacity.shape[0])
    enough, total = ENOUGH * float(problem.local_time.sum()), 0
    for _ in range(most_sweeps):
        saved, moves = sweep(problem, state, order, dirty, on_access_point, on_node, deadline_ns)
        total += moves
        if not moves or saved < enough or time.perf_counter_ns() > deadline_ns:
            break
    return total


def city_search(
    scenario: Scenario,
    *,
    start: Decisions | None = None,
    budget_s: float | None = None,
    sweeps: int | None = None,
) -> tuple[Decisions, Shares]:
    """Best response from a plan, or from all local, on the candidates of each device.

    Args:
        scenario: the problem.
        start: decisions to begin with.
        budget_s: stop after this time, s; feasible decisions are returned whenever it ends.
        sweeps: at most so many.
    """
    began = time.perf_counter_ns()
    problem = pack(scenario)
    state = empty_state(problem) if start is None else state_from(problem, start)
    deadline = FOREVER if budget_s is None else began + int(min(budget_s, 1e9) * 1e9)
    improve(problem, state, deadline_ns=deadline, most_sweeps=MOST_SWEEPS if sweeps is None else sweeps)
    bandwidth, radio, compute = shares_of(problem, state)
    return decisions_of(problem, state), Shares(bandwidth, radio, compute)
