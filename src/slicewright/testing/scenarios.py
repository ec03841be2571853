"""Small scenarios that each hold one difficulty a policy may not have thought of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario


def awkward_scenarios() -> Mapping[str, Scenario]:
    """Name to scenario; small enough that every method answers each in milliseconds."""
    plain = preset("paper-slicing", devices=8, seed=11)
    return {
        "ordinary": plain,
        "ordinary, queues per device": plain.with_(queueing="device"),
        "one device": preset("paper-slicing", devices=1, seed=3),
        "one of everything": preset(
            "paper-slicing", devices=3, seed=5, access_points=1, coins=0, mecs=1, slices=1
        ),
        "crowded: 13b and 13c bind": _crowded("node"),
        "crowded, queues per device": _crowded("device"),
        "offloading never pays": plain.with_(local_capacity_hz=np.full(8, 1e14)),
        "access points out of reach": _out_of_reach(plain),
        "candidate lists": plain.with_(rate_bps=sparse.csr_array(_out_of_reach(plain).rate_bps)),
        "nobody reaches anything": plain.with_(rate_bps=np.zeros((8, 3))),
        "a device that outruns every node": _outrunning(plain),
        "nodes without capacity": plain.with_(node_capacity_hz=np.zeros_like(plain.node_capacity_hz)),
        "a node that serves one slice only": _single_slice_node(plain),
        "identical devices": _identical(plain),
    }


def _crowded(queueing: str) -> Scenario:
    """Few, slow nodes and devices nearly as fast: only some fit, and their floors bind."""
    scenario = preset(
        "paper-slicing", devices=12, seed=2, coins=2, mecs=0, coin_capacity_hz=(4e8, 6e8),
        local_capacity_hz=(5e7, 2e8), arrival_rate_hz=(0.2, 0.6),
    )  # fmt: skip
    return scenario.with_(queueing=queueing)


def _out_of_reach(scenario: Scenario) -> Scenario:
    rates = np.array(scenario.rate_bps)
    rates[::2, 0] = 0.0
    rates[1] = 0.0
    rates[3, 1:] = 0.0
    return scenario.with_(rate_bps=rates)


def _outrunning(scenario: Scenario) -> Scenario:
    rates = scenario.arrival_rate_hz.copy()
    rates[:2] = 1e6, 1e30  # its queue would grow without end on any node, so it stays local
    return scenario.with_(arrival_rate_hz=rates)


def _single_slice_node(scenario: Scenario) -> Scenario:
    capacity = scenario.node_capacity_hz.copy()
    capacity[0, 1:] = 0.0
    return scenario.with_(node_capacity_hz=capacity)


def _identical(scenario: Scenario) -> Scenario:
    first = np.zeros(scenario.n_devices, dtype=np.int64)
    names = ("task_bits", "local_cycles", "local_capacity_hz", "arrival_rate_hz", "slice_cycles", "rate_bps")
    return scenario.with_(**{name: getattr(scenario, name)[first] for name in names})
