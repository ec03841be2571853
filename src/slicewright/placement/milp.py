"""Mixed-integer linear programmes and the solvers that take them: HiGHS, SCIP, Gurobi (each imported when first used)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.sparse import csr_array

from slicewright.errors import MissingExtraError, SolverError, UnknownNameError
from slicewright.types import BoolArray, FloatArray

INTEGRALITY = 1e-9


@dataclass(frozen=True, eq=False)
class MixedIntegerProgram:
    """Minimise ``cost @ x`` subject to ``row_lower <= matrix @ x <= row_upper`` and ``0 <= x <= upper``.

    Attributes:
        cost, upper: (n,) per column. integer: (n,) which columns are whole numbers.
        matrix: (m, n) sparse, by rows.
        row_lower, row_upper: (m,) infinite where a side is open.
        start: (n,) a feasible point to begin with, if known.
    """

    cost: FloatArray
    upper: FloatArray
    integer: BoolArray
    matrix: csr_array
    row_lower: FloatArray
    row_upper: FloatArray
    start: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class MilpAnswer:
    """What a solver found: a point if there is one, and a proven bound on the minimum."""

    point: FloatArray | None
    bound: float


MilpSolver = Callable[[MixedIntegerProgram, float, float], MilpAnswer]
"""Takes the programme, a time limit in seconds and a relative gap."""


def solve_milp(
    programme: MixedIntegerProgram, *, solver: str = "highs", time_limit_s: float = 60.0, gap: float = 1e-6
) -> MilpAnswer:
    """Solve with the named solver: ``highs``, ``scip`` or ``gurobi``.

    Raises:
        UnknownNameError: no such solver.
        MissingExtraError: the solver is not installed.
        SolverError: it stopped without a point and without a bound, or found the programme infeasible.
    """
    if solver not in SOLVERS:
        raise UnknownNameError("solver", solver, SOLVERS)
    return SOLVERS[solver](programme, time_limit_s, gap)


def _highs(programme: MixedIntegerProgram, time_limit_s: float, gap: float) -> MilpAnswer:
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = programme.cost.size, programme.row_lower.size
    model.col_cost_ = programme.cost
    model.col_lower_, model.col_upper_ = np.zeros(programme.cost.size), programme.upper
    model.row_lower_, model.row_upper_ = programme.row_lower, programme.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = programme.matrix.indptr
    model.a_matrix_.index_ = programme.matrix.indices
    model.a_matrix_.value_ = programme.matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(whole)] for whole in programme.integer]
    highs = highspy.Highs()
    highs.silent()
    for name, value in (
        ("time_limit", time_limit_s),
        ("mip_rel_gap", gap),
        ("mip_feasibility_tolerance", INTEGRALITY),
        ("primal_feasibility_tolerance", INTEGRALITY),
        ("threads", 1),
    ):
        highs.setOptionValue(name, value)
    highs.passModel(model)
    if programme.start is not None:
        start = highspy.HighsSolution()
        start.col_value = programme.start.tolist()
        highs.setSolution(start)
    highs.run()
    info = highs.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    point = np.array(highs.getSolution().col_value) if found else None
    return _answer("HiGHS", point, info.mip_dual_bound, highs.modelStatusToString(highs.getModelStatus()))


def _scip(programme: MixedIntegerProgram, time_limit_s: float, gap: float) -> MilpAnswer:
    from pyscipopt import Model, quicksum

    model = Model()
    model.hideOutput()
    model.setParam("limits/time", time_limit_s)
    model.setParam("limits/gap", gap)
    model.setParam("numerics/feastol", INTEGRALITY)
    columns = [
        model.addVar(lb=0.0, ub=float(upper), obj=float(cost), vtype="I" if whole else "C")
        for cost, upper, whole in zip(programme.cost, programme.upper, programme.integer, strict=True)
    ]
    for row in range(programme.row_lower.size):
        entries = slice(programme.matrix.indptr[row], programme.matrix.indptr[row + 1])
        total = quicksum(
            float(value) * columns[column]
            for column, value in zip(
                programme.matrix.indices[entries], programme.matrix.data[entries], strict=True
            )
        )
        lower, upper = programme.row_lower[row], programme.row_upper[row]
        if math.isfinite(lower):
            model.addCons(total >= float(lower))
        if (math.isfinite(upper) and upper != lower) or upper == lower:
            model.addCons(total <= float(upper))
    if programme.start is not None:
        start = model.createSol()
        for column, value in zip(columns, programme.start, strict=True):
            model.setSolVal(start, column, float(value))
        model.addSol(start)
    model.optimize()
    point = np.array([model.getVal(column) for column in columns]) if model.getNSols() else None
    return _answer("SCIP", point, model.getDualbound(), model.getStatus())


def _gurobi(programme: MixedIntegerProgram, time_limit_s: float, gap: float) -> MilpAnswer:
    try:
        import gurobipy
    except ImportError:
        raise MissingExtraError("the solver 'gurobi'", "gurobi") from None
    try:
        with gurobipy.Env(params={"OutputFlag": 0}) as environment, gurobipy.Model(env=environment) as model:
            model.setParam("TimeLimit", time_limit_s)
            model.setParam("MIPGap", gap)
            model.setParam("FeasibilityTol", INTEGRALITY)
            model.setParam("Threads", 1)
            kinds = np.where(programme.integer, "I", "C")
            x = model.addMVar(programme.cost.size, ub=programme.upper, obj=programme.cost, vtype=kinds)
            for sense, side in ((">", programme.row_lower), ("<", programme.row_upper)):
                rows = np.flatnonzero(np.isfinite(side))
                model.addMConstr(programme.matrix[rows], x, sense, side[rows])
            if programme.start is not None:
                x.Start = programme.start
            model.optimize()
            point = np.array(x.X) if model.SolCount else None
            return _answer("Gurobi", point, model.ObjBound, f"status {model.Status}")
    except gurobipy.GurobiError as error:
        raise SolverError(f"Gurobi refused: {error}") from error


def _answer(name: str, point: FloatArray | None, bound: float, status: str) -> MilpAnswer:
    if point is None and not math.isfinite(bound):
        raise SolverError(f"{name} found neither a placement nor a bound: {status}")
    return MilpAnswer(point, bound)


SOLVERS: Mapping[str, MilpSolver] = MappingProxyType({"highs": _highs, "scip": _scip, "gurobi": _gurobi})
