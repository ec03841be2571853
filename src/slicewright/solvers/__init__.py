"""Optimisers behind one result type: SCIP, HiGHS, Ipopt, Gurobi (floor 1).

Models are built above as arrays (:class:`Programme`) or CasADi expressions (:class:`SmoothProblem`); no
solver is imported before it runs.
"""

from slicewright.solvers.ipopt import SmoothProblem, minimise_smooth
from slicewright.solvers.programme import Capability, Options, Programme
from slicewright.solvers.registry import SOLVERS, Solver, available_solvers, gurobi_licence, solve, solver
from slicewright.solvers.result import Result, Status
from slicewright.solvers.rows import Rows

__all__ = [
    "SOLVERS",
    "Capability",
    "Options",
    "Programme",
    "Result",
    "Rows",
    "SmoothProblem",
    "Solver",
    "Status",
    "available_solvers",
    "gurobi_licence",
    "minimise_smooth",
    "solve",
    "solver",
]
