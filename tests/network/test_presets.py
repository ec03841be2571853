"""Presets: the published setting, repeatable by seed, every parameter overridable."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.network import PRESETS, path_loss_rate, register_radio_model
from slicewright.network.scenario import Scenario
from slicewright.types import FloatArray


def test_paper_slicing_is_the_published_setting() -> None:
    s = sw.preset("paper-slicing", devices=200, seed=0)
    assert (s.n_access_points, s.n_nodes, s.n_slices) == (3, 9, 3)
    assert s.node_kinds == ("coin",) * 8 + ("mec",)
    assert (s.node_capacity_hz[:8] >= 5e8).all()
    assert (s.node_capacity_hz[:8] <= 1e9).all()
    assert (s.node_capacity_hz[8] == 1e10).all()
    assert (s.bandwidth_hz == 18e6).all()
    assert (s.local_capacity_hz == 2e7).all()
    assert 8e6 <= s.task_bits.min() <= s.task_bits.max() <= 8e7
    ratio = s.local_cycles / s.task_bits
    assert 1 <= ratio.min() <= ratio.max() <= 5
    work = s.slice_cycles / s.local_cycles[:, None]
    assert 0.5 <= work.min() <= work.max() <= 1
    assert 0.1 <= s.arrival_rate_hz.min() <= s.arrival_rate_hz.max() <= 0.3


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_seed_is_the_instance(name: str) -> None:
    one, again, other = (sw.preset(name, devices=9, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.links.rate_bps, again.links.rate_bps)
    assert not np.array_equal(one.links.rate_bps, other.links.rate_bps)
    assert one.origin["preset"] == name
    assert one.origin["seed"] == 3


@pytest.mark.parametrize(
    ("overrides", "check"),
    [
        ({"slices": 2}, lambda s: s.n_slices == 2),
        ({"slices": ["a", "b", "c", "d"]}, lambda s: [x.name for x in s.slices] == ["a", "b", "c", "d"]),
        ({"coins": 0}, lambda s: s.node_kinds == ("mec",)),
        ({"bandwidth_hz": 1e6}, lambda s: (s.bandwidth_hz == 1e6).all()),
        ({"task_bits": [5, 5]}, lambda s: (s.task_bits == 5).all()),
        ({"queueing": "device"}, lambda s: s.queueing == "device"),
        ({"access_points": 7}, lambda s: s.rate_bps.shape[1] == 7),
        ({"hotspots": 2, "hotspot_spread_m": 1.0}, lambda s: np.ptp(s.sites.device_m, axis=0).max() < 500),
    ],
)
def test_every_parameter_can_be_overridden(
    overrides: dict[str, Any], check: Callable[[Scenario], bool]
) -> None:
    assert check(sw.preset("paper-slicing", devices=6, seed=2, **overrides))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"coin": 3}, "did you mean 'coins'"),
        ({"devices": 0}, "devices is 0 but must be a whole number of at least 1"),
        ({"devices": 2.5}, "whole number"),
        ({"devices": 10**20}, "at most 100,000,000"),
        ({"task_bits": [5, 1]}, "range"),
        ({"task_bits": "many"}, "number or a range"),
        ({"area_m": -1}, "positive"),
        ({"coins": 0, "mecs": 0}, "at least one node"),
        ({"queueing": "x"}, "queueing"),
    ],
)
def test_impossible_parameters_are_named(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(sw.InvalidScenarioError, match=message):
        sw.preset("paper-slicing", **overrides)


def test_unknown_presets_suggest_the_nearest() -> None:
    with pytest.raises(sw.UnknownNameError, match="did you mean 'paper-slicing'"):
        sw.preset("paper-slice")


def test_rate_falls_with_distance_and_rises_with_power() -> None:
    distance = np.array([[0.1, 1.0, 10.0, 100.0]])
    rate = path_loss_rate(distance, np.array([0.1]), np.full(4, 1e6))
    assert rate[0, 0] == rate[0, 1] > rate[0, 2] > rate[0, 3]
    assert (path_loss_rate(distance, np.array([0.2]), np.full(4, 1e6)) > rate).all()
    assert path_loss_rate(distance, np.array([0.1]), np.full(4, 1e6), reach_m=50.0)[0, 3] == 0
    noise = 10 ** (-174 / 10 - 3) * 1e6
    assert rate[0, 2] == pytest.approx(1e6 * np.log2(1 + 0.1 * 10.0**-4 / noise))


def test_users_may_register_a_radio_model_of_their_own() -> None:
    def flat(distance_m: FloatArray, tx_power_w: FloatArray, bandwidth_hz: FloatArray) -> FloatArray:
        return np.full(distance_m.shape, 7e6)

    register_radio_model("flat-for-test", flat)
    assert (sw.preset("paper-slicing", devices=3, radio="flat-for-test").rate_bps == 7e6).all()
