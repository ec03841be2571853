"""The fast heuristics: over the levels of nodes, and over tasks by iterated ruin and recreate, in compiled code."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from slicewright.placement._kernels.bound import Copies
from slicewright.placement._kernels.construct import Guide
from slicewright.placement._kernels.explore import BEGINNINGS, SKETCHED, explore, sketch
from slicewright.placement._kernels.grid import make_grid
from slicewright.placement._kernels.levels import Levels, new_levels
from slicewright.placement._kernels.problem import REJECTED, Problem, make_problem
from slicewright.placement._kernels.search import Floors, search
from slicewright.placement.bound import NEVER_NS, Regrets, levels_at
from slicewright.placement.problem.tasks import Tasks
from slicewright.types import FloatArray, IntArray

UNLIMITED = 2**62
FLOORS = 6
"""How many different floors of one node are tried."""
MANY_TASKS = 300
"""From this many on, levels are first settled for a sample of the tasks, which stand for all."""
SAMPLE = (250, 400)
"""Tasks in it: a quarter of all, within these limits."""
SKETCHES = 30
"""Of the sample's levels at most."""
SHARPNESS = 0.4
"""How much more likely a floor is that the bound regrets little: exp(-SHARPNESS * regret / mean regret)."""


@dataclass(frozen=True, eq=False)
class Settled:
    """Where the nodes of the best placement have settled, in terms that outlive a reduced problem.

    Attributes:
        floor: (J,) 1/s, the least limit that each node accepts.
        price: (J + 1,) bit hops per arrival rate.
        begun: how many beginnings were tried.
    """

    floor: FloatArray
    price: FloatArray
    begun: int


def unsettled(nodes: int) -> Settled:
    """Nothing was tried yet."""
    return Settled(np.full(nodes, -np.inf), np.zeros(nodes + 1), 0)


def compiled_problem(tasks: Tasks) -> Problem:
    """The problem as the kernels read it."""
    options = tasks.options
    problem: Problem = make_problem(
        options.cost,
        options.nodes,
        options.limit,
        options.order,
        tasks.access_point,
        tasks.rejection_cost,
        tasks.arrival_rate_hz,
        tasks.topology.n_nodes,
    )
    return problem


def improve(
    problem: Problem,
    *,
    regrets: Regrets | None = None,
    start: IntArray | None = None,
    seed: int = 0,
    deadline_ns: int = NEVER_NS,
    steps: int = UNLIMITED,
    enough: float = 0.0,
) -> tuple[IntArray, int]:
    """(K,) candidates of the best placement found, and the number of steps.

    Args:
        problem: from :func:`compiled_problem`.
        regrets: of the lower bound; without them nodes get no floors and episodes only start anew.
        start: (K,) candidates to begin with, by default none.
        seed: of the search.
        deadline_ns: of ``time.perf_counter_ns``.
        steps: the most steps to make; a run that ends by steps repeats bit for bit.
        enough: an objective that needs no improvement, bit hops.
    """
    n_tasks = problem.count.size
    begin = np.full(n_tasks, REJECTED) if start is None else start
    floors = _no_floors(problem.n_nodes) if regrets is None else _floors(regrets)
    some = np.flatnonzero(problem.count)
    if some.size == 0:
        return np.full(n_tasks, REJECTED), 0
    regret, rejected = (problem.cost, problem.rejection)
    if regrets is not None:
        regret, rejected = regrets.candidate_regret, regrets.rejection_regret
    guide = Guide(regret, rejected, some)
    chosen, done = search(problem, floors, guide, begin, seed, deadline_ns, steps, enough)
    return chosen, int(done)


def explore_levels(
    problem: Problem,
    copies: Copies,
    *,
    start: IntArray,
    settled: Settled,
    rounds: int = UNLIMITED,
    seed: int = 0,
    deadline_ns: int = NEVER_NS,
    steps: int = UNLIMITED,
    enough: float = 0.0,
) -> tuple[IntArray, Settled, int]:
    """(K,) candidates of the best placement found, where its nodes settled, and the number of steps.

    Args:
        problem: from :func:`compiled_problem`.
        copies: the levels of its nodes.
        start: (K,) candidates to begin with.
        settled: of the call before.
        rounds: how often nodes settle at most.
        seed, deadline_ns, steps, enough: as in :func:`improve`.
    """
    some = np.flatnonzero(problem.count)
    if some.size == 0:
        return start, settled, 0
    levels = new_levels(problem)
    grid = make_grid(problem, copies, int(problem.option.max()) + 1)
    levels.level[:] = levels_at(copies, settled.floor)
    levels.price[:] = settled.price
    typical = float(np.median(problem.rejection[some] / problem.arrival[some]))
    begun = settled.begun
    if begun == 0 and some.size >= MANY_TASKS:
        sketch_levels(problem, copies, levels, some, typical=typical, seed=seed, deadline_ns=deadline_ns)
        begun = SKETCHED
    chosen, turns, done = explore(
        problem,
        copies,
        grid,
        levels,
        some,
        start,
        typical,
        begun,
        rounds,
        seed,
        deadline_ns,
        steps,
        enough,
    )
    nodes = np.arange(problem.n_nodes)
    floor: FloatArray = np.where(copies.levels > 0, copies.floor[nodes, levels.level[nodes]], -np.inf)
    begun = max(1, min(begun + int(turns), BEGINNINGS.size))
    return chosen, Settled(floor, levels.price, begun), int(done)


def sketch_levels(
    problem: Problem,
    copies: Copies,
    levels: Levels,
    some: IntArray,
    *,
    typical: float,
    seed: int = 0,
    deadline_ns: int = NEVER_NS,
) -> None:
    """Leave in ``levels`` what is best for a sample of the tasks, each of which stands for several.

    Args:
        problem: from :func:`compiled_problem`.
        copies: the levels of its nodes.
        levels: what is filled in.
        some: (n,) tasks that have candidates.
        typical: bit hops per arrival rate, the price that beginnings are parts of.
        seed: of the sample and of the search.
        deadline_ns: of ``time.perf_counter_ns``; half of the time until then is used.
    """
    size = min(SAMPLE[1], max(SAMPLE[0], some.size // 4))
    drawn = np.sort(np.random.default_rng(seed).permutation(some)[:size])
    weight = float(problem.arrival[some].sum() / problem.arrival[drawn].sum())
    part = Problem(
        problem.count[drawn],
        problem.option[drawn],
        problem.cost[drawn] * weight,
        problem.node[drawn],
        problem.limit[drawn],
        problem.rejection[drawn] * weight,
        problem.arrival[drawn] * weight,
        problem.n_nodes,
    )
    part_copies = copies._replace(
        label=copies.label[drawn], classes=copies.classes[drawn], rank=copies.rank[drawn]
    )
    grid = make_grid(part, part_copies, int(problem.option.max()) + 1)
    now = time.perf_counter_ns()
    half = NEVER_NS if deadline_ns == NEVER_NS else now + (deadline_ns - now) // 2
    of_part = new_levels(part)
    sketch(part_copies, grid, of_part, typical, SKETCHES, seed, half)
    levels.level[:], levels.price[:] = of_part.level, of_part.price


def _no_floors(nodes: int) -> Floors:
    return Floors(np.ones(nodes, dtype=np.int64), np.full((nodes, 1), -np.inf), np.ones((nodes, 1)))


def _floors(regrets: Regrets) -> Floors:
    """The levels of each node that the bound regrets least, if their neighbours are regretted more."""
    regret = regrets.level_regret
    padded = np.pad(regret, ((0, 0), (1, 1)), constant_values=np.inf)
    dip = (regret < padded[:, :-2] * (1.0 - 1e-9)) & (regret <= padded[:, 2:]) & np.isfinite(regret)
    shown = np.where(dip, regret, np.inf)
    order = np.argsort(shown, axis=1, kind="stable")[:, :FLOORS]
    kept = np.take_along_axis(shown, order, axis=1)
    usable = np.isfinite(kept)
    spread = kept[usable].mean() if usable.any() else 0.0
    weight = np.where(usable, np.exp(-SHARPNESS * np.where(usable, kept, 0.0) / max(spread, 1e-300)), 0.0)
    none = ~usable.any(axis=1)
    weight[none, 0] = 1.0
    level: FloatArray = np.take_along_axis(regrets.level_floor, order, axis=1)
    level[none, 0] = -np.inf
    chance = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    count = np.maximum(1, usable.sum(axis=1))
    return Floors(count.astype(np.int64), np.ascontiguousarray(level), np.ascontiguousarray(chance))
