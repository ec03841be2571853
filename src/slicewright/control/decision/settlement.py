"""From a situation to targets for every slice: pure, so that a replay finds the same.

A method proposes places and inter-slice shares (SP3, SP2). Settling turns them into grants, lets the managers' own
code compute the intra-slice shares (SP1) and has the one judge look at the whole. What it rejects is not used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from slicewright.control.decision.free_problem import (
    FreeProblem,
    PlaceIndex,
    Proposal,
    free_problem,
    make_room,
    proposal_of,
)
from slicewright.control.sharing.allocation import Allocation, allocate
from slicewright.control.state.grants import Grant, Place, Seat
from slicewright.control.state.reasons import Reason, why_local
from slicewright.control.state.situation import Pin, Situation
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing import plan as plan_with
from slicewright.slicing.baselines import drop_until_feasible
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import Shares, optimal_shares
from slicewright.types import FloatArray

LAST_GOOD = "last-good"


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
        runtime_s: s, proposing and settling.
        notes: what the method remarked, such as that its model could not be asked.
    """

    method: str
    devices: tuple[str, ...]
    plan: Plan | None
    targets: Mapping[str, Grant]
    places: Mapping[str, Place]
    reasons: Mapping[str, Reason]
    runtime_s: float
    notes: tuple[str, ...] = ()


def decide(
    situation: Situation,
    method: str,
    *,
    rounds: int,
    seed: int,
    epoch: int = 0,
    previous: Mapping[str, Place] | None = None,
    keep_ratio: float = 0.0,
) -> Settlement | None:
    """Ask one method; None if the judge rejects its answer.

    Args:
        situation: what is to be decided.
        method: a name of the policy registry.
        rounds: of search; no clock is consulted, so the answer depends on the arguments alone.
        seed: of the method.
        epoch: written into the grants.
        previous: places of the last decision.
        keep_ratio: moving devices interrupts them, so the last plan, improved only device by device, is kept
            where it costs at most this much more than the method's answer. 0 keeps nothing.

    Raises:
        UnknownNameError: no such method.
    """
    began = time.perf_counter()
    proposal = propose(situation, method, rounds=rounds, seed=seed)
    settlement = settle(situation, proposal, method, epoch=epoch, began=began)
    if settlement is None or settlement.plan is None or not previous or keep_ratio <= 0:
        return settlement
    kept = replace(_improved(situation, previous), notes=proposal.notes)
    steady = settle(situation, kept, method, epoch=epoch, began=began)
    if (
        steady is None
        or steady.plan is None
        or steady.plan.cost_s > settlement.plan.cost_s * (1 + keep_ratio)
    ):
        return settlement
    return steady


def _improved(situation: Situation, previous: Mapping[str, Place]) -> Proposal:
    """The last places after each device has had the chance to do better, newcomers included."""
    problem = free_problem(situation)
    if problem is None:
        return Proposal({}, {})
    decisions, shares = iterated_search(problem.scenario, start=_still_valid(problem, previous), rounds=0)
    return _with_room(situation, problem, decisions, shares)


def _still_valid(problem: FreeProblem, previous: Mapping[str, Place]) -> Decisions:
    index = PlaceIndex(problem)
    places = [previous.get(device) for device in problem.devices]
    valid = index.decisions(places).valid(problem.scenario)
    return index.decisions([place if ok else None for place, ok in zip(places, valid, strict=True)])


def _with_room(situation: Situation, problem: FreeProblem, decisions: Decisions, shares: Shares) -> Proposal:
    if situation.pins:
        decisions = make_room(situation, problem, decisions)
        shares = optimal_shares(problem.scenario, decisions) or shares
    return proposal_of(situation, problem, decisions, shares)


def decide_last_good(situation: Situation, previous: Mapping[str, Place], *, epoch: int = 0) -> Settlement:
    """The places of the last plan as far as they still exist and fit; everybody else local. Always answers."""
    began = time.perf_counter()
    problem = free_problem(situation)
    if problem is not None:
        decisions, shares = drop_until_feasible(problem.scenario, _still_valid(problem, previous))
        settlement = settle(
            situation, proposal_of(situation, problem, decisions, shares), LAST_GOOD, epoch=epoch, began=began
        )
        if settlement is not None:
            return settlement
    return _settled(situation, Proposal({}, {}), LAST_GOOD, epoch=epoch, began=began)


def propose(situation: Situation, method: str, *, rounds: int, seed: int) -> Proposal:
    """Places and inter-slice shares by a method of the registry, for everything that no pin holds."""
    problem = free_problem(situation)
    if problem is None:
        return Proposal({}, {})
    answer = plan_with(problem.scenario, method=method, rounds=rounds, seed=seed)
    return replace(_with_room(situation, problem, answer.decisions, answer.shares), notes=answer.notes)


def settle(
    situation: Situation, proposal: Proposal, method: str, *, epoch: int, began: float
) -> Settlement | None:
    """Grants, shares, reasons and the judge's word on a proposal; None when the judge rejects it."""
    settlement = _settled(situation, proposal, method, epoch=epoch, began=began)
    rejected = settlement.plan is not None and not settlement.plan.violations.feasible
    return None if rejected else settlement


def _settled(
    situation: Situation, proposal: Proposal, method: str, *, epoch: int, began: float
) -> Settlement:
    targets = targets_of(situation, proposal, epoch)
    grants = {**targets, **{pin.slice: pin.held for pin in situation.pins}}
    allocations = {name: allocate(grant) for name, grant in grants.items()}
    plan = assemble(situation, grants, allocations, method)
    runtime = time.perf_counter() - began
    devices = tuple(d.id for d in situation.plannable)
    return Settlement(
        method=method,
        devices=devices,
        plan=None if plan is None else plan.with_(runtime_s=runtime),
        targets=targets,
        places={
            d: Place(s.access_point, s.node, g.slice) for g in targets.values() for d, s in g.seats.items()
        },
        reasons=_reasons(situation, plan, allocations),
        runtime_s=runtime,
        notes=proposal.notes,
    )


def targets_of(situation: Situation, proposal: Proposal, epoch: int) -> dict[str, Grant]:
    """One grant per slice that is not pinned."""
    network = situation.network
    pinned = {pin.slice for pin in situation.pins}
    names = [name for name in network.slice_names if name not in pinned]
    devices = {d.id: d for d in situation.plannable}
    scenario = network.scenario(situation.plannable) if devices else None
    row = {d.id: i for i, d in enumerate(situation.plannable)}
    ap = {name: a for a, name in enumerate(network.access_points)}
    node = {name: j for j, name in enumerate(network.nodes)}
    seats: dict[str, dict[str, Seat]] = {name: {} for name in names}
    for device, place in proposal.places.items():
        if scenario is None or device not in row:
            continue
        i, n = row[device], network.slice_names.index(place.slice)
        seats[place.slice][device] = Seat(
            access_point=place.access_point,
            node=place.node,
            task_bits=devices[device].task_bits,
            rate_bps=float(scenario.rate_bps[i, ap[place.access_point]]),
            cycles=float(scenario.slice_cycles[i, n]),
            local_time_s=float(scenario.local_time_s[i]),
            arrival_hz=devices[device].arrival_rate_hz,
        )
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
            capacity_hz={j: float(network.node_capacity_hz[node[j], n]) for j in used},
            queueing=network.queueing,
        )
    return made


def assemble(
    situation: Situation, grants: Mapping[str, Grant], allocations: Mapping[str, Allocation], method: str
) -> Plan | None:
    """The plan that grants and shares amount to, over all plannable devices; None without devices."""
    if not situation.plannable:
        return None
    scenario = situation.network.scenario(situation.plannable)
    row = {d.id: i for i, d in enumerate(situation.plannable)}
    ap = {name: a for a, name in enumerate(scenario.access_points)}
    node = {name: j for j, name in enumerate(scenario.nodes)}
    triples = np.full((3, len(row)), LOCAL)
    radio, compute = np.zeros(len(row)), np.zeros(len(row))
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
                triples[:, i] = ap[seat.access_point], node[seat.node], n
                radio[i], compute[i] = shares.radio[device], shares.compute[device]
    return Plan(scenario, Decisions(*triples), Shares(bandwidth, radio, compute), method=method)


def _reasons(
    situation: Situation, plan: Plan | None, allocations: Mapping[str, Allocation]
) -> dict[str, Reason]:
    reasons = dict(situation.unservable)
    if plan is None:
        return reasons
    ids = [d.id for d in situation.plannable]
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
    ids = [d.id for d in situation.plannable]
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
