"""Search with what the formula leaves out: the queue on a device's own uplink, rates that are wrong, load unseen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.auto import AUTO
from slicewright.policies.slicing.policy import Answer, Limit
from slicewright.slicing.correction import Correction, corrected_plan
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.search import iterated_search


@dataclass(frozen=True)
class CorrectedPolicy:
    """Plans for what tasks will take (see ``slicing.correction``); the plan's cost is still the formula's.

    Register one of your own for a network of which more is known:
    ``register_policy(CorrectedPolicy(dispersion=3.0, rate_error=0.5), replace=True)``.

    Attributes:
        dispersion, size_variation, rate_error, seen, turns: as in :class:`~slicewright.slicing.correction.Correction`,
            the same for all devices. By default arrivals are Poisson, sizes fixed, rates right, and all load is seen.
    """

    name: str = "corrected"
    summary: str = "search that counts the queue on each device's own uplink, which the formula leaves out"
    dispersion: float = 1.0
    size_variation: float = 0.0
    rate_error: float = 0.0
    seen: float = 1.0
    turns: int = 4

    def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
        """A few turns of search and correction, which share the limit."""
        correction = Correction(
            np.full(scenario.n_devices, self.dispersion),
            size_variation=self.size_variation,
            turns=self.turns,
            rate_error=self.rate_error,
            seen=self.seen,
        )
        part = Limit(
            None if limit.budget_s is None else limit.budget_s / self.turns,
            None if limit.rounds is None else limit.rounds // self.turns,
        )

        def search(problem: Scenario, start: Decisions | None) -> Decisions:
            if problem.node_lists is not None:
                return AUTO.decide(problem, limit=part, seed=seed).decisions
            return iterated_search(
                problem, start=start, budget_s=part.budget_s, rounds=part.rounds, seed=seed
            )[0]

        expected, left = correction.believing(scenario)
        made, _ = corrected_plan(expected, search, left)
        return Answer(made.decisions, made.shares)


CORRECTED = CorrectedPolicy()
