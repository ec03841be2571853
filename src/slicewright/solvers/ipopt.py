"""Ipopt, the one bundled with CasADi, for smooth problems written as CasADi expressions."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.errors import SolverError
from slicewright.solvers.programme import SolverOptions
from slicewright.solvers.registry import solver
from slicewright.solvers.result import Result, SolverStatus
from slicewright.types import FloatArray

if TYPE_CHECKING:
    from casadi import SX

_ENDED = {
    "Solve_Succeeded": SolverStatus.OPTIMAL,
    "Solved_To_Acceptable_Level": SolverStatus.FEASIBLE,
    "Infeasible_Problem_Detected": SolverStatus.INFEASIBLE,
    "Maximum_WallTime_Exceeded": SolverStatus.FEASIBLE,
    "Maximum_CpuTime_Exceeded": SolverStatus.FEASIBLE,
    "Maximum_Iterations_Exceeded": SolverStatus.FEASIBLE,
    "Feasible_Point_Found": SolverStatus.FEASIBLE,
    "Search_Direction_Becomes_Too_Small": SolverStatus.FEASIBLE,
    "Diverging_Iterates": SolverStatus.UNBOUNDED,
}


@dataclass(frozen=True, eq=False)
class SmoothProblem:
    """Minimise ``objective`` over ``variables`` within bounds and with ``constraints`` at or below zero.

    Attributes:
        variables: (n, 1) CasADi symbols.
        objective: (1, 1) CasADi expression of them.
        constraints: (m, 1) CasADi expressions of them.
        lower, upper: (n,) bounds of the variables.
        start: (n,) where to begin.
    """

    variables: SX
    objective: SX
    constraints: SX
    lower: FloatArray
    upper: FloatArray
    start: FloatArray


def minimise_smooth(problem: SmoothProblem, options: SolverOptions | None = None) -> Result:
    """Solve with Ipopt. OPTIMAL is a local optimum, global only if the problem is convex; no bound is proven.

    Args:
        problem: what to minimise.
        options: ``gap`` is the tolerance on the optimality conditions, ``feasibility`` that on constraints;
            Ipopt has no random choices and one thread, so ``seed`` and ``threads`` change nothing.

    Raises:
        MissingExtraError: CasADi is not installed.
        SolverError: the expressions cannot be evaluated.
    """
    solver("ipopt").require()
    import casadi

    options = options or SolverOptions()
    began = time.perf_counter()
    version = f"casadi {solver('ipopt').version}"
    if (problem.lower > problem.upper).any():  # CasADi would call the problem ill-posed
        return Result(SolverStatus.INFEASIBLE, "ipopt", version, message="bounds cross")
    settings: dict[str, Any] = {
        "print_time": False,
        "ipopt.print_level": 0,
        "ipopt.sb": "yes",
        "ipopt.tol": options.gap,
        "ipopt.constr_viol_tol": options.feasibility,
        "ipopt.bound_relax_factor": 0.0,
    }
    if options.time_limit_s is not None:
        settings["ipopt.max_wall_time"] = options.time_limit_s
    expressions = {"x": problem.variables, "f": problem.objective, "g": problem.constraints}
    try:
        run = casadi.nlpsol("reference", "ipopt", expressions, settings)
        answer = run(x0=problem.start, lbx=problem.lower, ubx=problem.upper, lbg=-np.inf, ubg=0.0)
    except RuntimeError as error:
        raise SolverError(f"CasADi could not pose the problem to Ipopt: {error}") from error
    word = str(run.stats()["return_status"])
    values = np.asarray(answer["x"], dtype=np.float64).ravel()
    excess = float(np.max(np.asarray(answer["g"]), initial=0.0))
    outside = float(np.max(np.maximum(problem.lower - values, values - problem.upper), initial=0.0))
    status = _ENDED.get(word, SolverStatus.FAILED)
    if status is SolverStatus.FEASIBLE and max(excess, outside) > options.feasibility:
        status = SolverStatus.NO_SOLUTION
    return Result(
        status=status,
        solver="ipopt",
        version=version,
        objective=float(answer["f"]) if status.has_point else math.inf,
        time_s=time.perf_counter() - began,
        values=values if status.has_point else None,
        message=word,
    )
