"""The fast way from a problem to a placement and a proof of how good it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from slicewright.placement._kernels.problem import REJECTED, Problem
from slicewright.placement.bound import (
    NEVER_NS,
    Fees,
    Regrets,
    copies_of,
    no_regrets,
    open_fees,
    part_ruled_out,
    raise_bound,
    regrets_of,
    settled_fees,
    without_the_hopeless,
)
from slicewright.placement.branching import Branching
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.search import (
    UNLIMITED,
    Settled,
    compiled_problem,
    explore_levels,
    improve,
    unsettled,
)
from slicewright.types import FloatArray, IntArray

FIRST_ROUNDS = 4
"""Of settling levels, before there is a bound: one from every price to begin with, as far as the time for it goes."""
FIRST_ROUNDS_OF_MANY = 2
"""Of ``MANY_TASKS``: from the levels of a sample, and from high prices."""
STEPS_PER_TASK = 60
"""Of either search between two rounds of the bound, and in turn afterwards."""
LOWER_BOUND_STEPS_PER_TASK = 12
"""Of the search that sizes the steps of a bound that is all that is asked for."""
OPENING = 0.6
"""Of the time: what may go into the first placement, and half of that into the first bound."""
ROUNDS = ((0.1, 0.1), (0.1, 0.1), (0.1, 0.1))
"""Of the time: what may go into the bound and then into either search, round after round."""
MANY_TASKS = 300
"""From this many on a step of the bound takes so long that rounds are other ones, and steps begin shorter."""
ROUNDS_OF_MANY = ((0.3, 0.1), (0.04, 0.1))
"""The rounds of that many tasks."""
FIRST_STEP = 0.5
"""The first step of the bound there, as a part of the one that would meet the placement."""
WORTH_REDUCING = 0.05
"""Of the candidates or levels there: with less of them ruled out, leaving them out takes more time than it saves."""
TURN = 0.1
"""Of the time: a turn of either search, or of the proof by cases, after the rounds."""
BOUND_TURN = 0.04
"""Of the time: a turn of the bound of many tasks after the rounds."""
WIDE = 0.02
"""Relative: with a gap above it nearly all of the search goes to levels, because prices of such a bound guide badly."""
CASES = 3
"""Cases split in a turn at most."""
DIVE_ROUNDS = 6
"""Of settling levels in the most promising case."""
MOST_TASKS_BY_CASES = 120
"""With more tasks a case takes too long, and its proof would gain too little."""
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
        regrets: what the fees say.
        settled: where the nodes of the best placement settled.
        steps: search steps made.
    """

    problem: Problem
    chosen: IntArray
    cost: float
    fees: Fees
    regrets: Regrets
    settled: Settled
    steps: int

    @property
    def lower_bound(self) -> float:
        """bit hops. No placement has a smaller objective."""
        return min(self.cost, self.regrets.lower_bound)

    @property
    def nothing_to_place(self) -> bool:
        """Whether no task has a candidate."""
        return not self.problem.count.any()

    @property
    def proven(self) -> bool:
        """Whether nothing is left to be gained."""
        return self.cost <= self.regrets.lower_bound * ENOUGH


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
    found = _opened(compiled_problem(tasks), seed, steps, clock)
    rounds = ROUNDS if tasks.n_tasks < MANY_TASKS else ROUNDS_OF_MANY
    for turn, (bounding, searching) in enumerate(rounds):
        if found.proven or found.steps >= steps or clock.over:
            return found
        found = _tightened(found, clock.after(bounding))
        found = _both_searched(found, seed + turn, steps, clock, searching)
    cases, turn = Branching(found.problem, found.fees), len(rounds)
    while not (found.proven or found.steps >= steps or clock.over or found.nothing_to_place):
        if tasks.n_tasks <= MOST_TASKS_BY_CASES:
            cases.grow(found.cost, cases=CASES, deadline_ns=clock.after(TURN))
            found = _with_bound(found, cases.proven(found.cost))
            found = _dived(found, cases, seed + turn, steps, clock)
        elif tasks.n_tasks >= MANY_TASKS:
            found = _tightened(found, clock.after(BOUND_TURN))
        found = _both_searched(found, seed + turn, steps, clock, TURN)
        turn += 1
    return found


def lower_bound(tasks: Tasks) -> float:
    """A proven lower bound of the objective in bit hops: no placement is cheaper; milliseconds."""
    return search_with_bound(tasks, steps=LOWER_BOUND_STEPS_PER_TASK * tasks.n_tasks).lower_bound


def objective(problem: Problem, chosen: IntArray) -> float:
    """bit hops. What the chosen candidates cost, rejections included."""
    everyone = np.arange(chosen.size)
    cost: FloatArray = problem.cost[everyone, np.maximum(chosen, 0)]
    return float(np.where(chosen == REJECTED, problem.rejection, cost).sum())


def _opened(problem: Problem, seed: int, steps: int, clock: _Clock) -> Certified:
    """A first placement, and fees that may say how good it is."""
    copies, nobody = copies_of(problem), np.full(problem.count.size, REJECTED)
    chosen, settled, done = explore_levels(
        problem,
        copies,
        start=nobody,
        settled=unsettled(problem.n_nodes),
        rounds=FIRST_ROUNDS if nobody.size < MANY_TASKS else FIRST_ROUNDS_OF_MANY,
        seed=seed,
        deadline_ns=clock.after(OPENING),
        steps=steps,
    )
    cost = objective(problem, chosen)
    if chosen.size >= MANY_TASKS:
        fees = settled_fees(problem, copies, settled.floor, settled.price)
        return Certified(problem, chosen, cost, fees, no_regrets(problem, fees), settled, done)
    fees = open_fees(problem, copies, cost, deadline_ns=clock.after(0.5 * OPENING))
    return Certified(problem, chosen, cost, fees, regrets_of(problem, fees), settled, done)


def _with_bound(found: Certified, bound: float) -> Certified:
    regrets = replace(found.regrets, lower_bound=max(found.regrets.lower_bound, bound))
    return replace(found, regrets=regrets)


def _both_searched(found: Certified, seed: int, steps: int, clock: _Clock, part: float) -> Certified:
    """A turn of the search over levels and one of the search over tasks, which is shorter where the gap is wide."""
    most = STEPS_PER_TASK * found.chosen.size
    other = 0.25 * part if found.cost > found.regrets.lower_bound * (1.0 + WIDE) else part
    found = _explored(found, seed, min(most, steps - found.steps), clock.after(2.0 * part - other))
    return _searched(found, seed, min(most, steps - found.steps), clock.after(other))


def _dived(found: Certified, cases: Branching, seed: int, steps: int, clock: _Clock) -> Certified:
    """Begin anew in the case where a better placement is most likely."""
    case = cases.most_promising()
    if case is None or found.proven or found.steps >= steps:
        return found
    problem, fees = case
    nobody = np.full(found.chosen.size, REJECTED)
    chosen, _, done = explore_levels(
        problem,
        fees.copies,
        start=nobody,
        settled=unsettled(problem.n_nodes),
        seed=seed,
        rounds=DIVE_ROUNDS,
        steps=steps - found.steps,
        deadline_ns=clock.after(TURN),
    )
    found = replace(found, steps=found.steps + done)
    placed = chosen != REJECTED
    option = problem.option[np.arange(chosen.size), np.maximum(chosen, 0)]
    hit = (found.problem.option == option[:, None]) & (
        np.arange(found.problem.cost.shape[1]) < found.problem.count[:, None]
    )
    if not hit[placed].any(axis=1).all():
        return found
    same = np.where(placed, hit.argmax(axis=1), REJECTED)
    cost = objective(found.problem, same)
    return replace(found, chosen=same, cost=cost) if cost < found.cost else found


def _explored(found: Certified, seed: int, steps: int, deadline_ns: int) -> Certified:
    if found.proven or steps <= 0 or time.perf_counter_ns() >= deadline_ns:
        return found
    chosen, settled, done = explore_levels(
        found.problem,
        found.fees.copies,
        start=found.chosen,
        settled=found.settled,
        seed=seed,
        steps=steps,
        deadline_ns=deadline_ns,
        enough=found.regrets.lower_bound * ENOUGH,
    )
    cost = min(found.cost, objective(found.problem, chosen))
    return replace(found, chosen=chosen, cost=cost, settled=settled, steps=found.steps + done)


def _searched(found: Certified, seed: int, steps: int, deadline_ns: int) -> Certified:
    if found.proven or steps <= 0 or time.perf_counter_ns() >= deadline_ns:
        return found
    chosen, done = improve(
        found.problem,
        regrets=found.regrets,
        start=found.chosen,
        seed=seed,
        steps=steps,
        deadline_ns=deadline_ns,
        enough=found.regrets.lower_bound * ENOUGH,
    )
    cost = objective(found.problem, chosen)
    if cost >= found.cost:
        return replace(found, steps=found.steps + done)
    return replace(found, chosen=chosen, cost=cost, steps=found.steps + done)


def _tightened(found: Certified, deadline_ns: int) -> Certified:
    """A better bound, and the problem without what it rules out."""
    step, worth = (1.0, 0.0) if found.chosen.size < MANY_TASKS else (FIRST_STEP, WORTH_REDUCING)
    fees = raise_bound(found.problem, found.fees, found.cost, step=step, deadline_ns=deadline_ns)
    regrets = regrets_of(found.problem, fees)
    if part_ruled_out(found.problem, fees, regrets, found.cost) <= worth:
        return replace(found, fees=fees, regrets=regrets)
    left, kept, carried = without_the_hopeless(found.problem, fees, regrets, found.cost)
    hit = (kept == found.chosen[:, None]) & (np.arange(kept.shape[1]) < left.count[:, None])
    placed = found.chosen != REJECTED
    if not hit[placed].any(axis=1).all():  # only rounding could cost the best placement a candidate
        return replace(found, fees=fees, regrets=regrets)
    chosen = np.where(placed, hit.argmax(axis=1), REJECTED)
    return replace(found, problem=left, chosen=chosen, fees=carried, regrets=regrets_of(left, carried))
