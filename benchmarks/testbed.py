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
from slicewright.simulation import Arrivals, Settings, Simulation

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
    none = np.zeros(0)
    of_device = {run.device: run.workload for run in runs}
    everybody = range(plan.scenario.n_devices)
    arrivals = Arrivals(
        "traced",
        trace=tuple(of_device[i].arrival_s if i in of_device else none for i in everybody),
        works=tuple(of_device[i].work if i in of_device else none for i in everybody),
    )
    tasks = Simulation(plan, Settings(arrivals=arrivals)).advance(1e6)
    took = tasks.done_s - tasks.arrived_s
    print(
        "mean completion, s: planned, simulated, measured; measured over each; transmission measured over planned"
    )
    errors = []
    for run in runs:
        i = run.device
        if not run.measured.arrival_s.size:
            continue
        planned, simulated = float(plan.times.completion_s[i]), float(took[tasks.device == i].mean())
        measured = float(run.measured.completion_s.mean())
        errors.append((abs(measured / planned - 1.0), abs(measured / simulated - 1.0)))
        print(
            f"  device {i}: {planned:8.3f} {simulated:8.3f} {measured:8.3f}   "
            f"{100 * (measured / planned - 1):+6.1f} %  {100 * (measured / simulated - 1):+6.1f} %   "
            f"{100 * (_sending_s(run) / float(plan.times.transmit_s[i]) - 1):+6.1f} %   "
            f"{run.measured.arrival_s.size} tasks, {run.lost} lost"
        )
    if errors:
        of_plan, of_simulation = np.median(np.array(errors), axis=0)
        print(f"  median error: plan {100 * of_plan:.1f} %, simulation {100 * of_simulation:.1f} %")


def _sending_s(run: DeviceRun) -> float:
    """s. Mean time from arrival to the node, behind earlier tasks of the device."""
    return float((run.measured.received_s - run.measured.arrival_s).mean())
