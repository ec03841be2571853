"""Placement methods by name: the built-in ones, those registered here, and those that other packages bring.

A package offers a method through the entry-point group ``slicewright.placement_policies``; the entry point
is a callable of type :data:`PlacementMethod`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.types import IntArray

ENTRY_POINTS = "slicewright.placement_policies"


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method decides.

    Attributes:
        choice: (K,) index of an option of ``tasks.options``, or -1 for a rejected task;
            :func:`slicewright.placement.choice_of` makes it from nodes.
        lower_bound_bit_hops: proven lower bound of the objective, 0 if the method proves none.
        notes: what the method wants to say (a fallback it took, a model out of its range).
    """

    choice: IntArray
    lower_bound_bit_hops: float = 0.0
    notes: tuple[str, ...] = ()


PlacementMethod: TypeAlias = Callable[..., Answer]
"""``method(tasks, *, budget_s: float | None, seed: int, **options) -> Answer`` decides where tasks go.

``budget_s`` is the wall time to use in s, ``None`` means the method's own habit. Further keyword-only
parameters with defaults are options that callers of ``place`` may set.
"""


_registered: dict[str, PlacementMethod] = {}


def register_placement_method(name: str, method: PlacementMethod) -> None:
    """Make a method known under a name.

    Raises:
        InvalidOptionError: the name is taken.
    """
    if name in _registered:
        raise InvalidOptionError("name", "is already a placement method", value=name)
    _registered[name] = method


def placement_method(name: str) -> PlacementMethod:
    """The method of a name; another package's is imported now.

    Raises:
        UnknownNameError: nobody offers it.
    """
    if name in _registered:
        return _registered[name]
    offered = _offered()
    if name not in offered:
        raise UnknownNameError("placement method", name, {*_registered, *offered})
    method: PlacementMethod = offered[name].load()
    return method


def placement_methods() -> Mapping[str, PlacementMethod]:
    """All methods by name; what other packages offer is imported when its name is looked up."""
    return _Methods()


class _Methods(Mapping[str, PlacementMethod]):
    def __getitem__(self, name: str) -> PlacementMethod:
        return placement_method(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*_registered, *_offered()}))

    def __len__(self) -> int:
        return len({*_registered, *_offered()})


@cache
def _offered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}
