"""Why a task was rejected, in one sentence."""

from __future__ import annotations

import numpy as np

from slicewright.placement.judge import queue_arrivals
from slicewright.placement.problem.options import REJECTED
from slicewright.placement.problem.tasks import Tasks
from slicewright.types import FloatArray, IntArray


def rejection_reasons(tasks: Tasks, choice: IntArray) -> tuple[str | None, ...]:
    """A reason for every rejected task, ``None`` for the others."""
    arrivals = queue_arrivals(tasks, choice)
    tightest = tightest_limits(tasks, choice)
    return tuple(
        _reason(tasks, k, arrivals, tightest) if option == REJECTED else None
        for k, option in enumerate(choice)
    )


def tightest_limits(tasks: Tasks, choice: IntArray) -> FloatArray:
    """(J,) 1/s. The largest Lambda_j that all tasks on node j bear; infinite on an unused node."""
    tightest = np.full(tasks.topology.n_nodes, np.inf)
    placed = np.flatnonzero(choice >= 0)
    nodes = tasks.options.nodes[choice[placed]]
    sides = nodes >= 0
    np.minimum.at(tightest, nodes[sides], tasks.options.limit[placed, choice[placed]][sides])
    return tightest


def _reason(tasks: Tasks, k: int, arrivals: FloatArray, tightest: FloatArray) -> str:
    options, own = tasks.options, tasks.arrival_rate_hz[k]
    sides = options.nodes >= 0
    alone = options.limit[k].min(axis=1)
    deadline = 1e3 * tasks.deadline_s[k]
    if not (alone >= own).any():
        return _impossible(tasks, k, deadline)
    after = np.where(sides, arrivals[options.nodes] + own, 0.0)
    too_tight = sides & (after > options.limit[k])
    displaces = sides & (after > tightest[options.nodes])
    fits = (alone >= own) & ~(too_tight | displaces).any(axis=1)
    if fits.any():
        best = int(np.where(fits, options.cost[k], np.inf).argmin())
        if options.cost[k, best] >= tasks.rejection_cost[k]:
            return f"leaving it out counts no more than {_names(tasks, best)}, the only place left"
        return f"the method left it out, although {_names(tasks, best)} would serve it in time"
    possible = alone >= own
    count = int(possible.sum())
    best = int(np.where(possible, options.cost[k], np.inf).argmin())
    if too_tight[best].any():
        why = f"its queue is too long for the deadline of {deadline:.4g} ms"
    else:
        why = "one more task would make another one late"
    ways = "the only way" if count == 1 else f"all {count} ways"
    return f"{ways} to meet the deadline are taken; on the cheapest, {_names(tasks, best)}, {why}"


def _impossible(tasks: Tasks, k: int, deadline: float) -> str:
    options, surplus = tasks.options, tasks.options.rate[k] - tasks.arrival_rate_hz[k]
    at_side = np.full(surplus.shape, np.inf)
    np.divide(1.0, surplus, out=at_side, where=surplus > 0.0)
    takes = (options.sent_s[k] + at_side).max(axis=1)
    best = int(takes.argmin())
    if not np.isfinite(takes[best]):
        return "no queue would be stable even with this task alone"
    sending = options.sent_s[k, best].max()
    of_it = f", {1e3 * sending:.4g} ms of them for sending" if sending > 0.0 else ""
    return (
        f"the deadline of {deadline:.4g} ms cannot be met even on idle nodes: the fastest way, "
        f"{_names(tasks, best)}, takes {1e3 * takes[best]:.4g} ms{of_it}"
    )


def _names(tasks: Tasks, option: int) -> str:
    if option == tasks.options.device:
        return "its own device"
    return " + ".join(tasks.topology.nodes[j] for j in tasks.options.nodes_of(option))
