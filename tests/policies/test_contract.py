"""Every registered method keeps the contract; broken ones are caught; users bring their own."""

from collections.abc import Callable

import numpy as np
import pytest

import slicewright as sw
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing import Answer, Limit, policies, policy, register_policy
from slicewright.policies.slicing.policy import FunctionPolicy
from slicewright.slicing import Decisions
from slicewright.testing import ContractError, awkward_scenarios, check_plan, check_policy

FAST = [name for name in policies() if getattr(policy(name), "default_budget_s", None) is None]


@pytest.mark.parametrize("name", FAST)
def test_every_method_keeps_the_contract(name: str) -> None:
    check_policy(policy(name))


@pytest.mark.parametrize("name", [name for name in policies() if name not in FAST])
def test_every_slow_method_keeps_the_contract_on_the_small_ones(name: str) -> None:
    """Those whose proof takes no seconds, and the ordinary ones with fewer nodes."""
    awkward = awkward_scenarios()
    kept = (
        "one device",
        "one of everything",
        "offloading never pays",
        "nobody reaches anything",
        "nodes without capacity",
    )
    plain = sw.preset("paper-slicing", devices=5, seed=11, coins=2)
    small = {"ordinary": plain, "queues per device": plain.with_(queueing="device")}
    check_policy(policy(name), scenarios={**small, **{k: awkward[k] for k in kept}})


def _all_on_one_node(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    zeros = np.zeros(scenario.n_devices, dtype=np.int64)
    return Answer(Decisions(zeros, zeros, zeros))


def _dishonest_bound(scenario: Scenario, limit: Limit, seed: int) -> Answer:
    return Answer(Decisions.all_local(scenario.n_devices), proven_bound_s=1e9)


def _unrepeatable(scenario: Scenario, limit: Limit, seed: int, _calls: list[int] = [0]) -> Answer:  # noqa: B006 - the point is to remember
    _calls[0] += 1
    answer = policy("greedy").decide(scenario, limit=limit, seed=seed)
    return answer if _calls[0] % 2 else Answer(Decisions.all_local(scenario.n_devices))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_all_on_one_node, "no shares|13a|not one of"),
        (_dishonest_bound, "lies above the cost"),
        (_unrepeatable, "same seed"),
    ],
)
def test_broken_policies_are_caught(function: Callable[[Scenario, Limit, int], Answer], message: str) -> None:
    with pytest.raises((ContractError, sw.InvalidPlanError), match=message):
        check_policy(FunctionPolicy("broken", "for the test", function))


def test_users_register_and_use_their_own() -> None:
    class Stay:
        name, summary = "stay-for-test", "nobody offloads"

        def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
            return Answer(Decisions.all_local(scenario.n_devices))

    check_policy(Stay())
    register_policy(Stay())
    plan = sw.plan("paper-slicing", method="stay-for-test")
    assert plan.method == "stay-for-test"
    assert plan.decisions.local.all()
    with pytest.raises(sw.InvalidOptionError, match="taken"):
        register_policy(Stay())
    register_policy(Stay(), replace=True)


def test_installed_packages_offer_policies_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from slicewright.policies.slicing import registry

    point = EntryPoint("offered-for-test", "tests.policies.offered:POLICY", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [point] if group == registry.ENTRY_POINT_GROUP else []
    )
    assert "offered-for-test" in policies()
    assert sw.plan("paper-slicing", method="offered-for-test").violations.feasible


def test_unknown_methods_suggest_the_nearest() -> None:
    with pytest.raises(sw.UnknownNameError, match="did you mean 'greedy'"):
        sw.plan("paper-slicing", method="gredy")


def test_check_plan_refuses_an_infeasible_plan() -> None:
    plan = sw.plan("paper-slicing", rounds=5)
    with pytest.raises(ContractError, match="13e"):
        check_plan(
            plan.with_(
                shares=type(plan.shares)(plan.shares.bandwidth, plan.shares.radio * 2, plan.shares.compute)
            )
        )
