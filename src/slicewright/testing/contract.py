"""What all checks share: the error, and the patience."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from slicewright.errors import SlicewrightError

Value = TypeVar("Value")

PATIENCE_S = 10.0
"""A method asked for a millisecond must answer within this: the check is for stalls, not for speed."""


class ContractError(SlicewrightError, AssertionError):
    """A method or plan breaks a promise; the message says which, where and by how much."""


def hurried(ask: Callable[[], Value], where: str) -> Value:
    """The answer of a method that is asked for a millisecond.

    Raises:
        ContractError: it took longer than anybody waits.
    """
    began = time.perf_counter()
    answer = ask()
    took = time.perf_counter() - began
    if took > PATIENCE_S:
        raise ContractError(f"{where}: asked for 1 ms, answered after {took:.1f} s")
    return answer
