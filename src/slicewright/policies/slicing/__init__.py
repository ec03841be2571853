"""Methods of problem one by name: the protocol, the registry, our own methods and the planner."""

from slicewright.policies.slicing.planner import default_budget_s, plan, plan_many
from slicewright.policies.slicing.policy import Answer, Limit, Policy
from slicewright.policies.slicing.registry import ENTRY_POINT_GROUP, policies, policy, register_policy

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
