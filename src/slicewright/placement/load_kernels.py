"""Compiled code is loaded, and on a machine's first run compiled, before any clock starts."""

from __future__ import annotations

from functools import cache

from slicewright.compiled import announce_compilation
from slicewright.placement.bound import NEVER_NS
from slicewright.placement.branching import Branching
from slicewright.placement.certificate import search_with_bound
from slicewright.placement.problem.presets import placement_preset

_TASKS = 16
_STEPS = 2000


@cache
def load_kernels() -> None:
    """Run the kernels once on a small problem; free from the second call on."""
    announce_compilation("placement")
    found = search_with_bound(placement_preset("regime/overloaded", tasks=_TASKS), steps=_STEPS)
    Branching(found.problem, found.fees).grow(2.0 * found.cost, cases=1, deadline_ns=NEVER_NS)
