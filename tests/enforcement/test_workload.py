"""Tasks as drawn, and the model replayed on them."""

from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.enforcement.testbed.layout import Layout, check_name, device_address, fit
from slicewright.enforcement.testbed.workload import Timeline, Workload, draw_workload, replay


def test_tasks_repeat_bit_for_bit_and_do_not_depend_on_other_devices() -> None:
    first = draw_workload(2.0, 50.0, seed=(7, 3))
    again = draw_workload(2.0, 50.0, seed=(7, 3))
    other = draw_workload(2.0, 50.0, seed=(7, 4))
    assert np.array_equal(first.arrival_s, again.arrival_s)
    assert np.array_equal(first.work, again.work)
    assert not np.array_equal(first.arrival_s[:5], other.arrival_s[:5])


def test_arrivals_are_poisson_and_work_has_its_mean() -> None:
    load = draw_workload(5.0, 2000.0, seed=(1,))
    gaps = np.diff(load.arrival_s)
    assert gaps.mean() == pytest.approx(0.2, rel=0.05)
    assert gaps.std() == pytest.approx(0.2, rel=0.05)
    assert load.work.mean() == pytest.approx(1.0, rel=0.05)
    assert set(draw_workload(5.0, 2.0, seed=(1,), work="fixed").work) == {1.0}


def test_the_replayed_queue_is_the_formula_of_the_model_in_the_long_run() -> None:
    load = draw_workload(0.5, 200_000.0, seed=(2,))
    line = replay(load, transmit_s=1e-6, service_s=1.2)
    assert line.execute_s.mean() == pytest.approx(1 / (1 / 1.2 - 0.5), rel=0.03)


def test_one_task_at_a_time_on_the_uplink_and_at_the_node() -> None:
    line = replay(
        Workload(np.array([0.0, 1.0, 9.0]), np.array([1.0, 2.0, 1.0])), transmit_s=3.0, service_s=2.0
    )
    assert line.wait_s.tolist() == [0.0, 2.0, 0.0]
    assert line.transmit_s.tolist() == [3.0, 3.0, 3.0]
    assert line.received_s.tolist() == [3.0, 6.0, 12.0]
    assert line.finished_s.tolist() == [5.0, 10.0, 14.0]
    assert line.completion_s == pytest.approx(line.wait_s + line.transmit_s + line.execute_s)


def test_no_tasks_is_no_trouble() -> None:
    empty = replay(Workload(np.zeros(0), np.zeros(0)), transmit_s=1.0, service_s=1.0)
    assert isinstance(empty, Timeline)
    assert empty.completion_s.size == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [({"duration_s": 0.0}, "duration is 0 but must be positive"), ({"work": "heavy"}, "exponential, fixed")],
)
def test_bad_workloads_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(sw.InvalidOptionError, match=message):
        draw_workload(1.0, **{"duration_s": 1.0, "seed": (0,), **change})


def test_the_scale_is_the_largest_that_fits() -> None:
    plan = sw.plan(sw.preset("paper-slicing", devices=8, seed=1), rounds=20)
    scale = fit(plan, most_bps=50e6, cpus=1.0)
    d = plan.decisions
    off = np.flatnonzero(~d.local)
    rates = plan.scenario.task_bits[off] / plan.times.transmit_s[off]
    assert rates.sum() * scale.rate == pytest.approx(50e6)
    slow = fit(plan, most_bps=50e6, cpus=1.0, slow=4.0)
    assert slow.bits == pytest.approx(min(1.0, 4 * scale.bits))
    assert slow.cpus_per_hz == scale.cpus_per_hz
    assert fit(plan, most_bps=1e12, cpus=1.0).rate == 1.0
    speeds = plan.shares.compute[off] * plan.scenario.node_capacity_hz[d.node[off], d.slice[off]]
    assert speeds.sum() * scale.cpus_per_hz <= 1.0 + 1e-9
    with pytest.raises(sw.InvalidOptionError, match="use fewer devices"):
        fit(plan, cpus=1e-3)


def test_nobody_offloads_is_refused() -> None:
    plan = sw.plan(sw.preset("paper-slicing", devices=3, seed=1), method="local")
    with pytest.raises(sw.InvalidOptionError, match="all compute locally"):
        fit(plan, cpus=1.0)


def test_names_and_addresses_differ() -> None:
    assert len({device_address(i) for i in range(5000)}) == 5000
    for bad in ("", "Bed", "a-b", "../x", "x" * 13):
        with pytest.raises(sw.InvalidOptionError, match="lower-case letters and digits"):
            check_name(bad)
    plan = sw.plan(sw.preset("paper-slicing", devices=8, seed=1), rounds=20)
    layout = Layout("one", plan)
    names = [layout.core, *map(layout.device, layout.devices), *map(layout.node, layout.nodes)]
    assert len(set(names)) == len(names)
    assert all(name.startswith("swt-one-") for name in names)
