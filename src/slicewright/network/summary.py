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
        best_rate_bps: (I,) bit/s, the best of them alone; 0 without any.
        nearest_m: (I,) m to the nearest access point, if positions are known.
        airtime: (A,) share of time each access point would be busy if every device used its best one:
            sum of alpha_i S_i / R_ia. Above 1 not all devices can offload that way.
        compute_load: share of all nodes' capacity that the work of all devices would take, each in the slice where
            it is least. Above 1 not all devices can offload.
        local_cost_s: s, system cost if every device computes for itself: no plan needs to be worse.
    """

    candidates: IntArray
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
    is_best = rate == best[device]
    users = device[is_best]
    airtime = np.zeros(scenario.n_access_points)
    np.add.at(
        airtime, access_point[is_best], scenario.arrival_rate_hz[users] * scenario.task_bits[users] / best[users]
    )
    asked = float((scenario.arrival_rate_hz * scenario.slice_cycles.min(axis=1)).sum())
    return Summary(
        candidates=candidates,
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
