"""The planner of cities as a policy: best response on the candidates of each device."""

from __future__ import annotations

from dataclasses import dataclass

from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.policy import Answer, Limit
from slicewright.slicing.city.certificate import load_kernels
from slicewright.slicing.city.search import city_search


@dataclass(frozen=True)
class CityPolicy:
    """Sweeps of best response: no step visits every node for every device. The seed changes nothing."""

    name: str = "city"
    summary: str = "best response on each device's candidates, for very many devices"

    def prepare(self, scenario: Scenario, *, limit: Limit) -> None:
        """Load (on a new machine: compile) the kernels before the time of a decision begins."""
        load_kernels()

    def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
        """Sweep within the limit; a round is a sweep."""
        sweeps = None if limit.rounds is None else max(1, limit.rounds)
        return Answer(*city_search(scenario, budget_s=limit.budget_s, sweeps=sweeps))


CITY = CityPolicy()
