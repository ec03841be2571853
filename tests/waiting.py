"""How tests wait for servers and processes: until something is there, not for so many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

SHORTEST_S, LONGEST_S = 0.02, 0.25
"""Between two looks, s; in between a twentieth of the time that has passed, since looking is work, too."""
PATIENCE_S = 240.0
"""How long a test waits for what has to come; only a failure ever takes so long, on however busy a machine."""


def wait_for(condition: Callable[[], Value], what: str, *, timeout_s: float = PATIENCE_S) -> Value:
    """Poll until something is true, and return it."""
    began = time.monotonic()
    while (passed_s := time.monotonic() - began) < timeout_s:
        found = condition()
        if found:
            return found
        time.sleep(min(max(SHORTEST_S, passed_s / 20), LONGEST_S))
    raise AssertionError(f"not within {timeout_s} s: {what}")
