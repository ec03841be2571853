"""The lower bound of a scenario whose devices have lists of candidates, as the plan's certificate asks for it."""

from __future__ import annotations

from functools import cache

from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario
from slicewright.slicing.city.bound import ROUNDS, prove
from slicewright.slicing.city.pack import pack, state_from
from slicewright.slicing.city.search import city_search
from slicewright.slicing.decisions import Decisions


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
    problem = pack(scenario)
    state = state_from(problem, start or Decisions.all_local(scenario.n_devices))
    return prove(problem, state, rounds=min(rounds, ROUNDS), budget_s=budget_s).bound_s


@cache
def load_kernels() -> None:
    """Load (on a new machine: compile) what planning and proving run, before anybody's time begins."""
    tiny = preset("city/paper", devices=4)
    city_bound(tiny, start=city_search(tiny)[0], rounds=1)
