"""Greedy decodings of scores under the limits of the queues."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, outlined, random_unit
from slicewright.placement._kernels.construct import new_scratch, refill
from slicewright.placement._kernels.problem import (
    REJECTED,
    attach,
    empty_state,
    fits,
    restore,
    total_cost,
)


@outlined
def best_fitting(problem, state, scores, noise, k):
    """The candidate of task k with the best score among those that fit, or ``REJECTED``."""
    best, most = REJECTED, -np.inf
    for c in range(problem.count[k]):
        value = scores[k, problem.option[k, c]]
        value += noise[k, problem.node[k, c, 0]] + noise[k, problem.node[k, c, 1]]
        if value > most and fits(problem, state, k, c):
            best, most = c, value
    return best


@outlined
def stakes(problem, scores, key):
    """Minus what each task expects to pay: large tasks are decided while there is room."""
    for k in range(problem.count.size):
        top, expected, mass = -np.inf, 0.0, 0.0
        for c in range(problem.count[k]):
            top = max(top, scores[k, problem.option[k, c]])
        for c in range(problem.count[k]):
            p = np.exp(scores[k, problem.option[k, c]] - top)
            mass += p
            expected += p * problem.cost[k, c]
        key[k] = -(problem.rejection[k] - expected / max(mass, 1e-300))


@kernel
def decode(problem, scores, decodings, spread, seed):
    """(K,) candidates of the cheapest of several decodings; see :func:`slicewright.placement.repair.repaired`."""
    n_tasks = problem.count.size
    rng = np.array([seed], dtype=np.uint64)
    state = empty_state(problem)
    noise = np.zeros((n_tasks, problem.n_nodes + 1))
    key, base = np.empty(n_tasks), np.empty(n_tasks)
    nobody, best = np.full(n_tasks, REJECTED), np.full(n_tasks, REJECTED)
    scratch = new_scratch(problem)
    stakes(problem, scores, base)
    least = np.inf
    for turn in range(decodings):
        if turn > 0:
            for k in range(n_tasks):
                key[k] = base[k] * (0.6 + 0.8 * random_unit(rng))
                for j in range(problem.n_nodes):
                    u = random_unit(rng)
                    noise[k, j] = spread * np.log((u + 1e-12) / (1.0 - u + 1e-12)) * 0.5
        else:
            key[:] = base
        restore(problem, state, nobody)
        for k in np.argsort(key):
            c = best_fitting(problem, state, scores, noise, k)
            if c != REJECTED:
                attach(problem, state, k, c)
        refill(problem, state, scratch)
        cost = total_cost(problem, state)
        if cost < least:
            least = cost
            best[:] = state.chosen
    return best
