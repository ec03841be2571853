"""The certificate: a proven lower bound on the system cost of any feasible plan."""

from __future__ import annotations

import time

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.bound import relax, times_alone
from slicewright.slicing._kernels.problem import RADIO_BOUND, weigh_plan
from slicewright.slicing._kernels.queue_bound import INTERVALS, bound_from_prices
from slicewright.slicing.city.certificate import city_bound
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.search import deadline_ns

ROUNDING = 1e-9
"""Taken off the bound: the sum of many rounded terms may exceed the true value by this part at most."""
CLOSE_ENOUGH = 0.005
"""Queues are looked at where the relaxation leaves a larger gap than this and nodes are what costs."""
QUEUE_ROUNDS = 400
MOST_WORK = 2e8
"""Charges that the queues' part of the bound may work out: a second or less."""
LEAST_ROUNDS = 60
"""Fewer rounds would prove nothing, so larger networks keep the relaxation's bound."""


def lower_bound(
    scenario: Scenario,
    *,
    start: Decisions | None = None,
    rounds: int = 400,
    budget_s: float | None = None,
    queues: bool = True,
) -> float:
    """A lower bound on the cost of every feasible plan, s (proofs in ``_kernels/bound.py`` and ``queue_bound.py``).

    A convex relaxation first; in variant "node" it counts only a device's own arrivals, so that where it leaves a gap
    to the start, bounds that know the whole queue of a node follow, from the plan's prices.

    Args:
        scenario: the problem, either queueing variant.
        start: a good plan's decisions save rounds; the bound is valid whatever is given.
        rounds: at most so many rounds over the devices; 30 to 60 suffice for the relaxation as a rule.
        queues: look at shared queues too; without, the bound is that of release 0.1.0.
        budget_s: stop after this time, s. Without it, the bound depends on the start alone, bit for bit.
    """
    if scenario.node_lists is not None:
        return city_bound(scenario, start=start, rounds=rounds, budget_s=budget_s)
    began = time.perf_counter_ns()
    packed = compact(scenario)
    problem, link, group = packed.with_decisions(start or Decisions.all_local(scenario.n_devices))
    deadline = deadline_ns(began, budget_s)
    alone = times_alone(problem)
    bound, _, resources = relax(problem, alone, link, group, rounds, deadline)
    if queues and problem.shared_queue and scenario.n_devices:
        work = scenario.n_devices * scenario.n_nodes * scenario.n_slices * INTERVALS
        steps = int(min(rounds, QUEUE_ROUNDS, MOST_WORK / work))
        cost, nodes = weigh_plan(problem, link, group)
        worth_it = (nodes == 0.0 or nodes > RADIO_BOUND) and not cost <= bound * (1.0 + CLOSE_ENOUGH)
        if worth_it and steps >= min(LEAST_ROUNDS, rounds):
            gap = cost / bound - 1.0 if bound > 0.0 else np.inf
            found = bound_from_prices(problem, alone, resources, gap, link, group, steps, deadline)
            bound = max(bound, found)
    return float(bound) * (1.0 - ROUNDING)
