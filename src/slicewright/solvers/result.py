"""What every solver returns, whatever it calls things itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from slicewright.types import FloatArray


class SolverStatus(Enum):
    """How a run ended."""

    OPTIMAL = "optimal"
    """A point, proven within the gap that was asked for."""
    FEASIBLE = "feasible"
    """Stopped at a limit with a feasible point: the incumbent."""
    NO_SOLUTION = "no solution"
    """Stopped at a limit before any feasible point was found."""
    INFEASIBLE = "infeasible"
    """Proven to have no feasible point."""
    UNBOUNDED = "unbounded"
    """The objective falls for ever, or the solver could not tell that from infeasible."""
    FAILED = "failed"
    """Numerical trouble: neither a point nor a proof."""

    @property
    def has_point(self) -> bool:
        """Whether ``values`` is a feasible point."""
        return self in (SolverStatus.OPTIMAL, SolverStatus.FEASIBLE)


@dataclass(frozen=True, eq=False)
class Result:
    """Outcome of a minimisation.

    Attributes:
        status: how the run ended.
        solver: name of who answered.
        version: of its package.
        objective: of ``values``, infinite without a point.
        bound: proven lower bound on the minimum, minus infinity if the solver proves none (Ipopt).
        time_s: s of wall time, building the solver's own model included.
        values: (n,) the incumbent, in the order of the programme's columns; None without a point.
        message: the solver's own word for how it ended.
    """

    status: SolverStatus
    solver: str
    version: str
    objective: float = math.inf
    bound: float = -math.inf
    time_s: float = 0.0
    values: FloatArray | None = None
    message: str = ""

    @property
    def gap(self) -> float:
        """(objective - bound) / abs(objective): how far from the minimum it can be; infinite if unknown."""
        if not (math.isfinite(self.objective) and math.isfinite(self.bound)):
            return math.inf
        distance = max(0.0, self.objective - self.bound)
        return distance / abs(self.objective) if self.objective else (0.0 if distance == 0.0 else math.inf)

    def with_(self, **changes: Any) -> Result:
        """A copy with some fields replaced."""
        return replace(self, **changes)
