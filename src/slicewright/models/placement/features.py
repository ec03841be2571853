"""What the published classifiers see of a task, and which tasks they join by an edge. No torch."""

from __future__ import annotations

import numpy as np

from slicewright.placement.problem.tasks import Tasks
from slicewright.types import FloatArray, IntArray

INGRESS, SPARSE, ALONE = "same-ingress", "same-ingress-nearest", "none"
EXECUTOR, SHARED = "executor-leaks-label", "shared-executor-leaks-label"
GRAPHS = (INGRESS, SPARSE, EXECUTOR, SHARED, ALONE)
NEAREST = 3
"""Neighbours that a task chooses in the sparse graph."""


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

    ``same-ingress`` joins tasks that enter at one access point, which is known beforehand; ``none`` joins nobody.
    ``same-ingress-nearest`` joins a task with the few of its access point whose deadlines are nearest to its own.
    The publication's words ("located at the same node") can also mean the node that executes. Such graphs are built
    from the very answer (``choice``) that is to be predicted and exist to show what that does to the accuracy:
    ``executor-leaks-label`` joins tasks whose optimal placements are the same, ``shared-executor-leaks-label`` those
    whose optimal placements have a node in common.
    """
    joined: FloatArray = np.zeros((tasks.n_tasks, tasks.n_tasks))
    if graph == EXECUTOR and choice is not None:
        same = (choice[:, None] == choice[None]) & (choice >= 0)[:, None]
        joined = same.astype(np.float64)
    elif graph == SHARED and choice is not None:
        used = np.zeros((tasks.n_tasks, tasks.topology.n_nodes))
        placed = np.flatnonzero(choice >= 0)
        for node in tasks.options.nodes[choice[placed]].T:
            used[placed[node >= 0], node[node >= 0]] = 1.0
        joined = (used @ used.T > 0).astype(np.float64)
    elif graph in (INGRESS, SPARSE):
        joined = (tasks.access_point[:, None] == tasks.access_point[None]).astype(np.float64)
    np.fill_diagonal(joined, 0.0)
    return _nearest_only(joined, tasks.deadline_s) if graph == SPARSE else joined


def _nearest_only(joined: FloatArray, deadline_s: FloatArray) -> FloatArray:
    """Of the edges those to each task's ``NEAREST`` neighbours by deadline, in both directions."""
    apart = np.where(joined > 0, np.abs(deadline_s[:, None] - deadline_s[None]), np.inf)
    chosen = np.argsort(apart, axis=1, kind="stable")[:, :NEAREST]
    kept = np.zeros_like(joined)
    np.put_along_axis(kept, chosen, 1.0, axis=1)
    return np.asarray(np.maximum(kept, kept.T) * joined)
