"""What the relaxation behind a bound mixes: how often nodes run at each level, and tasks take each candidate.

Around the best fees the two sides of the bound keep changing their minds between answers that are as good; how often
each comes up near the optimum is, nearly, its part in the mixture that the relaxation allows.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel
from slicewright.placement._kernels.bound import ascend, cheapest, evaluate, make_work
from slicewright.placement._kernels.earnings import LEVELS
from slicewright.placement._kernels.problem import REJECTED

WARM_UP = 10  # steps that are not counted
SCALE = 0.3  # of the steps, smaller than those that search for better fees


@kernel
def mixture(problem, copies, start, target, iterations):
    """Walk around the fees ``start``: (J, LEVELS) and (K, C + 1) parts; the last column is rejection.

    Parts of a node that serves nobody are 0.
    """
    fee = start.copy()
    direction, previous = np.zeros(fee.shape), np.zeros(fee.shape)
    work = make_work(problem, copies)
    n_tasks, width = problem.cost.shape
    level, candidate = np.zeros((problem.n_nodes, LEVELS)), np.zeros((n_tasks, width + 1))
    for turn in range(WARM_UP + iterations):
        bound = evaluate(problem, copies, fee, work, direction)
        if turn >= WARM_UP:
            for j in range(problem.n_nodes):
                if work.last[j] >= 0:
                    level[j, work.last[j]] += 1.0 / iterations
            for k in range(n_tasks):
                _, c = cheapest(problem, copies, fee, k)
                candidate[k, width if c == REJECTED else c] += 1.0 / iterations
        ahead = max(SCALE * (target - bound), 1e-12 * abs(target))
        if not ascend(problem, copies, fee, direction, previous, ahead):
            break
    return level, candidate
