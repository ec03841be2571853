"""The one place where placements are judged: delays, costs, residuals of all constraints, whoever decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slicewright.judging import BrokenRules, Excess
from slicewright.placement.problem.options import REJECTED
from slicewright.placement.problem.tasks import Tasks
from slicewright.types import FloatArray, IntArray

RULES = ("9a", "9b", "9c", "9d", "9e")
"""The constraints of placement, by the numbers of their equations (model page 2)."""
TOLERANCE = 1e-6
"""A residual up to this share of the limit counts as rounding: what solvers, whose placements are accepted as they are,
keep their own constraints to (HiGHS and SCIP by default)."""
UNDECIDED = -2
"""The option index of a task that was given nodes which are no option of the problem (9a)."""

MEANING: Mapping[str, str] = {
    "9a": "one decision per task: two COINs, one MEC server, or the task's own device",
    "9b": "a full offload is not slower than the best idle partial offload",
    "9c": "a node is not given more work than its capacity",
    "9d": "every queue is stable",
    "9e": "every task meets its deadline",
}
"""What each rule says, in a few words."""
UNIT: Mapping[str, str] = {"9a": "", **dict.fromkeys(RULES[1:], "of its limit")}


class Violations(BrokenRules):
    """Residuals of 9a to 9e, each as a share of its limit.

    9a: 1 if a task has no valid decision. 9b: largest delay of a full offload over the best idle partial offload,
    less 1. 9c: largest work per second over capacity, less 1. 9d: largest arrival rate over service rate, less 1.
    9e: largest delay over deadline, less 1. Infinite where a queue is unstable, because then a delay has no bound.
    """

    meaning = MEANING
    units = UNIT
    tolerance = TOLERANCE


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a placement does.

    Attributes:
        cost_bit_hops: network cost (8) of the placed tasks.
        objective_bit_hops: the cost and what rejected or undecided tasks count.
        delay_s: (K,) s, sending and executing; infinite in an unstable queue, nan without a decision.
        arrival_rate_hz: (J,) 1/s, Lambda_j.
        violations: residuals of 9a to 9e.
    """

    cost_bit_hops: float
    objective_bit_hops: float
    delay_s: FloatArray
    arrival_rate_hz: FloatArray
    violations: Violations


def judge(tasks: Tasks, choice: IntArray) -> Judgement:
    """Judge a placement.

    Args:
        tasks: the problem.
        choice: (K,) option of each task, ``REJECTED`` or ``UNDECIDED``.
    """
    options = tasks.options
    placed = np.flatnonzero(choice >= 0)
    option = choice[placed]
    nodes, rate = options.nodes[option], options.rate[placed, option]
    sides = nodes >= 0
    arrivals = queue_arrivals(tasks, choice)
    own = np.flatnonzero(option == options.device)
    arriving = np.where(sides, arrivals[nodes], 0.0)
    arriving[own, 0] = tasks.arrival_rate_hz[placed[own]]
    surplus = rate - arriving
    at_side = np.full(surplus.shape, np.inf)
    np.divide(1.0, surplus, out=at_side, where=surplus > 0.0)
    delay = np.full(tasks.n_tasks, np.nan)
    delay[placed] = (options.sent_s[placed, option] + at_side).max(axis=1)
    full = placed[options.full[option]]
    load = np.zeros(rate.shape)
    np.divide(arriving, rate, out=load, where=rate > 0.0)
    load[own] = np.where(rate[own] > 0.0, load[own], np.inf)
    work = np.zeros(tasks.topology.n_nodes)
    share = tasks.arrival_rate_hz[placed, None] / np.where(sides, rate, 1.0)
    np.add.at(work, nodes[sides], share[sides])
    n_nodes = work.size
    place_of = lambda j: (
        f"node {tasks.topology.nodes[j]}" if j < n_nodes else f"the device of task {placed[own[j - n_nodes]]}"
    )
    cost = float(options.cost[placed, option].sum())
    of_placed = lambda k: f"task {placed[k]}"
    left_out = np.ones(tasks.n_tasks, dtype=bool)
    left_out[placed] = False
    return Judgement(
        cost_bit_hops=cost,
        objective_bit_hops=cost + float(tasks.rejection_cost[left_out].sum()),
        delay_s=delay,
        arrival_rate_hz=arrivals,
        violations=Violations.found(
            (
                Excess("9a", (choice == UNDECIDED).astype(np.float64), "task {}".format),
                Excess("9b", _beyond(delay[full], options.idle_partial_s[full]), lambda k: f"task {full[k]}"),
                Excess("9c", np.append(work, load[own, 0]) - 1.0, place_of),
                Excess("9d", load.max(axis=1) - 1.0, of_placed),
                Excess("9e", _beyond(delay[placed], tasks.deadline_s[placed]), of_placed),
            )
        ),
    )


def queue_arrivals(tasks: Tasks, choice: IntArray) -> FloatArray:
    """(J,) 1/s. Lambda_j, the arrivals of all tasks that use node j (3)."""
    placed = np.flatnonzero(choice >= 0)
    nodes = tasks.options.nodes[choice[placed]]
    sides = nodes >= 0
    rates = np.broadcast_to(tasks.arrival_rate_hz[placed, None], nodes.shape)
    total = np.bincount(nodes[sides], weights=rates[sides], minlength=tasks.topology.n_nodes)
    return total.astype(np.float64)


def choice_of(tasks: Tasks, nodes: Sequence[Sequence[int]]) -> IntArray:
    """(K,) options of the given nodes; ``UNDECIDED`` where the nodes are no option of the problem."""
    index = tasks.options.index
    return np.array(
        [index.get(tuple(sorted(used)), UNDECIDED) if used else REJECTED for used in nodes], dtype=np.int64
    )


def _beyond(delay_s: FloatArray, limit_s: FloatArray) -> FloatArray:
    """By which part delays are above their limits; nothing is above a limit that is infinite."""
    part = np.zeros(delay_s.shape)
    np.divide(delay_s, limit_s, out=part, where=np.isfinite(limit_s))
    return part - 1.0
