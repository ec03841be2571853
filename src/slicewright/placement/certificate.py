"""The fast way from a problem to a placement and a proof of how good it is."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from slicewright.placement._kernels.problem import REJECTED, Problem
from slicewright.placement.bound import ITERATIONS, NEVER_NS, Prices, price_nodes
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.search import UNLIMITED, compiled_problem, improve
from slicewright.types import FloatArray, IntArray

FIRST_STEPS_PER_TASK = 6
"""Of the short search whose result sizes the steps of the bound."""
BOUND_SHARE = 0.3
"""The part of the time that may go into the bound."""
ENOUGH = 1.0 + 1e-9
"""A placement this near to the bound is as good as optimal, and the search may end."""


@dataclass(frozen=True, eq=False)
class Certified:
    """A placement in terms of the packed problem, and what is proven.

    Attributes:
        problem: the packed problem.
        chosen: (K,) candidates.
        cost: bit hops, their objective.
        prices: the bound and its regrets.
        steps: search steps made.
    """

    problem: Problem
    chosen: IntArray
    cost: float
    prices: Prices
    steps: int


def search_with_bound(
    tasks: Tasks, *, seed: int = 0, budget_s: float | None = None, steps: int = UNLIMITED
) -> Certified:
    """Search a little, prove a bound, and search on with its prices.

    Without ``budget_s`` the run ends by ``steps`` and by the bound's own limit, and repeats bit for bit.
    """
    begin = time.perf_counter_ns()
    problem = compiled_problem(tasks)
    end = NEVER_NS if budget_s is None else begin + int(1e9 * budget_s)
    priced = NEVER_NS if budget_s is None else begin + int(1e9 * budget_s * BOUND_SHARE)
    first = min(steps, FIRST_STEPS_PER_TASK * tasks.n_tasks)
    chosen, done = improve(problem, seed=seed, steps=first, deadline_ns=end)
    cost = objective(problem, chosen)
    prices = price_nodes(problem, cost, iterations=ITERATIONS, deadline_ns=priced)
    if cost > prices.lower_bound * ENOUGH and done < steps:
        chosen, more = improve(
            problem,
            prices=prices,
            start=chosen,
            seed=seed,
            steps=steps - done,
            deadline_ns=end,
            enough=prices.lower_bound * ENOUGH,
        )
        cost, done = objective(problem, chosen), done + more
    return Certified(problem, chosen, cost, prices, done)


def lower_bound(tasks: Tasks) -> float:
    """A proven lower bound of the objective in bit hops: no placement is cheaper; milliseconds."""
    problem = compiled_problem(tasks)
    chosen, _ = improve(problem, steps=FIRST_STEPS_PER_TASK * tasks.n_tasks)
    return price_nodes(problem, objective(problem, chosen)).lower_bound


def objective(problem: Problem, chosen: IntArray) -> float:
    """bit hops. What the chosen candidates cost, rejections included."""
    everyone = np.arange(chosen.size)
    cost: FloatArray = problem.cost[everyone, np.maximum(chosen, 0)]
    return float(np.where(chosen == REJECTED, problem.rejection, cost).sum())
