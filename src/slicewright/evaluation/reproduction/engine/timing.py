"""How long calls take on a machine that may have other work to do: in time of processors, not by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REPEATS = 3
"""Equal calls of which the best counts: one that lost the processor to other work shows less of its method."""


def seconds(call: Callable[[Any], object], given: Any) -> float:
    """s of processors of one call, all threads together."""
    began = time.process_time()
    call(given)
    return time.process_time() - began


def least_seconds(call: Callable[[Any], object], given: Any) -> float:
    """Least s of several calls."""
    return min(seconds(call, given) for _ in range(REPEATS))


@dataclass
class CoreSeconds:
    """Processor time, s: of this process since a start, and of others as they report it."""

    elsewhere: float = 0.0
    _start: float = 0.0

    def start(self) -> None:
        """From zero."""
        self.elsewhere, self._start = 0.0, time.process_time()

    def total(self) -> float:
        """s since the start, all processes together."""
        return time.process_time() - self._start + self.elsewhere
