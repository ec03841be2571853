"""The simulator against what the test bed expects of its own tasks: both serve the same queues, one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.enforcement.linux.desired import cpu_speeds_hz, uplink_rates_bps
from slicewright.enforcement.testbed import bed as beds
from slicewright.enforcement.testbed.workload import draw_workload, replay
from slicewright.simulation import Arrivals, Settings, Simulation
from slicewright.simulation.validation import MeasuredTasks, draw_validation, predict, validate

SMALL = Path(beds.__file__).with_name("small.yaml")


def test_the_simulator_predicts_the_test_bed_task_by_task(tmp_path: Path) -> None:
    plan = sw.plan(sw.load_scenario(SMALL), rounds=20)
    scenario, devices = plan.scenario, plan.scenario.n_devices
    loads = [draw_workload(float(scenario.arrival_rate_hz[i]), 300.0, seed=(1, i)) for i in range(devices)]
    arrivals = Arrivals("traced", trace=tuple(w.arrival_s for w in loads), works=tuple(w.work for w in loads))
    tasks = Simulation(plan, Settings(arrivals=arrivals)).advance(1e5)
    rates, speeds = uplink_rates_bps(plan), cpu_speeds_hz(plan)
    above, sent = [], []
    for i in np.flatnonzero(~plan.decisions.local).tolist():
        expected = replay(
            loads[i],
            transmit_s=float(scenario.task_bits[i] / rates[i]),
            service_s=float(scenario.slice_cycles[i, plan.decisions.slice[i]] / speeds[i]),
        )
        sent.append(MeasuredTasks(i, loads[i].arrival_s, loads[i].work, expected.completion_s))
        mine = tasks.device == i
        order = np.argsort(tasks.arrived_s[mine])
        np.testing.assert_allclose(tasks.transmitted_s[mine][order], expected.received_s, rtol=1e-9)
        np.testing.assert_allclose(tasks.done_s[mine][order], expected.finished_s, rtol=1e-9)
        sending = (tasks.transmitted_s - tasks.arrived_s)[mine].mean()
        above.append(sending / float(plan.times.transmit_s[i]) - 1.0)
    # Tasks of a device follow each other: sending takes longer than the plan's formula says.
    assert len(above) >= 3 and min(above) > 0.0, above
    of_devices = predict(plan, sent)
    assert [p.device for p in of_devices] == [tasks.device for tasks in sent]
    for found in of_devices:
        assert found.simulated_s == pytest.approx(found.measured_s, rel=1e-9)
        assert found.planned_s == pytest.approx(float(plan.times.completion_s[found.device]))
        assert found.lost == 0 and 0.0 < found.half_width_s < found.measured_s
    picture = draw_validation(validate(precision=0.2, loads=(0.3,)), tmp_path / "bed.png", of_devices)
    assert picture.stat().st_size > 10_000
