"""From what the kernel has to what it should have: read, do the steps, read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from slicewright.enforcement.linux.limits import Drift, Limit, Step, drift, steps, tree


class Enforcer(Protocol):
    """A place that holds a tree of limits: an interface's rate classes, a machine's CPU groups."""

    @property
    def tolerance(self) -> float:
        """Relative difference that the kernel's own rounding may make."""
        ...

    def read(self) -> dict[str, Limit]:
        """What is there, parents before children."""
        ...

    def apply(self, changes: Sequence[Step]) -> None:
        """Do the steps in their order."""
        ...

    def remove(self) -> None:
        """Take everything away."""
        ...


@dataclass(frozen=True)
class Report:
    """What was done, and what the kernel says afterwards.

    Attributes:
        done: steps in their order; none if all was as wanted already.
        drift: what still differs; nothing, unless somebody else changes the same limits.
    """

    done: tuple[Step, ...]
    drift: tuple[Drift, ...]


def enforce(place: Enforcer, limits: Iterable[Limit]) -> Report:
    """Make the kernel's limits what they should be; doing it twice does nothing the second time.

    Raises:
        InvalidOptionError: the limits are not a tree.
        EnforcementError: the kernel refused a step.
    """
    wanted, found = tree(limits), place.read()
    changes = steps(found, wanted, tolerance=place.tolerance)
    if changes:
        place.apply(changes)
        found = place.read()
    return Report(tuple(changes), drift(found, wanted, tolerance=place.tolerance))


def inspect(place: Enforcer, limits: Iterable[Limit]) -> tuple[Drift, ...]:
    """Every difference between the kernel's limits and what they should be. Changes nothing."""
    return drift(place.read(), tree(limits), tolerance=place.tolerance)


def remove(place: Enforcer) -> None:
    """Take all limits away; the place is as before."""
    place.remove()
