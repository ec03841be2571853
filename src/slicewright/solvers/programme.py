"""What solvers are given: a mixed-integer programme with linear rows and rotated cones, and how to run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag, auto

import numpy as np
from scipy.sparse import csr_array

from slicewright.errors import InvalidOptionError
from slicewright.types import BoolArray, FloatArray, IntArray


class Capability(Flag):
    """What a solver can do."""

    INTEGERS = auto()
    """Columns that are whole numbers."""
    CONES = auto()
    """Rotated second-order cones."""
    NONLINEAR = auto()
    """Smooth objectives and constraints, from their expressions."""
    BOUND = auto()
    """A proven lower bound comes with the answer."""
    WARM_START = auto()
    """A feasible point to begin with is taken."""
    THREADS = auto()
    """More than one thread."""


def _no_cones() -> IntArray:
    return np.empty((0, 3), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Programme:
    """Minimise ``cost @ x`` within bounds, where ``row_lower <= matrix @ x <= row_upper`` and all cones hold.

    Attributes:
        cost: (n,) what a unit of each column costs.
        lower, upper: (n,) bounds of each column, which may be infinite.
        integer: (n,) which columns are whole numbers.
        matrix: (m, n) sparse, by rows.
        row_lower, row_upper: (m,) sides of each row, infinite where one is open.
        cones: (k, 3) columns (p, q, r) with ``x_p * x_q >= x_r ** 2`` and x_p, x_q not negative.
        start: (n,) a feasible point to begin with, if one is known.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    matrix: csr_array
    row_lower: FloatArray
    row_upper: FloatArray
    cones: IntArray = field(default_factory=_no_cones)
    start: FloatArray | None = None

    @property
    def needs(self) -> Capability:
        """What a solver must be capable of to take this programme."""
        needed = Capability(0)
        if self.integer.any():
            needed |= Capability.INTEGERS
        if len(self.cones):
            needed |= Capability.CONES
        return needed


@dataclass(frozen=True, kw_only=True)
class SolverOptions:
    """How long, how well and how repeatably to solve.

    Attributes:
        time_limit_s: s of wall time; then the incumbent and the bound so far are returned.
        node_limit: of branch and bound. Unlike a time limit it stops at the same point on every machine.
        gap: relative gap at which a point counts as optimal.
        feasibility: absolute tolerance of rows, cones and whole numbers.
        seed: of the solver's own random choices; the same seed repeats the run.
        threads: 1 unless asked.

    Raises:
        InvalidOptionError: a number is out of range.
    """

    time_limit_s: float | None = None
    node_limit: int | None = None
    gap: float = 1e-4
    feasibility: float = 1e-6
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        timed = self.time_limit_s is None or self.time_limit_s > 0
        counted = self.node_limit is None or self.node_limit >= 1
        checks = (
            ("time_limit_s", timed, "must be a positive number of seconds"),
            ("node_limit", counted, "must be a whole number of at least 1"),
            ("gap", self.gap >= 0, "must not be negative"),
            ("feasibility", self.feasibility > 0, "must be positive"),
            ("seed", self.seed >= 0, "must be a whole number of at least 0"),
            ("threads", self.threads >= 1, "must be a whole number of at least 1"),
        )
        for name, holds, rule in checks:
            if not holds:
                raise InvalidOptionError(name, rule, value=getattr(self, name))

    @property
    def short_seed(self) -> int:
        """The seed folded into the 31 bits that solvers take."""
        return (self.seed ^ (self.seed >> 31)) & 0x7FFFFFFF
