"""For values that the library leaves out in some cases and a test expects to be there."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """The value itself; fails where there is none."""
    assert value is not None
    return value
