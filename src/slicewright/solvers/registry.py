"""The solvers by name: what each can do, whether it is here, and one call for all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from slicewright.errors import MissingExtraError, SolverError, UnknownNameError
from slicewright.solvers.programme import Capability, Programme, SolverOptions
from slicewright.solvers.result import Result

ANYTHING = Capability(0)
_ALL = Capability.INTEGERS | Capability.CONES | Capability.BOUND | Capability.WARM_START


@dataclass(frozen=True)
class Solver:
    """One back-end.

    Attributes:
        name: what users write.
        title: what it calls itself.
        package: Python package that binds it, also the name of its distribution.
        extra: extra of slicewright that installs the package; empty if it comes with the core.
        capabilities: what it can do.
    """

    name: str
    title: str
    package: str
    extra: str
    capabilities: Capability

    @property
    def available(self) -> bool:
        """Whether its package is installed. Nothing is imported, no licence is taken."""
        return find_spec(self.package) is not None

    @property
    def version(self) -> str:
        """Version of its package, empty if that is not installed."""
        try:
            return distribution_version(self.package)
        except PackageNotFoundError:
            return ""

    def require(self) -> None:
        """Raise unless the package is installed.

        Raises:
            MissingExtraError: it is not; names the extra.
        """
        if not self.available:
            raise MissingExtraError(f"the solver {self.name!r}", self.extra)


SOLVERS: Mapping[str, Solver] = MappingProxyType(
    {
        solver.name: solver
        for solver in (
            Solver("scip", "SCIP", "pyscipopt", "", _ALL),
            Solver("highs", "HiGHS", "highspy", "", _ALL & ~Capability.CONES | Capability.THREADS),
            Solver("ipopt", "Ipopt", "casadi", "reference", Capability.NONLINEAR),
            Solver("gurobi", "Gurobi", "gurobipy", "gurobi", _ALL | Capability.THREADS),
        )
    }
)
"""The solvers, by name."""


def solver(name: str) -> Solver:
    """The solver of that name, installed or not.

    Raises:
        UnknownNameError: there is none; suggests the nearest name.
    """
    if name not in SOLVERS:
        raise UnknownNameError("solver", name, SOLVERS)
    return SOLVERS[name]


def available_solvers(needed: Capability = ANYTHING) -> list[str]:
    """Names of the installed solvers that can do what is needed. Nothing is imported, no licence is taken."""
    return [name for name, one in SOLVERS.items() if needed in one.capabilities and one.available]


def solve(programme: Programme, *, solver_name: str = "scip", options: SolverOptions | None = None) -> Result:
    """Minimise a programme.

    A time limit returns the incumbent with its gap; it is never an error.

    Args:
        programme: the problem.
        solver_name: ``scip``, ``highs`` or ``gurobi``.
        options: limits, tolerances, seed, threads.

    Raises:
        UnknownNameError: no such solver.
        MissingExtraError: its package is not installed.
        SolverError: it cannot take such programmes, has no licence, or one for smaller programmes.
    """
    chosen = solver(solver_name)
    lacking = programme.needs & ~chosen.capabilities
    if lacking or chosen.capabilities & Capability.NONLINEAR:
        able = [
            name for name, one in SOLVERS.items() if programme.needs | Capability.BOUND in one.capabilities
        ]
        what = "cones" if Capability.CONES in lacking else "mixed-integer programmes"
        raise SolverError(f"{chosen.title} does not take {what}; use one of {', '.join(able)}")
    chosen.require()
    back_end = import_module(f"slicewright.solvers.{chosen.name}")
    result: Result = back_end.minimise(programme, options or SolverOptions())
    return result


def gurobi_licence() -> Path | None:
    """The licence file that Gurobi would read, if there is one; found without taking a licence."""
    given = os.environ.get("GRB_LICENSE_FILE")
    places = [Path(given)] if given else [Path.home() / "gurobi.lic", Path("/opt/gurobi/gurobi.lic")]
    return next((path for path in places if path.is_file()), None)
