"""HiGHS through highspy."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from slicewright.errors import SolverError
from slicewright.solvers.programme import Programme, SolverOptions
from slicewright.solvers.result import Result, SolverStatus

_threads = 0
"""Threads of HiGHS' scheduler, which is one per process and refuses another number until it is reset."""


def minimise(programme: Programme, options: SolverOptions) -> Result:
    """Hand the programme to HiGHS as arrays and solve it.

    Raises:
        SolverError: HiGHS refused the programme.
    """
    import highspy

    global _threads
    began = time.perf_counter()
    if _threads not in (0, options.threads):
        highspy.Highs.resetGlobalScheduler(True)
    _threads = options.threads
    highs = _silent()
    settings: dict[str, float] = {
        "mip_rel_gap": options.gap,
        "mip_feasibility_tolerance": options.feasibility,
        "primal_feasibility_tolerance": options.feasibility,
        "random_seed": options.short_seed,
        "threads": options.threads,
    }
    if options.node_limit is not None:
        settings["mip_max_nodes"] = options.node_limit
    for name, value in settings.items():
        highs.setOptionValue(name, value)
    if highs.passModel(_model(programme)) == highspy.HighsStatus.kError:
        raise SolverError("HiGHS refused the programme: a number is out of its range")
    if programme.start is not None:
        start = highspy.HighsSolution()
        start.col_value = programme.start.tolist()
        highs.setSolution(start)
    if options.time_limit_s is not None:
        highs.setOptionValue("time_limit", max(1e-3, options.time_limit_s - (time.perf_counter() - began)))
    highs.run()
    return _result(highs, bool(programme.integer.any()), time.perf_counter() - began)


def _silent() -> Any:
    """A solver that prints nothing, not even the banner that from 1.16 on comes with its callbacks, when it is made."""
    import highspy

    class Silent(highspy.Highs):
        def enableCallbacks(self) -> None:  # highspy's name; its constructor calls it
            self.silent()
            super().enableCallbacks()  # type: ignore[no-untyped-call]  # highspy has no types

    highs = Silent()  # type: ignore[no-untyped-call]
    highs.silent()
    return highs


def _model(programme: Programme) -> Any:
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = programme.cost.size, programme.row_lower.size
    model.col_cost_, model.col_lower_, model.col_upper_ = programme.cost, programme.lower, programme.upper
    model.row_lower_, model.row_upper_ = programme.row_lower, programme.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = programme.matrix.indptr
    model.a_matrix_.index_ = programme.matrix.indices
    model.a_matrix_.value_ = programme.matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    if programme.integer.any():
        model.integrality_ = [kinds[int(whole)] for whole in programme.integer]
    return model


def _result(highs: Any, integers: bool, time_s: float) -> Result:
    import highspy

    ended = {
        highspy.HighsModelStatus.kOptimal: SolverStatus.OPTIMAL,
        highspy.HighsModelStatus.kInfeasible: SolverStatus.INFEASIBLE,
        highspy.HighsModelStatus.kUnbounded: SolverStatus.UNBOUNDED,
        highspy.HighsModelStatus.kUnboundedOrInfeasible: SolverStatus.UNBOUNDED,
        highspy.HighsModelStatus.kTimeLimit: SolverStatus.FEASIBLE,
        highspy.HighsModelStatus.kSolutionLimit: SolverStatus.FEASIBLE,
        highspy.HighsModelStatus.kIterationLimit: SolverStatus.FEASIBLE,
        highspy.HighsModelStatus.kInterrupt: SolverStatus.FEASIBLE,
    }
    word, info = highs.getModelStatus(), highs.getInfo()
    status = ended.get(word, SolverStatus.FAILED)
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if status is SolverStatus.FEASIBLE and not found:
        status = SolverStatus.NO_SOLUTION
    objective = float(info.objective_function_value) if status.has_point else math.inf
    bound = float(info.mip_dual_bound) if integers else -math.inf
    if status is SolverStatus.OPTIMAL and not integers:
        bound = objective
    return Result(
        status=status,
        solver="highs",
        version=highs.version(),
        objective=objective,
        bound=math.inf if status is SolverStatus.INFEASIBLE else bound,
        time_s=time_s,
        values=np.array(highs.getSolution().col_value) if status.has_point else None,
        message=highs.modelStatusToString(word),
    )
