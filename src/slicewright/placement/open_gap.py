"""Why a placement is proven only within so much: the node nearest its limit, and what would close the gap."""

from __future__ import annotations

import numpy as np

from slicewright.placement.judge import queue_arrivals
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.reasons import tightest_limits
from slicewright.types import IntArray

WORTH_SAYING = 0.05
"""Gaps above this are explained."""
NEAR_LIMIT = 0.8
"""Part of what its most urgent task bears that arrives at a node at least where bounds are loose because of it."""
SEARCHING = ("auto", "exact")
"""Methods that look for something better as long as they may, and raise the bound meanwhile."""


def explain_gap(tasks: Tasks, choice: IntArray, *, method: str, gap: float) -> str | None:
    """One sentence about a proven gap (objective / bound - 1) above 5 %; nothing where it is smaller.

    The bound lets a node be short of queue for urgent tasks in one part of the time and full of patient ones in the
    other. Where nodes are full that promises more than any placement keeps: the sentence names the fullest node.

    Args:
        tasks: the problem.
        choice: (K,) option of each task, ``REJECTED`` where it has none.
        method: who decided.
        gap: infinite if nothing is proven; methods that were not asked for a proof say nothing of it.
    """
    if not gap > WORTH_SAYING or (not np.isfinite(gap) and method not in SEARCHING):
        return None
    within = f"proven only within {gap:.1%}" if np.isfinite(gap) else "nothing is proven yet"
    if method not in SEARCHING:
        return (
            f"{within}: {method} does not look for anything better, so that the placement itself may be as far from "
            "the best; `--method auto` does, and proves more"
        )
    closing = "more time (`--budget`) narrows it from both sides"
    share = queue_arrivals(tasks, choice) / tightest_limits(tasks, choice)
    fullest = int(share.argmax())
    if not share[fullest] >= NEAR_LIMIT:
        return (
            f"{within}: no node is near its limit (the fullest takes {share[fullest]:.0%} of what its most urgent task "
            f"bears), so that the placement itself may be as far from the best; {closing}"
        )
    out = int((choice < 0).sum())
    who = "no task is" if out == 0 else f"{out} of {tasks.n_tasks} tasks are"
    return (
        f"{within}: node {tasks.topology.nodes[fullest]} takes {share[fullest]:.0%} of what its most urgent task bears "
        f"and {who} left out, and where nodes are full the bound is loose, as it lets them be quick for urgent tasks "
        f"and full of patient ones at once; {closing}, and with fewer tasks on the same nodes it is smaller"
    )
