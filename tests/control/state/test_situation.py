"""Networks and situations as documents and digests."""

from __future__ import annotations

import json

import numpy as np

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


def test_a_situation_knows_its_devices_by_digest() -> None:
    state, devices = state_with(scenario_of(5, 0))
    here = state.situation()
    other = Situation(here.network, (moved(devices[0], np.random.default_rng(0)), *devices[1:]))
    assert here.digest != other.digest
