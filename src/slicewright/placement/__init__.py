"""Placement of divisible, delay-constrained tasks on in-network nodes: problem two (model page 2)."""

from slicewright.placement import methods as _methods  # registers the built-in methods
from slicewright.placement.certificate import lower_bound
from slicewright.placement.judge import Judgement, Violations, choice_of, judge
from slicewright.placement.options import REJECTED, Options
from slicewright.placement.placer import place
from slicewright.placement.plan import Placement, check_placement
from slicewright.placement.presets import PLACEMENT_PRESETS, TaskFamily, placement_preset
from slicewright.placement.regimes import PLACEMENT_REGIMES, PlacementRegime
from slicewright.placement.registry import (
    Answer,
    PlacementMethod,
    placement_method,
    placement_methods,
    register_placement_method,
)
from slicewright.placement.tasks import Tasks
from slicewright.placement.tasks_file import load_tasks, save_tasks, tasks_from_dict, tasks_to_dict
from slicewright.placement.topology import Link, Topology, linked_topology

del _methods

__all__ = [
    "PLACEMENT_PRESETS",
    "PLACEMENT_REGIMES",
    "REJECTED",
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
    "load_tasks",
    "lower_bound",
    "place",
    "placement_method",
    "placement_methods",
    "placement_preset",
    "register_placement_method",
    "save_tasks",
    "tasks_from_dict",
    "tasks_to_dict",
]
