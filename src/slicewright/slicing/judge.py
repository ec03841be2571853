"""``check``: judge a plan against a scenario, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slicewright.network.scenario import Scenario
from slicewright.slicing.evaluation import Violations, evaluate
from slicewright.slicing.plan import Plan
from slicewright.slicing.plan_file import load_plan


def check(scenario: Scenario, plan: Plan | str | Path | Mapping[str, object]) -> Violations:
    """Residual of each constraint 13a..13g of a plan, or plan file or document, in this scenario.

    Raises:
        InvalidPlanError: the plan does not fit the scenario.
    """
    if not isinstance(plan, Plan):
        plan = load_plan(scenario, plan)
    return evaluate(scenario, plan.decisions, plan.shares)[1]
