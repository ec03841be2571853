"""How long calls take on a machine that may have other work to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

REPEATS = 3
"""Equal calls of which the best counts: one that lost the processor to other work shows less of its method."""


def seconds(call: Callable[[Any], object], given: Any) -> float:
    """s of one call."""
    began = time.perf_counter()
    call(given)
    return time.perf_counter() - began


def least_seconds(call: Callable[[Any], object], given: Any) -> float:
    """Least s of several calls."""
    return min(seconds(call, given) for _ in range(REPEATS))
