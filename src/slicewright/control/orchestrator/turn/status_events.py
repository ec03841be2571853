"""What the statuses of managers mean for the orchestrator's state: pure, and safe to repeat."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from slicewright.control.messages.measurement import Measurement
from slicewright.control.messages.sharing import CLOSED_FORM_NAME
from slicewright.control.messages.status import Status
from slicewright.control.state.device import FIRST_LIFE, Device
from slicewright.control.state.events import (
    Acknowledged,
    Adopted,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    Rebalanced,
    Refused,
    SharesReported,
)
from slicewright.control.state.fold import bandwidth_by_roots
from slicewright.control.state.state import OrchestratorState


def adopted(state: OrchestratorState, statuses: Mapping[str, Status]) -> list[Event]:
    """Grants that managers hold and the journal knows nothing of: it has lost the records behind them.

    A device returns from its seat if it was admitted, or measured anew, after what the journal knows. One that the
    journal knows to be withdrawn stays withdrawn; where that record is lost, too, the event names who is back.
    """
    out: list[Event] = []
    for name, account in state.accounts.items():
        status = statuses.get(name)
        if status is None or status.held.order <= account.held.order:
            continue
        if any(status.held.order == grant.order for grant in account.possible):
            continue
        known, lives = state.devices, state.lives
        returned = tuple(
            device
            for device, seat in status.held.seats.items()
            if (
                seat.generation > max(state.inherited, state.withdrawn.get(device, 0))
                if device not in known
                else seat.life > lives.get(device, FIRST_LIFE)
            )
        )
        out.append(Adopted(replace(status.held, record=0), returned, status.held.record))
    return out


def grants_answered(state: OrchestratorState, statuses: Mapping[str, Status]) -> list[Event]:
    """Acknowledgements and refusals of grants that are on their way. Stale statuses name older revisions."""
    out: list[Event] = []
    for name, account in state.accounts.items():
        status = statuses.get(name)
        if account.sent is None or status is None:
            continue
        if status.held.order == account.sent.order:
            out.append(Acknowledged(name, account.sent.revision))
        elif (status.refused_term, status.refused) == account.sent.order:
            out.append(Refused(name, account.sent.revision, status.reason))
    return out


def shares_reported(state: OrchestratorState, statuses: Mapping[str, Status]) -> list[SharesReported]:
    """How managers with a learned model share the grants that they are known to hold, whenever that has changed.

    Shares for newer measurements than the grant's are left out: a decision for these is about to follow.
    """
    out: list[SharesReported] = []
    for name, account in state.accounts.items():
        status = statuses.get(name)
        if status is None or status.rule == CLOSED_FORM_NAME or status.applied != account.held.revision:
            continue
        if status.applied == 0 or not status.as_granted:
            continue
        how = status.sharing
        now = SharesReported(
            name, status.applied, status.rule, how.path, how.reason, how.cost_ratio,
            status.radio, status.compute, status.local,
        )  # fmt: skip
        if now != state.shares_reported.get(name):
            out.append(now)
    return out


def devices_measured(state: OrchestratorState, statuses: Mapping[str, Status]) -> list[Event]:
    """Newer details of devices, and departures, that managers know of and the orchestrator does not.

    What was measured in an earlier life of a device, or before what is known of it, says nothing.
    """
    newest = _newest_measured(state, statuses)
    gone = tuple(device for device, found in newest.items() if found.departed)
    counters = {device: found.counter for device, found in newest.items() if not found.departed}
    merged = (merge(state.devices[device], newest[device], state) for device in counters)
    changed = tuple(device for device in merged if device != state.devices[device.id])
    out: list[Event] = []
    if counters:
        out.append(DevicesAdmitted(changed, source="manager", counters=counters))
    if gone:
        out.append(DevicesRemoved(gone))
    return out


def _newest_measured(state: OrchestratorState, statuses: Mapping[str, Status]) -> dict[str, Measurement]:
    """The newest measurement of each device that the orchestrator has not taken in yet."""
    found: dict[str, Measurement] = {}
    for name in state.accounts:
        status = statuses.get(name)
        for device, measured in ({} if status is None else status.measured).items():
            life = state.lives.get(device, FIRST_LIFE)
            if device not in state.devices or not life.takes(measured.generation, measured.counter):
                continue
            if device not in found or found[device].counter < measured.counter:
                found[device] = measured
    return found


def merge(device: Device, newest: Measurement, state: OrchestratorState) -> Device:
    """A device with what was measured; work changes in proportion to the size of the task."""
    scale = 1.0 if newest.task_bits is None else newest.task_bits / device.task_bits
    rates = device.rate_bps
    if newest.rate_bps is not None and state.network is not None:
        if rates is None:
            computed = state.network.arrays([device])[1][0]
            rates = dict(zip(state.network.access_points, map(float, computed), strict=True))
        rates = {**rates, **newest.rate_bps}
    return replace(
        device,
        task_bits=device.task_bits if newest.task_bits is None else newest.task_bits,
        local_cycles=device.local_cycles * scale,
        slice_cycles={name: cycles * scale for name, cycles in device.slice_cycles.items()},
        arrival_rate_hz=device.arrival_rate_hz if newest.arrival_rate_hz is None else newest.arrival_rate_hz,
        rate_bps=rates,
    )


def rebalanced(
    state: OrchestratorState, statuses: Mapping[str, Status], away: Collection[str], least_change: float
) -> tuple[Rebalanced, ...]:
    """SP2 on what the managers report, if some share would change by more than ``least_change``."""
    roots = {
        name: dict(statuses[name].roots)
        for name, account in state.accounts.items()
        if name not in away and name in statuses and statuses[name].applied == account.held.revision
    }
    change = max(
        (
            abs(omega - state.accounts[name].target.bandwidth[a])
            for name, by_point in bandwidth_by_roots(state.accounts, roots).items()
            for a, omega in by_point.items()
        ),
        default=0.0,
    )
    return (Rebalanced(roots),) if change > least_change else ()
