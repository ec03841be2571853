"""Our own placement methods without networks: search, exact, and the baselines."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.placement._kernels.fill import chosen_options, fill_cheapest, fill_random
from slicewright.placement.certificate import Certified, search_with_bound
from slicewright.placement.exact import solve_exact
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.search import UNLIMITED, compiled_problem
from slicewright.policies.placement.policy import Answer, PlacementMethod
from slicewright.solvers import solver as find_solver
from slicewright.types import BoolArray

AUTO_BUDGET_S = 0.05
RESERVE_S = 0.003
RESERVE_SHARE = 0.1
"""What ``auto`` keeps of its budget for unpacking: this much, or this part if that is less."""
EXACT_BUDGET_S = 60.0
EXACT_STEPS_PER_TASK = 500
"""Of the search that gives the exact method its first placement and the bound its target."""


def auto(
    tasks: Tasks, *, budget_s: float | None = None, seed: int = 0, iterations: int | None = None
) -> Answer:
    """A lower bound in a part of the budget, then a search with its prices until time or gap is used up.

    ``iterations`` limits the work instead of the time, unless both are given: a run that repeats bit for bit.
    """
    if iterations is not None and iterations < 1:
        raise InvalidOptionError("iterations", "must be at least 1", value=iterations)
    if budget_s is None and iterations is None:
        budget_s = AUTO_BUDGET_S
    limit = None if budget_s is None else budget_s - min(RESERVE_S, RESERVE_SHARE * budget_s)
    steps = UNLIMITED if iterations is None else iterations
    found = search_with_bound(tasks, seed=seed, budget_s=limit, steps=steps)
    return Answer(chosen_options(found.problem, found.chosen), found.lower_bound)


def exact(
    tasks: Tasks, *, budget_s: float | None = None, seed: int = 0, solver: str = "highs", gap: float = 1e-6
) -> Answer:
    """Proven optimum by mixed-integer programming; at the end of the budget the best placement known by then.

    Whatever the search's bound proves to be no part of a better placement is left out of the programme.
    """
    # A name that is not known is refused even where search alone finds and proves the optimum.
    find_solver(solver)
    begin = time.perf_counter()
    limit = EXACT_BUDGET_S if budget_s is None else budget_s
    found = search_with_bound(
        tasks, seed=seed, budget_s=0.2 * limit, steps=EXACT_STEPS_PER_TASK * tasks.n_tasks
    )
    start, lower = chosen_options(found.problem, found.chosen), found.lower_bound
    left = limit - (time.perf_counter() - begin)
    if found.cost <= lower * (1.0 + gap) or left <= 0.0:
        return Answer(start, lower)
    choice, bound = solve_exact(
        tasks,
        keep=_worth_keeping(tasks, found),
        start=start,
        solver=solver,
        time_limit_s=left,
        gap=gap,
        seed=seed,
    )
    return Answer(start if choice is None else choice, max(lower, min(bound, found.cost)))


def mec_only(tasks: Tasks, *, budget_s: float | None = None, seed: int = 0) -> Answer:
    """Every task whole on its nearest MEC server with room, in the order of the tasks."""
    return _fill(tasks, tasks.options.full)


def greedy_nearest(tasks: Tasks, *, budget_s: float | None = None, seed: int = 0) -> Answer:
    """Every task, in the order of the tasks, where it costs least without making any task late."""
    return _fill(tasks, np.ones(tasks.options.count, dtype=bool))


def random(tasks: Tasks, *, budget_s: float | None = None, seed: int = 0) -> Answer:
    """Every task, in random order, anywhere it makes no task late."""
    order = np.random.default_rng(seed).permutation(tasks.n_tasks)
    return Answer(fill_random(compiled_problem(tasks), order, seed))


def _fill(tasks: Tasks, allowed: BoolArray) -> Answer:
    return Answer(fill_cheapest(compiled_problem(tasks), np.arange(tasks.n_tasks), allowed))


def _worth_keeping(tasks: Tasks, found: Certified) -> BoolArray:
    """(K, O) options that may be part of a placement better than the one found."""
    room = (found.cost - found.fees.value) * (1.0 + 1e-6)
    keep = np.zeros((tasks.n_tasks, tasks.options.count), dtype=bool)
    task, candidate = np.nonzero(found.regrets.candidate_regret <= room)
    keep[task, found.problem.option[task, candidate]] = True
    placed = np.flatnonzero(found.chosen >= 0)
    keep[placed, found.problem.option[placed, found.chosen[placed]]] = True
    return keep


METHODS: Mapping[str, PlacementMethod] = {
    "auto": auto,
    "exact": exact,
    "mec-only": mec_only,
    "greedy-nearest": greedy_nearest,
    "random": random,
}
