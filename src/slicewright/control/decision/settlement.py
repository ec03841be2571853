"""From a situation to targets for every slice: pure, so that a replay finds the same.

A method proposes places and inter-slice shares (SP3, SP2). Settling turns them into grants, lets the managers' own
code compute the intra-slice shares (SP1) and has the one judge look at the whole. What it rejects is not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slicewright.control.decision.free_problem import Proposal
from slicewright.control.sharing.allocation import Allocation, allocate
from slicewright.control.state.device import FIRST_LIFE
from slicewright.control.state.grants import Grant, Place, Seat
from slicewright.control.state.network import positions
from slicewright.control.state.reasons import Reason, why_local
from slicewright.control.state.situation import Pin, Situation
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares
from slicewright.types import FloatArray


@dataclass(frozen=True, eq=False)
class Settlement:
    """A decision that the judge accepts.

    Attributes:
        method: who proposed it.
        devices: ids in the order of the plan's scenario.
        plan: judged plan; None when there is no device to plan.
        targets: slice to grant, pinned slices left out.
        places: offloaded devices.
        reasons: the reason of every local device.
        notes: what the method remarked, such as that its model could not be asked.
    """

    method: str
    devices: tuple[str, ...]
    plan: Plan | None
    targets: Mapping[str, Grant]
    places: Mapping[str, Place]
    reasons: Mapping[str, Reason]
    notes: tuple[str, ...] = ()

    @cached_property
    def row(self) -> Mapping[str, int]:
        """Device to its index in the plan's scenario."""
        return positions(self.devices)


def settle(situation: Situation, proposal: Proposal, method: str, *, epoch: int) -> Settlement | None:
    """Grants, shares, reasons and the judge's word on a proposal; None when the judge rejects it."""
    settlement = settle_unjudged(situation, proposal, method, epoch=epoch)
    rejected = settlement.plan is not None and not settlement.plan.violations.feasible
    return None if rejected else settlement


def settle_unjudged(situation: Situation, proposal: Proposal, method: str, *, epoch: int) -> Settlement:
    """The same, whatever the judge says: for proposals that are known to be feasible."""
    targets = targets_of(situation, proposal, epoch)
    grants = {**targets, **{pin.slice: pin.held for pin in situation.pins}}
    allocations = {name: allocate(grant) for name, grant in grants.items()}
    plan = assemble(situation, grants, allocations, method)
    devices = tuple(situation.row)
    return Settlement(
        method=method,
        devices=devices,
        plan=plan,
        targets=targets,
        places={
            d: Place(s.access_point, s.node, g.slice) for g in targets.values() for d, s in g.seats.items()
        },
        reasons=_reasons(situation, plan, allocations),
        notes=proposal.notes,
    )


def targets_of(situation: Situation, proposal: Proposal, epoch: int) -> dict[str, Grant]:
    """One grant per slice that is not pinned."""
    network = situation.network
    pinned = {pin.slice for pin in situation.pins}
    names = [name for name in network.slice_names if name not in pinned]
    seats = _seats(situation, proposal, names)
    drafts = {name: Grant(slice=name, seats=mine) for name, mine in seats.items()}
    brought = {name: draft.arrivals_hz for name, draft in drafts.items()}
    brought.update({pin.slice: pin.arrivals_hz for pin in situation.pins})
    made: dict[str, Grant] = {}
    for n, name in enumerate(network.slice_names):
        if name in pinned:
            continue
        used = sorted({seat.node for seat in seats[name].values()})
        points = {seat.access_point for seat in seats[name].values()}
        made[name] = Grant(
            slice=name,
            epoch=epoch,
            bandwidth={a: x for a, x in proposal.bandwidth.get(name, {}).items() if a in points},
            seats=seats[name],
            others_hz={j: math.fsum(b.get(j, 0.0) for s, b in brought.items() if s != name) for j in used},
            capacity_hz={j: float(network.node_capacity_hz[network.index.node[j], n]) for j in used},
            queueing=network.queueing,
        )
    return made


def _seats(situation: Situation, proposal: Proposal, names: list[str]) -> dict[str, dict[str, Seat]]:
    """Slice to the seats of its devices, for the slices named."""
    seats: dict[str, dict[str, Seat]] = {name: {} for name in names}
    plannable, row, index = situation.plannable, situation.row, situation.network.index
    served = [(row[device], device, place) for device, place in proposal.places.items() if device in row]
    if not served:
        return seats
    scenario, rows = situation.scenario, np.array([i for i, _, _ in served])
    points = np.array([index.access_point[place.access_point] for _, _, place in served])
    slices = np.array([index.slice[place.slice] for _, _, place in served])
    rates = scenario.rate_of(rows, points).tolist()
    cycles = scenario.slice_cycles[rows, slices].tolist()
    local_s = scenario.local_time_s[rows].tolist()
    for k, (i, device, place) in enumerate(served):
        life = situation.lives.get(device, FIRST_LIFE)
        seats[place.slice][device] = Seat(
            access_point=place.access_point,
            node=place.node,
            task_bits=plannable[i].task_bits,
            rate_bps=rates[k],
            cycles=cycles[k],
            local_time_s=local_s[k],
            arrival_hz=plannable[i].arrival_rate_hz,
            generation=life.generation,
            counter=life.counter,
        )
    return seats


def assemble(
    situation: Situation, grants: Mapping[str, Grant], allocations: Mapping[str, Allocation], method: str
) -> Plan | None:
    """The plan that grants and shares amount to, over all plannable devices; None without devices."""
    if not situation.plannable:
        return None
    scenario = situation.scenario
    row, index = situation.row, situation.network.index
    ap, node = index.access_point, index.node
    # Lists first: setting numbers of an array one by one takes ten times as long.
    points, nodes, slices = ([LOCAL] * len(row) for _ in range(3))
    radio, compute = [0.0] * len(row), [0.0] * len(row)
    bandwidth = np.zeros((scenario.n_access_points, scenario.n_slices))
    for n, item in enumerate(scenario.slices):
        grant, shares = grants.get(item.name), allocations.get(item.name)
        if grant is None or shares is None:
            continue
        for name, omega in grant.bandwidth.items():
            if name in ap:
                bandwidth[ap[name], n] = omega
        for device, seat in grant.seats.items():
            known = device in row and seat.access_point in ap and seat.node in node
            if known and device in shares.radio and device in shares.compute:
                i = row[device]
                points[i], nodes[i], slices[i] = ap[seat.access_point], node[seat.node], n
                radio[i], compute[i] = shares.radio[device], shares.compute[device]
    decisions = Decisions.trusted(*(np.array(x, dtype=np.int64) for x in (points, nodes, slices)))
    shared = Shares(bandwidth, np.array(radio, dtype=np.float64), np.array(compute, dtype=np.float64))
    return Plan(scenario, decisions, shared, method=method)


def _reasons(
    situation: Situation, plan: Plan | None, allocations: Mapping[str, Allocation]
) -> dict[str, Reason]:
    reasons = dict(situation.unservable)
    if plan is None:
        return reasons
    ids = list(situation.row)
    found = {ids[i]: reason for i, reason in why_local(plan.scenario, plan.decisions).items()}
    if situation.pins:
        found = _because_of_pins(situation, plan, found)
    for allocation in allocations.values():
        found.update({device: why for device, why in allocation.local.items() if device in found})
    return {**reasons, **found}


def _because_of_pins(situation: Situation, plan: Plan, found: Mapping[str, Reason]) -> dict[str, Reason]:
    """Where a slice that is away would have had room, that is the reason."""
    pins: tuple[Pin, ...] = situation.pins
    held = frozenset().union(*(pin.devices for pin in pins))
    pinned = {pin.slice for pin in pins}
    columns = np.array([name not in pinned for name in situation.network.slice_names])
    ids = list(situation.row)
    out = dict(found)
    if columns.any():
        masked = np.where(columns, plan.scenario.node_capacity_hz, 0.0)
        try_without = (
            plan.scenario.with_(node_capacity_hz=masked) if _still_stable(plan.scenario, masked) else None
        )
    else:
        try_without = None
    without = {} if try_without is None else why_local(try_without, plan.decisions)
    for i, device in enumerate(ids):
        if device not in found or found[device] is Reason.OUT_OF_REACH:
            continue
        if device in held or try_without is None or without.get(i) not in (Reason.CHEAPER, found[device]):
            out[device] = Reason.SLICE_AWAY
    return out


def _still_stable(scenario: Scenario, capacity: FloatArray) -> bool:
    best = (capacity.max(axis=0) / scenario.slice_cycles).max(axis=1)
    return bool((scenario.arrival_rate_hz < best).all())
