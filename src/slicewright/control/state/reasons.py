"""Why a device computes locally: stable codes for machines, one sentence each for people."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from slicewright.control.state.device import Device
from slicewright.control.state.network import Network
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.types import BoolArray, FloatArray, IntArray


class Reason(StrEnum):
    """Reason codes; they are part of the interface and never change their meaning."""

    CHEAPER = "local-is-cheaper"
    OUT_OF_REACH = "no-access-point-in-reach"
    UNSTABLE = "no-stable-queue"
    TOO_SLOW = "no-node-as-fast-as-the-device"
    NO_CAPACITY = "no-capacity-left"
    SLICE_AWAY = "slice-manager-away"
    MOVING = "moving-between-slices"
    WAITING = "not-decided-yet"


SENTENCES: dict[Reason, str] = {
    Reason.CHEAPER: "computing locally lowers the sum of all completion times",
    Reason.OUT_OF_REACH: "no access point reaches the device",
    Reason.UNSTABLE: "its tasks arrive faster than any node serves them, even alone (13c)",
    Reason.TOO_SLOW: "no node executes its task as fast as the device itself, even alone (13b)",
    Reason.NO_CAPACITY: "every node that could serve it is taken by other devices (13b, 13c)",
    Reason.SLICE_AWAY: "the manager of a slice does not answer, so its share cannot be moved",
    Reason.MOVING: "it waits until the slice that served it before has released it",
    Reason.WAITING: "no decision has been made since it was requested",
}


def unservable(
    network: Network, devices: Sequence[Device], *, work: FloatArray | None = None
) -> dict[str, Reason]:
    """Devices that no node could serve in a stable queue even alone: they cannot be part of a scenario.

    Args:
        network: with its nodes' capacities. devices: to look at. work: theirs, where it is known already.
    """
    if not devices:
        return {}
    work = network.work(devices) if work is None else work
    best = (network.node_capacity_hz.max(axis=0) / work).max(axis=1)
    rate = np.array([d.arrival_rate_hz for d in devices])
    return {devices[i].id: Reason.UNSTABLE for i in np.flatnonzero(rate >= best).tolist()}


def why_local(scenario: Scenario, decisions: Decisions) -> dict[int, Reason]:
    """The reason of every device that a plan leaves local, by its index in the scenario."""
    local = np.flatnonzero(decisions.local)
    if local.size == 0:
        return {}
    reach = np.diff(scenario.links.start)[local] > 0
    beside: BoolArray = np.any(fits_beside(scenario, local, decisions), axis=(1, 2))
    alone = beside.copy()  # who fits beside others fits alone, as every sum in the test only shrinks
    if not alone.all():
        nobody = Decisions.all_local(scenario.n_devices)
        alone[~beside] = np.any(fits_beside(scenario, local[~beside], nobody), axis=(1, 2))
    return {
        i: _why(reached, fits_alone, fits)
        for i, reached, fits_alone, fits in zip(
            local.tolist(), reach.tolist(), alone.tolist(), beside.tolist(), strict=True
        )
    }


def _why(reached: bool, fits_alone: bool, fits: bool) -> Reason:
    if not reached:
        return Reason.OUT_OF_REACH
    if not fits_alone:
        return Reason.TOO_SLOW
    return Reason.CHEAPER if fits else Reason.NO_CAPACITY


def fits_beside(scenario: Scenario, newcomers: IntArray, decisions: Decisions) -> BoolArray:
    """(k, J, N) whether a node can take one more device in a slice so that 13b and 13c still hold for all there.

    A group's floors, sum of L / tau, must fit beside its queue, Lambda_j sum of L (model page 1.3). With
    queueing "node" a newcomer lengthens the queue of the node's other slices too.

    Args:
        scenario: the problem.
        newcomers: (k,) devices that are local in ``decisions``.
        decisions: of everybody else.
    """
    off = np.flatnonzero(~decisions.local)
    j, n = decisions.node[off], decisions.slice[off]
    shape = (scenario.n_nodes, scenario.n_slices)
    work, floor, own = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    cycles = scenario.slice_cycles[off, n]
    np.add.at(work, (j, n), cycles)
    np.add.at(floor, (j, n), cycles / scenario.local_time_s[off])
    np.add.at(own, (j, n), cycles * scenario.arrival_rate_hz[off])
    capacity = scenario.node_capacity_hz
    new_work: FloatArray = scenario.slice_cycles[newcomers][:, None, :]
    rate = scenario.arrival_rate_hz[newcomers][:, None, None]
    new_floor = new_work / scenario.local_time_s[newcomers][:, None, None]
    if scenario.queueing == "device":
        room: BoolArray = floor + new_floor + own + rate * new_work <= capacity
        return room
    queue = (
        np.bincount(j, weights=scenario.arrival_rate_hz[off], minlength=scenario.n_nodes)[None, :, None]
        + rate
    )
    mine = floor + new_floor + queue * (work + new_work) <= capacity
    unharmed = floor + queue * work <= capacity
    harmed = (~unharmed).sum(axis=2, keepdims=True) - ~unharmed
    result: BoolArray = mine & (harmed == 0)
    return result
