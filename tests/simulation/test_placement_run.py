"""Placement over time: against the formula where it holds, the same streams for all methods, nothing lost."""

from __future__ import annotations

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.simulation import PLACEMENT_DEFINITIONS, Churn, simulate_placement

ALWAYS = Churn(stay_s=1e9, away_s=1e-9)


@pytest.fixture(scope="module")
def tasks() -> sw.Tasks:
    return sw.placement_preset("paper-placement", seed=3).take(np.arange(12))


def test_delays_are_those_of_the_formula_for_streams_that_are_alike_and_stay(tasks: sw.Tasks) -> None:
    """Whole tasks of one kind on one server: M/M/1, so that the formula is exact."""
    one = np.zeros(5, dtype=np.int64)
    alike = tasks.take(one).with_(split="none", deadline_s=np.full(5, 1e3))
    run = simulate_placement(
        alike, "greedy-nearest", churn=ALWAYS, horizon_s=40_000.0 / alike.arrival_rate_hz.sum()
    )
    assert run.figures["rejected"] == 0.0 and run.placements == 1
    assert run.figures["mean_delay_s"] == pytest.approx(run.figures["planned_delay_s"], rel=0.08)


def test_all_methods_and_splits_meet_the_same_instances(tasks: sw.Tasks) -> None:
    horizon = 3000.0 / float(tasks.arrival_rate_hz.sum())
    churn = Churn(stay_s=horizon / 4, away_s=horizon / 4)
    seen = set()
    for split in ("proportional", "none"):
        for method in ("greedy-nearest", "random", "mec-only"):
            run = simulate_placement(tasks.with_(split=split), method, churn=churn, horizon_s=horizon, seed=2)
            assert set(run.figures) == set(PLACEMENT_DEFINITIONS)
            assert (run.delay_s > 0.0).all()
            late = (run.delay_s > tasks.deadline_s[run.stream]).mean() if run.stream.size else 0.0
            figures = run.figures
            assert figures["missed"] == pytest.approx(
                figures["rejected"] + (1 - figures["rejected"]) * late, abs=1e-9
            )
            seen.add(figures["instances"])
    assert len(seen) == 1


def test_a_run_repeats_bit_for_bit_and_streams_that_come_between_epochs_wait(tasks: sw.Tasks) -> None:
    horizon = 3000.0 / float(tasks.arrival_rate_hz.sum())
    rule = {"stay_s": horizon / 5, "away_s": horizon / 5}
    at_once, again = (
        simulate_placement(tasks, "greedy-nearest", churn=Churn(**rule), horizon_s=horizon) for _ in range(2)
    )
    np.testing.assert_array_equal(at_once.delay_s, again.delay_s)
    seldom = simulate_placement(
        tasks, "greedy-nearest", churn=Churn(**rule, every_s=horizon / 4), horizon_s=horizon
    )
    assert seldom.placements == 4 < at_once.placements
    assert seldom.figures["rejected"] > at_once.figures["rejected"]


def test_a_divided_task_of_one_amount_of_work_takes_less_than_of_two(tasks: sw.Tasks) -> None:
    horizon = 6000.0 / float(tasks.arrival_rate_hz.sum())
    one, two = (
        simulate_placement(tasks, "greedy-nearest", churn=ALWAYS, horizon_s=horizon, one_work=one_work)
        for one_work in (True, False)
    )
    assert one.figures["instances"] == two.figures["instances"]
    assert one.figures["mean_delay_s"] < two.figures["mean_delay_s"]


def test_little_holds(tasks: sw.Tasks) -> None:
    """Instances inside on average, counted at many instants, are arrivals a second times the mean delay."""
    horizon = 8000.0 / float(tasks.arrival_rate_hz.sum())
    run = simulate_placement(tasks, "greedy-nearest", churn=ALWAYS, horizon_s=horizon)
    at = np.linspace(0.05, 0.95, 4001) * horizon
    done = np.sort(run.arrived_s + run.delay_s)
    inside = np.searchsorted(np.sort(run.arrived_s), at) - np.searchsorted(done, at)
    within = (run.arrived_s > 0.05 * horizon) & (run.arrived_s < 0.95 * horizon)
    rate = within.sum() / (0.9 * horizon)
    assert inside.mean() == pytest.approx(rate * run.delay_s[within].mean(), rel=0.05)


def test_what_does_not_fit_is_refused(tasks: sw.Tasks) -> None:
    with pytest.raises(InvalidOptionError, match="stay_s"):
        Churn(stay_s=0.0)
    with pytest.raises(InvalidOptionError, match="every_s"):
        Churn(every_s=-1.0)
    with pytest.raises(InvalidOptionError, match="horizon_s"):
        simulate_placement(tasks, horizon_s=10.0, warm_up_s=10.0)


def test_sending_and_devices_take_what_the_formula_says() -> None:
    """Streams of one kind, whole tasks: M/M/1 behind a delay, and M/M/1 on the device."""
    tasks = sw.placement_preset(
        "regime/devices", seed=1, split="none", deadline_s=(10.0, 10.0), arrival_rate_hz=(4.0, 4.0)
    ).take(np.zeros(4, dtype=np.int64))
    horizon = 60_000.0 / tasks.arrival_rate_hz.sum()
    for dear in (0.0, 1e18):  # on the devices, and in the network
        alike = tasks.with_(device_cost_bit_hops=np.full(4, dear))
        run = simulate_placement(alike, "greedy-nearest", churn=ALWAYS, horizon_s=horizon, uplink_queue=False)
        assert run.figures["rejected"] == 0.0
        assert run.figures["mean_delay_s"] == pytest.approx(run.figures["planned_delay_s"], rel=0.05)
        if dear:
            least = float(alike.options.sent_s[0, : alike.options.in_network, 0].min())
            assert run.delay_s.min() >= least > 0.0


def test_a_busy_uplink_makes_its_instances_wait() -> None:
    """Its queue is M/D/1: rho / (2 (1 - rho)) transmission times beyond the formula."""
    tasks = sw.placement_preset(
        "paper-placement", seed=1, split="none", deadline_s=(1e3, 1e3), arrival_rate_hz=(0.5, 0.5)
    ).take(np.zeros(1, dtype=np.int64))
    tasks = tasks.with_(uplink_bps=tasks.size_bits * 0.5 / 0.7)  # a load of 0.7
    horizon = 40_000.0 / float(tasks.arrival_rate_hz.sum())
    alone, queued = (
        simulate_placement(tasks, "greedy-nearest", churn=ALWAYS, horizon_s=horizon, uplink_queue=queue)
        for queue in (False, True)
    )
    more = queued.figures["mean_delay_s"] - alone.figures["mean_delay_s"]
    assert more == pytest.approx(0.7 / (2 * 0.3) * float(tasks.uplink_s[0]), rel=0.1)
    assert queued.figures["instances"] == alone.figures["instances"]
