"""Proof by cases: problems whose bound leaves a gap are split where a node could run at one of two levels.

The bound is open mostly where its prices let a node run at two levels at once, in parts. Every placement runs a node
at one: either no more arrives than a level takes, or nobody is more urgent than the next level. Where no node has a
choice left, a task has: with its best candidate alone, or without it. The least bound of all open cases holds.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, replace

import numpy as np

from slicewright.placement._kernels.mixture import mixture
from slicewright.placement._kernels.problem import Problem
from slicewright.placement.bound import (
    SAFETY,
    Fees,
    raise_bound,
    regrets_of,
    restricted,
    without_the_hopeless,
)
from slicewright.types import BoolArray, FloatArray, IntArray

ITERATIONS = 60
"""Steps of the bound in one case."""
ENOUGH = 1.0 + 1e-9
"""A case whose bound is this near to the best placement holds no better one."""
OBSERVED = 30
"""Steps around the best prices in which mixtures are observed."""
NODES_FIRST = 0.5
"""A node is split before a task that is mixed at most this much less."""


@dataclass(frozen=True, order=True)
class _Case:
    """What is left of the problem in one case; ``value`` (bit hops) is proven of it, ``number`` breaks ties."""

    value: float
    number: int
    problem: Problem
    fees: Fees


@dataclass(frozen=True, eq=False)
class _Split:
    """One of two restrictions that together allow every placement of a case that is better than the best known.

    Attributes:
        allowed: (K, C) candidates.
        lowest: (J + 1,) the lowest level that users of a node must bear.
        most: (J + 1,) 1/s, what may arrive at a node.
        rejection: (K,) bit hops.
    """

    allowed: BoolArray
    lowest: IntArray
    most: FloatArray
    rejection: FloatArray


class Branching:
    """Open cases of a problem; grows as far as time allows, and says what is proven so far."""

    def __init__(self, problem: Problem, fees: Fees) -> None:
        self._open = [_Case(fees.value * SAFETY, 0, problem, fees)]
        self._count = 1
        self._left = np.inf  # the least bound of cases in which all is decided

    def proven(self, cost: float) -> float:
        """bit hops. No placement has a smaller objective than this, if there is one of ``cost``."""
        least = self._open[0].value if self._open else np.inf
        return float(min(cost, self._left, least))

    def most_promising(self) -> tuple[Problem, Fees] | None:
        """The open case of least bound: where a better placement is, if there is one."""
        return (self._open[0].problem, self._open[0].fees) if self._open else None

    def grow(self, cost: float, *, cases: int, deadline_ns: int) -> None:
        """Split the cases of least bound, and drop those that hold nothing better than ``cost`` (bit hops)."""
        for _ in range(cases):
            while self._open and self._open[0].value * ENOUGH >= cost:
                heapq.heappop(self._open)
            if not self._open or time.perf_counter_ns() >= deadline_ns:
                return
            self._split(heapq.heappop(self._open), cost, deadline_ns)

    def _split(self, case: _Case, cost: float, deadline_ns: int) -> None:
        fees = raise_bound(case.problem, case.fees, cost, iterations=ITERATIONS, deadline_ns=deadline_ns)
        regrets = regrets_of(case.problem, fees)
        left, _, fees = without_the_hopeless(case.problem, fees, regrets, cost)
        value = max(case.value, fees.value * SAFETY)
        if value * ENOUGH >= cost:
            return
        if time.perf_counter_ns() >= deadline_ns:
            heapq.heappush(self._open, _Case(value, case.number, left, fees))
            return
        splits = _splits(left, fees, cost)
        if not splits:
            self._left = min(self._left, value if _fits(left) else np.inf)
        for split in splits:
            part, _, carried = restricted(left, fees, split.allowed, split.lowest, split.most)
            part = part._replace(rejection=split.rejection)
            reached = max(value, carried.value * SAFETY)
            if reached * ENOUGH < cost:
                heapq.heappush(self._open, _Case(reached, self._count, part, carried))
                self._count += 1


def _fits(problem: Problem) -> bool:
    """Whether the only candidates of all tasks make no task late."""
    placed = np.flatnonzero(problem.count)
    node, limit = problem.node[placed, 0], problem.limit[placed, 0]
    load = np.zeros(problem.n_nodes + 1)
    for side in range(2):
        np.add.at(load, node[:, side], problem.arrival[placed])
    return bool((load[node] <= limit).all())


def _splits(problem: Problem, fees: Fees, cost: float) -> tuple[_Split, ...]:
    """Where the relaxation mixes most: at the levels of a node, or at a task. Nothing if all is decided."""
    level, candidate = mixture(problem, fees.copies, fees.fee, cost, OBSERVED)
    may_go = problem.rejection < cost
    undecided = (problem.count > 0) & (problem.count + may_go > 1)
    task_mix = np.where(undecided, 1.0 - candidate.max(axis=1), -1.0)
    node_mix = np.where(fees.copies.levels > 1, level.sum(axis=1) - level.max(axis=1), -1.0)
    if node_mix.max() > max(0.0, NODES_FIRST * float(task_mix.max())):
        return _level_split(problem, fees, int(node_mix.argmax()), level)
    if undecided.any():
        return _task_split(problem, int(task_mix.argmax()), candidate, cost)
    if node_mix.max() >= 0.0:
        return _level_split(problem, fees, int(node_mix.argmax()), level)
    return ()


def _level_split(problem: Problem, fees: Fees, j: int, level: FloatArray) -> tuple[_Split, ...]:
    """Between the two levels at which node j runs most."""
    levels = int(fees.copies.levels[j])
    first, second = np.argsort(-level[j, :levels], kind="stable")[:2]
    whole, at = _whole(problem), int(first + second) // 2
    raised, capped = whole.lowest.copy(), whole.most.copy()
    raised[j], capped[j] = at + 1, fees.copies.capacity[j, at]
    return replace(whole, most=capped), replace(whole, lowest=raised)


def _task_split(problem: Problem, k: int, candidate: FloatArray, cost: float) -> tuple[_Split, ...]:
    """Task k takes its most frequent candidate, or not.

    A task that must take its candidate gets a rejection dearer than the best placement known.
    """
    whole, c = _whole(problem), int(candidate[k, : problem.count[k]].argmax())
    alone, without, must = whole.allowed.copy(), whole.allowed.copy(), problem.rejection.copy()
    alone[k] = False
    alone[k, c], without[k, c] = True, False
    must[k] = 2.0 * cost
    return replace(whole, allowed=alone, rejection=must), replace(whole, allowed=without)


def _whole(problem: Problem) -> _Split:
    """No restriction."""
    nodes = problem.n_nodes + 1
    return _Split(
        np.ones(problem.cost.shape, dtype=bool),
        np.zeros(nodes, dtype=np.int64),
        np.full(nodes, np.inf),
        problem.rejection,
    )
