"""The dual function as networks learn from it: its value if local search finds the best sets, and its slopes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import kernel
from slicewright.slicing.exact._kernels.access_point import price_access_point
from slicewright.slicing.exact._kernels.pricing import STARTS, begin_set, gain_of, settle
from slicewright.slicing.exact._kernels.sets import (
    NONE,
    Offer,
    clear,
    copy_places,
    improve_set,
    keep_if_better,
    make_scratch,
)

FROM_NOTHING = 1  # a start that the one by density leaves behind


class DualBuffers(NamedTuple):
    """Room to work in, and what is kept: a few kilobytes, since training keeps one of each scenario."""

    offer: Any
    scratch: Any
    warm: Any  # (J, I) int64, the last set offered by each node


@kernel
def make_dual_buffers(n_devices, n_nodes, n_slices):
    """Allocate; no sets yet."""
    return DualBuffers(
        Offer(np.full(n_devices, NONE), np.zeros(1)),
        make_scratch(n_devices, n_slices),
        np.full((n_nodes, n_devices), NONE),
    )


@kernel
def dual_value(problem, choices, prices, buffers, slopes, tolerance):
    """What prices would prove, s, were every set found the best: above what they prove by what search has missed.

    Args:
        prices: cut to what devices pay at most.
        buffers: each node's last set is where its search begins; replaced.
        slopes: (2, I), filled with what the value grows by with a device's price to access points and to nodes.
        tolerance: s, of access points' sets.
    """
    offer, price, tested = buffers.offer, prices.compute, buffers.scratch.tested
    total = settle(problem, choices, prices)
    for i in range(price.size):
        slopes[0, i], slopes[1, i] = 1.0, 1.0
    for a in range(problem.n_access_points):
        price_access_point(problem, choices.links[a], prices.radio, offer, buffers.scratch, tolerance)
        total -= gain_of(offer, prices.radio)
        for i in range(price.size):
            slopes[0, i] -= offer.place[i] != NONE
    for j in range(problem.n_nodes):
        clear(offer.place)
        offer.cost[0] = 0.0
        # the last set as it is: what made the slopes at other prices must not gain more than what is found here
        copy_places(buffers.warm[j], tested)
        best = keep_if_better(problem, j, price, tested, offer, 0.0)
        for start in range(STARTS):
            if start == FROM_NOTHING:
                continue
            begin_set(problem, j, choices, price, buffers, start)
            improve_set(problem, j, choices.alone, price, tested, buffers.scratch, True)
            best = keep_if_better(problem, j, price, tested, offer, best)
        copy_places(offer.place, buffers.warm[j])
        total -= best
        for i in range(price.size):
            slopes[1, i] -= offer.place[i] != NONE
    return total
