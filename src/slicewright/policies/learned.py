"""Learned methods as policies: what a network says, repaired (``-raw``) or polished by search under the budget.

Nothing here can stall: whenever a model cannot answer in time, search answers alone and the plan says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.policies.policy import Answer, Limit
from slicewright.slicing import search
from slicewright.slicing.baselines import drop_until_feasible
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares, optimal_shares

WORTH = 0.5
"""A network is asked only if its inference is expected to take at most this part of the budget."""


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
        from slicewright.policies.learned_models import ModelUnavailableError

        began = time.perf_counter()
        left = lambda: (
            None if limit.budget_s is None else max(0.0, limit.budget_s - (time.perf_counter() - began))
        )
        try:
            decisions, shares, notes = self._ask(scenario, limit.budget_s if self.polish else None)
        except ModelUnavailableError as error:
            rounds = limit.rounds if self.polish else 0
            found = search.iterated_search(scenario, budget_s=left(), rounds=rounds, seed=seed)
            return Answer(*found, notes=(f"search alone: {error}",))
        if self.polish and (limit.rounds is not None or left() != 0.0):
            found = search.iterated_search(
                scenario, start=decisions, budget_s=left(), rounds=limit.rounds, seed=seed
            )
            return Answer(*found, notes=notes)
        return Answer(decisions, shares, notes=notes)

    def _ask(self, scenario: Scenario, budget_s: float | None) -> tuple[Decisions, Shares, tuple[str, ...]]:
        from slicewright.policies.learned_models import ModelUnavailableError, concerns, load_model

        model = load_model(self.model)
        expected = model.expected_s(scenario)
        if budget_s is not None and expected > WORTH * budget_s:
            raise ModelUnavailableError(
                f"an inference of {self.model} takes about {1e3 * expected:.2g} ms, the budget is {1e3 * budget_s:.2g} ms"
            )
        decisions = decode_choices(scenario, model.run(scenario)[0])
        return *repaired(scenario, decisions), concerns(model.card, scenario)


def decode_choices(scenario: Scenario, probability: np.ndarray) -> Decisions:
    """The most probable decision of every device (44) among those it has (13a).

    Args:
        scenario: the problem.
        probability: (I, 1 + A J N), class 0 is local.
    """
    from slicewright.learning.features import decisions_of

    rate = scenario.rate_bps if isinstance(scenario.rate_bps, np.ndarray) else scenario.rate_bps.toarray()
    exists = (rate > 0)[:, :, None, None] & (scenario.node_capacity_hz > 0)[None, None]
    allowed = np.concatenate(
        [np.ones((scenario.n_devices, 1), bool), exists.reshape(scenario.n_devices, -1)], axis=1
    )
    return decisions_of(scenario, np.where(allowed, probability, -1.0).argmax(axis=1))


def repaired(scenario: Scenario, decisions: Decisions) -> tuple[Decisions, Shares]:
    """Feasible decisions with optimal shares: as they are where 13b and 13c can hold, else with devices sent home."""
    shares = optimal_shares(scenario, decisions)
    return (decisions, shares) if shares is not None else drop_until_feasible(scenario, decisions)


_MODELS = {
    "deepsets-s": "DeepSets-S as published",
    "deepsets": "DeepSets without slack (published ablation)",
    "set-transformer-2": "set transformer with 2 heads (published ablation)",
    "set-transformer-4": "set transformer with 4 heads (published ablation)",
}
LEARNED = tuple(
    LearnedPolicy(name + ending, text + how, name, polish)
    for name, text in _MODELS.items()
    for ending, how, polish in (("", ", then search", True), ("-raw", ", decoded and repaired", False))
)
