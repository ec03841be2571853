"""Optimisers behind one result type: SCIP, HiGHS, Ipopt, Gurobi.

Models are built above as arrays (:class:`Programme`) or CasADi expressions (:class:`SmoothProblem`); no
solver is imported before it runs.
"""

from slicewright.solvers.ipopt import SmoothProblem, minimise_smooth
from slicewright.solvers.programme import Capability, Programme, SolverOptions
from slicewright.solvers.registry import SOLVERS, Solver, available_solvers, gurobi_licence, solve, solver
from slicewright.solvers.result import Result, SolverStatus
from slicewright.solvers.rows import Rows

__all__ = [
    "SOLVERS",
    "Capability",
    "Programme",
    "Result",
    "Rows",
    "SmoothProblem",
    "Solver",
    "SolverOptions",
    "SolverStatus",
    "available_solvers",
    "gurobi_licence",
    "minimise_smooth",
    "solve",
    "solver",
]
