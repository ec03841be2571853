"""The published way as a method: an optimiser on the cone programme, with a proven bound."""

from __future__ import annotations

from slicewright.errors import SolverError
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.policy import Answer, FunctionPolicy, Limit
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.published.cone_programme import ConeAnswer, solve_cone
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import Shares
from slicewright.solvers import SolverOptions, gurobi_licence, solver

DEFAULT_BUDGET_S = 60.0
START_ROUNDS = 2000
"""Rounds of search for the start: some ten milliseconds, a few thousandths of a percent from the best."""


def _warm(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return _solve(scenario, limit, seed, iterated_search(scenario, rounds=START_ROUNDS, seed=seed))


def _cold(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return _solve(scenario, limit, seed, None)


def _solve(scenario: Scenario, limit: Limit, seed: int, start: tuple[Decisions, Shares] | None) -> Answer:
    """The budget is the time limit, rounds are nodes of branch and bound."""
    options = SolverOptions(
        time_limit_s=None if limit.budget_s is None else max(1e-3, limit.budget_s),
        node_limit=None if limit.rounds is None else max(1, limit.rounds),
        seed=seed,
    )
    answer, notes = _run(scenario, start, options)
    result = answer.result
    said = f"{result.solver} {result.version}: {result.message}, {result.time_s:.3g} s"
    return Answer(answer.decisions, answer.shares, answer.bound_s, (*notes, said))


def _run(
    scenario: Scenario, start: tuple[Decisions, Shares] | None, options: SolverOptions
) -> tuple[ConeAnswer, tuple[str, ...]]:
    """Gurobi where a licence file is found, as published; else, or where it refuses, SCIP."""
    if solver("gurobi").available and gurobi_licence() is not None:
        try:
            return solve_cone(scenario, start=start, solver="gurobi", options=options), ()
        except SolverError as refusal:
            return solve_cone(scenario, start=start, options=options), (f"SCIP instead of Gurobi: {refusal}",)
    return solve_cone(scenario, start=start, options=options), ()


REFERENCE = (
    FunctionPolicy(
        "solver",
        "SCIP (Gurobi if licensed) on the published cone programme, started from a search, with a proven bound",
        _warm,
        default_budget_s=DEFAULT_BUDGET_S,
    ),
    FunctionPolicy("solver-cold", "the same without a start", _cold, default_budget_s=DEFAULT_BUDGET_S),
)
