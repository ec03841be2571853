"""Lower bounds in milliseconds; see :mod:`slicewright.placement._kernels.bound` for how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.placement._kernels.bound import candidate_regrets, level_regrets, make_copies, price
from slicewright.placement._kernels.problem import Problem
from slicewright.types import FloatArray

NEVER_NS = 2**62
"""A deadline that no clock reaches."""
ITERATIONS = 2000
SAFETY = 1.0 - 1e-12
"""Rounding in the sums of the bound must never make it invalid."""


@dataclass(frozen=True, eq=False)
class Prices:
    """A proven bound and what its fees say about the nodes.

    Attributes:
        lower_bound: bit hops; no placement has a smaller objective.
        candidate_regret: (K, C) bit hops, what the bound rises by at least if a task took that candidate.
        level_floor: (J, levels) 1/s, the least limit that each level of a node serves.
        level_regret: (J, levels) bit hops, what the bound rises by at least if the node ran at that level;
            infinite where there is no such level.
    """

    lower_bound: float
    candidate_regret: FloatArray
    level_floor: FloatArray
    level_regret: FloatArray


def price_nodes(
    problem: Problem, target: float, *, iterations: int = ITERATIONS, deadline_ns: int = NEVER_NS
) -> Prices:
    """A lower bound of the objective, by Lagrangian decomposition into tasks and nodes.

    Args:
        problem: the packed problem.
        target: objective of a placement; sets the size of the steps and ends the ascent when it is met.
        iterations: the most steps.
        deadline_ns: of ``time.perf_counter_ns``; without it runs repeat bit for bit.
    """
    copies = make_copies(problem, usable_limits(problem))
    bound, fees = price(problem, copies, target, iterations, deadline_ns)
    return Prices(
        lower_bound=max(0.0, bound * SAFETY),
        candidate_regret=candidate_regrets(problem, copies, fees),
        level_floor=copies.floor,
        level_regret=level_regrets(problem, copies, fees),
    )


def usable_limits(problem: Problem) -> FloatArray:
    """(K, C, 2) 1/s. Limits, cut to what can arrive and, for equal rates, to whole numbers of tasks."""
    rate = problem.arrival[0]
    limit = np.minimum(problem.limit, problem.arrival.sum())
    if (problem.arrival == rate).all():
        limit = rate * np.floor(limit / rate * (1.0 + 1e-9))
    return np.asarray(limit)
