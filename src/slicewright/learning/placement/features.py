"""What the published classifiers see of a task, and which tasks they join by an edge. No torch."""

from __future__ import annotations

import numpy as np

from slicewright.placement.tasks import Tasks
from slicewright.types import FloatArray, IntArray

INGRESS, EXECUTOR, ALONE = "same-ingress", "executor-leaks-label", "none"
GRAPHS = (INGRESS, EXECUTOR, ALONE)


def task_rows(tasks: Tasks) -> FloatArray:
    """(K, 3 + 2 C) S, w, D, then the distance of each COIN from the task's access point, then its speed; SI units.

    With the 12 COINs of the publication these are its 27 features.
    """
    coins = tasks.topology.coins
    own = np.column_stack([tasks.size_bits, tasks.cycles, tasks.deadline_s])
    reach = tasks.topology.access_point_to_node[tasks.access_point][:, coins]
    speed = np.broadcast_to(tasks.topology.capacity_hz[coins], reach.shape)
    return np.concatenate([own, reach, speed], axis=1)


def adjacency(tasks: Tasks, graph: str, choice: IntArray | None = None) -> FloatArray:
    """(K, K) 0 or 1, zero diagonal: which tasks share an edge.

    ``same-ingress`` joins tasks that enter at one access point, which is known beforehand. ``executor-leaks-label``
    joins tasks whose *optimal* placements share a node, as the publication's words can be read: built from the very
    answer (``choice``) that is to be predicted, it exists to show what that does to the accuracy. ``none`` joins
    nobody.
    """
    if graph == EXECUTOR and choice is not None:
        used = np.zeros((tasks.n_tasks, tasks.topology.n_nodes))
        placed = np.flatnonzero(choice >= 0)
        for node in tasks.options.nodes[choice[placed]].T:
            used[placed[node >= 0], node[node >= 0]] = 1.0
        joined = (used @ used.T > 0).astype(np.float64)
    elif graph == INGRESS:
        joined = (tasks.access_point[:, None] == tasks.access_point[None]).astype(np.float64)
    else:
        joined = np.zeros((tasks.n_tasks, tasks.n_tasks))
    np.fill_diagonal(joined, 0.0)
    return joined
