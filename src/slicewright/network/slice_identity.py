"""Which slice is which for 3GPP: S-NSSAI, one for each slice, and the slices that share one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from slicewright.network.scenario import SliceId

_NO_DIFFERENTIATOR = "ffffff"
"""TS 23.003: this value says that there is no slice differentiator."""


class Identity(NamedTuple):
    """Slice service type, and slice differentiator if there is one."""

    sst: int
    sd: str | None = None


def with_identities(
    names: Sequence[str], given: Sequence[Identity | None] | None = None
) -> tuple[SliceId, ...]:
    """Slices by name; those without an identity get one that no other has.

    Args:
        names: of the slices.
        given: identities as far as they are known, one for each name.
    """
    known = list(given) if given is not None else [None] * len(names)
    taken = {identity_key(*identity) for identity in known if identity is not None}
    slices = []
    for n, (name, identity) in enumerate(zip(names, known, strict=True)):
        if identity is None:
            identity = next(free for free in _candidates(n) if identity_key(*free) not in taken)
            taken.add(identity_key(*identity))
        slices.append(SliceId(name, sst=identity.sst, sd=identity.sd))
    return tuple(slices)


def same_identity(slices: Sequence[SliceId]) -> tuple[int, int] | None:
    """Indices of the first two slices that a network cannot tell apart; None if all differ."""
    seen: dict[tuple[int, str], int] = {}
    for n, s in enumerate(slices):
        first = seen.setdefault(identity_key(s.sst, s.sd), n)
        if first != n:
            return first, n
    return None


def identity_clash(slices: Sequence[SliceId]) -> str | None:
    """One sentence on the first two slices of one identity; None if all differ."""
    pair = same_identity(slices)
    if pair is None:
        return None
    first, second = (slices[n] for n in pair)
    sd = "no sd" if first.sd is None else f"sd {first.sd}"
    return (
        f"{first.name!r} and {second.name!r} have the same identity (sst {first.sst}, {sd}), "
        "so that no network could tell them apart"
    )


def identity_key(sst: int, sd: str | None) -> tuple[int, str]:
    """What two identities have in common if they are the same: case does not count, ``ffffff`` is no ``sd``."""
    return sst, (sd or _NO_DIFFERENTIATOR).lower()


def _candidates(n: int) -> Iterator[Identity]:
    """The slice types from the slice's own number on, then differentiators."""
    for offset in range(255):
        yield Identity(1 + (n + offset) % 255)
    for number in range(16**6 - 1):
        yield Identity(1 + n % 255, f"{number:06x}")
