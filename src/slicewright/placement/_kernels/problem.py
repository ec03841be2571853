"""What search sees of a placement problem, and what it keeps while tasks move.

Candidates of a task are the options that serve it in time when it is alone, cheapest first. Node ``J``
does not exist: it stands for the missing second node of an option, and for both of a task's own device, never fills
and never limits, so that loops need no case for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined

REJECTED = -1
NOISE = 1e-12  # of a limit: what sums of arrival rates may be off by rounding


class Problem(NamedTuple):
    """A placement problem as the kernels read it; rows are padded to the number of options, C."""

    count: Any  # (K,) int64, candidates of each task
    option: Any  # (K, C) int64
    cost: Any  # (K, C) bit hops, ascending
    node: Any  # (K, C, 2) int64
    limit: Any  # (K, C, 2) 1/s
    rejection: Any  # (K,) bit hops
    arrival: Any  # (K,) 1/s
    n_nodes: int


class State(NamedTuple):
    """Decisions and what follows from them; users of a node are kept in a list in no order."""

    chosen: Any  # (K,) int64, candidate or REJECTED
    load: Any  # (J + 1,) 1/s, Lambda_j
    tight: Any  # (J + 1,) 1/s, the smallest limit of the node's users
    users: Any  # (J + 1,) int64
    user: Any  # (J + 1, K) int64
    place: Any  # (K, 2) int64, position in the list of either node


@kernel
def make_problem(option_cost, option_node, option_limit, order, access_point, rejection, arrival, n_nodes):
    """Keep what is possible for a task alone and cheaper than rejecting it, cheapest first.

    ``order`` (A, O) is that of the task's access point, but for the task's own device, which comes last there.
    """
    n_tasks, n_options = option_cost.shape
    count = np.zeros(n_tasks, dtype=np.int64)
    option = np.zeros((n_tasks, n_options), dtype=np.int64)
    cost = np.empty((n_tasks, n_options))
    node = np.empty((n_tasks, n_options, 2), dtype=np.int64)
    limit = np.empty((n_tasks, n_options, 2))
    for k in range(n_tasks):
        c = 0
        for o in order[access_point[k]]:
            if not is_candidate(option_cost, option_node, option_limit, rejection, arrival, k, o):
                continue
            option[k, c], cost[k, c] = o, option_cost[k, o]
            for side in range(2):
                used = option_node[o, side] >= 0
                node[k, c, side] = option_node[o, side] if used else n_nodes
                limit[k, c, side] = option_limit[k, o, side] * (1.0 + NOISE) if used else np.inf
            sink(option, cost, node, limit, k, c)
            c += 1
        count[k] = c
        cost[k, c:], node[k, c:], limit[k, c:] = np.inf, n_nodes, np.inf
    return Problem(count, option, cost, node, limit, rejection, arrival, n_nodes)


@inlined
def sink(option, cost, node, limit, k, last):
    """Move the last candidate of task k before those that are dearer."""
    c = last
    while c > 0 and cost[k, c - 1] > cost[k, c]:
        option[k, c - 1], option[k, c] = option[k, c], option[k, c - 1]
        cost[k, c - 1], cost[k, c] = cost[k, c], cost[k, c - 1]
        for side in range(2):
            node[k, c - 1, side], node[k, c, side] = node[k, c, side], node[k, c - 1, side]
            limit[k, c - 1, side], limit[k, c, side] = limit[k, c, side], limit[k, c - 1, side]
        c -= 1


@kernel
def is_candidate(option_cost, option_node, option_limit, rejection, arrival, k, o):
    if option_cost[k, o] >= rejection[k]:
        return False
    first = option_limit[k, o, 0] >= arrival[k]
    return first and (option_node[o, 1] < 0 or option_limit[k, o, 1] >= arrival[k])


@kernel
def empty_state(problem):
    """Every task rejected."""
    n_tasks, nodes = problem.count.size, problem.n_nodes + 1
    return State(
        np.full(n_tasks, REJECTED),
        np.zeros(nodes),
        np.full(nodes, np.inf),
        np.zeros(nodes, dtype=np.int64),
        np.empty((nodes, n_tasks), dtype=np.int64),
        np.zeros((n_tasks, 2), dtype=np.int64),
    )


@inlined
def fits(problem, state, k, c):
    """Whether task k can take its candidate c without making any task late."""
    own = problem.arrival[k]
    first, second = problem.node[k, c, 0], problem.node[k, c, 1]
    room = min(state.tight[first], problem.limit[k, c, 0]) - state.load[first]
    other = min(state.tight[second], problem.limit[k, c, 1]) - state.load[second]
    return own <= min(room, other)


@inlined
def attach(problem, state, k, c):
    """Give a rejected task its candidate c."""
    state.chosen[k] = c
    for side in range(2):
        j = problem.node[k, c, side]
        if j == problem.n_nodes:
            continue
        state.load[j] += problem.arrival[k]
        state.tight[j] = min(state.tight[j], problem.limit[k, c, side])
        state.user[j, state.users[j]] = k
        state.place[k, side] = state.users[j]
        state.users[j] += 1


@inlined
def detach(problem, state, k):
    """Take a placed task off its nodes."""
    c = state.chosen[k]
    state.chosen[k] = REJECTED
    for side in range(2):
        j = problem.node[k, c, side]
        if j == problem.n_nodes:
            continue
        last = state.users[j] - 1
        mover = state.user[j, last]
        state.user[j, state.place[k, side]] = mover
        state.place[mover, side_of(problem, state, mover, j, k, side)] = state.place[k, side]
        state.users[j] = last
        if problem.limit[k, c, side] <= state.tight[j]:
            refresh(problem, state, j)
        else:
            state.load[j] -= problem.arrival[k]


@inlined
def side_of(problem, state, k, j, leaver, leaving_side):
    """On which side of its option task k uses node j; the leaver's option is already gone."""
    if k == leaver:
        return leaving_side
    return 0 if problem.node[k, state.chosen[k], 0] == j else 1


@inlined
def refresh(problem, state, j):
    """Load and tightest limit of node j from its users."""
    load, tight = 0.0, np.inf
    for u in range(state.users[j]):
        k = state.user[j, u]
        side = 0 if problem.node[k, state.chosen[k], 0] == j else 1
        load += problem.arrival[k]
        tight = min(tight, problem.limit[k, state.chosen[k], side])
    state.load[j], state.tight[j] = load, tight


@outlined
def total_cost(problem, state):
    """bit hops. The objective of the state."""
    total = 0.0
    for k in range(problem.count.size):
        c = state.chosen[k]
        total += problem.cost[k, c] if c != REJECTED else problem.rejection[k]
    return total


@outlined
def restore(problem, state, chosen):
    """Make the state that of the given candidates."""
    for j in range(problem.n_nodes + 1):
        state.load[j], state.tight[j], state.users[j] = 0.0, np.inf, 0
    for k in range(problem.count.size):
        state.chosen[k] = REJECTED
        if chosen[k] != REJECTED:
            attach(problem, state, k, chosen[k])
