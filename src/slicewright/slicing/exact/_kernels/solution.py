"""Between the search tree and the master: which columns a part of the tree forbids, what a solution does."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.exact._kernels.master import N_COLUMNS
from slicewright.slicing.exact._kernels.sets import NONE


@kernel
def penalise(problem, choices, master, penalty):
    """Make columns that ``choices`` forbid too dear to use."""
    n_devices, n_aps, n_nodes = problem.local_time.size, problem.n_access_points, problem.n_nodes
    for c in range(master.count[N_COLUMNS]):
        e = master.resource[c]
        allowed = True
        if e < 0:
            allowed = choices.home[NONE - e]
        else:
            for k in range(master.first[c], master.first[c + 1] - 1):
                if e < n_aps:
                    allowed = allowed and choices.links[e, master.row[k]] != LOCAL
                else:
                    g = master.option[k] * n_nodes + e - n_aps
                    allowed = allowed and choices.alone[master.row[k] - n_devices, g] < np.inf
        master.cost[c] = master.true_cost[c] + (0.0 if allowed else penalty)


@kernel
def weigh(problem, master, home, link, group):
    """Fill the weights of devices' options, (I,), (A, I), (I, N * J), in the present solution of the master."""
    n_devices, n_aps, n_nodes = problem.local_time.size, problem.n_access_points, problem.n_nodes
    for i in range(n_devices):
        home[i] = 0.0
        for a in range(n_aps):
            link[a, i] = 0.0
        for g in range(group.shape[1]):
            group[i, g] = 0.0
    for k in range(master.basic.size):
        c = master.basic[k]
        if c < 0:
            continue
        e, value = master.resource[c], master.value[k]
        if e < 0:
            home[NONE - e] += value
            continue
        for p in range(master.first[c], master.first[c + 1] - 1):
            if e < n_aps:
                link[e, master.row[p]] += value
            else:
                group[master.row[p] - n_devices, master.option[p] * n_nodes + e - n_aps] += value
