"""Why a plan is proven only within so much: the resource nearest its limit, and what would close the gap."""

from __future__ import annotations

import numpy as np

from slicewright.slicing.plan import Plan
from slicewright.types import FloatArray

WORTH_SAYING = 0.05
"""Gaps above this are explained."""


def explain_gap(plan: Plan) -> str | None:
    """One sentence about a proven gap above 5 %; nothing where the gap is smaller or the plan infeasible.

    The bound is loosest where a queue runs near its pole, since there a small error of a node's arrivals is a large
    one of its cost: the sentence names the slice of a node that runs nearest to it.
    """
    if not plan.violations.feasible or not plan.gap > WORTH_SAYING:
        return None
    scenario = plan.scenario
    share = queue_load(plan)
    closing = (
        "more time narrows it" if plan.method == "exact" else "`--method exact` with more time narrows it"
    )
    within = f"proven only within {plan.gap:.1%}"
    if not share.size or not share.max() > 0.0:
        return f"{within}: nobody offloads, and what offloading could save is open; {closing}"
    j, n = (int(k) for k in np.unravel_index(int(np.argmax(share)), share.shape))
    return (
        f"{within}: the queue of node {scenario.nodes[j]} takes {share[j, n]:.0%} of its capacity in slice "
        f"{scenario.slices[n].name}, and bounds are loose near that limit; {closing}, and so does more capacity there"
    )


def queue_load(plan: Plan) -> FloatArray:
    """(J, N) in [0, 1). The part of its capacity that a slice of a node needs to keep its queues stable (13c)."""
    scenario, decisions = plan.scenario, plan.decisions
    off = np.flatnonzero(~decisions.local)
    j, n = decisions.node[off], decisions.slice[off]
    alpha, work = scenario.arrival_rate_hz[off], scenario.slice_cycles[off, n]
    arrivals = np.zeros(scenario.n_nodes)
    np.add.at(arrivals, j, alpha)
    load = np.zeros(scenario.node_capacity_hz.shape)
    np.add.at(load, (j, n), work * (arrivals[j] if scenario.queueing == "node" else alpha))
    return np.divide(load, scenario.node_capacity_hz, out=np.zeros_like(load), where=load > 0)
