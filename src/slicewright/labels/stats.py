"""What is in a store: counts and distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.labels.splits import SPLITS, UNSOLVED
from slicewright.labels.store.table import LabelTable
from slicewright.types import Document, FloatArray

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, eq=False)
class StoreStats:
    """Distributions over the labels of a store.

    Attributes:
        labels: number of labels.
        statuses, splits: how many of each.
        reasons: of failures, with how many of each.
        devices, gap, time_s: (k,) of the solved labels.
        offload_share: (k,) devices that offload, as a part of all.
        mec_share: (m,) offloaded devices on a MEC server, as a part of all offloaded, where any is.
    """

    labels: int
    statuses: dict[str, int]
    splits: dict[str, int]
    reasons: dict[str, int]
    devices: FloatArray
    gap: FloatArray
    time_s: FloatArray
    offload_share: FloatArray
    mec_share: FloatArray

    @property
    def distributions(self) -> dict[str, FloatArray]:
        """Name to values, in the order in which they are shown."""
        return {
            "devices": self.devices,
            "gap": self.gap,
            "offload share": self.offload_share,
            "MEC share": self.mec_share,
            "time_s": self.time_s,
        }

    def to_dict(self) -> Document:
        """Counts, means and quantiles."""
        return {
            "labels": self.labels,
            "statuses": self.statuses,
            "splits": self.splits,
            "reasons": self.reasons,
            **{name: _summary(values) for name, values in self.distributions.items()},
        }


def store_stats(table: LabelTable) -> StoreStats:
    """Distributions over a store's labels."""
    columns = {
        name: table.arrow.column(name).to_pylist()
        for name in ("status", "split", "reason", "devices", "gap", "time_s")
    }
    solved = np.flatnonzero([status in ("optimal", "feasible") for status in columns["status"]])
    offload, mec = [], []
    for row in solved.tolist():
        node = table.list_of(row, "node")
        away = node[node >= 0]
        offload.append(away.size / node.size)
        if away.size:
            is_mec = np.array([kind == "mec" for kind in table.value(row, "node_kinds")])
            mec.append(float(is_mec[away].mean()))
    return StoreStats(
        labels=len(table),
        statuses=_counts(columns["status"], ("optimal", "feasible", "infeasible", "failed")),
        splits=_counts(columns["split"], (*SPLITS, UNSOLVED)),
        reasons=_counts([reason for reason in columns["reason"] if reason], ()),
        **{
            name: np.array([columns[name][row] for row in solved], dtype=np.float64)
            for name in ("devices", "gap", "time_s")
        },
        offload_share=np.array(offload),
        mec_share=np.array(mec),
    )


def _counts(values: list[str], known: tuple[str, ...]) -> dict[str, int]:
    names = [*known, *sorted(set(values) - set(known))]
    return {name: values.count(name) for name in names}


def _summary(values: FloatArray) -> dict[str, float]:
    if values.size == 0:
        return {}
    quantiles = {f"p{100 * q:g}": float(np.quantile(values, q)) for q in QUANTILES}
    return {"mean": float(values.mean()), **quantiles}
