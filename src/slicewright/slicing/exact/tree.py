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
from slicewright.slicing.exact._kernels.columns import add_plan, add_pool, start_master
from slicewright.slicing.exact._kernels.generation import PENALTY, gather_columns, raise_bound
from slicewright.slicing.exact._kernels.master import make_master
from slicewright.slicing.exact._kernels.pricing import FIRST_PARTS, FIRST_SETS, Choices, Prices
from slicewright.slicing.exact._kernels.solution import penalise
from slicewright.slicing.exact.choices import (
    Split,
    all_choices,
    choose_split,
    restricted,
    rounded,
    weights_of,
)
from slicewright.slicing.exact.dive import dive
from slicewright.slicing.exact.set_bound import SetBound, bound_of_sets
from slicewright.slicing.search import part_of
from slicewright.types import IntArray

PRICE_ROUNDS, FAR = 200, 0.1
"""Rounds of the convex relaxation that prices start from; worked out roughly where it leaves more than this part."""
WALK_ROUNDS = 50
GATHER_ROUNDS = ((10, 10), (0, 30), (0, 60), (0, 60), (0, 60))
"""Rounds of cheap columns, early and later ones, before each dive of the first part of the tree."""
LATER_GATHER = 30
"""In others."""
POLISH_ROUNDS = 60
"""Of search from a rounded solution of the linear programme."""
IMPROVED = 1e-9
"""A plan must be better by this part to replace another."""
WALK_PART = 0.2
"""Part of a budget that the walk to good prices may take."""
DIVES_PART, COLUMNS_PART = 0.7, 0.65
"""Parts of the time left that dives may take before the first proof, and after which others follow what was proven."""
DIVE_PART = 0.85
"""Part of the time left that one dive may take; the plan it ends with is searched from."""
DIVE_EVERY, OPEN = 4, 1.001
"""Later parts of the tree begin a dive by powers of two, and where more than this is open, every so many."""
SHORT = 20.0
"""Where less than so many times the walk is left, no proof would end in time: dives may take it all."""
MOST_ROWS = 1500
"""Of the master; beyond, only the bound of the walk is proven."""
COLUMNS_PER_ROW, ENTRIES_PER_COLUMN = 200, 12


class Proof(NamedTuple):
    """A plan and what is proven about it; ``parts`` of the tree were looked at; ``prices`` of its root."""

    link: IntArray
    group: IntArray
    cost: float
    bound: float
    parts: int
    prices: Prices | None = None


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
    relaxed, _, resources = relax(
        problem, choices.alone, link, group, cost / (1.0 + FAR), PRICE_ROUNDS, deadline
    )
    radio, compute = prices_of(problem, choices.alone, resources)
    bound = min(float(relaxed), cost)
    n_rows = 2 * link.size + problem.n_access_points + problem.n_nodes
    if bound * (1.0 + gap) >= cost or time.perf_counter_ns() > deadline:
        return Proof(link, group, cost, bound, 0)
    began = time.perf_counter_ns()
    found = bound_of_sets(
        problem, choices, link, group, Prices(radio, compute), relaxed_bound=bound, cost=cost,
        target=cost / (1.0 + gap), rounds=WALK_ROUNDS, efforts=0, deadline=part_of(deadline, WALK_PART),
    )  # fmt: skip
    bound = max(bound, min(found.bound, cost))
    if bound * (1.0 + gap) >= cost or n_rows > MOST_ROWS:
        return Proof(link, group, cost, bound, 0, found.prices)
    generation = _Generation(problem, choices, link, group, compute, found)
    short = deadline - time.perf_counter_ns() < SHORT * (time.perf_counter_ns() - began)
    until = deadline if short else part_of(deadline, DIVES_PART)
    link, group, cost = generation.plan_from_columns(link, group, cost, gap, seed, until)
    if bound * (1.0 + gap) >= cost:
        return Proof(link, group, cost, min(bound, cost), 0, generation.prices)
    numbers = itertools.count()
    parts, root = [Part(bound, next(numbers), (), generation.prices)], generation.prices
    closed, looked_at = cost, 0  # closed: the least bound of a part that is done with
    while parts and parts[0].bound * (1.0 + gap) < cost:
        if looked_at >= most_parts or time.perf_counter_ns() > deadline:
            break
        part = heapq.heappop(parts)
        looked_at += 1
        here = restricted(choices, part.splits)
        until = deadline if looked_at > 1 else part_of(deadline, COLUMNS_PART)
        rounds = 0 if looked_at == 1 else LATER_GATHER
        raised, prices = generation.raise_bound(here, part.prices, cost, cost / (1.0 + gap), rounds, until)
        unfinished = until < deadline and time.perf_counter_ns() > until
        root = prices if looked_at == 1 else root
        bound = max(part.bound, raised)
        part = Part(bound, next(numbers), part.splits, prices)
        if bound * (1.0 + gap) >= cost:
            closed = min(closed, bound)
            continue
        if time.perf_counter_ns() > deadline:
            heapq.heappush(parts, part)
            break
        weights = weights_of(problem, here, generation.master)
        better = _polished(problem, *rounded(here, weights), seed + looked_at, deadline)
        rounded_cost = better.bound
        due = looked_at & (looked_at - 1) == 0 or (looked_at % DIVE_EVERY == 0 and bound * OPEN < cost)
        if due and better.cost >= cost * (1.0 - IMPROVED):
            better = generation.dive(here, cost, seed + looked_at, deadline)
        if better.cost < cost * (1.0 - IMPROVED):
            link, group, cost = better.link, better.group, better.cost
            generation.add_plan(link, group)
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
    return Proof(link, group, cost, least, looked_at, root)


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
        n_devices = choices.home.size
        n_resources = problem.n_access_points + problem.n_nodes
        columns = COLUMNS_PER_ROW * (2 * n_devices + n_resources)
        self.problem, self.choices = problem, choices
        self.master = make_master(n_devices, n_resources, columns, ENTRIES_PER_COLUMN * columns)
        start_master(problem, choices.alone, self.master, link, group, compute)
        add_pool(problem, walked.pool, self.master)
        self.buffers = walked.buffers
        self.buffers.effort[0], self.buffers.effort[1] = FIRST_PARTS, FIRST_SETS
        self.prices = walked.prices
        self.trial = Prices(np.zeros(n_devices), np.zeros(n_devices))

    def plan_from_columns(
        self, link: IntArray, group: IntArray, cost: float, gap: float, seed: int, deadline: int
    ) -> tuple[IntArray, IntArray, float]:
        """A plan that is no worse, by dives as soon as columns promise one that is better than ``gap``."""
        for turn, (early, rounds) in enumerate(GATHER_ROUNDS):
            objective, met = gather_columns(
                self.problem, self.choices, self.master, self.prices, self.trial, self.buffers, cost,
                cost / (1.0 + gap), early, rounds, deadline,
            )  # fmt: skip
            if time.perf_counter_ns() > deadline:
                break
            if objective * (1.0 + gap) < cost:
                better = self.dive(self.choices, cost, seed + turn, deadline)
                if better.cost < cost * (1.0 - IMPROVED):
                    link, group, cost = better.link, better.group, better.cost
                    self.add_plan(link, group)
            if met:
                break
        return link, group, cost

    def dive(self, choices: Choices, cost: float, seed: int, deadline: int) -> Proof:
        """A plan of the columns so far, searched from for a while."""
        found = dive(
            self.problem, choices, self.master, self.buffers, cost=cost, random=np.random.default_rng(seed),
            deadline=part_of(deadline, DIVE_PART),
        )  # fmt: skip
        return _polished(self.problem, *found, seed, deadline)

    def add_plan(self, link: IntArray, group: IntArray) -> None:
        """Make the sets of a plan columns."""
        add_plan(self.problem, self.master, link, group)

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


def _polished(problem: Problem, link: IntArray, group: IntArray, seed: int, deadline: int) -> Proof:
    """A plan after a short search; its bound is the cost before the search."""
    before = float(best_shares(problem, link, group)[0])
    found = search_with_shares(problem, link, group, np.uint64(seed % 2**64), POLISH_ROUNDS, deadline)
    return Proof(found.link, found.group, float(found.cost), before, 1)


@cache
def load_kernels() -> None:
    """Load (on a new machine: compile) every kernel of a proof, so that no budget pays for it."""
    problem = compact(preset("paper-slicing", devices=2)).problem
    choices, stay, now = all_choices(problem), np.full(2, LOCAL), time.perf_counter_ns()
    resources = relax(problem, choices.alone, stay, stay, 0.0, 1, now)[2]
    radio, compute = prices_of(problem, choices.alone, resources)
    walked = bound_of_sets(
        problem, choices, stay, stay, Prices(radio, compute), relaxed_bound=1.0, cost=1.0, target=1.0, rounds=1,
        deadline=now,
    )  # fmt: skip
    generation = _Generation(problem, choices, stay, stay, compute, walked)
    generation.plan_from_columns(stay, stay, 1.0, 0.0, 0, now)
    generation.dive(choices, 1.0, 0, now)
    generation.raise_bound(choices, Prices(radio, compute), 1.0, np.inf, 1, now)
    generation.add_plan(stay, stay)
    _polished(problem, *rounded(choices, weights_of(problem, choices, generation.master)), 0, now)
