"""Networks and situations as documents and digests."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.control.state.situation import Situation
from tests.control.support.scenes import moved, scenario_of, state_with


def test_scenario_and_network_survive_the_way_through_documents() -> None:
    scenario = scenario_of(15, 3)
    network = Network.from_document(json.loads(json.dumps(Network.of(scenario).document)))
    again = network.scenario(devices_of(scenario))
    np.testing.assert_array_equal(np.asarray(again.rate_bps), np.asarray(scenario.rate_bps))
    np.testing.assert_array_equal(again.slice_cycles, scenario.slice_cycles)
    assert network.digest == Network.of(scenario).digest


@pytest.mark.parametrize("slices", [("one",), ("one", "two", "three")])
def test_work_is_that_of_the_slices_and_more_than_any_node_bears_where_one_is_not_named(
    slices: tuple[str, ...],
) -> None:
    scenario = scenario_of(6, 1, slices=slices)
    network, devices = Network.of(scenario), devices_of(scenario)
    np.testing.assert_array_equal(network.work(devices), scenario.slice_cycles)
    assert network.work(()).shape == (0, len(slices))
    first = network.slice_names[0]
    without = replace(
        devices[2], slice_cycles={n: c for n, c in devices[2].slice_cycles.items() if n != first}
    )
    work = network.work((*devices[:2], without))
    np.testing.assert_array_equal(work[:2], scenario.slice_cycles[:2])
    np.testing.assert_array_equal(work[2, 1:], scenario.slice_cycles[2, 1:])
    assert work[2, 0] > without.local_time_s * network.node_capacity_hz.max()


def test_a_situation_knows_its_devices_by_digest() -> None:
    state, devices = state_with(scenario_of(5, 0))
    here = state.situation()
    other = Situation(here.network, (moved(devices[0], np.random.default_rng(0)), *devices[1:]))
    assert here.digest != other.digest
