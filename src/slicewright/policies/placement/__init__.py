"""Methods of problem two by name: the protocol, the registry, our own methods and the placer."""

from slicewright.policies.placement.placer import place
from slicewright.policies.placement.policy import Answer, PlacementMethod
from slicewright.policies.placement.registry import (
    ENTRY_POINT_GROUP,
    placement_method,
    placement_methods,
    register_placement_method,
)

__all__ = [
    "ENTRY_POINT_GROUP",
    "Answer",
    "PlacementMethod",
    "place",
    "placement_method",
    "placement_methods",
    "register_placement_method",
]
