"""Decisions for a city: best response in sweeps over the devices whose options have changed, then sets of nodes."""

from __future__ import annotations

import time

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.problem import total_cost
from slicewright.slicing.city._kernels.exchange import exchange
from slicewright.slicing.city._kernels.problem import Problem, State, empty_state, listing
from slicewright.slicing.city._kernels.rebuild import rebuild
from slicewright.slicing.city._kernels.shares import shares_of
from slicewright.slicing.city._kernels.sweep import spatial_order, sweep
from slicewright.slicing.city.pack import decisions_of, pack, state_from
from slicewright.slicing.city.parts import Parts
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares
from slicewright.types import IntArray

ENOUGH = 1e-5
"""Sweeps end when one saves less than this part of the local times of all devices."""
MOST_SWEEPS = 60
SMALL = 20_000
"""Cities of so many devices are also built neighbour by neighbour: there it is the best of the three now and then."""
FOREVER = 2**62


def improve(
    problem: Problem,
    state: State,
    *,
    first: IntArray | None = None,
    deadline_ns: int = FOREVER,
    most_sweeps: int = MOST_SWEEPS,
    price_s: float = 0.0,
) -> None:
    """Best response until little is saved; then exchanges and nodes chosen anew, and so on, in place.

    Args:
        problem: the city.
        state: where to begin.
        first: the order of the first sweep; neighbours follow each other otherwise.
        deadline_ns: when to stop, by the monotonic clock.
        most_sweeps: at most so many.
        price_s: what is done has to save more than this for each device that moves.
    """
    order = spatial_order(problem)
    dirty = np.ones(order.size, dtype=np.bool_)
    on_access_point = listing(
        problem.link_start, problem.link_end, problem.access_point, problem.n_access_points
    )
    on_node = listing(problem.node_start, problem.node_end, problem.node, problem.capacity.shape[0])
    enough = ENOUGH * float(problem.local_time.sum())
    lists = on_access_point, on_node
    limits = deadline_ns, float(price_s)
    for done in range(most_sweeps):
        now = first if done == 0 and first is not None else order
        saved, _ = sweep(problem, state, now, dirty, *lists, *limits)
        if saved < enough:
            saved += exchange(problem, state, *lists, dirty, *limits)
            saved += rebuild(problem, state, *lists, dirty, *limits)
        if saved < enough or time.perf_counter_ns() > deadline_ns:
            break


def construct(
    problem: Problem,
    *,
    deadline_ns: int = FOREVER,
    most_sweeps: int = MOST_SWEEPS,
    threads: int | None = None,
) -> State:
    """A plan from nothing: the best of two orders of arrival, side by side in threads, of three in small cities.

    Who comes first fills the nodes, and best response alone lets nobody else in. So those come first who save most,
    or who save most for the queue that they make: tau^2 over alpha L, since both the saving and the work grow with tau.
    """
    tau, load = problem.local_time, problem.arrival * problem.work.min(axis=1)
    orders = [np.argsort(-tau, kind="stable"), np.argsort(-(tau**2) / load, kind="stable")]
    if tau.size <= SMALL:
        orders.append(spatial_order(problem))
    states: list[State] = [empty_state(problem) for _ in orders]

    def build(part: int, begin: int, end: int) -> None:
        improve(problem, states[part], first=orders[part], deadline_ns=deadline_ns, most_sweeps=most_sweeps)

    with Parts(threads or len(orders)) as parts:
        parts.each(build, np.arange(len(orders) + 1))
    costs = [float(total_cost(problem, state)) for state in states]
    return states[int(np.argmin(costs))]


def city_search(
    scenario: Scenario,
    *,
    start: Decisions | None = None,
    budget_s: float | None = None,
    sweeps: int | None = None,
) -> tuple[Decisions, Shares]:
    """Best response on the candidates of each device, from a plan or from nothing.

    Args:
        scenario: the problem.
        start: decisions to begin with.
        budget_s: stop after this time, s; feasible decisions are returned whenever it ends.
        sweeps: at most so many.
    """
    began = time.perf_counter_ns()
    problem = pack(scenario)
    deadline = FOREVER if budget_s is None else began + int(min(budget_s, 1e9) * 1e9)
    most = MOST_SWEEPS if sweeps is None else sweeps
    if start is None:
        state = construct(problem, deadline_ns=deadline, most_sweeps=most)
    else:
        state = state_from(problem, start)
        improve(problem, state, deadline_ns=deadline, most_sweeps=most)
    bandwidth, radio, compute = shares_of(problem, state)
    return decisions_of(problem, state), Shares(bandwidth, radio, compute)
