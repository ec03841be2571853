"""The part of a situation that can be decided now: what pinned slices hold is taken out, and left room for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from slicewright.control.state.grants import Place
from slicewright.control.state.network import PlaceIndex
from slicewright.control.state.reasons import unservable
from slicewright.control.state.situation import Situation
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.shares import Shares
from slicewright.types import FloatArray, IntArray

Bandwidth = Mapping[str, Mapping[str, float]]
"""Slice to access point to omega."""


@dataclass(frozen=True)
class Proposal:
    """What a method wants: places of offloaded devices and inter-slice shares, without pinned slices; its remarks."""

    places: Mapping[str, Place]
    bandwidth: Bandwidth
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FreeProblem:
    """Devices and slices that no pin holds, as a scenario of their own.

    Attributes:
        scenario: rates are scaled by what pins leave of each access point; pinned slices have no capacity.
        devices: ids, in the scenario's order.
        left: (A,) part of each access point that pins leave.
        index: of the places' names.
    """

    scenario: Scenario
    devices: tuple[str, ...]
    left: FloatArray
    index: PlaceIndex

    def decisions(self, places: Sequence[Place | None]) -> Decisions:
        """Decisions of the problem's devices; a place that no longer exists becomes local."""
        nobody = (LOCAL, LOCAL, LOCAL)
        triples = []
        for place in places:
            found = nobody
            if place is not None:
                found = (
                    self.index.access_point.get(place.access_point, LOCAL),
                    self.index.node.get(place.node, LOCAL),
                    self.index.slice.get(place.slice, LOCAL),
                )
            triples.append(nobody if LOCAL in found else found)
        columns = np.ascontiguousarray(np.array(triples, dtype=np.int64).reshape(-1, 3).T)
        return Decisions.trusted(*columns)


def free_problem(situation: Situation) -> FreeProblem | None:
    """What can be decided; None when there is nothing."""
    network, pins = situation.network, situation.pins
    pinned = {pin.slice for pin in pins}
    held = frozenset().union(*(pin.devices for pin in pins))
    columns = np.array([name not in pinned for name in network.slice_names])
    capacity = np.where(columns, network.node_capacity_hz, 0.0)
    devices = tuple(d for d in situation.plannable if d.id not in held)
    if pins:
        gone = unservable(replace(network, node_capacity_hz=capacity), devices)
        devices = tuple(d for d in devices if d.id not in gone)
    if not devices or not capacity.any():
        return None
    scenario = network.scenario(devices, capacity_hz=capacity) if pins else situation.scenario
    left = np.array([1.0 - math.fsum(p.bandwidth.get(a, 0.0) for p in pins) for a in network.access_points])
    left = np.where(left > 1e-6, np.minimum(left, 1.0), 0.0)
    if pins:
        rates = scenario.rate_bps
        scaled = (
            sparse.csr_array(rates @ sparse.diags_array(left)) if sparse.issparse(rates) else rates * left
        )
        scenario = scenario.with_(rate_bps=scaled)
    return FreeProblem(scenario, tuple(d.id for d in devices), left, network.index)


def leave_room_for_pins(situation: Situation, problem: FreeProblem, decisions: Decisions) -> Decisions:
    """Make devices local that would use nodes of pinned slices, until both sides' queues hold (13b, 13c)."""
    s = problem.scenario
    arrays = [x.copy() for x in (decisions.access_point, decisions.node, decisions.slice)]
    for j, name in enumerate(s.nodes):
        brought = math.fsum(pin.arrivals_hz.get(name, 0.0) for pin in situation.pins)
        bound = min(
            (pin.others_hz[name] for pin in situation.pins if name in pin.others_hz), default=math.inf
        )
        if brought == 0.0 and math.isinf(bound):
            continue
        users = np.flatnonzero(arrays[1] == j)
        work = s.slice_cycles[users, arrays[2][users]]
        for i in users[np.argsort(-work, kind="stable")]:
            if _fits_with(s, arrays, j, brought, bound):
                break
            for x in arrays:
                x[i] = LOCAL
    return Decisions(*arrays)


def _fits_with(s: Scenario, arrays: list[IntArray], j: int, brought: float, bound: float) -> bool:
    users = np.flatnonzero(arrays[1] == j)
    arrivals = float(s.arrival_rate_hz[users].sum())
    if s.queueing == "device":
        return True
    if arrivals > bound * (1 - 1e-12):
        return users.size == 0
    for n in np.unique(arrays[2][users]):
        mine = users[arrays[2][users] == n]
        work = s.slice_cycles[mine, n]
        needed = float((work * (arrivals + brought + 1.0 / s.local_time_s[mine])).sum())
        if needed > s.node_capacity_hz[j, n] * (1 - 1e-12):
            return False
    return True


def proposal_of(situation: Situation, problem: FreeProblem, decisions: Decisions, shares: Shares) -> Proposal:
    """Decisions and inter-slice shares of the free problem by name, shares as parts of the whole access point."""
    s = problem.scenario
    points, nodes, slices = (x.tolist() for x in (decisions.access_point, decisions.node, decisions.slice))
    places = {
        problem.devices[i]: Place(s.access_points[points[i]], s.nodes[nodes[i]], s.slices[slices[i]].name)
        for i in np.flatnonzero(~decisions.local).tolist()
    }
    omega = shares.bandwidth * problem.left[:, None]
    pinned = {pin.slice for pin in situation.pins}
    bandwidth = {
        item.name: {a: float(x) for a, x in zip(s.access_points, omega[:, n], strict=True) if x > 0}
        for n, item in enumerate(s.slices)
        if item.name not in pinned
    }
    return Proposal(places, bandwidth)
