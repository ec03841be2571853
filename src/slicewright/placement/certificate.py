"""The fast way from a problem to a placement and a proof of how good it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from slicewright.placement._kernels.problem import REJECTED, Problem
from slicewright.placement.bound import (
    NEVER_NS,
    Fees,
    Prices,
    open_fees,
    prices_of,
    raise_bound,
    without_the_hopeless,
)
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.search import UNLIMITED, compiled_problem, improve
from slicewright.types import FloatArray, IntArray

FIRST_STEPS_PER_TASK = 6
"""Of the short search whose result sizes the steps of the bound."""
STEPS_PER_TASK = 60
"""Of the search between two rounds of the bound."""
ROUNDS = ((0.15, 0.25), (0.1, 0.25), (0.1, 1.0))
"""Of the time: what may go into the bound and then into the search, round after round."""
ENOUGH = 1.0 + 1e-9
"""A placement this near to the bound is as good as optimal, and the search may end."""


@dataclass(frozen=True, eq=False)
class Certified:
    """A placement in terms of a packed problem, and what is proven.

    Attributes:
        problem: the packed problem, without what is no part of a better placement.
        chosen: (K,) candidates.
        cost: bit hops, their objective.
        fees: what proves the bound.
        prices: what the fees say.
        steps: search steps made.
    """

    problem: Problem
    chosen: IntArray
    cost: float
    fees: Fees
    prices: Prices
    steps: int

    @property
    def lower_bound(self) -> float:
        """bit hops. No placement has a smaller objective."""
        return min(self.cost, self.prices.lower_bound)

    @property
    def proven(self) -> bool:
        """Whether nothing is left to be gained."""
        return self.cost <= self.prices.lower_bound * ENOUGH


class _Clock:
    """Parts of a budget as deadlines of ``time.perf_counter_ns``; without a budget none is ever reached."""

    def __init__(self, budget_s: float | None) -> None:
        self._budget_ns = None if budget_s is None else int(1e9 * budget_s)
        self._end_ns = NEVER_NS if self._budget_ns is None else time.perf_counter_ns() + self._budget_ns

    def after(self, part: float) -> int:
        """The moment a part of the budget from now, and not after its end."""
        if self._budget_ns is None:
            return NEVER_NS
        return min(self._end_ns, time.perf_counter_ns() + int(part * self._budget_ns))

    @property
    def over(self) -> bool:
        return time.perf_counter_ns() >= self._end_ns


def search_with_bound(
    tasks: Tasks, *, seed: int = 0, budget_s: float | None = None, steps: int = UNLIMITED
) -> Certified:
    """Search by the prices of a bound, leave out what the bound proves to be no part of anything better, and repeat.

    Without ``budget_s`` the run ends by ``steps`` and by the bound's own limit, and repeats bit for bit.
    """
    clock = _Clock(budget_s)
    problem = compiled_problem(tasks)
    fees = open_fees(problem, deadline_ns=clock.after(ROUNDS[0][0]))
    nobody = np.full(tasks.n_tasks, REJECTED)
    found = Certified(problem, nobody, objective(problem, nobody), fees, prices_of(problem, fees), 0)
    found = _searched(
        found, seed, min(steps, FIRST_STEPS_PER_TASK * tasks.n_tasks), clock.after(ROUNDS[0][1])
    )
    for turn, (bounding, searching) in enumerate(ROUNDS):
        if found.proven or found.steps >= steps or clock.over:
            break
        found = _tightened(found, clock.after(bounding))
        left = steps - found.steps
        if searching < 1.0:
            left = min(left, STEPS_PER_TASK * tasks.n_tasks)
        found = _searched(found, seed + turn, left, clock.after(searching))
    return found


def lower_bound(tasks: Tasks) -> float:
    """A proven lower bound of the objective in bit hops: no placement is cheaper; milliseconds."""
    return search_with_bound(tasks, steps=2 * FIRST_STEPS_PER_TASK * tasks.n_tasks).lower_bound


def objective(problem: Problem, chosen: IntArray) -> float:
    """bit hops. What the chosen candidates cost, rejections included."""
    everyone = np.arange(chosen.size)
    cost: FloatArray = problem.cost[everyone, np.maximum(chosen, 0)]
    return float(np.where(chosen == REJECTED, problem.rejection, cost).sum())


def _searched(found: Certified, seed: int, steps: int, deadline_ns: int) -> Certified:
    if found.proven:
        return found
    chosen, done = improve(
        found.problem,
        prices=found.prices,
        start=found.chosen,
        seed=seed,
        steps=steps,
        deadline_ns=deadline_ns,
        enough=found.prices.lower_bound * ENOUGH,
    )
    cost = objective(found.problem, chosen)
    if cost >= found.cost:
        return replace(found, steps=found.steps + done)
    return replace(found, chosen=chosen, cost=cost, steps=found.steps + done)


def _tightened(found: Certified, deadline_ns: int) -> Certified:
    """A better bound, and the problem without what it rules out."""
    fees = raise_bound(found.problem, found.fees, found.cost, deadline_ns=deadline_ns)
    prices = prices_of(found.problem, fees)
    left, kept, fees = without_the_hopeless(found.problem, fees, prices, found.cost)
    hit = (kept == found.chosen[:, None]) & (np.arange(kept.shape[1]) < left.count[:, None])
    placed = found.chosen != REJECTED
    if not hit[placed].any(axis=1).all():  # only rounding could cost the best placement a candidate
        return replace(found, fees=fees, prices=prices)
    chosen = np.where(placed, hit.argmax(axis=1), REJECTED)
    return replace(found, problem=left, chosen=chosen, fees=fees, prices=prices_of(left, fees))
