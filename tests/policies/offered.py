"""A policy as another package would offer it."""

from slicewright.policies import policy
from slicewright.policies.policy import FunctionPolicy

POLICY = FunctionPolicy(
    "offered-for-test",
    "greedy by another name",
    lambda s, limit, seed: policy("greedy").decide(s, limit=limit, seed=seed),
)
