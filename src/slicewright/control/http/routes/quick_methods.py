"""Methods that requests may have worked: those that end by themselves, however many devices there are."""

from __future__ import annotations

from slicewright.control.http.problems import Problem
from slicewright.control.state.state import Methods
from slicewright.errors import UnknownNameError
from slicewright.policies.slicing import policies

QUICK = frozenset(
    {
        "auto", "best-response", "greedy", "erap", "prap", "mec-only", "random", "local", "corrected", "deepsets-s",
        "deepsets-s-raw", "deepsets", "deepsets-raw", "set-transformer-2", "set-transformer-2-raw",
        "set-transformer-4", "set-transformer-4-raw", "bipartite", "bipartite-raw",
    }
)  # fmt: skip
"""Ours; `exact` and `solver` are not among them."""
SLOW_PLACEMENTS = frozenset({"exact"})


def quick_method(method: str, methods: Methods) -> str:
    """A method of slicing, if a reader may have it work: one of ours, or one that operators have chosen.

    Raises:
        UnknownNameError: no such method.
        Problem: it may take as long as it likes.
    """
    known = policies()
    if method not in known:
        raise UnknownNameError("method", method, known)
    chosen = {methods.active, methods.previous, methods.canary}
    allowed = [name for name in known if name in QUICK or name in chosen]
    if method not in allowed:
        raise _slow(method, allowed)
    return method


def quick_placement_method(method: str) -> str:
    """A method of placement, if a reader may have it work.

    Raises:
        UnknownNameError: no such method.
        Problem: it may take as long as it likes.
    """
    from slicewright.policies.placement import placement_methods

    known = sorted(placement_methods())
    if method not in known:
        raise UnknownNameError("placement method", method, known)
    if method in SLOW_PLACEMENTS:
        raise _slow(method, [name for name in known if name not in SLOW_PLACEMENTS])
    return method


def _slow(method: str, allowed: list[str]) -> Problem:
    detail = f"{method} may take as long as it likes; requests are for {', '.join(allowed)}"
    return Problem(422, "method-not-allowed", detail, known=allowed)
