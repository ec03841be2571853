"""Why a plan is proven only within so much: the resource nearest its limit, and what would close the gap."""

from __future__ import annotations

import numpy as np

from slicewright.slicing.loads import loads_of
from slicewright.slicing.plan import Plan

WORTH_SAYING = 0.05
"""Gaps above this are explained."""
NEAR_LIMIT = 0.3
"""Part of a slice's capacity that a queue takes at least where bounds are loose because of it."""


def explain_gap(plan: Plan) -> str | None:
    """One sentence about a proven gap above 5 %; nothing where the gap is smaller or the plan infeasible.

    The bound is loosest where a queue runs near its pole, since there a small error of a node's arrivals is a large
    one of its cost: the sentence names the slice of a node that runs nearest to it.
    """
    if not plan.violations.feasible or not plan.gap > WORTH_SAYING:
        return None
    scenario = plan.scenario
    share = loads_of(plan).utilisation
    closing = (
        "more time narrows it" if plan.method == "exact" else "`--method exact` with more time narrows it"
    )
    if scenario.node_lists is not None:
        closing = "it narrows where nodes are less full"
    within = f"proven only within {plan.gap:.1%}"
    if not share.size or not share.max() > 0.0:
        return f"{within}: nobody offloads, and what offloading could save is open; {closing}"
    if share.max() < NEAR_LIMIT:
        return (
            f"{within}: no queue of a node is near its limit (the fullest takes {share.max():.1%} of its capacity), so "
            f"that the plan itself may be as far from the best; {closing}"
        )
    j, n = (int(k) for k in np.unravel_index(int(np.argmax(share)), share.shape))
    return (
        f"{within}: the queue of node {scenario.nodes[j]} takes {share[j, n]:.0%} of its capacity in slice "
        f"{scenario.slices[n].name}, and bounds are loose near that limit; {closing}, and so does more capacity there"
    )
