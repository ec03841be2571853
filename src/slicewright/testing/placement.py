"""What every placement method promises, as code that raises one sentence when a promise is broken."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from slicewright.judging import ROUNDING
from slicewright.placement.plan import Placement, certified
from slicewright.placement.plan_file import check_placement, load_placement
from slicewright.placement.problem.tasks import Tasks
from slicewright.policies.placement.policy import Answer, PlacementMethod
from slicewright.testing.contract import ContractError, hurried
from slicewright.testing.tasks import awkward_tasks

NAME = "method"


def check_placement_method(
    method: PlacementMethod,
    *,
    problems: Mapping[str, Tasks] | None = None,
    options: Mapping[str, object] | None = None,
) -> None:
    """Check that a placement method keeps its contract on awkward problems.

    Every answer is one option or a rejection per task and keeps 9a to 9e with a finite objective; no proven bound
    lies above it; the same seed without a budget repeats the answer bit for bit; a tiny budget is answered; the
    placement survives its file.

    Args:
        method: what to check.
        problems: by name; :func:`awkward_tasks` by default.
        options: of the method, under which it repeats: ``{"iterations": 200}`` for one that else goes by the clock.

    Raises:
        ContractError: the first broken promise.
    """
    given = dict(options or {})
    for where, tasks in (problems or awkward_tasks()).items():
        answer = method(tasks, budget_s=None, seed=7, **given)
        _check_placement(tasks, _as_placement(tasks, answer, where), where)
        again = method(tasks, budget_s=None, seed=7, **given)
        if not np.array_equal(answer.choice, again.choice):
            raise ContractError(f"{where}: the same seed gave other placements the second time")
        short = hurried(partial(method, tasks, budget_s=0.001, seed=7), where)
        _check_placement(tasks, _as_placement(tasks, short, where), f"{where}, in a hurry")


def _check_placement(tasks: Tasks, placement: Placement, where: str) -> None:
    if not placement.violations.feasible:
        raise ContractError(f"{where}: {placement.violations.explain()}")
    if not np.isfinite(placement.objective_bit_hops):
        raise ContractError(f"{where}: the objective is {placement.objective_bit_hops}")
    if placement.lower_bound_bit_hops > placement.objective_bit_hops * (1 + ROUNDING):
        raise ContractError(
            f"{where}: the bound {placement.lower_bound_bit_hops:.9g} bit hops lies above the objective "
            f"{placement.objective_bit_hops:.9g} bit hops"
        )
    returned = load_placement(placement.to_dict())
    if returned.nodes != placement.nodes or not check_placement(tasks, returned).feasible:
        raise ContractError(f"{where}: writing and reading the placement changed it")


def _as_placement(tasks: Tasks, answer: Answer, where: str) -> Placement:
    choice = np.asarray(answer.choice)
    if choice.shape != (tasks.n_tasks,) or not np.issubdtype(choice.dtype, np.integer):
        raise ContractError(f"{where}: {tasks.n_tasks} tasks need as many whole numbers as choice")
    if not ((choice >= -1) & (choice < tasks.options.count)).all():
        raise ContractError(f"{where}: a choice is an option from 0 to {tasks.options.count - 1}, or -1")
    return certified(
        tasks, choice, method=NAME, lower_bound=answer.lower_bound_bit_hops, runtime_s=0.0, notes=answer.notes
    )
