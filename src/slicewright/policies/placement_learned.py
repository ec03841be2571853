"""Learned placement methods: what a model says, repaired, and searched on from if there is a budget.

Offered through the entry-point group of placement methods, so that nothing is loaded before a name is asked for.
Whenever a model cannot answer, search answers alone and the placement says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.placement._kernels.fill import chosen_options
from slicewright.placement.registry import Answer
from slicewright.placement.repair import repaired
from slicewright.placement.search import UNLIMITED, compiled_problem, improve
from slicewright.placement.tasks import Tasks

DECODINGS = 8
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
    ) -> Answer:
        """Ask the model, repair, and search on until the budget is used; without a budget, repair and no more.

        ``repair=False`` gives the most probable option of every task, whatever rules that breaks. ``decodings`` of
        the scores are tried in repair and the cheapest counts.
        """
        from slicewright.policies.learned_models import ModelUnavailableError
        from slicewright.policies.placement_models import concerns, load_placement_model

        if decodings < 1:
            raise InvalidOptionError("decodings", "must be at least 1", value=decodings)
        began_ns = time.perf_counter_ns()
        try:
            model = load_placement_model(self.model)
            scores = model.scores(tasks)
        except ModelUnavailableError as error:
            return _searched(tasks, None, budget_s, began_ns, seed, (f"search alone: {error}",))
        notes = concerns(model.card, tasks)
        if not repair:
            return Answer(scores.argmax(axis=1), notes=notes)
        problem = compiled_problem(tasks)
        chosen = repaired(problem, scores, decodings=decodings, seed=seed)
        if budget_s is None:
            return Answer(chosen_options(problem, chosen), notes=notes)
        return _searched(tasks, chosen, budget_s, began_ns, seed, notes)


def _searched(
    tasks: Tasks,
    start: np.ndarray | None,
    budget_s: float | None,
    began_ns: int,
    seed: int,
    notes: tuple[str, ...],
) -> Answer:
    problem = compiled_problem(tasks)
    if budget_s is None:
        chosen, _ = improve(problem, start=start, seed=seed, steps=FALLBACK_STEPS_PER_TASK * tasks.n_tasks)
    else:
        end_ns = began_ns + int(1e9 * budget_s)
        chosen, _ = improve(problem, start=start, seed=seed, steps=UNLIMITED, deadline_ns=end_ns)
    return Answer(chosen_options(problem, chosen), notes=notes)


gnn = LearnedPlacement("gnn")
mlp = LearnedPlacement("mlp")
decision_tree = LearnedPlacement("decision-tree")
queue_network = LearnedPlacement("queue-network")
