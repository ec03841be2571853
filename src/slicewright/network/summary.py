"""What a scenario amounts to before anybody plans it: reach, and how much is asked of how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Summary:
    """Reach and load of a scenario, all from the scenario alone.

    Attributes:
        candidates: (I,) access points in reach of each device.
        best_access_point: (I,) the one with the highest rate, -1 without any.
        best_rate_bps: (I,) bit/s, the best of them alone; 0 without any.
        nearest_m: (I,) m to the nearest access point, if positions are known.
        airtime: (A,) share of time each access point would be busy if every device used its best one:
            sum of alpha_i S_i / R_ia. Above 1 not all devices can offload that way.
        compute_load: share of all nodes' capacity that stable queues would take if all devices offloaded, spread
            evenly over the nodes and each in the slice where its work is least. Near 1 and above not all can.
        local_cost_s: s, system cost if every device computes locally: no plan needs to be worse.
    """

    candidates: IntArray
    best_access_point: IntArray
    best_rate_bps: FloatArray
    nearest_m: FloatArray | None
    airtime: FloatArray
    compute_load: float
    local_cost_s: float


def summarise(scenario: Scenario) -> Summary:
    """Reach and load of a scenario."""
    start, access_point, rate = scenario.links
    candidates = np.diff(start)
    device = np.repeat(np.arange(scenario.n_devices), candidates)
    best = np.zeros(scenario.n_devices)
    np.maximum.at(best, device, rate)
    # Written back to front: of several equal ones the first stays.
    is_best = np.flatnonzero(rate == best[device])[::-1]
    best_access_point = np.full(scenario.n_devices, -1)
    best_access_point[device[is_best]] = access_point[is_best]
    users = np.flatnonzero(best_access_point >= 0)
    airtime = np.zeros(scenario.n_access_points)
    np.add.at(
        airtime,
        best_access_point[users],
        scenario.arrival_rate_hz[users] * scenario.task_bits[users] / best[users],
    )
    queue = scenario.arrival_rate_hz
    if scenario.queueing == "node":
        queue = np.full(scenario.n_devices, queue.sum() / scenario.n_nodes)
    asked = float((queue * scenario.slice_cycles.min(axis=1)).sum())
    return Summary(
        candidates=candidates,
        best_access_point=best_access_point,
        best_rate_bps=best,
        nearest_m=_nearest_m(scenario),
        airtime=airtime,
        compute_load=asked / float(scenario.node_capacity_hz.sum()),
        local_cost_s=float(scenario.local_time_s.sum()),
    )


def _nearest_m(scenario: Scenario) -> FloatArray | None:
    from scipy.spatial import KDTree

    sites = scenario.sites
    if sites.device_m is None or sites.access_point_m is None:
        return None
    return np.asarray(KDTree(sites.access_point_m).query(sites.device_m)[0], dtype=np.float64)
