"""What became of the tasks: figures with definitions, measured beside what the plan promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slicewright.simulation._kernels import state as kernels
from slicewright.simulation.tasks.queues import FinishedTasks
from slicewright.slicing.plan import Plan
from slicewright.types import FloatArray, IntArray

DEFINITIONS: Mapping[str, str] = {
    "tasks_done": "tasks that arrived after the warm-up and were executed by the end",
    "tasks_lost": "tasks whose device left before they were sent or executed on it",
    "mean_completion_s": "mean over tasks of the time from arrival to the end of execution, s",
    "mean_transmission_s": "mean over offloaded tasks of the time from arrival to the node, with its queue, s",
    "mean_execution_s": "mean over tasks of the time from the node (or arrival) to the end, with its queue, s",
    "median_completion_s": "half of the tasks took no longer, s",
    "p95_completion_s": "95 % of the tasks took no longer, s",
    "p99_completion_s": "99 % of the tasks took no longer, s",
    "system_cost_s": "sum over devices of their mean completion time: what (12) is measured as, s",
    "planned_cost_s": "the plan's system cost (12) of the same devices, s",
    "late_13b": "part of the offloaded tasks that took longer on the node than on their device, (13b) by task",
    "mean_inside": "tasks that were inside on average (Little: rate of arrival times mean completion)",
}
"""What each measured figure means."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Figures of a run, and of every device.

    Attributes:
        figures: by the names of ``DEFINITIONS``.
        tasks: (I,) tasks done of each device.
        transmission_s: (I,) s, means; not a number without a task.
        execution_s: (I,) s.
        planned_transmission_s: (I,) s, of the plan.
        planned_execution_s: (I,) s.
    """

    figures: Mapping[str, float]
    tasks: IntArray
    transmission_s: FloatArray
    execution_s: FloatArray
    planned_transmission_s: FloatArray
    planned_execution_s: FloatArray

    @property
    def completion_s(self) -> FloatArray:
        """(I,) s."""
        return self.transmission_s + self.execution_s

    @property
    def planned_completion_s(self) -> FloatArray:
        """(I,) s."""
        return self.planned_transmission_s + self.planned_execution_s


def measure(tasks: FinishedTasks, plan: Plan, *, from_s: float, until_s: float) -> Measured:
    """Figures of the tasks that arrived within a window.

    Args:
        tasks: everything that finished or was lost.
        plan: what was promised.
        from_s: s, begin of the window: the end of the warm-up.
        until_s: s, its end: that of the run.
    """
    within = (tasks.arrived_s >= from_s) & (tasks.arrived_s < until_s)
    done = within & ~tasks.lost
    device, times = tasks.device[done], tasks.times[done]
    sent = tasks.place[done] >= 0
    completion = times[:, kernels.DONE] - times[:, kernels.ARRIVED]
    transmission = times[:, kernels.TRANSMITTED] - times[:, kernels.ARRIVED]
    execution = times[:, kernels.DONE] - times[:, kernels.TRANSMITTED]
    devices = plan.scenario.n_devices
    count = np.bincount(device, minlength=devices)

    def mean_of(values: FloatArray) -> FloatArray:
        sums = np.bincount(device, weights=values, minlength=devices)
        means: FloatArray = np.divide(sums, count, out=np.full(devices, np.nan), where=count > 0)
        return means

    by_device = mean_of(transmission), mean_of(execution)
    seen = count > 0
    quantiles = np.quantile(completion, [0.5, 0.95, 0.99]) if completion.size else np.full(3, np.nan)
    local_s = plan.scenario.local_time_s[device]
    figures = {
        "tasks_done": float(done.sum()),
        "tasks_lost": float((within & tasks.lost).sum()),
        "mean_completion_s": _mean(completion),
        "mean_transmission_s": _mean(transmission[sent]),
        "mean_execution_s": _mean(execution),
        "median_completion_s": float(quantiles[0]),
        "p95_completion_s": float(quantiles[1]),
        "p99_completion_s": float(quantiles[2]),
        "system_cost_s": float((by_device[0] + by_device[1])[seen].sum()),
        "planned_cost_s": float(plan.times.completion_s[seen].sum()),
        "late_13b": _mean((execution > local_s)[sent].astype(np.float64)),
        "mean_inside": mean_inside(tasks, from_s=from_s, until_s=until_s),
    }
    return Measured(figures, count, *by_device, plan.times.transmit_s, plan.times.execute_s)


def mean_inside(tasks: FinishedTasks, *, from_s: float, until_s: float) -> float:
    """Tasks inside on average over a window, from when each was there; those still inside are not known here."""
    done = ~tasks.lost
    begin = np.maximum(tasks.arrived_s[done], from_s)
    end = np.minimum(tasks.done_s[done], until_s)
    return float(np.maximum(end - begin, 0.0).sum() / (until_s - from_s)) if until_s > from_s else 0.0


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else float("nan")
