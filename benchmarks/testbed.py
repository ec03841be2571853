"""The simulator predicts the test bed: plan, simulation and measurement of the very same tasks, device by device.

Needs Linux and root; says so where it cannot run. Tasks of a device follow each other on its uplink, which the plan's
formula (2) does not know: measured completions lie above the plan, where the simulator has them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import slicewright as sw
from slicewright.enforcement.testbed import bed as beds
from slicewright.enforcement.testbed.traffic import DeviceRun, send_tasks
from slicewright.errors import EnforcementError, MissingFeatureError
from slicewright.simulation.validation import MeasuredTasks, predict

NAME = "bench"


def main(scale: str) -> None:
    """Print a row for each device."""
    plan = sw.plan(sw.load_scenario(Path(beds.__file__).with_name("small.yaml")), rounds=20)
    duration_s = 120.0 if scale == "full" else 40.0
    try:
        bed = beds.put_up(plan, name=NAME)
    except (MissingFeatureError, EnforcementError) as error:
        print(f"not measured: {error}")
        return
    try:
        runs = send_tasks(bed, duration_s=duration_s, seed=1)
    finally:
        beds.take_down(NAME)
    measured = [
        MeasuredTasks(run.device, run.workload.arrival_s, run.workload.work, run.measured.completion_s)
        for run in runs
    ]
    sending = {run.device: _sending_s(run) / float(plan.times.transmit_s[run.device]) for run in runs}
    print(
        "mean completion, s: planned, simulated, measured; measured over each; transmission measured over planned"
    )
    errors = []
    for found in predict(plan, measured):
        of_each = found.measured_s / found.planned_s - 1.0, found.measured_s / found.simulated_s - 1.0
        errors.append(np.abs(of_each))
        print(
            f"  device {found.device}: {found.planned_s:8.3f} {found.simulated_s:8.3f} {found.measured_s:8.3f}   "
            f"{100 * of_each[0]:+6.1f} %  {100 * of_each[1]:+6.1f} %   "
            f"{100 * (sending[found.device] - 1):+6.1f} %   {found.tasks} tasks, {found.lost} lost"
        )
    if errors:
        of_plan, of_simulation = np.median(np.array(errors), axis=0)
        print(f"  median error: plan {100 * of_plan:.1f} %, simulation {100 * of_simulation:.1f} %")


def _sending_s(run: DeviceRun) -> float:
    """s. Mean time from arrival to the node, behind earlier tasks of the device."""
    return float((run.measured.received_s - run.measured.arrival_s).mean())
