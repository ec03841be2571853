"""What a scenario amounts to before it is planned, against the definition spelt out in loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from slicewright.network import preset
from slicewright.network.scenario import Scenario
from slicewright.network.summary import summarise
from slicewright.network.units import quantity, quantity_range
from tests.instances import scenarios
from tests.present import present


@settings(max_examples=30, deadline=None)
@given(scenarios())
def test_reach_and_airtime_are_those_of_the_fastest_access_point(scenario: Scenario) -> None:
    summary = summarise(scenario)
    rates = np.asarray(scenario.rate_bps)
    np.testing.assert_array_equal(summary.best_access_point, rates.argmax(axis=1))
    airtime = np.zeros(scenario.n_access_points)
    for i, a in enumerate(rates.argmax(axis=1)):
        airtime[a] += scenario.arrival_rate_hz[i] * scenario.task_bits[i] / rates[i, a]
    np.testing.assert_allclose(summary.airtime, airtime)
    assert summary.local_cost_s == pytest.approx(scenario.local_time_s.sum())


def test_out_of_reach_counts_nowhere() -> None:
    summary = summarise(preset("paper-slicing", devices=20, seed=1, reach_m=40.0))
    alone = summary.candidates == 0
    assert alone.any()
    assert (summary.best_access_point[alone] == -1).all() and (summary.best_rate_bps[alone] == 0).all()
    assert (present(summary.nearest_m)[alone] > 40).all()


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.8e7, "Hz", "18 MHz"), (999.96e3, "bit", "1 Mbit"), (0.0, "s", "0 s"), (2.5e-5, "W", "25 µW"),
        (float("inf"), "s", "inf s"), (1.234, "s", "1.23 s"),
    ],
)  # fmt: skip
def test_quantities_take_the_prefix_that_suits_them(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_a_range_that_reads_as_one_number_is_one() -> None:
    assert quantity_range(18e6, 18.0001e6, "Hz") == "18 MHz"
    assert quantity_range(1.0, 2e3, "s") == "1 s to 2 ks"
