"""What every policy of problem one promises, as code that raises one sentence when a promise is broken."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from slicewright.judging import ROUNDING
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing.policy import Answer, Limit, Policy
from slicewright.slicing.plan import Plan
from slicewright.slicing.plan_file import load_plan
from slicewright.slicing.shares import optimal_shares
from slicewright.testing.contract import ContractError, hurried
from slicewright.testing.scenarios import awkward_scenarios


def check_policy(
    policy: Policy, *, scenarios: Mapping[str, Scenario] | None = None, rounds: int = 20
) -> None:
    """Check that a policy keeps its contract on awkward scenarios.

    It has a name and a summary; every answer is one decision per device, feasible under 13a to 13g with a finite
    cost; no proven bound lies above a feasible plan; the same seed and rounds repeat the answer bit for bit; a tiny
    budget is answered; the plan survives its file.

    Args:
        policy: what to check.
        scenarios: by name; :func:`awkward_scenarios` by default.
        rounds: the limit given for the repeatability check.

    Raises:
        ContractError: the first broken promise.
    """
    if not policy.name or not policy.summary:
        raise ContractError("a policy needs a name and a summary")
    for name, scenario in (scenarios or awkward_scenarios()).items():
        where = f"{policy.name} on {name!r}"
        answer = policy.decide(scenario, limit=Limit(rounds=rounds), seed=7)
        check_plan(_as_plan(scenario, policy, answer), where=where)
        again = policy.decide(scenario, limit=Limit(rounds=rounds), seed=7)
        if answer.decisions != again.decisions:
            raise ContractError(f"{where}: the same seed and rounds gave other decisions the second time")
        short = hurried(partial(policy.decide, scenario, limit=Limit(budget_s=0.001), seed=7), where)
        check_plan(_as_plan(scenario, policy, short), where=f"{where}, in a hurry")


def check_plan(plan: Plan, *, where: str = "plan") -> None:
    """Check that a plan is feasible, finite, above its bound, and the same after a round trip through its file.

    Raises:
        ContractError: what does not hold.
    """
    if not plan.violations.feasible:
        raise ContractError(f"{where}: {plan.violations.explain()}")
    if not np.isfinite(plan.cost_s):
        raise ContractError(f"{where}: the cost is {plan.cost_s}")
    if plan.lower_bound_s > plan.cost_s * (1 + ROUNDING):
        raise ContractError(
            f"{where}: the bound {plan.lower_bound_s:.9g} s lies above the cost {plan.cost_s:.9g} s"
        )
    returned = load_plan(plan.scenario, plan.to_dict())
    if returned.decisions != plan.decisions or not np.isclose(returned.cost_s, plan.cost_s, rtol=1e-9):
        raise ContractError(f"{where}: writing and reading the plan changed it")


def _as_plan(scenario: Scenario, policy: Policy, answer: Answer) -> Plan:
    if answer.decisions.n_devices != scenario.n_devices:
        raise ContractError(
            f"{policy.name} decided for {answer.decisions.n_devices} of {scenario.n_devices} devices"
        )
    shares = answer.shares or optimal_shares(scenario, answer.decisions)
    if shares is None:
        raise ContractError(f"{policy.name}: no shares make its decisions feasible (13b, 13c)")
    return Plan(scenario, answer.decisions, shares, method=policy.name, proven_bound_s=answer.proven_bound_s)
