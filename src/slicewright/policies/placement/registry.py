"""Placement methods by name: ours, those registered at run time, and those that installed packages offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.policies.placement.learned import LEARNED
from slicewright.policies.placement.methods import METHODS
from slicewright.policies.placement.policy import PlacementMethod

ENTRY_POINT_GROUP = "slicewright.placement_policies"
"""An entry point of this group is a callable of type :data:`PlacementMethod`."""

_registered: dict[str, PlacementMethod] = {**METHODS, **LEARNED}


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
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
