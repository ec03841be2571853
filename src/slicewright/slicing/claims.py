"""What a plan file claims of itself, held against what is true."""

from __future__ import annotations

from collections.abc import Mapping

from slicewright.slicing.judge import RULES
from slicewright.slicing.plan import Plan

RELATIVE = 1e-6
"""Claims may differ from the truth by this part: files are written with fewer digits than are computed with."""


def false_claims(plan: Plan, document: Mapping[str, object]) -> list[str]:
    """One sentence for each number in the document's head that the decisions and shares do not bear out.

    Args:
        plan: the plan read from the document; its cost, residuals and bound are worked out anew.
        document: the ``slicewright/plan/v1`` mapping it was read from.
    """
    sentences = []
    cost = document.get("cost_s")
    if isinstance(cost, (int, float)) and not abs(cost - plan.cost_s) <= RELATIVE * abs(plan.cost_s):
        sentences.append(f"cost_s claims {cost:.6g} s, but the decisions and shares cost {plan.cost_s:.6g} s")
    bound = document.get("lower_bound_s")
    if isinstance(bound, (int, float)) and plan.violations.feasible and bound > plan.cost_s * (1 + RELATIVE):
        sentences.append(
            f"lower_bound_s claims {bound:.6g} s, but this feasible plan costs {plan.cost_s:.6g} s"
        )
    claimed = document.get("violations")
    if isinstance(claimed, Mapping):
        for rule in RULES:
            value, true = claimed.get(rule), plan.violations.residuals[rule]
            if (
                isinstance(value, (int, float))
                and rule in plan.violations.broken
                and value < true * (1 - RELATIVE)
            ):
                sentences.append(f"violations.{rule} claims {value:.4g}, but the residual is {true:.4g}")
    return sentences
