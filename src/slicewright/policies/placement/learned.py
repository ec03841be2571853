"""Learned placement methods: what a model says, repaired, and searched on from if there is a budget.

Nothing is loaded before a method is asked. Whenever a model cannot answer, search answers alone and the placement
says so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.models.placement.model_kinds import SHIPPED
from slicewright.placement._kernels.fill import chosen_options
from slicewright.placement._kernels.problem import Problem
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.repair import repaired
from slicewright.placement.search import UNLIMITED, compiled_problem, improve
from slicewright.policies.placement.policy import Answer, PlacementMethod

DECODINGS = 2
STEPS_PER_TASK = 5
"""Of the search that ends a repair: 0.002 to 0.004 of the performance gain in 0.5 ms at 60 tasks, where eight
decodings more are worth less than half of that in the same time (see ``benchmarks placement_learning``)."""
FALLBACK_STEPS_PER_TASK = 30
"""Of the search that answers when a model cannot and there is no budget: about as good as a repaired network."""


@dataclass(frozen=True)
class LearnedPlacement:
    """A method of placement that asks the model of its name."""

    model: str

    def __call__(
        self,
        tasks: Tasks,
        *,
        budget_s: float | None = None,
        seed: int = 0,
        repair: bool = True,
        decodings: int = DECODINGS,
        steps: int | None = None,
    ) -> Answer:
        """Ask the model, repair, and search on until the budget is used, or for ``steps`` without one.

        ``repair=False`` gives the most probable option of every task, whatever rules that breaks. ``decodings`` of
        the scores are tried in repair and the cheapest counts; ``steps`` of search follow, by default
        ``STEPS_PER_TASK`` for every task.
        """
        from slicewright.models.placement.session import concerns, load_placement_model
        from slicewright.models.session import ModelUnavailableError

        if decodings < 1:
            raise InvalidOptionError("decodings", "must be at least 1", value=decodings)
        if steps is not None and steps < 0:
            raise InvalidOptionError("steps", "must be at least 0", value=steps)
        began_ns = time.perf_counter_ns()
        try:
            model = load_placement_model(self.model)
            scores = model.scores(tasks)
        except ModelUnavailableError as error:
            return _searched(
                compiled_problem(tasks), None, budget_s, began_ns, seed, (f"search alone: {error}",)
            )
        notes = concerns(model.card, tasks)
        if not repair:
            return Answer(scores.argmax(axis=1), notes=notes)
        problem = compiled_problem(tasks)
        chosen = repaired(problem, scores, decodings=decodings, seed=seed)
        if budget_s is None:
            most = STEPS_PER_TASK * tasks.n_tasks if steps is None else steps
            if most:
                chosen, _ = improve(problem, start=chosen, seed=seed, steps=most)
            return Answer(chosen_options(problem, chosen), notes=notes)
        return _searched(problem, chosen, budget_s, began_ns, seed, notes)


def _searched(
    problem: Problem,
    start: np.ndarray | None,
    budget_s: float | None,
    began_ns: int,
    seed: int,
    notes: tuple[str, ...],
) -> Answer:
    if budget_s is None:
        steps = FALLBACK_STEPS_PER_TASK * problem.count.size
        chosen, _ = improve(problem, start=start, seed=seed, steps=steps)
    else:
        end_ns = began_ns + int(1e9 * budget_s)
        chosen, _ = improve(problem, start=start, seed=seed, steps=UNLIMITED, deadline_ns=end_ns)
    return Answer(chosen_options(problem, chosen), notes=notes)


LEARNED: Mapping[str, PlacementMethod] = {name: LearnedPlacement(name) for name in SHIPPED}
"""Every shipped model, by its name."""
