"""Methods by name: the Policy protocol, the registry and the planner (floor 4)."""

from slicewright.policies.planner import default_budget_s, plan, plan_many
from slicewright.policies.policy import Answer, Limit, Policy
from slicewright.policies.registry import ENTRY_POINT_GROUP, policies, policy, register_policy

__all__ = [
    "ENTRY_POINT_GROUP",
    "Answer",
    "Limit",
    "Policy",
    "default_budget_s",
    "plan",
    "plan_many",
    "policies",
    "policy",
    "register_policy",
]
