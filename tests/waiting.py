"""How tests wait for servers and processes: until something is there, not for so many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

PATIENCE_S = 240.0
"""How long a test waits for what has to come; only a failure ever takes so long, on however busy a machine."""


def wait_for(condition: Callable[[], Value], what: str, *, timeout_s: float = PATIENCE_S) -> Value:
    """Poll until something is true, and return it."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s} s: {what}")
