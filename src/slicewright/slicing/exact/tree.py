"""Branch and bound around column generation: settles what the linear programme over sets leaves open.

At published sizes the programme is integral or within 1e-4 of it, so that one part, the root, is the rule.
"""

from __future__ import annotations

import heapq
import itertools
import time
from functools import cache
from typing import NamedTuple

import numpy as np

from slicewright.network.presets import preset
from slicewright.slicing._kernels.bound import prices_of, relax
from slicewright.slicing._kernels.problem import Problem
from slicewright.slicing._kernels.search import search_with_shares
from slicewright.slicing._kernels.shares import best_shares
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import LOCAL
from slicewright.slicing.exact._kernels.generation import add_pool, raise_bound, start_master
from slicewright.slicing.exact._kernels.master import make_master
from slicewright.slicing.exact._kernels.pricing import FIRST_PARTS, FIRST_SETS, Choices, Prices
from slicewright.slicing.exact._kernels.solution import penalise, weigh
from slicewright.slicing.exact.choices import Split, Weights, all_choices, choose_split, restricted, rounded
from slicewright.slicing.exact.restricted_master import combine_columns
from slicewright.slicing.exact.set_bound import SetBound, bound_of_sets
from slicewright.slicing.search import UNLIMITED
from slicewright.types import IntArray

PRICE_ROUNDS = 200
"""Of the convex relaxation that prices start from."""
WALK_ROUNDS = 100
FIRST_GATHER, LATER_GATHER = 10, 30
"""Rounds of cheap columns: in the first part of the tree, where the walk has left some, and in others."""
POLISH_ROUNDS = 60
"""Of search from a rounded solution of the linear programme."""
IMPROVED = 1e-9
"""A plan must be better by this part to replace another."""
PENALTY = 10.0
"""Times the plan's cost: makes the linear programme leave columns that a part forbids."""
WALK_PART = 0.2
"""Part of a budget that the walk to good prices may take."""
COLUMNS_PART = 0.65
"""Part of a budget after which a plan is made of whatever columns were found."""
MOST_ROWS = 1500
"""Of the master; beyond, only the bound of the walk is proven."""
COLUMNS_PER_ROW, ENTRIES_PER_COLUMN = 200, 12


class Proof(NamedTuple):
    """A plan and what is proven about it; ``parts`` of the tree were looked at."""

    link: IntArray
    group: IntArray
    cost: float
    bound: float
    parts: int


class Part(NamedTuple):
    """An open part of the tree; ordered by bound, then by age."""

    bound: float
    number: int
    splits: tuple[Split, ...]
    prices: Prices


# Over 60 lines: every way a part ends weighs the best plan, the open parts and the clock.
def prove(
    problem: Problem, link: IntArray, group: IntArray, gap: float, seed: int, most_parts: int, deadline: int
) -> Proof:
    """Improve a plan and prove it to a relative gap, as far as parts and time (ns, monotonic) allow."""
    cost = float(best_shares(problem, link, group)[0])
    choices = all_choices(problem)
    relaxed, _, resources = relax(problem, choices.alone, link, group, PRICE_ROUNDS, deadline)
    radio, compute = prices_of(problem, choices.alone, resources)
    bound = min(float(relaxed), cost)
    n_rows = 2 * link.size + problem.n_access_points + problem.n_nodes
    if bound * (1.0 + gap) >= cost or time.perf_counter_ns() > deadline:
        return Proof(link, group, cost, bound, 0)
    found = bound_of_sets(
        problem, choices, link, group, Prices(radio, compute), relaxed_bound=bound, cost=cost,
        target=cost / (1.0 + gap), rounds=WALK_ROUNDS, efforts=0, deadline=_part_of(deadline, WALK_PART),
    )  # fmt: skip
    bound = max(bound, min(found.bound, cost))
    if bound * (1.0 + gap) >= cost or n_rows > MOST_ROWS:
        return Proof(link, group, cost, bound, 0)
    generation = _Generation(problem, choices, link, group, compute, found)
    numbers = itertools.count()
    parts = [Part(bound, next(numbers), (), found.prices)]
    closed, looked_at = cost, 0  # closed: the least bound of a part that is done with
    while parts and parts[0].bound * (1.0 + gap) < cost:
        if looked_at >= most_parts or time.perf_counter_ns() > deadline:
            break
        part = heapq.heappop(parts)
        looked_at += 1
        here = restricted(choices, part.splits)
        until = deadline if looked_at > 1 else _part_of(deadline, COLUMNS_PART)
        gather = FIRST_GATHER if looked_at == 1 else LATER_GATHER
        raised, prices = generation.raise_bound(here, part.prices, cost, cost / (1.0 + gap), gather, until)
        unfinished = until < deadline and time.perf_counter_ns() > until
        bound = max(part.bound, raised)
        part = Part(bound, next(numbers), part.splits, prices)
        if bound * (1.0 + gap) >= cost:
            closed = min(closed, bound)
            continue
        if time.perf_counter_ns() > deadline:
            heapq.heappush(parts, part)
            break
        weights = generation.weights()
        better = _polished(problem, *rounded(here, weights), seed + looked_at, deadline)
        rounded_cost = better.bound
        if looked_at & (looked_at - 1) == 0 and better.cost >= cost * (1.0 - IMPROVED):
            combined = combine_columns(problem, here, generation.master, deadline)
            if combined is not None:
                better = _polished(problem, *combined, seed + looked_at, deadline)
        if better.cost < cost * (1.0 - IMPROVED):
            link, group, cost = better.link, better.group, better.cost
            heapq.heappush(parts, part)
            continue
        if unfinished:
            heapq.heappush(parts, part)
            continue
        split = choose_split(here, weights)
        if split is None:  # one plan is left, and it was looked at
            closed = min(closed, rounded_cost)
            continue
        for only in (True, False):
            splits = (*part.splits, split._replace(only=only))
            heapq.heappush(parts, Part(bound, next(numbers), splits, prices))
    least = min(closed, parts[0].bound if parts else cost, cost)
    return Proof(link, group, cost, least, looked_at)


def _part_of(deadline: int, part: float) -> int:
    """The moment (ns) when a part of the time left is over."""
    now = time.perf_counter_ns()
    return deadline if deadline == UNLIMITED else now + int(part * (deadline - now))


class _Generation:
    """The master and what column generation keeps from one part of the tree to the next."""

    def __init__(
        self,
        problem: Problem,
        choices: Choices,
        link: IntArray,
        group: IntArray,
        compute: np.ndarray,
        walked: SetBound,
    ) -> None:
        n_devices, n_groups = choices.alone.shape
        n_resources = problem.n_access_points + problem.n_nodes
        columns = COLUMNS_PER_ROW * (2 * n_devices + n_resources)
        self.problem = problem
        self.master = make_master(n_devices, n_resources, columns, ENTRIES_PER_COLUMN * columns)
        start_master(problem, choices.alone, self.master, link, group, compute)
        add_pool(problem, walked.pool, self.master)
        self.buffers = walked.buffers
        self.buffers.effort[0], self.buffers.effort[1] = FIRST_PARTS, FIRST_SETS
        self.trial = Prices(np.zeros(n_devices), np.zeros(n_devices))
        self.shapes = (n_devices, choices.links.shape, (n_devices, n_groups))

    def raise_bound(
        self, choices: Choices, prices: Prices, cost: float, target: float, rounds: int, deadline: int
    ) -> tuple[float, Prices]:
        """A bound for a part of the tree, to ``target`` if possible, and the prices that prove it best."""
        penalise(self.problem, choices, self.master, PENALTY * cost)
        best = Prices(prices.radio.copy(), prices.compute.copy())
        bound = raise_bound(
            self.problem, choices, self.master, best, self.trial, self.buffers, cost, target, rounds, deadline
        )
        return float(bound), best

    def weights(self) -> Weights:
        """The present solution of the master."""
        weights = Weights(*(np.empty(shape) for shape in self.shapes))
        weigh(self.problem, self.master, *weights)
        return weights


def _polished(problem: Problem, link: IntArray, group: IntArray, seed: int, deadline: int) -> Proof:
    """A plan after a short search; its bound is the cost before the search."""
    before = float(best_shares(problem, link, group)[0])
    link, group, _, _, _, cost, _ = search_with_shares(
        problem, link, group, np.uint64(seed % 2**64), POLISH_ROUNDS, deadline
    )
    return Proof(link, group, float(cost), before, 1)


@cache
def load_kernels() -> None:
    """Load (on a new machine: compile) every kernel of a proof, so that no budget pays for it."""
    problem = compact(preset("paper-slicing", devices=2)).problem
    choices, stay, now = all_choices(problem), np.full(2, LOCAL), time.perf_counter_ns()
    radio, compute = prices_of(problem, choices.alone, relax(problem, choices.alone, stay, stay, 1, now)[2])
    walked = bound_of_sets(
        problem, choices, stay, stay, Prices(radio, compute), relaxed_bound=1.0, cost=1.0, target=1.0, rounds=1,
        deadline=now,
    )  # fmt: skip
    generation = _Generation(problem, choices, stay, stay, compute, walked)
    generation.raise_bound(choices, Prices(radio, compute), 1.0, np.inf, 1, now)
    _polished(problem, *rounded(choices, generation.weights()), 0, now)
