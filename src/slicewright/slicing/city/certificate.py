"""The lower bound of a scenario whose devices have lists of candidates, as the plan's certificate asks for it."""

from __future__ import annotations

import time
from functools import cache

from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.problem import total_cost
from slicewright.slicing.city.bound import ROUNDS, prove
from slicewright.slicing.city.pack import pack, state_from
from slicewright.slicing.city.search import city_search
from slicewright.slicing.city.whole_sets import CLOSE_ENOUGH, tighten
from slicewright.slicing.decisions import Decisions

PRICES_PART = 0.5
"""Of a budget of time that prices get before whole sets are looked at, where these are needed."""
LEAST_ROUNDS = 20
"""Sets are not looked at for prices that were hardly sought."""


def city_bound(
    scenario: Scenario, *, start: Decisions | None = None, rounds: int = ROUNDS, budget_s: float | None = None
) -> float:
    """No feasible plan of the scenario is cheaper than this, s.

    Args:
        scenario: the problem, with or without lists of nodes.
        start: a good plan's decisions tell where to look.
        rounds: at most so many.
        budget_s: stop after this time, s. Without it, the bound depends on the start alone, bit for bit.
    """
    began = time.perf_counter()
    problem = pack(scenario)
    state = state_from(problem, start or Decisions.all_local(scenario.n_devices))
    most = min(rounds, ROUNDS)
    if budget_s is None:
        proof = prove(problem, state, rounds=most)
        return proof.bound_s if most < LEAST_ROUNDS else tighten(problem, state, proof)
    proof = prove(problem, state, rounds=most, budget_s=PRICES_PART * budget_s)
    left_s = max(0.0, budget_s - (time.perf_counter() - began))
    if total_cost(problem, state) > proof.bound_s * (1.0 + CLOSE_ENOUGH):
        return tighten(problem, state, proof, budget_s=left_s)
    again = prove(problem, state, prices=proof.prices, rounds=most, budget_s=left_s)
    return max(proof.bound_s, again.bound_s)


@cache
def load_kernels() -> None:
    """Load (on a new machine: compile) what planning and proving run, before anybody's time begins."""
    tiny = preset("city/balanced", devices=4)
    city_search(tiny)
    city_bound(tiny, rounds=LEAST_ROUNDS)  # of a plan so far from it that whole sets are looked at, too
