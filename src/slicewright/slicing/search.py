"""Offloading decisions by search (SP3): best response and anytime iterated search."""

from __future__ import annotations

import time

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.best_response import FOREVER
from slicewright.slicing._kernels.methods import best_responses, insert_greedily
from slicewright.slicing._kernels.problem import RADIO_BOUND, weigh_plan
from slicewright.slicing._kernels.search import search_with_shares
from slicewright.slicing._kernels.shares import PackedPlan
from slicewright.slicing.compact import Compact, compact
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.shares import Shares
from slicewright.types import BoolArray

UNLIMITED = int(FOREVER)


def deadline_ns(began_ns: int, budget_s: float | None) -> int:
    """Absolute deadline for the kernels; never without a budget.

    Raises:
        InvalidOptionError: the budget is negative or not a number.
    """
    if budget_s is None:
        return UNLIMITED
    if not budget_s >= 0:
        raise InvalidOptionError("budget_s", "must be a number of seconds, 0 or more", value=budget_s)
    return began_ns + int(min(budget_s, 1e9) * 1e9)


def part_of(deadline: int, part: float) -> int:
    """The moment (ns) when a part of the time left is over; never without a deadline."""
    now = time.perf_counter_ns()
    return deadline if deadline == UNLIMITED else now + int(part * (deadline - now))


def iterated_search(
    scenario: Scenario,
    *,
    start: Decisions | None = None,
    budget_s: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
) -> tuple[Decisions, Shares]:
    """Best response, exchange of links, then rounds of ruin and recreate from the best plan so far.

    Args:
        scenario: the problem.
        start: decisions to begin with, all local by default; an infeasible start is dropped.
        budget_s: stop after this time, s; the best plan so far is returned.
        rounds: stop after so many rounds. Without a budget, the result depends on the seed alone.
        seed: of the random choices.

    Returns:
        Feasible decisions and their optimal shares.

    Raises:
        InvalidOptionError: neither a budget nor a number of rounds is given, or one is negative.
    """
    deadline = deadline_ns(time.perf_counter_ns(), budget_s)
    limit = _rounds(rounds, budget_s)
    packed = compact(scenario)
    if start is None:
        link = group = np.full(scenario.n_devices, LOCAL)
    else:
        _, link, group = packed.with_decisions(start)
    return _unpacked(
        packed, search_with_shares(packed.problem, link, group, np.uint64(seed), limit, deadline)
    )


def best_response(
    scenario: Scenario, *, budget_s: float | None = None, runs: int | None = None, seed: int = 0
) -> tuple[Decisions, Shares]:
    """Best response from "all local", the first run in file order, then random orders; the best run counts.

    Each device in turn takes the option that lowers the system cost most, until no device can (model page 1.4).

    Args:
        scenario: the problem.
        budget_s: start no run after this time, s.
        runs: number of runs; 1 without a budget.
        seed: of the orders.

    Returns:
        Feasible decisions and their optimal shares.
    """
    deadline = deadline_ns(time.perf_counter_ns(), budget_s)
    limit = 1 if runs is None and budget_s is None else _rounds(runs, budget_s)
    packed = compact(scenario)
    return _unpacked(packed, best_responses(packed.problem, np.uint64(seed), limit, deadline))


def greedy(
    scenario: Scenario, *, forced: bool = False, nodes: BoolArray | None = None
) -> tuple[Decisions, Shares]:
    """One pass in file order: each device takes its cheapest option given those before it, and keeps it.

    Args:
        scenario: the problem.
        forced: offload wherever that is feasible, even where local is cheaper.
        nodes: (J,) which nodes may be used; all by default.

    Returns:
        Feasible decisions and their optimal shares.
    """
    packed = compact(scenario, nodes=nodes)
    return _unpacked(packed, insert_greedily(packed.problem, forced))


def _unpacked(packed: Compact, plan: PackedPlan) -> tuple[Decisions, Shares]:
    return packed.decisions(plan.link, plan.group), Shares(plan.bandwidth, plan.radio, plan.compute)


def nodes_count(scenario: Scenario, decisions: Decisions) -> bool:
    """Whether nodes are a part of what offloading costs that matters, under the decisions' optimal shares."""
    problem, link, group = compact(scenario).with_decisions(decisions)
    return bool(weigh_plan(problem, link, group)[1] > RADIO_BOUND)


def _rounds(rounds: int | None, budget_s: float | None) -> int:
    if rounds is None:
        if budget_s is None:
            raise InvalidOptionError("budget_s", "must be given unless a number of rounds is")
        return UNLIMITED
    if rounds < 0:
        raise InvalidOptionError("rounds", "must be a whole number of at least 0", value=rounds)
    return rounds
