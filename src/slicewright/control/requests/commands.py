"""Changes that callers may ask for: pure functions from the state to events, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence

from slicewright.control.state.device import Device
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, Event, MethodChanged, NetworkSet
from slicewright.control.state.idempotency import Remembered
from slicewright.control.state.network import Network
from slicewright.control.state.state import OrchestratorState
from slicewright.errors import InvalidOptionError, InvalidScenarioError, UnknownNameError, nearest
from slicewright.policies.slicing import policies


class NoNetworkError(ControlError):
    """There is no network to serve devices in."""


class UnknownDeviceError(ControlError, LookupError):
    """No device has this id."""


class KeyReusedError(ControlError):
    """An Idempotency-Key came with another request before."""


class CapacityError(ControlError):
    """More devices than the orchestrator is set up for."""


class StaleError(ControlError):
    """The caller has seen an older version of what it wants to replace."""


class TrialError(ControlError):
    """A method cannot take over: it has not proven itself."""


def admit(
    state: OrchestratorState,
    devices: Sequence[Device],
    *,
    most: int,
    key: str | None = None,
    digest: str | None = None,
    now_s: float = 0.0,
) -> tuple[Event, ...]:
    """Accept requests; a repeated key with the same request changes nothing.

    Args:
        state: now.
        devices: new ones, or new details of known ones.
        most: devices that there may be.
        key: Idempotency-Key, scoped to the caller. digest: of the request that it stands for.
        now_s: wall clock, s since 1970: a key stands for its request for ``idempotency.KEY_LIFE_S``.

    Raises:
        NoNetworkError, KeyReusedError, CapacityError: see there.
        InvalidScenarioError: a device names a place that does not exist, or says nothing about its radio.
    """
    if state.network is None:
        raise NoNetworkError("there is no network yet; PUT /v1/network first")
    before = standing_for(state, key, now_s)
    if before is not None:
        if before.request_digest != digest:
            raise KeyReusedError("this Idempotency-Key was used for another request")
        return ()
    seen: set[str] = set()
    for row, device in enumerate(devices):
        if device.id in seen:
            raise InvalidScenarioError(
                "devices.id", "appears twice in the request", index=(row,), value=device.id
            )
        seen.add(device.id)
        _check_places(state.network, device, row)
    if len(state.devices.keys() | seen) > most:
        raise CapacityError(f"there would be more than {most} devices")
    return (
        DevicesAdmitted(
            tuple(devices),
            key,
            digest,
            generation=max(state.admissions + 1, state.first_admission),
            asked_s=0.0 if key is None else now_s,
        ),
    )


def standing_for(state: OrchestratorState, key: str | None, now_s: float) -> Remembered | None:
    """What an Idempotency-Key stands for; None if it is new, or was used too long ago."""
    known = None if key is None else state.keys.get(key)
    return None if known is None or known.expired(now_s) else known


def _check_places(network: Network, device: Device, row: int) -> None:
    for name in device.slice_cycles:
        if name not in network.slice_names:
            rule = f"names a slice that does not exist{nearest(name, network.slice_names)}"
            raise InvalidScenarioError("devices.slice_cycles", rule, index=(row,), value=name)
    for name in device.rate_bps or ():
        if name not in network.access_points:
            rule = f"names an access point that does not exist{nearest(name, network.access_points)}"
            raise InvalidScenarioError("devices.rate_bps", rule, index=(row,), value=name)
    if device.rate_bps is None:
        by_radio = network.radio is not None and network.access_point_m is not None
        if not by_radio or device.position_m is None or device.tx_power_w is None:
            raise InvalidScenarioError(
                "devices.rate_bps",
                "is missing, and cannot be computed without position_m, tx_power_w and a network with positions",
                index=(row,),
            )


def remove(state: OrchestratorState, device: str) -> tuple[Event, ...]:
    """Withdraw a request.

    Raises:
        UnknownDeviceError: no such device.
    """
    if device not in state.devices:
        raise UnknownDeviceError(f"there is no device {device!r}")
    return (DevicesRemoved((device,)),)


def set_network(state: OrchestratorState, network: Network, *, if_revision: int | None) -> tuple[Event, ...]:
    """Replace the network.

    Args:
        state: now.
        network: the new one.
        if_revision: the revision that the caller has seen; None for any.

    Raises:
        StaleError: the network has another revision.
    """
    if if_revision is not None and if_revision != state.network_revision:
        raise StaleError(f"the network is at revision {state.network_revision}, not {if_revision}")
    return (NetworkSet(network.document),)


def change_method(
    state: OrchestratorState, action: str, method: str | None, *, proven: bool, reason: str = ""
) -> tuple[Event, ...]:
    """Try a method on shadow traffic, switch to it, or roll back.

    Args:
        state: now.
        action: ``canary``, ``drop-canary``, ``switch`` or ``roll-back``.
        method: for ``canary`` and ``switch``; by default the canary switches in.
        proven: the method has done well enough as a canary, or the caller insists.
        reason: for the journal.

    Raises:
        UnknownNameError: no such method.
        TrialError: not proven, or there is nothing to roll back to.
    """
    methods = state.methods
    if action == "roll-back":
        if methods.previous is None:
            raise TrialError("there is no earlier method to roll back to")
        return (MethodChanged("roll-back", methods.previous, reason),)
    if action == "drop-canary":
        return () if methods.canary is None else (MethodChanged("drop-canary", methods.canary, reason),)
    chosen = method or methods.canary
    if chosen is None:
        raise InvalidOptionError("method", "is missing, and there is no canary")
    if chosen not in policies():
        raise UnknownNameError("method", chosen, policies())
    if action == "canary":
        return (MethodChanged("canary", chosen, reason),)
    if not proven:
        raise TrialError(f"{chosen} has not proven itself as a canary; try it first, or insist with force")
    if chosen == methods.active:
        return ()
    return (MethodChanged("switch", chosen, reason),)
