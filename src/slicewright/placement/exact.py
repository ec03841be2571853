"""Proven optima: placement as a compact mixed-integer linear programme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from slicewright.errors import SolverError
from slicewright.placement.judge import queue_arrivals
from slicewright.placement.options import REJECTED, Options
from slicewright.placement.tasks import Tasks
from slicewright.solvers import Options as SolverOptions
from slicewright.solvers import Programme, solve
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
    return choice, result.bound * scale


def possible(tasks: Tasks) -> BoolArray:
    """(K, O) options that serve the task in time when it is alone in the network."""
    return np.asarray((tasks.options.limit >= tasks.arrival_rate_hz[:, None, None]).all(axis=2))


def _programme(tasks: Tasks, columns: Columns, scale: float, start: IntArray | None) -> Programme:
    options, count = tasks.options, columns.task.size
    placed = columns.option >= 0
    cost = (
        np.where(placed, options.cost[columns.task, columns.option], tasks.rejection_cost[columns.task])
        / scale
    )
    limits = _counted_limits(tasks, options)
    rows = _Rows(count + tasks.topology.n_nodes)
    rows.add_many(columns.task, np.arange(count), np.ones(count), lower=1.0, upper=1.0)
    for j in range(tasks.topology.n_nodes):
        _add_node(rows, tasks, columns, limits, j, count + j)
    return Programme(
        cost=np.concatenate([cost, np.zeros(tasks.topology.n_nodes)]),
        lower=np.zeros(count + tasks.topology.n_nodes),
        upper=np.concatenate([np.ones(count), np.full(tasks.topology.n_nodes, tasks.arrival_rate_hz.sum())]),
        integer=np.arange(count + tasks.topology.n_nodes) < count,
        matrix=rows.matrix(),
        row_lower=np.concatenate(rows.lower),
        row_upper=np.concatenate(rows.upper),
        start=None if start is None else _point(tasks, columns, start),
    )


def _counted_limits(tasks: Tasks, options: Options) -> FloatArray:
    """Limits on the queues; where all tasks arrive equally often, rounded down to whole numbers of tasks."""
    rate = tasks.arrival_rate_hz[0]
    if not (tasks.arrival_rate_hz == rate).all():
        return options.limit
    return np.asarray(rate * np.floor(options.limit / rate + 1e-9))


def _add_node(
    rows: _Rows, tasks: Tasks, columns: Columns, limits: FloatArray, node: int, arrivals: int
) -> None:
    """Rows of one node: what arrives there, and the limit that each task sets to it."""
    side = (tasks.options.nodes[columns.option] == node) & (columns.option >= 0)[:, None]
    users = np.flatnonzero(side.any(axis=1))
    if users.size == 0:
        return
    task = columns.task[users]
    limit = limits[task, columns.option[users], side[users].argmax(axis=1)]
    most = min(float(limit.max()), float(tasks.arrival_rate_hz[np.unique(task)].sum()))
    ones = np.zeros(users.size + 1, dtype=np.int64)
    rows.add_many(
        ones,
        np.append(users, arrivals),
        np.append(tasks.arrival_rate_hz[task], -1.0),
        lower=0.0,
        upper=0.0,
    )
    tight = limit < most
    if not tight.any():
        return
    names, row = np.unique(task[tight], return_inverse=True)
    rows.add_many(
        np.concatenate([row, np.arange(names.size)]),
        np.concatenate([users[tight], np.full(names.size, arrivals)]),
        np.concatenate([most - limit[tight], np.ones(names.size)]),
        lower=-np.inf,
        upper=most,
    )


def _point(tasks: Tasks, columns: Columns, choice: IntArray) -> FloatArray:
    return np.concatenate(
        [(choice[columns.task] == columns.option).astype(np.float64), queue_arrivals(tasks, choice)]
    )


class _Rows:
    """Rows of a sparse matrix in the making."""

    def __init__(self, columns: int) -> None:
        self.columns, self.count = columns, 0
        self.entries: list[tuple[IntArray, IntArray, FloatArray]] = []
        self.lower: list[FloatArray] = []
        self.upper: list[FloatArray] = []

    def add_many(
        self, row: IntArray, column: IntArray, value: FloatArray, *, lower: float, upper: float
    ) -> None:
        """Add a block whose rows, numbered from 0 in ``row``, share their sides."""
        added = int(row.max()) + 1
        self.entries.append((row + self.count, column, value))
        self.lower.append(np.full(added, lower))
        self.upper.append(np.full(added, upper))
        self.count += added

    def matrix(self) -> csr_array:
        row, column, value = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        return coo_array((value, (row, column)), shape=(self.count, self.columns)).tocsr()
