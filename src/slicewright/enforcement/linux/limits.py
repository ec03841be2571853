"""Trees of limits, and the order in which one becomes another. Pure.

A limit is a rate class or a CPU group. Both nest (access point or node, slice, device), both must not be
overbooked while they change, and both are compared with what the kernel says it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from slicewright.errors import InvalidInputError, InvalidOptionError

Action: TypeAlias = Literal["remove", "decrease", "increase", "create"]


@dataclass(frozen=True)
class Limit:
    """One node of a tree of limits.

    Attributes:
        key: its name in the kernel: a class minor such as ``0x1003``, or a group's path below the root.
        parent: key of its parent, None for a root.
        amount: what is guaranteed: kbit/s of a class, microseconds of CPU time per second of a group.
        ceiling: what it may borrow up to; the amount itself if nothing is lent.
        match: which traffic belongs to it: source address of a device; None for all but leaves.
    """

    key: str
    parent: str | None
    amount: int
    ceiling: int
    match: str | None = None


class Step(NamedTuple):
    """One thing to do to the kernel."""

    action: Action
    limit: Limit


class Drift(NamedTuple):
    """One difference between what is wanted and what the kernel has; None where there is nothing."""

    key: str
    wanted: Limit | None
    found: Limit | None

    @property
    def ratio(self) -> float:
        """By how much it is off, as a share of what is wanted; 1 if it is missing or too many."""
        if self.wanted is None or self.found is None:
            return 1.0
        return max(
            abs(self.found.amount - self.wanted.amount) / self.wanted.amount,
            abs(self.found.ceiling - self.wanted.ceiling) / self.wanted.ceiling,
        )


def tree(limits: Iterable[Limit], *, error: type[InvalidInputError] = InvalidOptionError) -> dict[str, Limit]:
    """The limits by key, parents before children.

    Raises:
        InvalidInputError: of the given type: a key is used twice, a parent is missing, an amount is not positive
            or above its ceiling.
    """
    known: dict[str, Limit] = {}
    waiting = list(limits)
    for limit in waiting:
        if not 0 < limit.amount <= limit.ceiling:
            raise error(f"limit {limit.key}", "must be positive and at most its ceiling", value=limit.amount)
    while waiting:
        ready = [limit for limit in waiting if limit.parent is None or limit.parent in known]
        if not ready:
            raise error(f"limit {waiting[0].key}", "must have a known parent", value=waiting[0].parent)
        for limit in ready:
            if limit.key in known:
                raise error(f"limit {limit.key}", "is given twice")
            known[limit.key] = limit
        waiting = [limit for limit in waiting if limit not in ready]
    return known


def steps(found: Mapping[str, Limit], wanted: Mapping[str, Limit], *, tolerance: float = 0.0) -> list[Step]:
    """What to do, in order, to get from one tree to another.

    Removals and decreases come first, children before parents; then increases and creations, parents before
    children. So no parent is promised more on the way than before or after, whichever is more. A limit that only
    changes its parent or its traffic is removed and made again.

    Args:
        found, wanted: parents before children, as :func:`tree` returns them.
        tolerance: differences up to this share of what is wanted are left alone: kernels round.
    """
    gone: set[str] = set()
    for key, have in found.items():
        want = wanted.get(key)
        if want is None or _moved(have, want) or have.parent in gone:
            gone.add(key)
    down = [Step("remove", found[key]) for key in found if key in gone]
    up: list[Step] = []
    for key, want in wanted.items():
        had = found.get(key)
        if had is None or key in gone:
            up.append(Step("create", want))
        elif Drift(key, want, had).ratio > tolerance:
            smaller = want.amount < had.amount or (want.amount == had.amount and want.ceiling < had.ceiling)
            (down if smaller else up).append(Step("decrease" if smaller else "increase", want))
    depth = {**_depths(wanted), **_depths(found)}
    down.sort(key=lambda step: -depth[step.limit.key])
    return down + up


def drift(
    found: Mapping[str, Limit], wanted: Mapping[str, Limit], *, tolerance: float = 0.0
) -> tuple[Drift, ...]:
    """Every difference above the tolerance between what the kernel has and what it should have."""
    keys = [*wanted, *(key for key in found if key not in wanted)]
    pairs = (Drift(key, wanted.get(key), found.get(key)) for key in keys)
    return tuple(
        pair
        for pair in pairs
        if pair.ratio > tolerance or (pair.wanted and pair.found and _moved(pair.found, pair.wanted))
    )


def _moved(have: Limit, want: Limit) -> bool:
    return (have.parent, have.match) != (want.parent, want.match)


def _depths(limits: Mapping[str, Limit]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for key, limit in limits.items():
        depth[key] = 0 if limit.parent is None else depth.get(limit.parent, 0) + 1
    return depth
