"""A policy as another package would offer it."""

from slicewright.policies.slicing import policy
from slicewright.policies.slicing.policy import FunctionPolicy

POLICY = FunctionPolicy(
    "offered-for-test",
    "greedy by another name",
    lambda s, limit, seed: policy("greedy").decide(s, limit=limit, seed=seed),
)
