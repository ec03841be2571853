"""``place``: one call from a problem to a judged placement with its certificate."""

from __future__ import annotations

import inspect
import time
from typing import Any

import numpy as np

from slicewright.errors import InvalidOptionError, InvalidPlanError, nearest
from slicewright.placement.certificate import lower_bound
from slicewright.placement.load_kernels import load_kernels
from slicewright.placement.plan import Placement, certified
from slicewright.placement.problem.tasks import Tasks
from slicewright.policies.placement.policy import PlacementMethod
from slicewright.policies.placement.registry import placement_method
from slicewright.types import IntArray


def place(
    tasks: Tasks,
    method: str = "auto",
    *,
    budget_s: float | None = None,
    seed: int = 0,
    certify: bool = True,
    **options: Any,
) -> Placement:
    """Decide where every task goes.

    Args:
        tasks: the problem.
        method: a name of :func:`placement_methods`; ``auto`` searches within the budget and proves a bound.
        budget_s: wall time to use in s; by default 0.05 for ``auto`` and 60 for ``exact``.
        seed: of everything random.
        certify: prove a lower bound if the method itself has none; not part of its ``runtime_s``.
        **options: further options of the method, e.g. ``iterations`` of ``auto`` or ``solver`` of ``exact``.

    Raises:
        UnknownNameError: no such method.
        InvalidOptionError: an option is unknown or breaks its rule.
        SolverError: a solver gave up.
    """
    if budget_s is not None and not budget_s > 0:
        raise InvalidOptionError("budget_s", "must be positive", value=budget_s)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InvalidOptionError("seed", "must be a whole number of at least 0", value=seed)
    decide = placement_method(method)
    _check_options(decide, method, options)
    load_kernels()
    begin = time.perf_counter()
    answer = decide(tasks, budget_s=budget_s, seed=int(seed), **options)
    runtime = time.perf_counter() - begin
    choice = _checked(tasks, answer.choice, method)
    bound = answer.lower_bound_bit_hops
    if certify and bound <= 0.0:
        bound = lower_bound(tasks)
    return certified(tasks, choice, method=method, lower_bound=bound, runtime_s=runtime, notes=answer.notes)


def _check_options(decide: PlacementMethod, method: str, options: dict[str, Any]) -> None:
    parameters = inspect.signature(decide).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise InvalidOptionError(name, f"is not an option of method {method!r}{nearest(name, known)}")


def _checked(tasks: Tasks, choice: IntArray, method: str) -> IntArray:
    """What a method returned, which may be another package's, as an array that can be judged."""
    array = np.asarray(choice)
    if array.shape != (tasks.n_tasks,) or not np.issubdtype(array.dtype, np.integer):
        raise InvalidPlanError(f"choice of method {method!r}", f"must be {tasks.n_tasks} whole numbers")
    if (array >= tasks.options.count).any():
        k = int(np.argmax(array))
        rule = f"must be below {tasks.options.count}, the number of options"
        raise InvalidPlanError(f"choice of method {method!r}", rule, index=(k,), value=int(array[k]))
    return array.astype(np.int64)
