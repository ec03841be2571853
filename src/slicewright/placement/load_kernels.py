"""Compiled code is loaded, and on a machine's first run compiled, before any clock starts."""

from __future__ import annotations

from functools import cache

import numpy as np

from slicewright.compiled import announce_compilation
from slicewright.placement._kernels.levels import new_levels
from slicewright.placement.bound import NEVER_NS, copies_of, settled_fees
from slicewright.placement.branching import Branching
from slicewright.placement.certificate import search_with_bound
from slicewright.placement.problem.presets import placement_preset
from slicewright.placement.search import compiled_problem, sketch_levels, unsettled

_TASKS = 16
_STEPS = 2000


@cache
def load_kernels() -> None:
    """Run the kernels once on a small problem; free from the second call on."""
    announce_compilation("placement")
    tasks = placement_preset("regime/overloaded", tasks=_TASKS)
    found = search_with_bound(tasks, steps=_STEPS)
    Branching(found.problem, found.fees).grow(2.0 * found.cost, cases=1, deadline_ns=NEVER_NS)
    problem = compiled_problem(tasks)
    copies, nothing = copies_of(problem), unsettled(problem.n_nodes)
    settled_fees(problem, copies, nothing.floor, nothing.price)
    sketch_levels(problem, copies, new_levels(problem), np.arange(_TASKS), typical=1.0)
