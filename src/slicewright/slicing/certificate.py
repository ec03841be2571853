"""The certificate: a proven lower bound on the system cost of any feasible plan."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from slicewright.compiled import announce_compilation
from slicewright.judging import OPTIMAL_GAP, ROUNDING
from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.bound import prices_of, relax, times_alone
from slicewright.slicing._kernels.problem import weigh_plan
from slicewright.slicing.city.certificate import city_bound
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.exact._kernels.pricing import Prices
from slicewright.slicing.exact.choices import all_choices
from slicewright.slicing.exact.set_bound import WALK_ROUNDS, bound_of_sets
from slicewright.slicing.exact.solve import GAP_PART
from slicewright.slicing.exact.tree import load_kernels as load_proof_kernels
from slicewright.slicing.exact.tree import prove
from slicewright.slicing.search import UNLIMITED, deadline_ns, part_of

CLOSE_ENOUGH = 0.005
"""Whole sets of devices are looked at where the relaxation leaves a larger gap than this."""
ENOUGH = 0.004
"""And until they leave less than this."""
FAR = 0.1
"""A relaxation that leaves more than this is not worth its last digits: sets are what proves anything then."""
MOST_WORK = 4e6
"""Pairs of a device and a group that the walk may look at where no budget ends it: a second or less."""
MOST_PROOF_WORK = 12e6
"""Candidates and sets looked at in proofs, beyond which none is made longer where no budget ends them: 0.1 s or so."""
FEW_DEVICES, MOST_PARTS = 20, 40
"""So few devices are proven optimal by column generation, as a rule; at most so many parts of its tree."""
CLAIMED = 1e-6
"""Nearer to a plan than this part nothing is claimed: solvers that costs come from meet their constraints to that."""
SHARED_PART = 0.2
"""Part of the time that the relaxation may take where nodes share their queues: what sets prove counts there."""
LEAST_ROUNDS = 5
"""Fewer rounds would prove nothing, so larger networks keep the relaxation's bound."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is proven about a scenario.

    Attributes:
        bound_s: s, no feasible plan is cheaper.
        prices: at which it was proven, for the next certificate to begin with; None where there were none.
    """

    bound_s: float
    prices: DualPrices | None = None


def lower_bound(
    scenario: Scenario,
    *,
    start: Decisions | None = None,
    prices: DualPrices | None = None,
    rounds: int = 400,
    budget_s: float | None = None,
    queues: bool = True,
) -> float:
    """A lower bound on the cost of every feasible plan, s: ``bound_s`` of :func:`certify`, which see."""
    found = certify(scenario, start=start, prices=prices, rounds=rounds, budget_s=budget_s, queues=queues)
    return found.bound_s


# Over 60 lines by what is told about its arguments, and by the two proofs that it may end with.
def certify(
    scenario: Scenario,
    *,
    start: Decisions | None = None,
    prices: DualPrices | None = None,
    rounds: int = 400,
    budget_s: float | None = None,
    queues: bool = True,
) -> Certificate:
    """Bound the cost of every feasible plan from below (proofs in ``_kernels/bound.py`` and ``exact/_kernels``).

    A convex relaxation first. It splits devices, and in variant "node" it counts only a device's own arrivals. Where it
    leaves a gap to the start, prices follow at which every access point and node is asked for the whole set of devices
    that it would serve best (Lagrangian relaxation): a walk finds them, and what the sets gain at most is proven. Few
    devices are proven to the gap at which a plan counts as optimal (:func:`slicewright.slicing.exact.solve_exact`).

    Args:
        scenario: the problem, either queueing variant.
        start: a good plan's decisions save rounds; the bound is valid whatever is given.
        prices: for the walk to begin with; those of an earlier certificate, or of a plan that came from columns, save
            most of the time. Left aside where nodes are listed per device, and where few devices are proven anyway.
        rounds: at most so many, over the devices and of the walk; 30 to 60 suffice for the relaxation as a rule.
        budget_s: stop after this time, s, or when every node was looked at once. Without it, the bound depends on
            start and prices alone, bit for bit.
        queues: look at whole sets and shared queues too; without, the bound is that of release 0.1.0.

    Raises:
        InvalidOptionError: prices of another number of devices, or that are no numbers.
    """
    if scenario.node_lists is not None:
        return Certificate(city_bound(scenario, start=start, rounds=rounds, budget_s=budget_s))
    began = time.perf_counter_ns()
    begin = None
    if prices is not None:
        given = prices.checked(scenario.n_devices)
        begin = Prices(given.radio_s, given.compute_s)
    packed = compact(scenario)
    problem, link, group = packed.with_decisions(start or Decisions.all_local(scenario.n_devices))
    deadline = deadline_ns(began, budget_s)
    alone = times_alone(problem)
    planned = float(weigh_plan(problem, link, group)[0])
    cost = min(planned, float(problem.local_time.sum()))
    walk = rounds
    if budget_s is None:
        walk = int(min(rounds, WALK_ROUNDS, MOST_WORK / max(1, alone.size)))
    sets_follow = queues and walk >= min(LEAST_ROUNDS, rounds)
    useful = cost / (1.0 + FAR) if sets_follow else 0.0
    until = part_of(deadline, SHARED_PART) if sets_follow and problem.shared_queue else deadline
    bound, relaxed, resources = relax(problem, alone, link, group, useful, rounds, until)
    found = Prices(*prices_of(problem, alone, resources))
    if queues and scenario.n_devices <= FEW_DEVICES and rounds >= WALK_ROUNDS:
        if not cost <= bound * (1.0 + OPTIMAL_GAP):
            announce_compilation("slicing.exact")
            deadline = _after(load_proof_kernels, deadline)
            if not planned < np.inf:
                link, group = np.full(link.size, LOCAL), np.full(link.size, LOCAL)
            proof = prove(problem, link, group, GAP_PART * OPTIMAL_GAP, 0, MOST_PARTS, deadline)
            bound, found = max(bound, min(proof.bound, proof.cost * (1.0 - CLAIMED))), proof.prices or found
    elif sets_follow and not cost <= bound * (1.0 + CLOSE_ENOUGH):
        announce_compilation("slicing.exact")
        deadline = _after(load_kernels, deadline)
        sets = bound_of_sets(
            problem, all_choices(problem), link, group, found, relaxed_bound=float(bound), cost=cost,
            target=cost / (1.0 + ENOUGH), rounds=walk, begin=begin,
            most_work=int(MOST_PROOF_WORK) if budget_s is None else UNLIMITED, deadline=deadline,
        )  # fmt: skip
        bound, found = max(bound, sets.bound), sets.prices
    if relaxed < useful and bound < relaxed:  # sets proved less than what was worked out roughly
        bound = max(bound, relax(problem, alone, link, group, 0.0, rounds, deadline)[0])
    return Certificate(float(bound) * (1.0 - ROUNDING), DualPrices(*found))


def _after(load: Callable[[], None], deadline: int) -> int:
    """The deadline, ns, later by the time that loading kernels takes, which on a new machine may be half a minute."""
    began = time.perf_counter_ns()
    load()
    return deadline if deadline == UNLIMITED else deadline + time.perf_counter_ns() - began


@cache
def load_relaxation_kernels() -> Prices:
    """Load (on a new machine: compile) what every certificate runs; prices for those that run more."""
    packed = compact(preset("paper-slicing", devices=2))
    problem, stay, _ = packed.with_decisions(Decisions.all_local(2))
    alone, now = times_alone(problem), time.perf_counter_ns()
    weigh_plan(problem, stay, stay)
    return Prices(*prices_of(problem, alone, relax(problem, alone, stay, stay, 0.0, 1, now)[2]))


@cache
def load_kernels() -> None:
    """Load (on a new machine: compile) all that a certificate may run, so that no request pays for it."""
    prices, stay, now = load_relaxation_kernels(), np.full(2, LOCAL), time.perf_counter_ns()
    problem = compact(preset("paper-slicing", devices=2)).problem
    bound_of_sets(
        problem, all_choices(problem), stay, stay, prices, relaxed_bound=0.0, cost=1.0, target=1.0, rounds=1,
        begin=prices, deadline=now,
    )  # fmt: skip
