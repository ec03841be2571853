"""Parts of the search over a node's sets: what is known of them, and a heap of the open ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, outlined
from slicewright.slicing.exact._kernels.node.listed_sets import make_listed_sets
from slicewright.slicing.exact._kernels.node.slice_sets import make_slice_scratch
from slicewright.slicing.exact._kernels.node.small_sets import make_small_sets

MOST_PARTS_KEPT, MOST_ROOM = 4096, 2_000_000
# Figures of a part: its bound, interval, toll, where the interval is split; then a share of the toll for each slice.
BOUND, LOW, HIGH, TOLL, MIDDLE, SHARE = range(6)
KIND, DEVICE, SLICE = range(3)  # how it is split
CLOSED, OVERLAP, QUEUE, MEMBER, FIRST = range(5)
PRESENT, BEST, HEAVY = range(3)  # kept sets of the slices
TRIAL_FEES, FIRST_FEES, SLOPE = -1, -2, -3  # rows


class NodeScratch(NamedTuple):
    """Room to work in; parts are rows, in use where ``heap`` or ``free`` say so."""

    candidates: Any
    slices: Any  # scratch of one slice
    chosen: Any
    figures: Any  # (P, 5 + N)
    relaxed: Any  # (P, N + 1) multipliers of the relaxation: rho of each slice, toll
    fee: Any  # (P + 3, I) s; the last rows hold the first fees, those on trial and their slope
    sums: Any  # (2, N), roots and loads of a slice's set
    split: Any  # (P, 3) int64
    openings: Any  # (P, I) int64
    heap: Any  # (P,) int64
    free: Any  # (P,) int64
    trial: Any  # (I,) int64
    met: Any  # (I,) int64, in how many slices a device is
    small: Any  # scratch of the search over small sets
    listed: Any  # sets that are nearly the best ones of slices


@kernel
def make_node_scratch(n_devices, n_slices):
    """Allocate."""
    parts = max(64, min(MOST_PARTS_KEPT, MOST_ROOM // (n_devices + 1)))
    candidates, slices, chosen = make_slice_scratch(n_devices, n_slices)
    return NodeScratch(
        candidates, slices, chosen,
        np.empty((parts, 5 + n_slices)), np.zeros((parts, n_slices + 1)), np.zeros((parts + 3, n_devices)),
        np.empty((2, n_slices)),
        np.empty((parts, 3), np.int64), np.zeros((parts, n_devices), np.int64),
        np.empty(parts, np.int64), np.empty(parts, np.int64), np.empty(n_devices, np.int64),
        np.empty(n_devices, np.int64), make_small_sets(n_devices, n_slices),
        make_listed_sets(n_devices, n_slices),
    )  # fmt: skip


@inlined
def push_part(scratch, size, part):
    """Put a part on the heap of ``size`` parts."""
    heap, bound, k = scratch.heap, scratch.figures[part, BOUND], size
    while k > 0 and scratch.figures[heap[(k - 1) // 2], BOUND] < bound:
        heap[k] = heap[(k - 1) // 2]
        k = (k - 1) // 2
    heap[k] = part


@inlined
def pop_part(scratch, size):
    """Take the part of the largest bound off the heap of ``size`` parts."""
    heap, top, last = scratch.heap, scratch.heap[0], scratch.heap[size - 1]
    bound, k = scratch.figures[last, BOUND], 0
    while 2 * k + 1 < size - 1:
        child = 2 * k + 1
        if (
            child + 1 < size - 1
            and scratch.figures[heap[child + 1], BOUND] > scratch.figures[heap[child], BOUND]
        ):
            child += 1
        if scratch.figures[heap[child], BOUND] <= bound:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = last
    return top


@inlined
def keep_chosen(chosen, target):
    for n in range(chosen.size.shape[1]):
        chosen.size[target, n] = chosen.size[PRESENT, n]
        for d in range(chosen.size[PRESENT, n]):
            chosen.device[target, n, d] = chosen.device[PRESENT, n, d]


@outlined
def meet_chosen(problem, chosen, kept, scratch):
    """Fill ``met`` and ``sums`` from kept sets; whether a device is in several."""
    met, sums, several = scratch.met, scratch.sums, False
    for i in range(met.size):
        met[i] = 0
    for n in range(problem.work.shape[1]):
        sums[0, n], sums[1, n] = 0.0, 0.0
        for d in range(chosen.size[kept, n]):
            i = chosen.device[kept, n, d]
            several = several or met[i] != 0
            met[i] |= 1 << n
            sums[0, n] += problem.work_root[i, n]
            sums[1, n] += problem.work[i, n] * (1.0 if problem.shared_queue else problem.arrival[i])
    return several
