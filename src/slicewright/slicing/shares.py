"""Shares of radio and compute: the closed forms of SP1 and SP2, and the two published rules of thumb."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.files.fields import FieldReader
from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.shares import best_shares, fill_surplus
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import Decisions
from slicewright.types import FloatArray

_read = FieldReader(InvalidScenarioError)


@dataclass(frozen=True, eq=False)
class Shares:
    """Who gets how much.

    Attributes:
        bandwidth: (A, N) omega_a^n, inter-slice share of an access point.
        radio: (I,) phi_ia, share of the device's access point within its slice; 0 if local.
        compute: (I,) phi_ij, share of the device's node within its slice; 0 if local.
    """

    bandwidth: FloatArray
    radio: FloatArray
    compute: FloatArray

    @classmethod
    def none(cls, scenario: Scenario) -> Shares:
        """Nothing for anybody."""
        devices = np.zeros(scenario.n_devices)
        return cls(np.zeros((scenario.n_access_points, scenario.n_slices)), devices, devices.copy())


def radio_shares(transmission_s: FloatArray) -> FloatArray:
    """Optimal intra-slice radio shares: SP1, radio part (model page 1.3; DeepSets-S eq. 14).

    Minimises ``sum(transmission_s / share)`` over shares that sum to one.

    Args:
        transmission_s: (k,) s. T_ia of the k devices that use one access point in one slice.

    Returns:
        (k,) shares in (0, 1], summing to one.

    Raises:
        InvalidScenarioError: a time is not positive; carries the index and the value.
    """
    return radio_shares_of(_read.numbers(transmission_s, "transmission_s", (None,), positive=True))


def radio_shares_of(transmission_s: FloatArray) -> FloatArray:
    """:func:`radio_shares` of times that are known to be positive: managers ask it for every access point they use."""
    root: FloatArray = np.sqrt(transmission_s)
    return np.asarray(root / root.sum())


def bandwidth_shares(slice_root_s: FloatArray) -> FloatArray:
    """Optimal inter-slice shares: SP2 (model page 1.3; DeepSets-S eq. 15 with tau = sqrt(T)).

    Args:
        slice_root_s: (..., N) sqrt(s). Sum of sqrt(T_ia) over the devices of each slice on one access point.

    Returns:
        (..., N) shares summing to one where any slice is used, else zeros.
    """
    sums = np.asarray(slice_root_s, dtype=np.float64)
    total = sums.sum(axis=-1, keepdims=True)
    shares = np.zeros_like(sums)
    np.divide(sums, total, out=shares, where=total > 0)
    return shares


def compute_shares(
    cycles: FloatArray, local_time_s: FloatArray, queue_hz: FloatArray, capacity_hz: float
) -> FloatArray | None:
    """Optimal intra-slice compute shares: SP1, compute part, with 13b by water-filling (model page 1.3).

    Minimises the sum of M/M/1 sojourn times ``1 / (share F / L - Lambda)`` over shares that sum to at most one and
    keep every sojourn time at or below the local time.

    Args:
        cycles: (k,) cycle. L_in of the k devices on one node in one slice.
        local_time_s: (k,) s. tau_i.
        queue_hz: (k,) 1/s. What is subtracted from the service rate: Lambda_j for every device ("node") or the
            device's own alpha_i ("device").
        capacity_hz: F_j^n in cycle/s.

    Returns:
        (k,) shares, or None when no shares satisfy 13b and 13c.

    Raises:
        InvalidScenarioError: an input is not positive.
    """
    work = _read.numbers(cycles, "cycles", (None,), positive=True)
    tau = _read.numbers(local_time_s, "local_time_s", (work.size,), positive=True)
    queue = _read.numbers(queue_hz, "queue_hz", (work.size,))
    return compute_shares_of(work, tau, queue, capacity_hz)


def compute_shares_of(
    work: FloatArray, local_time_s: FloatArray, queue_hz: FloatArray, capacity_hz: float
) -> FloatArray | None:
    """:func:`compute_shares` of numbers that are known to be positive: managers ask it for every node they use."""
    surplus = np.empty(work.size)
    if not fill_surplus(np.sqrt(work), local_time_s, capacity_hz - float(queue_hz @ work), surplus):
        return None
    return (surplus + queue_hz) * work / capacity_hz


def optimal_shares(scenario: Scenario, decisions: Decisions) -> Shares | None:
    """SP1 and SP2 solved exactly for given decisions; None when 13b or 13c cannot hold under any shares."""
    problem, link, group = compact(scenario).with_decisions(decisions)
    cost, bandwidth, radio, compute = best_shares(problem, link, group)
    return Shares(bandwidth, radio, compute) if np.isfinite(cost) else None


def least_cost_s(scenario: Scenario, decisions: Decisions) -> float:
    """System cost of decisions under their optimal shares, s; infinite when 13b or 13c cannot hold under any."""
    problem, link, group = compact(scenario).with_decisions(decisions)
    return float(best_shares(problem, link, group)[0])


def equal_shares(scenario: Scenario, decisions: Decisions) -> Shares:
    """ERAP: omega = 1 / N, phi = 1 / number of devices on the same resource in the same slice (model page 1.7)."""
    i = np.flatnonzero(~decisions.local)
    ap_users, node_users = _per_slice_sums(scenario, decisions, np.ones(i.size), np.ones(i.size))
    shares = Shares.none(scenario)
    shares.bandwidth[:] = 1.0 / scenario.n_slices
    shares.radio[i] = 1.0 / ap_users[decisions.access_point[i], decisions.slice[i]]
    shares.compute[i] = 1.0 / node_users[decisions.node[i], decisions.slice[i]]
    return shares


def proportional_shares(scenario: Scenario, decisions: Decisions) -> Shares:
    """PRAP: radio in proportion to T_ia, within and between slices; compute in proportion to L_in (model page 1.7)."""
    i = np.flatnonzero(~decisions.local)
    transmission = scenario.task_bits[i] / scenario.rate_of(i, decisions.access_point[i])
    work = scenario.slice_cycles[i, decisions.slice[i]]
    ap_time, node_work = _per_slice_sums(scenario, decisions, transmission, work)
    shares = Shares.none(scenario)
    shares.bandwidth[:] = bandwidth_shares(ap_time)
    shares.radio[i] = transmission / ap_time[decisions.access_point[i], decisions.slice[i]]
    shares.compute[i] = work / node_work[decisions.node[i], decisions.slice[i]]
    return shares


def _per_slice_sums(
    scenario: Scenario, decisions: Decisions, of_radio: FloatArray, of_compute: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Sums over the offloaded devices, per access point and slice, and per node and slice."""
    i = np.flatnonzero(~decisions.local)
    radio = np.zeros((scenario.n_access_points, scenario.n_slices))
    compute = np.zeros((scenario.n_nodes, scenario.n_slices))
    np.add.at(radio, (decisions.access_point[i], decisions.slice[i]), of_radio)
    np.add.at(compute, (decisions.node[i], decisions.slice[i]), of_compute)
    return radio, compute
