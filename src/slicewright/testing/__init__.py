"""Checks that any policy and any scenario must pass, ours and yours: for test suites and notebooks.

from slicewright.testing import check_policy
check_policy(MyPolicy())  # raises ContractError with one sentence, or returns None
"""

from slicewright.testing.contract import ContractError, check_plan, check_policy
from slicewright.testing.scenarios import awkward_scenarios

__all__ = ["ContractError", "awkward_scenarios", "check_plan", "check_policy"]
