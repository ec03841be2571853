"""Certified offloading, slice shares and in-network placement for edge networks.

    import slicewright as sw
    plan = sw.plan(sw.load_scenario("file.yaml"))
    plan.cost_s, plan.gap, plan.violations

Names are loaded on first use: importing the package costs a few milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from slicewright.version import __version__

if TYPE_CHECKING:
    from slicewright.errors import (
        InvalidInputError,
        InvalidOptionError,
        InvalidPlanError,
        InvalidScenarioError,
        InvalidTasksError,
        MissingExtraError,
        SlicewrightError,
        SolverError,
        UnknownNameError,
    )
    from slicewright.network import Scenario, load_scenario, preset, save_scenario
    from slicewright.placement import (
        Placement,
        Tasks,
        check_placement,
        load_tasks,
        placement_preset,
        save_tasks,
    )
    from slicewright.policies.placement import place, placement_methods, register_placement_method
    from slicewright.policies.slicing import Answer, Limit, Policy, plan, plan_many, policies, register_policy
    from slicewright.slicing import Decisions, Plan, Shares, Violations, load_plan, save_plan
    from slicewright.slicing.plan_file import check


_HOME = {
    "slicewright.errors": (
        "InvalidInputError", "InvalidOptionError", "InvalidPlanError", "InvalidScenarioError", "InvalidTasksError",
        "MissingExtraError", "SlicewrightError", "SolverError", "UnknownNameError",
    ),
    "slicewright.network": ("Scenario", "load_scenario", "preset", "save_scenario"),
    "slicewright.placement": (
        "Placement", "Tasks", "check_placement", "load_tasks", "placement_preset", "save_tasks",
    ),
    "slicewright.policies.placement": ("place", "placement_methods", "register_placement_method"),
    "slicewright.policies.slicing": ("Answer", "Limit", "Policy", "plan", "plan_many", "policies", "register_policy"),
    "slicewright.slicing": ("Decisions", "Plan", "Shares", "Violations", "load_plan", "save_plan"),
    "slicewright.slicing.plan_file": ("check",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Answer",
    "Decisions",
    "InvalidInputError",
    "InvalidOptionError",
    "InvalidPlanError",
    "InvalidScenarioError",
    "InvalidTasksError",
    "Limit",
    "MissingExtraError",
    "Placement",
    "Plan",
    "Policy",
    "Scenario",
    "Shares",
    "SlicewrightError",
    "SolverError",
    "Tasks",
    "UnknownNameError",
    "Violations",
    "__version__",
    "check",
    "check_placement",
    "load_plan",
    "load_scenario",
    "load_tasks",
    "place",
    "placement_methods",
    "placement_preset",
    "plan",
    "plan_many",
    "policies",
    "preset",
    "register_placement_method",
    "register_policy",
    "save_plan",
    "save_scenario",
    "save_tasks",
]


def __getattr__(name: str) -> object:
    """Load a public name from its home on first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
