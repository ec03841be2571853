"""What others do: equal and proportional shares with their own search, random, all local, MEC only."""

from __future__ import annotations

import time

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.rules import EQUAL, PROPORTIONAL, best_response_under
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.search import UNLIMITED, deadline_ns, greedy
from slicewright.slicing.shares import Shares, equal_shares, optimal_shares, proportional_shares
from slicewright.types import IntArray


def equal_allocation(
    scenario: Scenario, *, budget_s: float | None = None, runs: int | None = None, seed: int = 0
) -> tuple[Decisions, Shares]:
    """ERAP: everything shared equally; decisions by best response under these shares (model page 1.7).

    Args:
        scenario: the problem.
        budget_s: start no further run from another order after this time, s.
        runs: number of runs; 1 without a budget.
        seed: of the orders.
    """
    decisions = _search(scenario, EQUAL, budget_s, runs, seed)
    return decisions, equal_shares(scenario, decisions)


def proportional_allocation(
    scenario: Scenario, *, budget_s: float | None = None, runs: int | None = None, seed: int = 0
) -> tuple[Decisions, Shares]:
    """PRAP: shares in proportion to transmission time and cycles; decisions as in :func:`equal_allocation`."""
    decisions = _search(scenario, PROPORTIONAL, budget_s, runs, seed)
    return decisions, proportional_shares(scenario, decisions)


def _search(scenario: Scenario, rule: int, budget_s: float | None, runs: int | None, seed: int) -> Decisions:
    deadline = deadline_ns(time.perf_counter_ns(), budget_s)
    limit = runs if runs is not None else (1 if budget_s is None else UNLIMITED)
    packed = compact(scenario)
    link, group = best_response_under(packed.problem, rule, np.uint64(seed), limit, deadline)
    return packed.decisions(link, group)


def all_local(scenario: Scenario) -> tuple[Decisions, Shares]:
    """Every device computes for itself."""
    return Decisions.all_local(scenario.n_devices), Shares.none(scenario)


def mec_only(scenario: Scenario) -> tuple[Decisions, Shares]:
    """Every task to a MEC server where 13b and 13c allow it, in file order, with optimal shares."""
    return greedy(scenario, forced=True, nodes=np.array([kind == "mec" for kind in scenario.node_kinds]))


def random_decisions(scenario: Scenario, *, seed: int = 0) -> tuple[Decisions, Shares]:
    """Every device a random decision of its own, local included, with optimal shares.

    Devices that make a node infeasible (13b, 13c) compute locally instead: on each overloaded node those with the
    most cycles leave first.
    """
    rng = np.random.default_rng(seed)
    links, groups = scenario.links, scenario.n_nodes * scenario.n_slices
    pick = rng.integers(np.diff(links.start) * groups + 1) - 1  # -1 is local
    node, slice_ = np.divmod(np.maximum(pick, 0) % groups, scenario.n_slices)
    local = (pick < 0) | (scenario.node_capacity_hz[node, slice_] <= 0)
    away = np.flatnonzero(~local)
    access_point = np.full(scenario.n_devices, LOCAL)
    access_point[away] = links.access_point[links.start[away] + pick[away] // groups]
    places = (access_point, *(np.where(local, LOCAL, x) for x in (node, slice_)))
    return drop_until_feasible(scenario, Decisions(*places))


def drop_until_feasible(scenario: Scenario, decisions: Decisions) -> tuple[Decisions, Shares]:
    """Let devices compute locally where no shares of a node satisfy 13b and 13c, those with the most cycles first."""
    arrays = [x.copy() for x in (decisions.access_point, decisions.node, decisions.slice)]
    for j in range(scenario.n_nodes):
        users = np.flatnonzero(arrays[1] == j)
        users = users[np.argsort(-scenario.slice_cycles[users, arrays[2][users]])]
        for gone in range(users.size + 1):
            stay = users[gone:]
            if _node_fits(scenario, j, stay, arrays[2]):
                break
        for x in arrays:
            x[users[:gone]] = LOCAL
    repaired = Decisions(*arrays)
    shares = optimal_shares(scenario, repaired)
    if shares is None:  # rounding at the very edge of feasibility
        return all_local(scenario)
    return repaired, shares


def _node_fits(scenario: Scenario, node: int, users: IntArray, slice_of: IntArray) -> bool:
    """Whether the floors of 13b fit beside the queue in every slice of one node (model page 1.3)."""
    rate = scenario.arrival_rate_hz[users]
    for n in range(scenario.n_slices):
        mine = slice_of[users] == n
        work = scenario.slice_cycles[users[mine], n]
        queue = rate.sum() if scenario.queueing == "node" else rate[mine]
        needed = (work * (queue + 1.0 / scenario.local_time_s[users[mine]])).sum()
        if needed > scenario.node_capacity_hz[node, n] * (1 - 1e-12):
            return False
    return True
