"""Placement of divisible, delay-constrained tasks on in-network nodes: problem two (model page 2).

The methods are two floors up, in ``policies.placement``. Their public names can be had here too, and are loaded when
they are first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from slicewright.placement.certificate import lower_bound
from slicewright.placement.judge import MEANING, RULES, Judgement, Violations, choice_of, judge
from slicewright.placement.plan import Placement
from slicewright.placement.plan_file import check_placement, load_placement, save_placement
from slicewright.placement.problem.options import ON_DEVICE, REJECTED, Options
from slicewright.placement.problem.presets import PLACEMENT_PRESETS, TaskFamily, placement_preset
from slicewright.placement.problem.regimes import PLACEMENT_REGIMES, PlacementRegime
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.problem.tasks_file import load_tasks, save_tasks, tasks_from_dict, tasks_to_dict
from slicewright.placement.problem.topology import Link, Topology, linked_topology

if TYPE_CHECKING:
    from slicewright.policies.placement import (
        Answer,
        PlacementMethod,
        place,
        placement_method,
        placement_methods,
        register_placement_method,
    )

__all__ = [
    "MEANING",
    "ON_DEVICE",
    "PLACEMENT_PRESETS",
    "PLACEMENT_REGIMES",
    "REJECTED",
    "RULES",
    "Answer",
    "Judgement",
    "Link",
    "Options",
    "Placement",
    "PlacementMethod",
    "PlacementRegime",
    "TaskFamily",
    "Tasks",
    "Topology",
    "Violations",
    "check_placement",
    "choice_of",
    "judge",
    "linked_topology",
    "load_placement",
    "load_tasks",
    "lower_bound",
    "place",
    "placement_method",
    "placement_methods",
    "placement_preset",
    "register_placement_method",
    "save_placement",
    "save_tasks",
    "tasks_from_dict",
    "tasks_to_dict",
]


def __getattr__(name: str) -> object:
    """A public name of the methods' floor."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module("slicewright.policies.placement"), name)
    globals()[name] = value
    return value
