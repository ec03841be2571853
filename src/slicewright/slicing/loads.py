"""How much of everything a plan uses: the numbers behind its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.slicing.plan import Plan
from slicewright.types import FloatArray, IntArray

NODE_USE = "part of a slice's capacity that stable queues take"
"""What :attr:`Loads.utilisation` is called wherever it is shown, as "node use"."""


@dataclass(frozen=True, eq=False)
class Loads:
    """Loads of a plan's resources and the parts of its cost. Devices whose decision does not exist are left out.

    Attributes:
        offloaded: (k,) indices of the devices that offload.
        ap_users: (A, N) devices per access point and slice.
        node_users: (J, N) devices per node and slice.
        utilisation: (J, N) share of a slice's capacity on a node that stable queues (13c) take: sum of
            q_i L_in / F_j^n with q_i = Lambda_j (queueing ``node``) or alpha_i (``device``); 0 without capacity.
            What is left shortens execution.
        node_utilisation: (J,) the same over all slices of a node.
        radio_s, compute_s, local_s: s, the cost's parts: transmission, execution on nodes, execution on devices;
            over the devices whose time is finite.
    """

    offloaded: IntArray
    ap_users: IntArray
    node_users: IntArray
    utilisation: FloatArray
    node_utilisation: FloatArray
    radio_s: float
    compute_s: float
    local_s: float


def loads_of(plan: Plan) -> Loads:
    """Count and add up a plan's loads."""
    scenario, d, times = plan.scenario, plan.decisions, plan.times
    local = d.local
    off = np.flatnonzero(d.valid(scenario) & ~local)
    a, j, n = d.access_point[off], d.node[off], d.slice[off]
    ap_users = np.zeros((scenario.n_access_points, scenario.n_slices), dtype=np.int64)
    node_users = np.zeros((scenario.n_nodes, scenario.n_slices), dtype=np.int64)
    work = np.zeros((scenario.n_nodes, scenario.n_slices))
    np.add.at(ap_users, (a, n), 1)
    np.add.at(node_users, (j, n), 1)
    queue = scenario.arrival_rate_hz[off]
    if scenario.queueing == "node":
        of_node = np.zeros(scenario.n_nodes)
        np.add.at(of_node, j, queue)
        queue = of_node[j]
    np.add.at(work, (j, n), queue * scenario.slice_cycles[off, n])
    capacity = scenario.node_capacity_hz
    total = capacity.sum(axis=1)
    return Loads(
        offloaded=off,
        ap_users=ap_users,
        node_users=node_users,
        utilisation=np.divide(work, capacity, out=np.zeros_like(work), where=capacity > 0),
        node_utilisation=np.divide(work.sum(axis=1), total, out=np.zeros_like(total), where=total > 0),
        radio_s=_finite_sum(times.transmit_s[off]),
        compute_s=_finite_sum(times.execute_s[off]),
        local_s=_finite_sum(times.execute_s[local]),
    )


def _finite_sum(times_s: FloatArray) -> float:
    return float(times_s[np.isfinite(times_s)].sum())
