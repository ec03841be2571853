"""Learned methods as policies: what a network says, repaired (``-raw``) or polished by search under the budget.

Nothing here can stall: whenever a model cannot answer in time, search answers alone and the plan says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.policy import Answer, Limit
from slicewright.slicing import search
from slicewright.slicing.decisions import Decisions

WORTH = 0.2
"""A polished method asks its network only if inference is expected to take at most this part of the budget."""
RAW_DECODINGS, POLISHED_DECODINGS = 32, 2
"""Orders in which soft decisions are decoded; the cheapest counts. Search makes up for fewer."""


@dataclass(frozen=True)
class LearnedPolicy:
    """A model by name.

    Attributes:
        name: of the method.
        summary: one line.
        model: name of the model file.
        polish: improve the network's decisions by search until the limit; else answer with them, repaired.
    """

    name: str
    summary: str
    model: str
    polish: bool

    def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
        """Ask the network, repair, and if asked to, search on; without an answer from the network, search alone."""
        from slicewright.models.session import ModelUnavailableError
        from slicewright.models.slicing.decoding import repaired

        began_ns = time.perf_counter_ns()
        try:
            decisions, notes = self._ask(scenario, limit, began_ns, seed)
        except ModelUnavailableError as error:
            rounds = limit.rounds if self.polish else 0
            found = search.iterated_search(
                scenario, budget_s=_left_s(limit, began_ns), rounds=rounds, seed=seed
            )
            return Answer(*found, notes=(f"search alone: {error}",))
        feasible, shares = repaired(scenario, decisions)
        left_s = _left_s(limit, began_ns)
        if self.polish and left_s != 0.0:
            found = search.iterated_search(
                scenario, start=feasible, budget_s=left_s, rounds=limit.rounds, seed=seed
            )
            return Answer(*found, notes=notes)
        return Answer(feasible, shares, notes=notes)

    def _ask(
        self, scenario: Scenario, limit: Limit, began_ns: int, seed: int
    ) -> tuple[Decisions, tuple[str, ...]]:
        """The network's decisions, which may still break 13b or 13c, and remarks about its range.

        Raises:
            ModelUnavailableError: there will be no answer, or not in time.
        """
        from slicewright.models.cards import BIPARTITE
        from slicewright.models.session import ModelUnavailableError
        from slicewright.models.slicing.decoding import decode_choices, decode_soft, soft_choices
        from slicewright.models.slicing.session import concerns, load_model

        model = load_model(self.model)
        expected_s, budget_s = model.expected_s(scenario), limit.budget_s
        if self.polish and budget_s is not None and expected_s > WORTH * budget_s:
            raise ModelUnavailableError(
                f"an inference of {self.model} takes about {1e3 * expected_s:.2g} ms "
                f"of a budget of {1e3 * budget_s:.2g} ms"
            )
        outputs, notes = model.run(scenario), concerns(model.card, scenario)
        if model.card.kind == BIPARTITE:
            soft = (outputs[0], outputs[1])
        elif self.polish:
            soft = soft_choices(scenario, outputs[0])
        else:  # as published
            return decode_choices(scenario, outputs[0]), notes
        count = POLISHED_DECODINGS if self.polish else RAW_DECODINGS
        left_s = _left_s(limit, began_ns)
        return decode_soft(scenario, *soft, count=count, budget_s=left_s, seed=seed), notes


def _left_s(limit: Limit, began_ns: int) -> float | None:
    """What is left of the budget, s; None if there is no budget."""
    if limit.budget_s is None:
        return None
    return max(0.0, limit.budget_s - 1e-9 * (time.perf_counter_ns() - began_ns))


_MODELS = {
    "deepsets-s": "DeepSets-S as published",
    "deepsets": "DeepSets without slack (published ablation)",
    "set-transformer-2": "set transformer with 2 heads (published ablation)",
    "set-transformer-4": "set transformer with 4 heads (published ablation)",
    "bipartite": "size-free network that prices congestion, serves any network",
}
LEARNED = tuple(
    LearnedPolicy(name + ending, text + how, name, polish)
    for name, text in _MODELS.items()
    for ending, how, polish in (("", ", then search", True), ("-raw", ", decoded and repaired", False))
)
"""Every shipped model, twice."""
