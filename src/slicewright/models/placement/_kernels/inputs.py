"""What the size-free network sees, packed in one pass over the options."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel


@kernel
def _ways_alone(cost, nodes, limit, arrival):
    """Tasks as if each were alone: (K,) cheapest cost, (K, O) what serves in time, mean cost through the network."""
    n_tasks, n_options = cost.shape
    cheapest = np.full(n_tasks, np.inf)
    alone = np.zeros((n_tasks, n_options), dtype=np.bool_)
    total, served = 0.0, 0
    for k in range(n_tasks):
        in_network = np.inf
        for o in range(n_options):
            fits = limit[k, o, 0] >= arrival[k] and (nodes[o, 1] < 0 or limit[k, o, 1] >= arrival[k])
            alone[k, o] = fits
            if fits and cost[k, o] < cheapest[k]:
                cheapest[k] = cost[k, o]
            if fits and nodes[o, 0] >= 0 and cost[k, o] < in_network:
                in_network = cost[k, o]
        if in_network < np.inf:
            total += in_network
            served += 1
    return cheapest, alone, total / served if served > 0 and total > 0.0 else 1.0


@kernel
def pack(cost, nodes, limit, arrival, reach, n_nodes, blocked, most):
    """Costs over the mean cheapest cost, limits over an even load, and the best ways through every node.

    The mean is that of ways through the network: what a task costs on its own device says nothing of distances.

    Args:
        cost: (K, O) bit hops. nodes: (O, 2). limit: (K, O, 2) 1/s. arrival: (K,) 1/s. reach: (K, J) lengths.
        n_nodes: J.
        blocked: the cost of an option that cannot serve the task in time even alone.
        most: limits and costs through a node are cut to this.

    Returns:
        (K, O) costs, (K, O, 2) limits, (K, J, 4) pairs, (K, 2) cheapest cost and its limit, (J,) even-load unit.
    """
    n_tasks, n_options = cost.shape
    unit_load = 2.0 * arrival.sum() / n_nodes
    cheapest, alone, unit = _ways_alone(cost, nodes, limit, arrival)
    length = reach.mean() if reach.mean() > 0.0 else 1.0
    costs = np.full((n_tasks, n_options), np.float32(blocked))
    limits = np.zeros((n_tasks, n_options, 2), dtype=np.float32)
    pairs = np.zeros((n_tasks, n_nodes, 4), dtype=np.float32)
    own = np.zeros((n_tasks, 2), dtype=np.float32)
    pairs[:, :, 0] = most
    for k in range(n_tasks):
        low = cheapest[k] if cheapest[k] < np.inf else 0.0
        own[k, 0] = min(low / unit, most)
        for o in range(n_options):
            tight = most
            for side in range(2):
                limits[k, o, side] = most
                if nodes[o, side] >= 0:
                    limits[k, o, side] = min(max(limit[k, o, side] / unit_load, 0.0), most)
                    tight = min(tight, limits[k, o, side])
            if not alone[k, o]:
                continue
            costs[k, o] = min(cost[k, o] / unit, 0.5 * blocked)
            if cost[k, o] <= low:
                own[k, 1] = max(own[k, 1], tight)
            for side in range(2):
                j = nodes[o, side]
                if j < 0:
                    continue
                more = (cost[k, o] - low) / unit
                if more < pairs[k, j, 0]:
                    pairs[k, j, 0], pairs[k, j, 1] = more, limits[k, o, side]
                pairs[k, j, 2] = max(pairs[k, j, 2], limits[k, o, side])
        for j in range(n_nodes):
            pairs[k, j, 3] = reach[k, j] / length
    return costs, limits, pairs, own
