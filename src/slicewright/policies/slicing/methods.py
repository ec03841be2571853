"""The classical methods as policies: search, best response, and the baselines."""

from __future__ import annotations

from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.auto import AUTO
from slicewright.policies.slicing.city import CITY
from slicewright.policies.slicing.policy import Answer, FunctionPolicy, Limit, Policy
from slicewright.slicing import search
from slicewright.slicing.published import baselines


def _best_response(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(*search.best_response(scenario, budget_s=limit.budget_s, runs=_runs(limit), seed=seed))


def _greedy(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(*search.greedy(scenario))


def _erap(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(
        *baselines.equal_allocation(scenario, budget_s=limit.budget_s, runs=_runs(limit), seed=seed)
    )


def _prap(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(
        *baselines.proportional_allocation(scenario, budget_s=limit.budget_s, runs=_runs(limit), seed=seed)
    )


def _random(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(*baselines.random_decisions(scenario, seed=seed))


def _local(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(*baselines.all_local(scenario))


def _mec_only(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(*baselines.mec_only(scenario))


def _runs(limit: Limit) -> int | None:
    """A round of a restarted method is one run."""
    return None if limit.rounds is None else max(1, limit.rounds)


CLASSICAL: tuple[Policy, ...] = (
    AUTO,
    FunctionPolicy(
        "best-response",
        "each device in turn takes its cheapest option; restarts in random orders",
        _best_response,
    ),
    CITY,
    FunctionPolicy("greedy", "one pass, nobody reconsiders", _greedy),
    FunctionPolicy("erap", "equal shares, decisions by best response under them (published baseline)", _erap),
    FunctionPolicy(
        "prap", "proportional shares, decisions by best response under them (published baseline)", _prap
    ),
    FunctionPolicy("mec-only", "every task to a MEC server", _mec_only),
    FunctionPolicy("random", "random decisions, optimal shares", _random),
    FunctionPolicy("local", "nobody offloads", _local),
)
