"""Plans of any size to draw, made up in a moment: positions, decisions and shares without a search behind them."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from slicewright.network import Scenario
from slicewright.network.scenario import Sites, SliceId
from slicewright.slicing import Decisions, Plan, Shares
from slicewright.slicing.certificate import Certificate

_SLICES = ("embb", "urllc", "mmtc")


def crowd(devices: int, *, access_points: int = 125, nodes: int = 42, seed: int = 0) -> Plan:
    """A plan of so many devices around hotspots: most send to the nearest access point, some compute for themselves."""
    rng = np.random.default_rng(seed)
    site = rng.uniform(0, [2000.0, 1300.0], (access_points, 2))
    device = site[rng.integers(access_points, size=devices)] + rng.normal(0, 90, (devices, 2))
    distance, nearest = KDTree(site).query(device)
    scenario = Scenario(
        task_bits=rng.uniform(1e5, 1e6, devices),
        local_cycles=rng.uniform(1e8, 1e9, devices),
        local_capacity_hz=np.full(devices, 1e9),
        arrival_rate_hz=np.full(devices, 100.0 / devices),
        slice_cycles=rng.uniform(1e8, 1e9, (devices, 3)),
        rate_bps=sparse.csr_array(
            (2e7 / (1 + distance / 80), (np.arange(devices), nearest)), shape=(devices, access_points)
        ),
        node_capacity_hz=np.full((nodes, 3), 1e10 * devices),
        bandwidth_hz=np.full(access_points, 2e7),
        slices=tuple(SliceId(name) for name in _SLICES),
        access_points=tuple(f"site-{a:03}" for a in range(access_points)),
        nodes=tuple(f"node-{j:02}" for j in range(nodes)),
        node_kinds=("mec", "mec", *["coin"] * (nodes - 2)),
        sites=Sites(site, device, None, site[:nodes]),
    )
    local = rng.random(devices) < 0.2
    node = np.minimum(rng.geometric(0.1, devices) - 1, nodes - 1)
    decisions = Decisions(*(np.where(local, -1, x) for x in (nearest, node, rng.integers(0, 3, devices))))
    return with_even_shares(scenario, decisions)


def with_even_shares(scenario: Scenario, decisions: Decisions) -> Plan:
    """Everybody gets the same; the bound is not worked out, nothing is made of it here."""
    off = np.flatnonzero(~decisions.local)
    a, j, n = decisions.access_point[off], decisions.node[off], decisions.slice[off]
    on_point, on_node = np.zeros((len(scenario.access_points), 3)), np.zeros((len(scenario.nodes), 3))
    np.add.at(on_point, (a, n), 1)
    np.add.at(on_node, (j, n), 1)
    radio, compute = np.zeros(scenario.n_devices), np.zeros(scenario.n_devices)
    radio[off], compute[off] = 1 / on_point[a, n], 1 / on_node[j, n]
    bandwidth = on_point / np.maximum(on_point.sum(axis=1, keepdims=True), 1)
    plan = Plan(scenario, decisions, Shares(bandwidth, radio, compute), method="even shares")
    plan.__dict__["certificate"] = Certificate(0.5 * plan.cost_s)
    return plan
