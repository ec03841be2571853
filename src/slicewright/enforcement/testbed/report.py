"""Measured against predicted, device by device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from slicewright.enforcement.linux.cgroups import quota_of
from slicewright.enforcement.linux.desired import cpu_limits
from slicewright.enforcement.testbed.bed import Bed
from slicewright.enforcement.testbed.layout import WIRE_OVERHEAD, BedScale
from slicewright.enforcement.testbed.traffic import DeviceRun
from slicewright.enforcement.testbed.workload import Timeline
from slicewright.files.documents import finite
from slicewright.slicing import evaluate
from slicewright.types import Document, FloatArray

SCHEMA = "slicewright/testbed/v1"
PARTS = ("transmit_s", "execute_s", "completion_s")
COARSE = 0.1
"""A quota that may finish work early by more than this share of its time is too coarse to be judged."""


@dataclass(frozen=True)
class DeviceReport:
    """One device; times are means over its tasks, in s, ``nan`` if no task was finished.

    Attributes:
        device, access_point, node, slice: who and where, by index.
        tasks, lost: how many were finished, and how many were not.
        predicted: the plan's transmission, execution and completion time.
        own_queue_s: predicted execution time if each share is a queue of its own (queueing variant ``device``);
            that is how the bed is built, so with ``node`` the plan's own figure is an upper bound.
        expected: the model replayed on the tasks that were drawn: what is left is the error of the enforcement.
        measured: what happened.
        wait_s: measured wait behind the device's own earlier tasks, part of completion but not of the model.
        coarse: the CPU quota's period is too long for tasks so short.
    """

    device: int
    access_point: int
    node: int
    slice: int
    tasks: int
    lost: int
    predicted: dict[str, float]
    own_queue_s: float
    expected: dict[str, float]
    measured: dict[str, float]
    wait_s: float
    coarse: bool


@dataclass(frozen=True)
class BedReport:
    """A run of the test bed.

    Attributes:
        devices: the offloaded ones.
        local: devices that compute for themselves: nothing of theirs is shared, so nothing is measured.
        scale: how the scenario was made to fit this machine.
        duration_s: during which tasks arrived.
    """

    devices: tuple[DeviceReport, ...]
    local: int
    scale: BedScale
    duration_s: float

    def error(self, part: str) -> float:
        """Median over devices of ``|measured / expected - 1|``; nan without any finished task."""
        ratios = [
            abs(d.measured[part] / d.expected[part] - 1)
            for d in self.devices
            if d.tasks and not (d.coarse and part != "transmit_s")
        ]
        return float(np.median(ratios)) if ratios else float("nan")

    @property
    def wait_s(self) -> float:
        """Mean over tasks of the wait on the uplink, behind earlier tasks of the same device; not in the model."""
        total = sum(d.tasks for d in self.devices)
        return sum(d.wait_s * d.tasks for d in self.devices if d.tasks) / total if total else float("nan")

    def to_dict(self) -> Document:
        """The report as a ``slicewright/testbed/v1`` document; unknown numbers are null."""
        return {
            "schema": SCHEMA,
            "duration_s": self.duration_s,
            "scale": {**asdict(self.scale), "wire_bytes_per_payload_byte": WIRE_OVERHEAD},
            "devices_computing_locally": self.local,
            "mean_uplink_wait_s": finite(self.wait_s),
            "median_error": {part: finite(self.error(part)) for part in PARTS},
            "devices": [_row(d) for d in self.devices],
        }


def report_run(bed: Bed, runs: Sequence[DeviceRun], *, duration_s: float) -> BedReport:
    """Sum up a run of the test bed."""
    plan = bed.layout.plan
    own, _ = evaluate(plan.scenario.with_(queueing="device"), plan.decisions, plan.shares)
    amounts = {limit.key: limit.amount for limit in cpu_limits(plan, cpus_per_hz=bed.scale.cpus_per_hz)}
    rows = []
    for run in runs:
        i, d = run.device, plan.decisions
        predicted = {part: float(getattr(plan.times, part)[i]) for part in PARTS}
        early_s = quota_of(amounts[bed.layout.group(i)]).early_s / bed.scale.slow
        rows.append(
            DeviceReport(
                device=i,
                access_point=int(d.access_point[i]),
                node=int(d.node[i]),
                slice=int(d.slice[i]),
                tasks=int(run.measured.arrival_s.size),
                lost=run.lost,
                predicted=predicted,
                own_queue_s=float(own.execute_s[i]),
                expected=_means(run.expected),
                measured=_means(run.measured),
                wait_s=_mean(run.measured.wait_s),
                coarse=early_s > COARSE * float(own.execute_s[i]),
            )
        )
    local = plan.scenario.n_devices - len(rows)
    return BedReport(tuple(rows), local, bed.scale, duration_s)


def _means(line: Timeline) -> dict[str, float]:
    return {part: _mean(getattr(line, part)) for part in PARTS}


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _clean(times: dict[str, float]) -> dict[str, float | None]:
    return {part: finite(value) for part, value in times.items()}


def _row(d: DeviceReport) -> Document:
    return {
        "device": d.device,
        "access_point": d.access_point,
        "node": d.node,
        "slice": d.slice,
        "tasks": d.tasks,
        "lost": d.lost,
        "predicted": _clean(d.predicted),
        "predicted_own_queue_s": finite(d.own_queue_s),
        "expected_for_these_tasks": _clean(d.expected),
        "measured": _clean(d.measured),
        "measured_wait_s": finite(d.wait_s),
        "quota_too_coarse": d.coarse,
    }
