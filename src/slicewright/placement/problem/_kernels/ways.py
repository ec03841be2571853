"""What every way to place a task costs and asks of its nodes: one pass over tasks and options."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel


@kernel
def ask_of_tasks(lengths, pace, used, full, speed, which, access_point, size, cycles, deadline, uplink):
    """Costs, rates, times until sent, the best idle partial offload and limits, as in :class:`~..options.Options`.

    ``lengths`` (A, O) and ``pace`` (A, O, 2) s/bit are those of the access points, ``used`` (O, 2) says which sides
    there are, and ``speed`` (D,) cycle/s are the different speeds, of which side ``s`` of option ``o`` has
    ``which[o, s]``. A task is divided by each of them once: divisions are most of the work.
    """
    n_tasks, n_options = size.size, full.size
    cost = np.empty((n_tasks, n_options))
    rate = np.empty((n_tasks, n_options, 2))
    sent = np.empty((n_tasks, n_options, 2))
    limit = np.empty((n_tasks, n_options, 2))
    idle_partial = np.full(n_tasks, np.inf)
    served, alone = np.empty(speed.size), np.empty(speed.size)
    for k in range(n_tasks):
        a = access_point[k]
        for d in range(speed.size):
            served[d] = speed[d] / cycles[k]
            alone[d] = 1.0 / served[d]
        for o in range(n_options):
            cost[k, o] = size[k] * lengths[a, o]
            takes = 0.0
            for side in range(2):
                d = which[o, side]
                rate[k, o, side] = served[d]
                sent[k, o, side] = size[k] * pace[a, o, side] + uplink[k] if used[o, side] else 0.0
                takes = max(takes, sent[k, o, side] + alone[d])
            if not full[o]:
                idle_partial[k] = min(idle_partial[k], takes)
        before, inverse = np.nan, np.inf
        for o in range(n_options):
            longest = min(deadline[k], idle_partial[k]) if full[o] else deadline[k]
            for side in range(2):
                left = longest - sent[k, o, side]
                if left != before:
                    before, inverse = left, (1.0 / left if left > 0.0 else np.inf)
                most = rate[k, o, side] - inverse
                limit[k, o, side] = -np.inf if np.isnan(most) else most
    return cost, rate, sent, idle_partial, limit
