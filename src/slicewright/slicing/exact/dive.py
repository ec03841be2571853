"""Plans from columns: one set after the other is fixed, and the linear programme solved anew around it.

Where nodes are full, search moves one or two devices at a time between groups that have no room; sets that the pricing
problems found good, put together, are plans that such moves do not reach. After each set that is fixed, a few rounds of
cheap columns fill what it left open: most of what a dive is worth, to the linear programme too (column generation with
diving, Sadykov et al. 2019).
"""

from __future__ import annotations

import time

import numpy as np

from slicewright.slicing._kernels.problem import LOCAL, Problem
from slicewright.slicing.exact._kernels.generation import step_down
from slicewright.slicing.exact._kernels.master import Master
from slicewright.slicing.exact._kernels.pricing import Choices, Prices, PricingBuffers
from slicewright.slicing.exact._kernels.sets import NONE
from slicewright.slicing.exact.choices import rounded, weights_of
from slicewright.slicing.search import part_of
from slicewright.types import IntArray

ROUNDS = 3
"""Of cheap columns after each step."""
SLOW_PART = 0.6
"""Part of the time left after which steps do without: a plan in time is worth more than the best one."""
VARIED = 1.3
"""Weights are multiplied by up to this before the heaviest is chosen, so that no two dives are alike."""
CHOSEN, SOME = 0.99, 1e-3
"""Weights above which a column counts as chosen, and as in the solution at all."""


def dive(
    problem: Problem,
    choices: Choices,
    master: Master,
    buffers: PricingBuffers,
    *,
    cost: float,
    random: np.random.Generator,
    deadline: int,
) -> tuple[IntArray, IntArray]:
    """(link, group) of a plan made of columns, as far as the deadline (ns) let it come; the master is left penalised.

    Args:
        problem: what is decided.
        choices: that devices have to begin with.
        master: solved; it keeps the columns that are met.
        buffers: of the pricing problems.
        cost: s, of a plan.
        random: varies the order in which sets are fixed.
        deadline: ns.
    """
    n_devices = problem.local_time.size
    here = Choices(choices.links.copy(), choices.alone.copy(), choices.home.copy())
    prices, trial = (Prices(np.zeros(n_devices), np.zeros(n_devices)) for _ in range(2))
    fixed: set[int] = set()
    slow_until = part_of(deadline, SLOW_PART)
    while True:
        chosen = _next(problem, master, fixed, random)
        if not chosen:
            break
        for column in chosen:
            _fix(problem, here, master, column)
            fixed.add(int(master.resource[column]))
        rounds = ROUNDS if time.perf_counter_ns() < slow_until else 0
        if not step_down(problem, here, master, prices, trial, buffers, cost, rounds, deadline):
            break
    return rounded(here, weights_of(problem, here, master))


def _next(problem: Problem, master: Master, fixed: set[int], random: np.random.Generator) -> list[int]:
    """Columns of nodes and of devices at home to fix: those that are chosen anyway, and the heaviest of the others."""
    heaviest, most, chosen = -1, 0.0, []
    for column, value in zip(master.basic, master.value, strict=True):
        if column < 0 or value < SOME or master.cost[column] > master.true_cost[column]:
            continue
        resource = int(master.resource[column])
        if 0 <= resource < problem.n_access_points or resource in fixed:
            continue
        weight = value * random.uniform(1.0, VARIED)
        if value > CHOSEN:
            chosen.append(int(column))
        elif weight > most:
            heaviest, most = int(column), weight
    return chosen if heaviest < 0 else [*chosen, heaviest]


def _fix(problem: Problem, here: Choices, master: Master, column: int) -> None:
    """Leave devices no choices that go against a column."""
    resource = int(master.resource[column])
    if resource < 0:
        device = NONE - resource
        here.links[:, device], here.alone[device] = LOCAL, np.inf
        return
    node, n_devices = resource - problem.n_access_points, problem.local_time.size
    entries = slice(master.first[column], master.first[column + 1] - 1)
    members = master.row[entries].astype(np.int64) - n_devices
    places = master.option[entries].astype(np.int64) * problem.n_nodes + node
    alone = here.alone[members, places]
    here.alone[:, node :: problem.n_nodes] = np.inf
    here.alone[members] = np.inf
    here.alone[members, places] = alone
    here.home[members] = False
