"""Checks that any method, scenario and problem must pass, ours and yours: for test suites and notebooks.

from slicewright.testing import check_placement_method, check_policy
check_policy(MyPolicy())  # raises ContractError with one sentence, or returns None
check_placement_method(my_placement_method)
"""

from slicewright.testing.contract import ContractError
from slicewright.testing.placement import check_placement_method
from slicewright.testing.scenarios import awkward_scenarios
from slicewright.testing.slicing import check_plan, check_policy
from slicewright.testing.tasks import awkward_tasks

__all__ = [
    "ContractError",
    "awkward_scenarios",
    "awkward_tasks",
    "check_placement_method",
    "check_plan",
    "check_policy",
]
