"""The most profitable set of a node at given prices, and a bound of what it gains.

Where few devices pay at once, all their sets are looked at (:mod:`small_sets`); else the search goes by the length of
the queue and by who is in which slice (:mod:`branch_and_bound`).
"""

from __future__ import annotations

from slicewright.compiled import outlined
from slicewright.slicing.exact._kernels.node.branch_and_bound import search_parts
from slicewright.slicing.exact._kernels.node.small_sets import (
    count_members,
    count_payers,
    search_small_sets,
)

FEW, FEW_PAYERS = 6, 40  # members, and devices that they may be chosen from: of more there are too many sets
LOOKS_PER_PART = 2_200
MOST_LOOKS = 30_000  # at what a device would gain in a slice: 0.3 ms


@outlined
def search_node(
    problem, j, alone, price, offer, sets, scratch, best, allowed, tolerance, most_parts, most_sets, deadline
):
    """An upper bound of the largest gain: no more than ``allowed`` or the gain of ``offer``, unless parts ran out.

    Arguments are those of ``search_parts``.
    """
    if count_members(offer.place) <= FEW and count_payers(problem, j, alone, price) <= FEW_PAYERS:
        looks = min(MOST_LOOKS, LOOKS_PER_PART * most_parts)
        known, best, looks = search_small_sets(
            problem, j, alone, price, offer, scratch.small, best, allowed, tolerance, looks
        )
        scratch.slices.work[0] += looks
        if known:
            return max(best, allowed) + tolerance
    return search_parts(
        problem,
        j,
        alone,
        price,
        offer,
        sets,
        scratch,
        best,
        allowed,
        tolerance,
        most_parts,
        most_sets,
        deadline,
    )
