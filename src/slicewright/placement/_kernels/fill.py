"""One task after the other, without looking back: the simple methods."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, random_below
from slicewright.placement._kernels.problem import REJECTED, attach, empty_state, fits


@kernel
def fill_cheapest(problem, order, allowed):
    """Each task takes its cheapest allowed option (O,) that makes no task late: (K,) options."""
    state = empty_state(problem)
    for k in order:
        for c in range(problem.count[k]):
            if allowed[problem.option[k, c]] and fits(problem, state, k, c):
                attach(problem, state, k, c)
                break
    return chosen_options(problem, state.chosen)


@kernel
def fill_random(problem, order, seed):
    """Each task takes one of the options that make no task late, each as likely: (K,) options."""
    state = empty_state(problem)
    rng = np.array([seed], dtype=np.uint64)
    for k in order:
        seen, choice = 0, REJECTED
        for c in range(problem.count[k]):
            if fits(problem, state, k, c):
                seen += 1
                if random_below(rng, seen) == 0:
                    choice = c
        if choice != REJECTED:
            attach(problem, state, k, choice)
    return chosen_options(problem, state.chosen)


@kernel
def chosen_options(problem, chosen):
    """(K,) options of the given candidates."""
    options = np.full(chosen.size, REJECTED)
    for k in range(chosen.size):
        if chosen[k] != REJECTED:
            options[k] = problem.option[k, chosen[k]]
    return options
