"""What all checks share: the error, and the patience."""

from __future__ import annotations

from slicewright.errors import SlicewrightError

PATIENCE_S = 10.0
"""A method asked for a millisecond must answer within this: the check is for stalls, not for speed."""
ROUNDING = 1e-9
"""The part by which a proven bound may lie above a cost."""


class ContractError(SlicewrightError, AssertionError):
    """A method or plan breaks a promise; the message says which, where and by how much."""
