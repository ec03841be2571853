"""Lower bounds in milliseconds; see :mod:`slicewright.placement._kernels.bound` for how."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from slicewright.placement._kernels.bound import (
    Copies,
    Work,
    level_regrets,
    make_copies,
    make_work,
    price,
    task_regrets,
    usable_limits,
)
from slicewright.placement._kernels.opening.market import fees_of_prices, open_market, trade
from slicewright.placement._kernels.opening.settled import fees_of_levels
from slicewright.placement._kernels.opening.sweep import sweep
from slicewright.placement._kernels.problem import Problem
from slicewright.placement._kernels.reduce import carried_fees, reduced, remaining_levels
from slicewright.types import BoolArray, FloatArray, IntArray

NEVER_NS = 2**62
"""A deadline that no clock reaches."""
ITERATIONS = 2000
MARKET_STEPS = 60
SWEEPS = 3
SAFETY = 1.0 - 1e-12
"""Rounding in the sums of the bound must never make it invalid."""


@dataclass(frozen=True, eq=False)
class Fees:
    """Fees and the bound they prove.

    Attributes:
        copies: classes of limits and levels of nodes.
        fee: (K, J + 1, classes) bit hops.
        value: bit hops, what these fees prove of what is left of the problem.
        bound: bit hops, the best proven of the whole problem, by whatever fees.
        work: working arrays that know the order of what items pay; by default new ones.
    """

    copies: Copies
    fee: FloatArray
    value: float
    bound: float
    work: Work | None = None

    def work_for(self, problem: Problem) -> Work:
        """Working arrays for the problem that the fees are of."""
        return _new_work(problem, self.copies) if self.work is None else self.work


@dataclass(frozen=True, eq=False)
class Regrets:
    """A proven bound and what its fees say about the nodes.

    Attributes:
        lower_bound: bit hops; no placement has a smaller objective.
        candidate_regret: (K, C) bit hops, what the bound rises by at least if a task took that candidate.
        rejection_regret: (K,) bit hops, the same if a task were rejected.
        level_floor: (J, levels) 1/s, the least limit that each level of a node serves.
        level_regret: (J, levels) bit hops, what the bound rises by at least if the node ran at that level;
            infinite where there is no such level.
    """

    lower_bound: float
    candidate_regret: FloatArray
    rejection_regret: FloatArray
    level_floor: FloatArray
    level_regret: FloatArray


def copies_of(problem: Problem) -> Copies:
    """The classes of limits of every task and the levels of every node."""
    copies: Copies = make_copies(problem, usable_limits(problem))
    return copies


def open_fees(problem: Problem, copies: Copies, target: float, *, deadline_ns: int = NEVER_NS) -> Fees:
    """Fees to begin with: those of the market, or what a sweep or two over the nodes makes of them.

    Args:
        problem: the packed problem.
        copies: its levels.
        target: objective of a placement; sets the size of the steps.
        deadline_ns: of ``time.perf_counter_ns``; when it is over the fees are 0.
    """
    if time.perf_counter_ns() >= deadline_ns:
        nothing = np.zeros(copies.rank.shape)
        bound = bound_of(problem, copies, nothing)
        return Fees(copies, nothing, bound, bound)
    market = open_market(problem, copies)
    _, prices = trade(problem, market, target, MARKET_STEPS, deadline_ns)
    fees = fees_of_prices(problem, copies, market, prices)
    bound = bound_of(problem, copies, fees)
    for _ in range(SWEEPS):
        if time.perf_counter_ns() >= deadline_ns:
            break
        swept = sweep(problem, copies, fees)
        better = bound_of(problem, copies, swept)
        if better <= bound:
            break
        bound, fees = better, swept
    return Fees(copies, fees, bound, bound)


def settled_fees(problem: Problem, copies: Copies, floor: FloatArray, price: FloatArray) -> Fees:
    """Fees that keep tasks where nodes have settled: a better start than the market's, once it has walked a little.

    Args:
        problem: the packed problem.
        copies: its levels.
        floor: (J,) 1/s, the least limit that each node accepts.
        price: (J + 1,) bit hops per arrival rate.
    """
    fees, work = fees_of_levels(problem, copies, levels_at(copies, floor), price), _new_work(problem, copies)
    value = bound_of(problem, copies, fees, work)
    return Fees(copies, fees, value, value, work)


def levels_at(copies: Copies, floor: FloatArray) -> IntArray:
    """(J + 1,) the highest level of each node that serves limits of ``floor`` (J,) 1/s."""
    level = np.zeros(floor.size + 1, dtype=np.int64)
    for j in range(floor.size):
        at = int(np.searchsorted(copies.floor[j, : copies.levels[j]], floor[j], side="right"))
        level[j] = max(0, at - 1)
    return level


def _new_work(problem: Problem, copies: Copies) -> Work:
    work: Work = make_work(problem, copies)
    return work


def bound_of(problem: Problem, copies: Copies, fees: FloatArray, work: Work | None = None) -> float:
    """bit hops. What given fees prove."""
    work = _new_work(problem, copies) if work is None else work
    return float(price(problem, copies, work, fees, np.inf, 1.0, 1, NEVER_NS)[0])


def raise_bound(
    problem: Problem,
    before: Fees,
    target: float,
    *,
    step: float = 1.0,
    iterations: int = ITERATIONS,
    deadline_ns: int = NEVER_NS,
) -> Fees:
    """Better fees, by a subgradient walk.

    Args:
        problem: the packed problem.
        before: the fees to begin with.
        target: objective of a placement; sets the size of the steps and ends the ascent when it is met.
        step: the first one, as a part of the one that would meet the target if the bound were straight.
        iterations: the most steps.
        deadline_ns: of ``time.perf_counter_ns``; without it runs repeat bit for bit.
    """
    work = before.work_for(problem)
    value, fee = price(problem, before.copies, work, before.fee, target, step, iterations, deadline_ns)
    return Fees(before.copies, fee, value, max(before.bound, value), work)


def regrets_of(problem: Problem, before: Fees) -> Regrets:
    """The bound of fees and what they say about tasks and nodes."""
    copies, fees = before.copies, before.fee
    regret, rejected = task_regrets(problem, copies, fees)
    return Regrets(
        lower_bound=max(0.0, before.bound * SAFETY),
        candidate_regret=regret,
        rejection_regret=rejected,
        level_floor=copies.floor,
        level_regret=level_regrets(problem, copies, before.work_for(problem), fees),
    )


def no_regrets(problem: Problem, before: Fees) -> Regrets:
    """The bound of fees alone: nothing is regretted, which is never wrong and costs no time."""
    copies = before.copies
    return Regrets(
        lower_bound=max(0.0, before.bound * SAFETY),
        candidate_regret=np.zeros(problem.cost.shape),
        rejection_regret=np.zeros(problem.count.size),
        level_floor=copies.floor,
        level_regret=np.where(np.arange(copies.floor.shape[1]) < copies.levels[:, None], 0.0, np.inf),
    )


def part_ruled_out(problem: Problem, before: Fees, regrets: Regrets, cost: float) -> float:
    """The part of the candidates, or of the levels if more, that no placement cheaper than ``cost`` (bit hops) has."""
    room = _room(before, cost)
    candidate = np.arange(problem.cost.shape[1]) < problem.count[:, None]
    level = np.arange(regrets.level_regret.shape[1]) < before.copies.levels[:, None]
    parts = [
        float((there & (regret > room)).sum()) / max(1, int(there.sum()))
        for there, regret in ((candidate, regrets.candidate_regret), (level, regrets.level_regret))
    ]
    return max(parts)


def _room(before: Fees, cost: float) -> float:
    """bit hops. What is regretted more is no part of a placement cheaper than ``cost``."""
    return (cost - before.value * SAFETY) * (1.0 + 1e-9)


def without_the_hopeless(
    problem: Problem, before: Fees, regrets: Regrets, cost: float
) -> tuple[Problem, IntArray, Fees]:
    """Leave out what is no part of any placement cheaper than ``cost`` (bit hops), and carry the fees over.

    The bound of what is left holds for the whole problem up to ``cost``: no placement is cheaper than the smaller
    of the two. Returns the problem left, (K, C) its candidates' indices in the old one, and the fees.
    """
    room = _room(before, cost)
    lowest, most = remaining_levels(before.copies, regrets.level_regret, room)
    return restricted(problem, before, regrets.candidate_regret <= room, lowest, most)


def restricted(
    problem: Problem, before: Fees, allowed: BoolArray, lowest: IntArray, most: FloatArray
) -> tuple[Problem, IntArray, Fees]:
    """Leave out candidates that are not ``allowed`` (K, C), and limit the nodes.

    Args:
        problem: the packed problem.
        before: its fees, which are carried over.
        allowed: (K, C).
        lowest: (J + 1,) the lowest level that users of a node must bear.
        most: (J + 1,) 1/s, what may arrive at a node.

    Returns:
        The problem left, (K, C) its candidates' indices in the old one, and its fees.
    """
    left, kept = reduced(problem, before.copies, allowed, lowest, most)
    copies = copies_of(left)
    fees = carried_fees(left, kept, before.copies, before.fee, copies)
    work = _new_work(left, copies)
    value = bound_of(left, copies, fees, work)
    return left, kept, Fees(copies, fees, value, max(before.bound, value), work)
