"""The certificate: a proven lower bound on the system cost of any feasible plan."""

from __future__ import annotations

import time

from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.bound import lower_bound as _lower_bound
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.search import deadline_ns

ROUNDING = 1e-9
"""Taken off the bound: the sum of many rounded terms may exceed the true value by this part at most."""


def lower_bound(
    scenario: Scenario, *, start: Decisions | None = None, rounds: int = 400, budget_s: float | None = None
) -> float:
    """A lower bound on the cost of every feasible plan, s (method and proof in ``_kernels/bound.py``).

    Args:
        scenario: the problem, either queueing variant.
        start: a good plan's decisions save rounds; the bound is valid whatever is given.
        rounds: at most so many rounds over the devices; 30 to 60 suffice as a rule.
        budget_s: stop after this time, s.
    """
    began = time.perf_counter_ns()
    packed = compact(scenario)
    problem, link, group = packed.with_decisions(start or Decisions.all_local(scenario.n_devices))
    bound, _ = _lower_bound(problem, link, group, rounds, deadline_ns(began, budget_s))
    return float(bound) * (1.0 - ROUNDING)
