"""What the orchestrator shows: documents made from its state, pure and cached by their callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from slicewright.control.decision.settlement import Settlement
from slicewright.control.messages.status import Status
from slicewright.control.state.device import FIRST_LIFE, Device
from slicewright.control.state.grants import Grant, GrantAccount
from slicewright.control.state.reasons import SENTENCES, Reason
from slicewright.control.state.state import OrchestratorState
from slicewright.control.views.picture import Picture
from slicewright.slicing.judge import RULES
from slicewright.slicing.open_gap import explain_gap
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import (
    TEST_NETWORK,
    Plmn,
    Profile,
    rounding_effect,
    rrm_policies,
)
from slicewright.types import Document

EMPTY_PLAN: Document = {
    "schema": "slicewright/plan/v1",
    "method": "none",
    "status": "optimal",
    "cost_s": 0.0,
    "lower_bound_s": 0.0,
    "gap": 0.0,
    "runtime_s": 0.0,
    "violations": dict.fromkeys(RULES, 0.0),
    "decisions": [],
}
"""The plan of no devices."""


def plan_document(picture: Picture) -> Document:
    """``slicewright/plan/v1``; its indices are the ``index`` of :func:`device_document`."""
    return EMPTY_PLAN if picture.plan is None else explained_plan(picture.plan)


def explained_plan(plan: Plan) -> Document:
    """``slicewright/plan/v1``; where a proven gap is above 5 %, the last note says in one sentence why."""
    document, reason = plan.to_dict(), explain_gap(plan)
    return document if reason is None else {**document, "notes": [*plan.notes, reason]}


def device_document(picture: Picture, device: str) -> Document:
    """One device: where it is served, or why not."""
    found = picture.state.devices[device]
    made = _device_document(found, picture.row.get(device), picture.plan, picture.reason(device))
    return {**made, "generation": picture.state.lives.get(device, FIRST_LIFE).generation}


def settlement_document(settlement: Settlement, state: OrchestratorState, device: str) -> Document:
    """The same, straight from the decision that has just been made."""
    index = settlement.row.get(device)
    reason = settlement.reasons.get(device)
    if device not in settlement.places and reason is None and not _offloaded(settlement.plan, index):
        reason = Reason.WAITING
    made = _device_document(state.devices[device], index, settlement.plan, reason)
    return {**made, "generation": state.lives.get(device, FIRST_LIFE).generation}


def is_granted(state: OrchestratorState, device: str) -> bool:
    """Whether the slice of an offloaded device is known to hold its seat; a local one needs nobody's leave."""
    place = state.places.get(device)
    if place is None:
        return True
    seat = state.accounts[place.slice].held.seats.get(device)
    return seat is not None and (seat.access_point, seat.node) == (place.access_point, place.node)


def _offloaded(plan: Plan | None, index: int | None) -> bool:
    return plan is not None and index is not None and not plan.decisions.local[index]


def _device_document(device: Device, index: int | None, plan: Plan | None, reason: Reason | None) -> Document:
    base: Document = {
        "id": device.id,
        "index": index,
        "state": "local" if reason is not None else "offloaded",
        "reason": reason,
        "explanation": None if reason is None else SENTENCES[reason],
        "access_point": None,
        "node": None,
        "slice": None,
        "completion_s": device.local_time_s,
    }
    if reason is not None or plan is None or index is None:
        return base
    d, s = plan.decisions, plan.scenario
    return {
        **base,
        "access_point": s.access_points[int(d.access_point[index])],
        "node": s.nodes[int(d.node[index])],
        "slice": s.slices[int(d.slice[index])].name,
        "completion_s": float(plan.times.completion_s[index]),
    }


def slice_documents(
    picture: Picture, statuses: Mapping[str, Status], away: Mapping[str, str]
) -> list[Document]:
    """Every slice with its account: grant, revision, manager."""
    out = []
    for name, account in picture.state.accounts.items():
        status = statuses.get(name)
        grant = picture.grants[name]
        out.append(
            {
                "name": name,
                "state": _slice_state(account, name, away),
                "detail": account.refusal or away.get(name, ""),
                "devices": len(grant.seats),
                "held_revision": account.held.revision,
                "sent_revision": None if account.sent is None else account.sent.revision,
                "bandwidth_share": dict(grant.bandwidth),
                "arrivals_hz": dict(grant.arrivals_hz),
                "manager": None
                if status is None
                else {
                    "instance": status.instance,
                    "applied_revision": status.applied,
                    "generation": status.generation,
                    "rule": status.rule,
                    "shares": asdict(status.sharing),
                    "sent_home": dict(status.local),
                },
            }
        )
    return out


def _slice_state(account: GrantAccount, name: str, away: Mapping[str, str]) -> str:
    if account.refusal is not None:
        return "refused"
    if name in away:
        return "away"
    return "active" if account.settled else "moving"


def node_documents(picture: Picture) -> list[Document]:
    """Every node: capacity, devices, arrivals and used share in each slice."""
    network = picture.situation.network
    seated = {name: _seats_by_node(grant) for name, grant in picture.grants.items()}
    out = []
    for j, name in enumerate(network.nodes):
        per_slice: Document = {}
        for n, slice_name in enumerate(network.slice_names):
            grant, shares = picture.grants.get(slice_name), picture.allocations.get(slice_name)
            here = seated.get(slice_name, {}).get(name, [])
            used = 0.0 if shares is None else sum(shares.compute.get(d, 0.0) for d in here)
            per_slice[slice_name] = {
                "capacity_hz": float(network.node_capacity_hz[j, n]),
                "devices": len(here),
                "compute_share": min(1.0, used),
                "load": 0.0 if grant is None else _load(grant, name, here),
            }
        arrivals = sum(grant.arrivals_hz.get(name, 0.0) for grant in picture.grants.values())
        out.append(
            {"name": name, "kind": network.node_kinds[j], "arrivals_hz": arrivals, "slices": per_slice}
        )
    return out


def _seats_by_node(grant: Grant) -> dict[str, list[str]]:
    """Node to the devices that a grant serves there."""
    found: dict[str, list[str]] = {}
    for device, seat in grant.seats.items():
        found.setdefault(seat.node, []).append(device)
    return found


def _load(grant: Grant, node: str, devices: list[str]) -> float:
    """Work that the grant's own arrivals bring to a node, as part of the slice's capacity there.

    Not node use, which counts what a queue shared between slices takes as well.
    """
    capacity = grant.capacity_hz.get(node, 0.0)
    work = sum(grant.seats[d].cycles * grant.seats[d].arrival_hz for d in devices)
    return work / capacity if capacity > 0 else 0.0


def radio_documents(
    picture: Picture, *, profile: Profile = "hard", plmn: Plmn = TEST_NETWORK
) -> list[Document]:
    """Every access point: RRMPolicyRatio entries, and the share requested, quantised and realised per slice."""
    if picture.plan is None or picture.split is None:
        return []
    scenario, split = picture.plan.scenario, picture.split
    effect = rounding_effect(scenario, picture.plan.decisions, picture.plan.shares, split)
    names = [d.id for d in picture.situation.plannable]
    starved = {names[int(i)] for i in effect.starved}
    out = []
    for a, point in enumerate(scenario.access_points):
        here = [names[int(i)] for i in (picture.plan.decisions.access_point == a).nonzero()[0]]
        out.append(
            {
                "access_point": point,
                "bandwidth_hz": float(scenario.bandwidth_hz[a]),
                "resource_blocks": int(split.blocks[a]),
                "devices": len(here),
                "profile": profile,
                "rRMPolicyRatio": rrm_policies(scenario.slices, split.percent[a], profile=profile, plmn=plmn),
                "shares": {
                    item.name: {
                        "requested": float(split.requested[a, n]),
                        "quantised": int(split.percent[a, n]) / 100,
                        "realised": float(split.realised[a, n]),
                    }
                    for n, item in enumerate(scenario.slices)
                },
                "starved_devices": sorted(starved.intersection(here)),
            }
        )
    return out


def attempts_document(state: OrchestratorState) -> list[Document]:
    """The path through the fallback chain of the last decision."""
    return [] if state.last is None else [asdict(attempt) for attempt in state.last.attempts]
