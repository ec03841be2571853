"""The simulator against a network that is there: the very same tasks, planned, simulated and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from slicewright.simulation.settings import Settings
from slicewright.simulation.simulation import Simulation
from slicewright.simulation.tasks.demand import Arrivals
from slicewright.slicing.plan import Plan
from slicewright.types import FloatArray


@dataclass(frozen=True, eq=False)
class MeasuredTasks:
    """The tasks of one device as they were sent, and what they took.

    Attributes:
        device: index.
        arrived_s: (n,) s, of all tasks that were sent.
        work: (n,) of the same tasks, over the device's mean.
        completion_s: (m,) s from arrival to result, of those that finished.
    """

    device: int
    arrived_s: FloatArray
    work: FloatArray
    completion_s: FloatArray


@dataclass(frozen=True)
class Prediction:
    """Mean completion times of one device's tasks, s.

    Attributes:
        device: index.
        tasks: that finished.
        lost: tasks that did not.
        planned_s: what the plan's formula promises.
        simulated_s: what the simulator makes of the very same tasks.
        measured_s: what they took.
        half_width_s: of the 95 % interval of that mean, as if tasks were independent.
    """

    device: int
    tasks: int
    lost: int
    planned_s: float
    simulated_s: float
    measured_s: float
    half_width_s: float


def predict(plan: Plan, measured: Sequence[MeasuredTasks]) -> list[Prediction]:
    """Simulate tasks that were measured under a plan, and set the three side by side.

    Devices of which no task finished are left out.
    """
    none = np.zeros(0)
    of_device = {tasks.device: tasks for tasks in measured}
    everybody = range(plan.scenario.n_devices)
    arrivals = Arrivals(
        "traced",
        trace=tuple(of_device[i].arrived_s if i in of_device else none for i in everybody),
        works=tuple(of_device[i].work if i in of_device else none for i in everybody),
    )
    simulated = Simulation(plan, Settings(arrivals=arrivals)).advance(1e6)
    took = simulated.done_s - simulated.arrived_s
    found = []
    for tasks in measured:
        count = tasks.completion_s.size
        if count == 0:
            continue
        spread = float(tasks.completion_s.std(ddof=1)) if count > 1 else float("nan")
        found.append(
            Prediction(
                device=tasks.device,
                tasks=count,
                lost=tasks.arrived_s.size - count,
                planned_s=float(plan.times.completion_s[tasks.device]),
                simulated_s=float(took[simulated.device == tasks.device].mean()),
                measured_s=float(tasks.completion_s.mean()),
                half_width_s=float(stats.t.ppf(0.975, max(count - 1, 1)) * spread / np.sqrt(count)),
            )
        )
    return found
