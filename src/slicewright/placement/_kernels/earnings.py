"""What a node earns at every one of its levels, in one pass over its items.

From the highest level down more items may come and less may arrive, so that an item that was once too many never
comes back: with the items in the order of what they pay, the last one served only moves to the front. All levels
together cost as much as one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import kernel, outlined

CLASSES = 4  # limits of one task at one node that are told apart; further ones share the last class's largest
LEVELS = 96  # of one node; if there are more different limits, neighbours share a level
NOWHERE = -1
ROUNDING = 2.0**-51  # relative, of one sum or difference


class Earnings(NamedTuple):
    """What a node earns by level, and working arrays; positions are those in the order of what items pay."""

    earned: Any  # (LEVELS,)
    head: Any  # (LEVELS,) int64, first position of an item that bears this level and no higher one
    link: Any  # (K * CLASSES,) int64, the next such position
    counted: Any  # (K * CLASSES,) bool, whether the item at a position is its task's best
    held: Any  # (K,) int64, position of the task's best item so far


@kernel
def new_earnings(n_tasks):
    """Working arrays, allocated once."""
    return Earnings(
        np.zeros(LEVELS),
        np.zeros(LEVELS, dtype=np.int64),
        np.zeros(n_tasks * CLASSES, dtype=np.int64),
        np.zeros(n_tasks * CLASSES, dtype=np.bool_),
        np.zeros(n_tasks, dtype=np.int64),
    )


@outlined
def earn_at_levels(rank, arrival, capacity, levels, order, value, n, j, earnings):
    """Fill in what node j earns at each of its levels, and return by how much rounding may have moved that.

    ``order`` holds ``n`` items (task * CLASSES + class) by falling ``value``, what they pay per arrival rate. A level
    serves items whose ``rank`` (K, J + 1, CLASSES) is not below it, one of each task, up to its ``capacity``
    (LEVELS,), ascending; the last one in part.
    """
    head, link, counted, held = earnings.head, earnings.link, earnings.counted, earnings.held
    for level in range(levels):
        head[level] = NOWHERE
    for i in range(n):
        k = order[i] // CLASSES
        r = rank[k, j, order[i] % CLASSES]
        link[i], head[r] = head[r], i
        counted[i], held[k] = False, NOWHERE
    last = n - 1
    served = earned = most = dearest = busiest = 0.0
    for level in range(levels - 1, -1, -1):
        i = head[level]
        while i != NOWHERE:
            k = order[i] // CLASSES
            before = held[k]
            if before == NOWHERE or i < before:
                if before != NOWHERE:
                    counted[before] = False
                    if before <= last:
                        served -= arrival[k]
                        earned -= value[order[before]] * arrival[k]
                counted[i], held[k] = True, i
                if i <= last:
                    served += arrival[k]
                    earned += value[order[i]] * arrival[k]
            i = link[i]
        most, busiest = max(most, earned), max(busiest, served)
        earnings.earned[level] = earned
        while served > capacity[level]:
            while last >= 0 and not counted[last]:
                last -= 1
            if last < 0:  # what is left was rounding
                served = earned = earnings.earned[level] = 0.0
                break
            own, paid = arrival[order[last] // CLASSES], value[order[last]]
            if served - own < capacity[level]:
                earnings.earned[level] = earned - (served - capacity[level]) * paid
                dearest = max(dearest, paid)
                break
            served -= own
            earned -= own * paid
            last -= 1
            earnings.earned[level] = earned
    return ROUNDING * n * (most + busiest * dearest)
