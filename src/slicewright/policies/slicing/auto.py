"""The default method: search, and sets of devices with a proof where the budget is enough for them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from slicewright.compiled import announce_compilation
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.city import CITY
from slicewright.policies.slicing.policy import Answer, Limit
from slicewright.slicing.exact import solve_exact
from slicewright.slicing.exact.tree import load_kernels
from slicewright.slicing.search import iterated_search, nodes_count

SEARCH_PART = 0.2
"""Part of a budget that search takes before it is known whether a proof follows."""
PROOF_S = 1.5e-5
"""s per device squared that a proof takes where radio is what counts: 3 ms for fifteen devices, 40 ms for fifty."""
CROWDED_PROOF_S = 1e-4
"""The same until columns give better plans than search where nodes are full: 40 ms for twenty, 250 for fifty."""
MOST_DEVICES = 120
"""More devices than this keep to search: the linear programme over sets would take minutes."""


@dataclass(frozen=True)
class AutoPolicy:
    """Iterated search; with time for it, column generation, whose plans search does not reach where nodes are full."""

    name: str = "auto"
    summary: str = "iterated search, and a proof where the budget is enough for one: the default"

    def prepare(self, scenario: Scenario, *, limit: Limit) -> None:
        """Load (on a new machine: compile) what a decision may run beyond search, before its time begins."""
        if scenario.node_lists is not None:
            CITY.prepare(scenario, limit=limit)
        if _may_prove(scenario, limit):
            announce_compilation("slicing.exact")
            load_kernels()

    def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
        """Search within the limit; prove and improve the plan if time is left for it."""
        if scenario.node_lists is not None:
            return CITY.decide(scenario, limit=limit, seed=seed)
        if not _may_prove(scenario, limit) or limit.budget_s is None:
            return Answer(*iterated_search(scenario, budget_s=limit.budget_s, rounds=limit.rounds, seed=seed))
        began = time.perf_counter()
        decisions, _ = iterated_search(scenario, budget_s=SEARCH_PART * limit.budget_s, seed=seed)
        crowded = nodes_count(scenario, decisions)
        left = limit.budget_s - (time.perf_counter() - began)
        if left < _proof_s(scenario, crowded=crowded):
            again = (seed + 1) % 2**64
            return Answer(*iterated_search(scenario, start=decisions, budget_s=max(left, 0.0), seed=again))
        answer = solve_exact(scenario, start=decisions, budget_s=left, seed=seed)
        return Answer(answer.decisions, proven_bound_s=answer.bound_s, prices=answer.prices)


def _may_prove(scenario: Scenario, limit: Limit) -> bool:
    """Whether a proof could fit; rounds ask for an answer that depends on the seed alone."""
    if limit.budget_s is None or limit.rounds is not None or scenario.n_devices > MOST_DEVICES:
        return False
    if scenario.node_lists is not None:
        return False
    return (1.0 - SEARCH_PART) * limit.budget_s >= _proof_s(scenario, crowded=False)


def _proof_s(scenario: Scenario, *, crowded: bool) -> float:
    """s that a proof takes as a rule."""
    return (CROWDED_PROOF_S if crowded else PROOF_S) * scenario.n_devices**2


AUTO = AutoPolicy()
