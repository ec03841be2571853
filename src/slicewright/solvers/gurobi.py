"""Gurobi through gurobipy: optional, and without a licence limited in size."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from slicewright.errors import SolverError
from slicewright.solvers.programme import Programme, SolverOptions
from slicewright.solvers.result import Result, SolverStatus


def minimise(programme: Programme, options: SolverOptions) -> Result:
    """Solve with Gurobi.

    Raises:
        SolverError: no licence, or the programme is larger than the licence allows; one sentence says which.
    """
    import gurobipy

    began = time.perf_counter()
    try:
        with gurobipy.Env(params={"OutputFlag": 0}) as environment, gurobipy.Model(env=environment) as model:
            settings: dict[str, float] = {
                "MIPGap": options.gap,
                "FeasibilityTol": min(options.feasibility, 1e-2),
                "IntFeasTol": min(options.feasibility, 1e-1),
                "Seed": options.short_seed % 2_000_000_000,
                "Threads": options.threads,
            }
            for name, setting in settings.items():
                model.setParam(name, setting)
            if options.node_limit is not None:
                model.setParam("NodeLimit", options.node_limit)
            x = model.addMVar(
                programme.cost.size,
                lb=programme.lower,
                ub=programme.upper,
                obj=programme.cost,
                vtype=np.where(programme.integer, "I", "C"),
            )
            for sense, sides in ((">", programme.row_lower), ("<", programme.row_upper)):
                rows = np.flatnonzero(np.isfinite(sides))
                if rows.size:
                    model.addMConstr(programme.matrix[rows], x, sense, sides[rows])
            for p, q, r in programme.cones.tolist():
                model.addConstr(x[p] * x[q] >= x[r] * x[r])
            if programme.start is not None:
                x.setAttr("Start", programme.start)
            if options.time_limit_s is not None:
                model.setParam("TimeLimit", max(0.0, options.time_limit_s - (time.perf_counter() - began)))
            model.optimize()
            return _result(model, x, time.perf_counter() - began)
    except gurobipy.GurobiError as error:
        raise SolverError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    import gurobipy

    code = getattr(error, "errno", None)
    if code == gurobipy.GRB.Error.SIZE_LIMIT_EXCEEDED:
        return "this programme is larger than the Gurobi licence here allows; install a full one, or use scip"
    if code == gurobipy.GRB.Error.NO_LICENSE:
        return f"Gurobi found no valid licence ({error}); install one, or use scip"
    return f"Gurobi refused: {error}"


def _result(model: Any, x: Any, time_s: float) -> Result:
    import gurobipy

    grb = gurobipy.GRB
    ended = {
        grb.OPTIMAL: SolverStatus.OPTIMAL,
        grb.INFEASIBLE: SolverStatus.INFEASIBLE,
        grb.UNBOUNDED: SolverStatus.UNBOUNDED,
        grb.INF_OR_UNBD: SolverStatus.UNBOUNDED,
        grb.TIME_LIMIT: SolverStatus.FEASIBLE,
        grb.NODE_LIMIT: SolverStatus.FEASIBLE,
        grb.INTERRUPTED: SolverStatus.FEASIBLE,
        grb.SUBOPTIMAL: SolverStatus.FEASIBLE,
    }
    status = ended.get(model.Status, SolverStatus.FAILED)
    if status is SolverStatus.FEASIBLE and not model.SolCount:
        status = SolverStatus.NO_SOLUTION
    bound = -math.inf
    if status is SolverStatus.INFEASIBLE:
        bound = math.inf
    elif model.IsMIP or status is SolverStatus.OPTIMAL:
        proven = float(model.ObjBound)
        bound = proven if abs(proven) < grb.INFINITY else -math.inf
    return Result(
        status=status,
        solver="gurobi",
        version=".".join(map(str, gurobipy.gurobi.version())),
        objective=float(model.ObjVal) if status.has_point else math.inf,
        bound=bound,
        time_s=time_s,
        values=np.array(x.X) if status.has_point else None,
        message=f"status {model.Status}",
    )
