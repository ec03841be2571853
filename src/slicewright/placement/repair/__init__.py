"""From wishes to a placement that keeps every rule: what a model says of each option, repaired."""

from __future__ import annotations

import numpy as np

from slicewright.placement._kernels.problem import Problem
from slicewright.placement.repair._kernels.decode import decode
from slicewright.types import FloatArray, IntArray

NOISE = 1.0
"""Spread of the noise between decodings, in units of the scores (log-probabilities)."""


def repaired(
    problem: Problem, scores: FloatArray, *, decodings: int = 1, noise: float = NOISE, seed: int = 0
) -> IntArray:
    """The best of several decodings of soft decisions, each feasible under 9a to 9e.

    A decoding goes through the tasks, those with most at stake first, and gives each the option with the best score
    among those that make no task late. Then every task that is off, or could be cheaper, takes its cheapest option
    that still fits. A task that nothing fits is rejected. All decodings but the first add noise to the scores.

    Args:
        problem: from :func:`slicewright.placement.search.compiled_problem`.
        scores: (K, O) log-probability of every option; only differences within a task count.
        decodings: how many, at least 1.
        noise: spread of the noise.
        seed: of the noise.

    Returns:
        (K,) candidates of the cheapest decoding.
    """
    wishes = np.ascontiguousarray(scores, dtype=np.float64)
    chosen: IntArray = decode(problem, wishes, decodings, noise, seed)
    return chosen
