"""SCIP through PySCIPOpt."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from slicewright.solvers.programme import Programme, SolverOptions
from slicewright.solvers.result import Result, SolverStatus

if TYPE_CHECKING:
    from pyscipopt import Model, Variable

_ENDED = {
    "optimal": SolverStatus.OPTIMAL,
    "gaplimit": SolverStatus.OPTIMAL,
    "infeasible": SolverStatus.INFEASIBLE,
    "unbounded": SolverStatus.UNBOUNDED,
    "inforunbd": SolverStatus.UNBOUNDED,
    "timelimit": SolverStatus.FEASIBLE,
    "nodelimit": SolverStatus.FEASIBLE,
    "memlimit": SolverStatus.FEASIBLE,
    "userinterrupt": SolverStatus.FEASIBLE,
}


def minimise(programme: Programme, options: SolverOptions) -> Result:
    """Build the programme in SCIP and solve it; SCIP uses one thread whatever is asked."""
    from pyscipopt import Model

    began = time.perf_counter()
    model = Model()
    model.hideOutput()
    _configure(model, options)
    columns = _columns(model, programme)
    _rows(model, programme, columns)
    for p, q, r in programme.cones.tolist():
        model.addCons(columns[p] * columns[q] >= columns[r] * columns[r])
    if programme.start is not None:
        start = model.createSol()
        for column, value in zip(columns, programme.start.tolist(), strict=True):
            model.setSolVal(start, column, value)
        model.addSol(start, free=True)
    if options.time_limit_s is not None:
        model.setParam("limits/time", max(1e-3, options.time_limit_s - (time.perf_counter() - began)))
    model.optimizeNogil()
    return _result(model, columns, time.perf_counter() - began)


def _configure(model: Model, options: SolverOptions) -> None:
    model.setParam("limits/gap", options.gap)
    model.setParam("numerics/feastol", options.feasibility)
    model.setParam("randomization/randomseedshift", options.short_seed)
    model.setParam("lp/threads", 1)
    model.setParam("timing/clocktype", 2)  # wall time: a limit in CPU time would overrun on a busy machine
    if options.node_limit is not None:
        model.setParam("limits/nodes", options.node_limit)


def _columns(model: Model, programme: Programme) -> list[Variable]:
    columns = zip(
        programme.lower.tolist(),
        programme.upper.tolist(),
        programme.cost.tolist(),
        programme.integer.tolist(),
        strict=True,
    )
    return [
        model.addVar(
            lb=_finite(lower),
            ub=_finite(upper),
            obj=cost,
            vtype=("B" if (lower, upper) == (0.0, 1.0) else "I") if whole else "C",
        )
        for lower, upper, cost, whole in columns
    ]


def _rows(model: Model, programme: Programme, columns: list[Variable]) -> None:
    from pyscipopt import ExprCons, quicksum

    matrix = programme.matrix
    start, index, value = (x.tolist() for x in (matrix.indptr, matrix.indices, matrix.data))
    sides = zip(programme.row_lower.tolist(), programme.row_upper.tolist(), strict=True)
    for row, (lower, upper) in enumerate(sides):
        total = quicksum(value[k] * columns[index[k]] for k in range(start[row], start[row + 1]))
        model.addCons(ExprCons(total, lhs=_finite(lower), rhs=_finite(upper)))


def _finite(side: float) -> float | None:
    """SCIP writes an open side as None."""
    return side if math.isfinite(side) else None


def _result(model: Model, columns: list[Variable], time_s: float) -> Result:
    word = model.getStatus()
    status = _ENDED.get(word, SolverStatus.FAILED)
    found = model.getNSols() > 0
    if status is SolverStatus.FEASIBLE and not found:
        status = SolverStatus.NO_SOLUTION
    best = model.getBestSol() if found and status.has_point else None
    bound = model.getDualbound()
    return Result(
        status=status,
        solver="scip",
        version=f"{model.version():g}",
        objective=float(model.getObjVal()) if best is not None else math.inf,
        bound=float(bound) if abs(bound) < model.infinity() else math.copysign(math.inf, bound),
        time_s=time_s,
        values=None if best is None else np.array([model.getSolVal(best, column) for column in columns]),
        message=word,
    )
