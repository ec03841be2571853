"""How each event changes the orchestrator's state, and which grants that state lets go out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import islice

from slicewright.control.state.device import FIRST_LIFE, Life
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import (
    LOCAL,
    Acknowledged,
    Adopted,
    Certified,
    Checkpoint,
    Decided,
    DecisionChanged,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    MethodChanged,
    NetworkSet,
    Rebalanced,
    Refused,
    Restored,
    Sent,
    SharesReported,
    TookOver,
)
from slicewright.control.state.events.city import CityBegan, CityChanged, CityProven
from slicewright.control.state.events.differences import whole_decision
from slicewright.control.state.grants import Grant, GrantAccount, next_grants, release
from slicewright.control.state.idempotency import Remembered, with_key
from slicewright.control.state.network import Network
from slicewright.control.state.situation import device_of_seat
from slicewright.control.state.state import Methods, OrchestratorState, load

MOST_WITHDRAWN = 10_000
"""A manager may stay away for months while devices come and go."""


def fold(state: OrchestratorState, event: Event) -> OrchestratorState:
    """The state after an event.

    Raises:
        ControlError: the event does not fit the state: the journal is not one of ours.
    """
    match event:
        case NetworkSet():
            return _with_network(state, event)
        case DevicesAdmitted():
            return _with_devices(state, event)
        case DevicesRemoved():
            kept = {name: d for name, d in state.devices.items() if name not in event.devices}
            lives = {name: life for name, life in state.lives.items() if name not in event.devices}
            owners = {name: owner for name, owner in state.owners.items() if name not in event.devices}
            withdrawn = _withdrawn(state, event)
            return state.with_(devices=kept, lives=lives, owners=owners, withdrawn=withdrawn, dirty=True)
        case Decided():
            return _with_decision(state, event)
        case DecisionChanged():
            return _with_decision(state, whole_decision(state.last, event))
        case Certified():
            return _with_certificate(state, event)
        case Rebalanced():
            bandwidth = bandwidth_by_roots(state.accounts, event.roots)
            return state.with_(accounts=_with_bandwidth(state.accounts, bandwidth))
        case Sent() | Acknowledged() | Refused():
            return _with_message(state, event)
        case SharesReported():
            return state.with_(shares_reported={**state.shares_reported, event.slice: event})
        case MethodChanged():
            return state.with_(methods=_with_method(state.methods, event))
        case TookOver():
            return _with_leader(state, event)
        case Adopted():
            return _with_adopted(state, event)
        case Checkpoint() | Restored():
            return load(event.state)
        case CityBegan() | CityChanged() | CityProven():
            raise ControlError("this is the journal of a city that was decided event by event")


def sends(state: OrchestratorState, away: Collection[str] = ()) -> list[Sent]:
    """The grants that may be published now, as events; once folded, they are ``sent`` in the slices' accounts."""
    waiting = {name for name, account in state.accounts.items() if account.refusal is not None}
    found = next_grants(state.accounts, {*away, *waiting}, fence=state.fence)
    return [Sent(grant.slice, state.revision + 1 + k, stage) for k, (grant, stage) in enumerate(found)]


def _with_network(state: OrchestratorState, event: NetworkSet) -> OrchestratorState:
    network = Network.from_document(event.document)
    accounts = {}
    for name in (*network.slice_names, *state.accounts):
        empty = Grant(slice=name, queueing=network.queueing)
        account = state.accounts.get(name, GrantAccount(held=empty, target=empty))
        gone = name not in network.slice_names
        if not gone or account.possible != (empty,):
            accounts[name] = replace(account, target=empty) if gone else account
    return state.with_(
        network=network, network_revision=state.network_revision + 1, accounts=accounts, dirty=True
    )


def _with_devices(state: OrchestratorState, event: DevicesAdmitted) -> OrchestratorState:
    lives = state.lives
    if event.generation:
        lives = {**lives, **{d.id: Life(event.generation) for d in event.devices}}
    elif event.counters:
        newer = {
            name: lives.get(name, FIRST_LIFE)._replace(counter=counter)
            for name, counter in event.counters.items()
        }
        lives = {**lives, **newer}
    return state.with_(
        devices={**state.devices, **{d.id: d for d in event.devices}},
        lives=lives,
        owners=_with_owners(state, event),
        admissions=max(state.admissions, event.generation),
        keys=_with_key(state.keys, event),
        dirty=state.dirty or event.source == "api" or bool(event.devices),
    )


def _withdrawn(state: OrchestratorState, event: DevicesRemoved) -> Mapping[str, int]:
    """What no grant of a lost future brings back: remembered until every manager has one of this term."""
    if all(account.held.term >= state.fence for account in state.accounts.values()):
        return {}
    newest = max(state.admissions, state.first_admission - 1)
    kept = {**state.withdrawn, **dict.fromkeys(event.devices, newest)}
    return dict(islice(kept.items(), max(0, len(kept) - MOST_WITHDRAWN), None))


def _with_owners(state: OrchestratorState, event: DevicesAdmitted) -> Mapping[str, str]:
    """New devices belong to the caller; others stay whose they are."""
    if event.by in ("", LOCAL):
        return state.owners
    return {**state.owners, **{d.id: event.by for d in event.devices if d.id not in state.devices}}


def _with_key(keys: Mapping[str, Remembered], event: DevicesAdmitted) -> Mapping[str, Remembered]:
    if event.key is None:
        return keys
    ids = tuple(device.id for device in event.devices)
    return with_key(keys, event.key, Remembered(event.request_digest or "", ids, event.asked_s))


def _with_decision(state: OrchestratorState, event: Decided) -> OrchestratorState:
    accounts = {}
    for name, account in state.accounts.items():
        if name in event.targets:
            accounts[name] = replace(account, target=event.targets[name], refusal=None)
        elif name in event.pinned:
            # The others were given only what this slice cannot be holding: it must not be sent anything older.
            accounts[name] = replace(account, target=account.newest)
        else:
            accounts[name] = replace(account, refusal=None)
    return state.with_(
        accounts=accounts,
        places=event.places,
        reasons=event.reasons,
        epoch=event.epoch,
        dirty=False,
        last=event,
    )


def _with_certificate(state: OrchestratorState, event: Certified) -> OrchestratorState:
    if state.last is None or state.last.epoch != event.epoch:
        return state
    return state.with_(last=replace(state.last, lower_bound_s=event.lower_bound_s, gap=event.gap))


def bandwidth_by_roots(
    accounts: Mapping[str, GrantAccount], roots: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Omega in proportion to the reported sums (SP2), among the slices that reported; the others keep theirs.

    Args:
        accounts: of all slices; their targets have the shares now.
        roots: slice to access point to the reported sum of sqrt(T), sqrt(s).

    Returns:
        Slice to access point to omega, for the slices that reported.
    """
    points = sorted({a for by_point in roots.values() for a in by_point})
    bandwidth = {name: dict(accounts[name].target.bandwidth) for name in roots if name in accounts}
    for a in points:
        shares = {name: roots[name].get(a, 0.0) for name in bandwidth if a in bandwidth[name]}
        total = math.fsum(shares.values())
        available = math.fsum(bandwidth[name][a] for name in shares)
        if total > 0 and all(share > 0 for share in shares.values()):
            for name, share in shares.items():
                bandwidth[name][a] = available * share / total
    return bandwidth


def _with_bandwidth(
    accounts: Mapping[str, GrantAccount], bandwidth: Mapping[str, Mapping[str, float]]
) -> Mapping[str, GrantAccount]:
    return {
        name: replace(account, target=replace(account.target, bandwidth=bandwidth[name]))
        if name in bandwidth
        else account
        for name, account in accounts.items()
    }


def _with_message(state: OrchestratorState, event: Sent | Acknowledged | Refused) -> OrchestratorState:
    account = state.accounts.get(event.slice)
    if account is None:
        raise ControlError(f"the journal names slice {event.slice!r}, which does not exist")
    if isinstance(event, Sent):
        terms = {"target": account.target, "held": account.held}.get(event.stage)
        terms = terms or release(account.held, account.target)
        changed = replace(account, sent=replace(terms, revision=event.revision, term=state.term))
        revision = max(state.revision, event.revision)
        return state.with_(accounts={**state.accounts, event.slice: changed}, revision=revision)
    if account.sent is None or account.sent.revision != event.revision:
        return state
    if isinstance(event, Acknowledged):
        changed = GrantAccount(held=account.sent, target=account.target)
    else:
        changed = replace(account, sent=None, refusal=event.reason)
    return state.with_(accounts={**state.accounts, event.slice: changed})


def _with_leader(state: OrchestratorState, event: TookOver) -> OrchestratorState:
    # The leader before may have admitted more than the journal still knows: terms grow by the millisecond, so this
    # one's number is greater than all of those.
    return state.with_(
        leader=event.instance,
        term=max(state.term, event.term),
        fence=max(state.fence, event.term) if event.fences else state.fence,
        first_admission=event.term if state.leader else 0,
        inherited=state.admissions,
        dirty=True,
    )


def _with_adopted(state: OrchestratorState, event: Adopted) -> OrchestratorState:
    grant = event.grant
    account = state.accounts.get(grant.slice)
    if account is None:
        raise ControlError(f"the journal names slice {grant.slice!r}, which does not exist")
    sent = account.sent if account.sent is not None and account.sent.order > grant.order else None
    devices, lives = dict(state.devices), dict(state.lives)
    for name in event.returned:
        devices[name] = device_of_seat(name, grant, state.devices.get(name))
        lives[name] = grant.seats[name].life
    return state.with_(
        accounts={**state.accounts, grant.slice: GrantAccount(grant, account.target, sent)},
        devices=devices,
        lives=lives,
        admissions=max([state.admissions, *(grant.seats[name].generation for name in event.returned)]),
        revision=max(state.revision, grant.revision),
        term=max(state.term, grant.term + 1),
        fence=max(state.fence, state.term, grant.term + 1),
        first_admission=max(state.first_admission, state.term),
        dirty=True,
    )


def _with_method(methods: Methods, event: MethodChanged) -> Methods:
    match event.action:
        case "canary":
            return replace(methods, canary=event.method)
        case "drop-canary":
            return replace(methods, canary=None)
        case "switch":
            canary = None if methods.canary == event.method else methods.canary
            return Methods(event.method, methods.active, canary)
        case "roll-back":
            return Methods(event.method, None, methods.canary)
