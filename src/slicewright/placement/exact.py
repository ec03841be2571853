"""Proven optima: placement as a compact mixed-integer linear programme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.errors import SolverError
from slicewright.placement.judge import judge, queue_arrivals
from slicewright.placement.problem.options import REJECTED, Options
from slicewright.placement.problem.tasks import Tasks
from slicewright.solvers import Programme, Rows, SolverOptions, solve
from slicewright.types import BoolArray, FloatArray, IntArray

FEASIBILITY = 1e-9
"""Of rows and whole numbers: what a solver calls feasible must also pass the judge."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The binaries of the programme: first one per kept (task, option), then one per rejected task.

    Attributes:
        task, option: (n,) what each column decides; option ``REJECTED`` for the last K columns.
    """

    task: IntArray
    option: IntArray


def solve_exact(
    tasks: Tasks,
    *,
    keep: BoolArray | None = None,
    start: IntArray | None = None,
    solver: str = "highs",
    time_limit_s: float = 60.0,
    gap: float = 1e-6,
    seed: int = 0,
) -> tuple[IntArray | None, float]:
    """Solve (9) to a relative gap, or until the time limit.

    With x_ko binary and Lambda_j free, every limit is one row per task and node:
    ``Lambda_j + sum_{o uses j} (M_j - limit_koj) x_ko <= M_j``, M_j the largest Lambda_j that can occur.

    Args:
        tasks: the problem.
        keep: (K, O) options to consider, by default all that the task alone would not make late.
        start: (K,) a feasible choice to begin with.
        solver: ``highs``, ``scip`` or ``gurobi``.
        time_limit_s: after it the incumbent is returned with the bound reached.
        gap: relative gap at which the search ends.
        seed: of the solver's own random choices.

    Returns:
        The choice, (K,) or ``None`` if the limit came first, and the proven lower bound of the objective.

    Raises:
        UnknownNameError, MissingExtraError: no such solver, or it is not installed.
        SolverError: the solver found neither a choice nor a bound.
    """
    alone = possible(tasks)
    kept = alone if keep is None else keep & alone
    task, option = np.nonzero(kept)
    everyone = np.arange(tasks.n_tasks)
    columns = Columns(
        np.concatenate([task, everyone]), np.concatenate([option, np.full(tasks.n_tasks, REJECTED)])
    )
    scale = float(tasks.size_bits.mean())
    programme = _programme(tasks, columns, scale, start)
    limits = SolverOptions(time_limit_s=time_limit_s, gap=gap, feasibility=FEASIBILITY, seed=seed)
    result = solve(programme, solver_name=solver, options=limits)
    if result.values is None:
        if not np.isfinite(result.bound):
            raise SolverError(f"{solver} found neither a placement nor a bound: {result.message}")
        return None, result.bound * scale
    choice = np.full(tasks.n_tasks, REJECTED)
    chosen = np.flatnonzero(result.values[: columns.task.size] > 0.5)
    choice[columns.task[chosen]] = columns.option[chosen]
    return choice, min(result.bound * scale, _objective(tasks, choice))


def _objective(tasks: Tasks, choice: IntArray) -> float:
    """What a choice costs, bit hops; infinite where a task is late.

    A solver's bound is proven within its tolerance of whole numbers: 0.999999999 of a placement that costs nothing
    leaves something of the rejection. No bound may be above a placement that exists.
    """
    judged = judge(tasks, choice)
    return judged.objective_bit_hops if judged.violations.feasible else np.inf


def possible(tasks: Tasks) -> BoolArray:
    """(K, O) options that serve the task in time when it is alone in the network."""
    return np.asarray((tasks.options.limit >= tasks.arrival_rate_hz[:, None, None]).all(axis=2))


def _programme(tasks: Tasks, columns: Columns, scale: float, start: IntArray | None) -> Programme:
    options, count, nodes = tasks.options, columns.task.size, tasks.topology.n_nodes
    placed = columns.option >= 0
    cost = np.where(placed, options.cost[columns.task, columns.option], tasks.rejection_cost[columns.task])
    limits = _counted_limits(tasks, options)
    rows = Rows()
    rows.add(tasks.n_tasks, (columns.task, np.arange(count), 1.0), lower=1.0, upper=1.0)
    most = [_add_node(rows, tasks, columns, limits, j, count + j) for j in range(nodes)]
    matrix, row_lower, row_upper = rows.finish(count + nodes)
    return Programme(
        cost=np.concatenate([cost / scale, np.zeros(nodes)]),
        lower=np.zeros(count + nodes),
        upper=np.concatenate([np.ones(count), most]),
        integer=np.arange(count + nodes) < count,
        matrix=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        start=None if start is None else _point(tasks, columns, start),
    )


def _counted_limits(tasks: Tasks, options: Options) -> FloatArray:
    """Limits on the queues; where all tasks arrive equally often, rounded down to whole numbers of tasks."""
    rate = tasks.arrival_rate_hz[0]
    if not (tasks.arrival_rate_hz == rate).all():
        return options.limit
    return np.asarray(rate * np.floor(options.limit / rate + 1e-9))


def _add_node(
    rows: Rows, tasks: Tasks, columns: Columns, limits: FloatArray, node: int, arrivals: int
) -> float:
    """Rows of one node: what arrives there, and each task's limit; returns the most that may arrive."""
    side = (tasks.options.nodes[columns.option] == node) & (columns.option >= 0)[:, None]
    users = np.flatnonzero(side.any(axis=1))
    if users.size == 0:
        return 0.0
    task = columns.task[users]
    limit = limits[task, columns.option[users], side[users].argmax(axis=1)]
    most = min(float(limit.max()), float(tasks.arrival_rate_hz[np.unique(task)].sum()))
    only_row, total = np.zeros(users.size, dtype=np.int64), np.array([arrivals])
    rows.add(
        1, (only_row, users, tasks.arrival_rate_hz[task]), (np.array([0]), total, -1.0), lower=0.0, upper=0.0
    )
    tight = limit < most
    if not tight.any():
        return most
    limited, row = np.unique(task[tight], return_inverse=True)
    every = np.arange(limited.size)
    rows.add(
        limited.size,
        (row, users[tight], most - limit[tight]),
        (every, np.full(limited.size, arrivals), 1.0),
        upper=most,
    )
    return most


def _point(tasks: Tasks, columns: Columns, choice: IntArray) -> FloatArray:
    return np.concatenate(
        [(choice[columns.task] == columns.option).astype(np.float64), queue_arrivals(tasks, choice)]
    )
