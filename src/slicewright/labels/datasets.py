"""The three published data sets from one store, as padded arrays with masks (DeepSets-S section VI-A; model page 3.1).

Chained as published: SP1 maps requests and network state to the shares within slices; SP2 maps those and SP1's
outputs to the shares between slices; SP3 maps those and SP2's outputs to the decisions. All outputs come from one
joint plan per instance.

Beware: these upstream outputs reveal the decisions, since a share is positive exactly where the device goes. A model
trained or scored on them as inputs is scored on a leak; put out-of-fold predictions in their place (``chained`` in
:mod:`slicewright.learning`).

Conventions: B instances in the order of their seeds, M devices at most, padded rows are zero (``choice`` -1) and have
a False ``mask``; no array holds NaN. SI units, not standardised: means and deviations belong to a training set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slicewright.errors import InvalidOptionError
from slicewright.labels.splits import SPLITS
from slicewright.labels.store.shards import read_labels
from slicewright.labels.store.table import LabelTable
from slicewright.types import BoolArray, FloatArray, IntArray

PADDING = -1
_OWN = ("task_bits", "local_cycles", "local_capacity_hz", "arrival_rate_hz")


class Sizes(NamedTuple):
    """A, J, N of the network that all instances of a data set have."""

    access_points: int
    nodes: int
    slices: int


@dataclass(frozen=True, eq=False)
class Requests:
    """What is known before anything is decided.

    Attributes:
        seed: (B,) of the instances.
        split: (B,) names of their splits.
        sizes: of the network.
        mask: (B, M) True for real devices.
        devices: (B, M, F) features of each device; ``device_columns`` names them: task bits, local cycles, local
            capacity, arrival rate, cycles in each slice, T_ia = S_i / R_ia to each access point (0 out of reach).
        network: (B, G) state of the network; ``network_columns`` names it: F_j^n node by node, B_a.
    """

    seed: IntArray
    split: NDArray[np.str_]
    sizes: Sizes
    mask: BoolArray
    devices: FloatArray
    device_columns: tuple[str, ...]
    network: FloatArray
    network_columns: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.seed.size)


@dataclass(frozen=True, eq=False)
class SP1:
    """Within slices: from requests to the shares of devices.

    Attributes:
        requests: the inputs.
        share: (B, N, M, A + J) phi of access points, then of nodes, per slice; 0 where unused.
    """

    requests: Requests
    share: FloatArray

    @property
    def slack(self) -> FloatArray:
        """(B, N, A + J) what is left of each resource (35): 1 where nobody uses it, else 0 up to rounding."""
        left: FloatArray = np.maximum(0.0, 1.0 - self.share.sum(axis=2))
        return left


@dataclass(frozen=True, eq=False)
class SP2:
    """Between slices: from requests and the shares of devices to those of slices.

    Attributes:
        sp1: the inputs, its ``share`` among them.
        bandwidth: (B, A, N) omega.
    """

    sp1: SP1
    bandwidth: FloatArray

    @property
    def slack(self) -> FloatArray:
        """(B, A) what is left of each access point."""
        left: FloatArray = np.maximum(0.0, 1.0 - self.bandwidth.sum(axis=2))
        return left


@dataclass(frozen=True, eq=False)
class SP3:
    """Decisions. Inputs: those of SP2 and its ``bandwidth``.

    Attributes:
        sp2: the inputs.
        access_point, node, slice: (B, M) places, -1 if local or padding.
        offload: (B, M) 1 if offloaded, 0 if local, -1 for padding.
        choice: (B, M) 0 if local, else ``1 + (a * J + j) * N + n``; -1 for padding.
    """

    sp2: SP2
    access_point: IntArray
    node: IntArray
    slice: IntArray
    offload: IntArray
    choice: IntArray


def sp1_dataset(
    store: str | Path | LabelTable, *, split: str | None = None, max_devices: int | None = None
) -> SP1:
    """SP1: requests and network state to optimal intra-slice shares.

    Args:
        store: folder, or labels that were read already.
        split: ``train``, ``validation`` or ``test``; all three by default. Unsolved instances are never in.
        max_devices: M; by default the largest number of devices in the data set.

    Raises:
        InvalidOptionError: no such split, no solved label, instances of different network sizes, or more devices
            than ``max_devices``.
    """
    table = store if isinstance(store, LabelTable) else read_labels(store)
    rows, sizes = _chosen(table, split)
    requests = _requests(table, rows, sizes, max_devices)
    a, j, n = sizes
    share = np.zeros((len(rows), n, requests.mask.shape[1], a + j))
    for k, row in enumerate(rows):
        point, node, slice_ = (table.list_of(row, name) for name in ("access_point", "node", "slice"))
        off = np.flatnonzero(node >= 0)
        share[k, slice_[off], off, point[off]] = table.list_of(row, "radio_share")[off]
        share[k, slice_[off], off, a + node[off]] = table.list_of(row, "compute_share")[off]
    return SP1(requests, share)


def sp2_dataset(
    store: str | Path | LabelTable, *, split: str | None = None, max_devices: int | None = None
) -> SP2:
    """SP2: SP1's inputs and outputs to optimal inter-slice shares. Arguments as for :func:`sp1_dataset`."""
    table = store if isinstance(store, LabelTable) else read_labels(store)
    rows, (a, _, n) = _chosen(table, split)
    bandwidth = np.stack([table.list_of(row, "bandwidth_share").reshape(a, n) for row in rows])
    return SP2(sp1_dataset(table, split=split, max_devices=max_devices), bandwidth)


def sp3_dataset(
    store: str | Path | LabelTable, *, split: str | None = None, max_devices: int | None = None
) -> SP3:
    """SP3: SP2's inputs and outputs to optimal decisions. Arguments as for :func:`sp1_dataset`."""
    table = store if isinstance(store, LabelTable) else read_labels(store)
    sp2 = sp2_dataset(table, split=split, max_devices=max_devices)
    rows, (_, j, n) = _chosen(table, split)
    mask = sp2.sp1.requests.mask
    place = np.full((3, *mask.shape), PADDING, dtype=np.int64)
    for part, name in enumerate(("access_point", "node", "slice")):
        for k, row in enumerate(rows):
            values = table.list_of(row, name)
            place[part, k, : values.size] = values
    point, node, slice_ = place
    away = node >= 0
    offload = np.where(mask, away.astype(np.int64), PADDING)
    choice = np.where(away, 1 + (point * j + node) * n + slice_, offload)
    return SP3(sp2, point, node, slice_, offload, choice)


def _chosen(table: LabelTable, split: str | None) -> tuple[list[int], Sizes]:
    """Rows of the solved labels of a split, and the network size that they must share."""
    if split is not None and split not in SPLITS:
        raise InvalidOptionError("split", f"must be one of {', '.join(SPLITS)}", value=split)
    names = table.arrow.column("split").to_pylist()
    rows = [row for row, name in enumerate(names) if name == split or (split is None and name in SPLITS)]
    columns = [table.arrow.column(name).to_pylist() for name in Sizes._fields]
    found = sorted({Sizes(*(column[row] for column in columns)) for row in rows})
    if not found:
        raise InvalidOptionError("store", f"has no solved label in {split or 'any split'}")
    if len(found) > 1:
        raise InvalidOptionError(
            "store", "must hold networks of one size (A, J, N)", value=[tuple(one) for one in found],
            fix="the published models have fixed widths; read it with read_labels for others",
        )  # fmt: skip
    return rows, found[0]


def _requests(table: LabelTable, rows: Sequence[int], sizes: Sizes, max_devices: int | None) -> Requests:
    a, j, n = sizes
    counts = [table.list_of(row, "task_bits").size for row in rows]
    width = max_devices or max(counts)
    if max(counts) > width:
        seed = table.value(rows[int(np.argmax(counts))], "seed")
        raise InvalidOptionError(
            "max_devices", f"must be at least {max(counts)}, the devices of seed {seed}", value=width
        )
    devices = np.zeros((len(rows), width, len(_OWN) + n + a))
    mask = np.zeros((len(rows), width), dtype=np.bool_)
    network = np.empty((len(rows), j * n + a))
    for k, (row, count) in enumerate(zip(rows, counts, strict=True)):
        rate = table.list_of(row, "rate_bps").reshape(count, a)
        bits = table.list_of(row, "task_bits")[:, None]
        mask[k, :count] = True
        devices[k, :count] = np.concatenate(
            [
                np.stack([table.list_of(row, name) for name in _OWN], axis=1),
                table.list_of(row, "slice_cycles").reshape(count, n),
                np.divide(bits, rate, out=np.zeros_like(rate), where=rate > 0),
            ],
            axis=1,
        )
        network[k] = np.concatenate(
            [table.list_of(row, "node_capacity_hz"), table.list_of(row, "bandwidth_hz")]
        )
    return Requests(
        seed=np.array([table.value(row, "seed") for row in rows], dtype=np.int64),
        split=np.array([table.value(row, "split") for row in rows]),
        sizes=sizes,
        mask=mask,
        devices=devices,
        device_columns=(
            *_OWN, *(f"slice_cycles[{s}]" for s in range(n)), *(f"transmission_s[{p}]" for p in range(a))
        ),
        network=network,
        network_columns=(
            *(f"node_capacity_hz[{node},{s}]" for node in range(j) for s in range(n)),
            *(f"bandwidth_hz[{p}]" for p in range(a)),
        ),
    )  # fmt: skip
