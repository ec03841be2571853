"""Decisions as differences: a record of the journal holds what changed since the decision before, and no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import (
    Decided,
    DecisionChanged,
    GrantChanges,
    NumberChanges,
    RowChanges,
    SeatChanges,
)
from slicewright.control.state.grants import Grant, Place, Seat

_AS_THEY_ARE = (
    "epoch", "method", "rounds", "seed", "keep_ratio", "pinned", "input_digest", "attempts", "changed", "residuals",
    "cost_s", "realised_cost_s", "duration_s",
)  # fmt: skip
"""Fields of a decision that say so little that they are written whole."""
_GRANT_AS_IT_IS = ("epoch", "queueing", "revision", "term", "record")
Value = TypeVar("Value")
_NOTHING = (0.0, 0.0)


class Told(NamedTuple):
    """A decision as it is written down, and as it counts.

    Attributes:
        event: for the journal. whole: what every reader of the journal makes of it, see :func:`whole_decision`.
    """

    event: Decided | DecisionChanged
    whole: Decided


def told_after(before: Decided | None, now: Decided) -> Told:
    """What to write down of a decision, and the decision itself, which need not be put together again.

    What has not changed is the very same object as before: comparing states is then mostly comparing identities.
    """
    if before is None:
        return Told(now, now)
    targets = {
        name: grant if name not in before.targets else _with_known_seats(before.targets[name], grant)
        for name, grant in now.targets.items()
    }
    whole = replace(now, targets=targets)
    event = recorded(before, whole)
    return Told(event, whole)


def _with_known_seats(before: Grant, now: Grant) -> Grant:
    known = before.seats
    seats = {d: k if (k := known.get(d)) == seat else seat for d, seat in now.seats.items()}
    return replace(now, seats=seats)


def recorded(before: Decided | None, now: Decided) -> Decided | DecisionChanged:
    """What to write down of a decision.

    Args:
        before: the last decision, as every reader of the journal knows it when it comes to this record.
        now: the decision, without certificate: that follows as an event of its own.

    Returns:
        What is different; the decision itself if it is the first one, or not what decisions are: places are those of
        the targets.
    """
    if before is None or now.gap is not None or now.lower_bound_s is not None or not _regular(now):
        return now
    gone, came = _without(before.devices, now.devices), _without(now.devices, before.devices)
    in_order = _ordered(before.devices, gone, came) == now.devices
    position = {device: k for k, device in enumerate(now.devices)}
    shares = _new_shares(before, now)
    has_shares = bool(now.radio_share) or not now.devices
    return DecisionChanged(
        **{name: getattr(now, name) for name in _AS_THEY_ARE},
        devices=None if in_order else now.devices,
        gone=gone if in_order else (),
        came=came if in_order else (),
        targets={
            name: _grant_changes(before.targets.get(name, Grant(name)), grant, position)
            for name, grant in now.targets.items()
        },
        reasons=_new(before.reasons, now.reasons),
        without_reason=_without(before.reasons, now.reasons),
        requested_bandwidth=_row_changes(before.requested_bandwidth, now.requested_bandwidth),
        percent=_row_changes(before.percent, now.percent),
        realised_bandwidth=_row_changes(before.realised_bandwidth, now.realised_bandwidth),
        shares=shares if has_shares else None,
        offloaded=len(now.places),
        local=len(now.reasons),
    )


def whole_decision(before: Decided | None, changes: DecisionChanged) -> Decided:
    """The decision that differs from the one before by these changes.

    Raises:
        ControlError: there is none before, so these changes are not of this journal.
    """
    if before is None:
        raise ControlError(f"decision {changes.epoch} is told by what changed, but not since when")
    devices = changes.devices
    if devices is None:
        devices = _ordered(before.devices, changes.gone, changes.came)
    position = {device: k for k, device in enumerate(devices)}
    targets = {
        name: _grant(before.targets.get(name, Grant(name)), told, position)
        for name, told in changes.targets.items()
    }
    reasons = {**before.reasons, **changes.reasons}
    for device in changes.without_reason:
        reasons.pop(device, None)
    shares = {**_shares(before), **(changes.shares or {})}
    shared = () if changes.shares is None else tuple(shares.get(d, _NOTHING) for d in devices)
    return Decided(
        **{name: getattr(changes, name) for name in _AS_THEY_ARE},
        devices=devices,
        places=_places(targets),
        reasons=reasons,
        targets=targets,
        requested_bandwidth=_rows(before.requested_bandwidth, changes.requested_bandwidth),
        percent=tuple(tuple(map(int, row)) for row in _rows(before.percent, changes.percent)),
        realised_bandwidth=_rows(before.realised_bandwidth, changes.realised_bandwidth),
        radio_share=tuple(radio for radio, _ in shared),
        compute_share=tuple(compute for _, compute in shared),
        lower_bound_s=None,
        gap=None,
    )


def _regular(now: Decided) -> bool:
    """Whether the places are those of the targets, and every device has shares or none has."""
    shared = len(now.radio_share)
    return (
        shared == len(now.compute_share)
        and shared in (0, len(now.devices))
        and _are_places(now.places, now.targets)
    )


def _are_places(places: Mapping[str, Place], targets: Mapping[str, Grant]) -> bool:
    """Whether places are those of the seats; no other ones are made for that."""
    if len(places) != sum(len(grant.seats) for grant in targets.values()):
        return False
    for name, grant in targets.items():
        for device, seat in grant.seats.items():
            place = places.get(device)
            if place is None or (place.access_point, place.node, place.slice) != (
                seat.access_point,
                seat.node,
                name,
            ):
                return False
    return True


def _places(targets: Mapping[str, Grant]) -> dict[str, Place]:
    return {
        device: Place(seat.access_point, seat.node, name)
        for name, grant in targets.items()
        for device, seat in grant.seats.items()
    }


def _shares(decision: Decided) -> dict[str, tuple[float, float]]:
    if not decision.radio_share:
        return {}
    each = zip(decision.radio_share, decision.compute_share, strict=True)
    return dict(zip(decision.devices, each, strict=True))


def _new_shares(before: Decided, now: Decided) -> dict[str, tuple[float, float]]:
    """Device to (radio share, compute share), where one of them is another."""
    lengths = {len(x.radio_share) for x in (before, now)} | {len(x.compute_share) for x in (before, now)}
    if before.devices == now.devices and lengths == {len(now.devices)}:
        each = zip(
            now.devices,
            now.radio_share,
            now.compute_share,
            before.radio_share,
            before.compute_share,
            strict=True,
        )
        return {
            d: (phi, psi)
            for d, phi, psi, phi_before, psi_before in each
            if (phi, psi) != (phi_before, psi_before)
        }
    shares_before = _shares(before)
    return {d: x for d, x in _shares(now).items() if shares_before.get(d, _NOTHING) != x}


def _without(names: Collection[str], others: Collection[str]) -> tuple[str, ...]:
    left = set(others)
    return tuple(name for name in names if name not in left)


def _ordered(before: tuple[str, ...], gone: tuple[str, ...], came: tuple[str, ...]) -> tuple[str, ...]:
    if not gone:
        return (*before, *came)
    left = set(gone)
    return (*(name for name in before if name not in left), *came)


def _new(before: Mapping[str, Value], now: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: value
        for name, value in now.items()
        if (known := before.get(name)) is not value and known != value
    }


def _row_changes(before: tuple[tuple[float, ...], ...], now: tuple[tuple[float, ...], ...]) -> RowChanges:
    changed = {k: row for k, row in enumerate(now) if k >= len(before) or before[k] != row}
    return RowChanges(len(now), changed)


def _rows(before: tuple[tuple[float, ...], ...], changes: RowChanges) -> tuple[tuple[float, ...], ...]:
    return tuple(changes.now[k] if k in changes.now else before[k] for k in range(changes.rows))


def _grant_changes(before: Grant, now: Grant, position: Mapping[str, int]) -> GrantChanges:
    return GrantChanges(
        **{name: getattr(now, name) for name in _GRANT_AS_IT_IS},
        seats=_seat_changes(before.seats, now.seats, position),
        bandwidth=_number_changes(before.bandwidth, now.bandwidth),
        others_hz=_number_changes(before.others_hz, now.others_hz),
        capacity_hz=_number_changes(before.capacity_hz, now.capacity_hz),
    )


def _grant(before: Grant, told: GrantChanges, position: Mapping[str, int]) -> Grant:
    return Grant(
        slice=before.slice,
        **{name: getattr(told, name) for name in _GRANT_AS_IT_IS},
        seats=before.seats if told.seats is None else _seats(before.seats, told.seats, position),
        bandwidth=_numbers(before.bandwidth, told.bandwidth),
        others_hz=_numbers(before.others_hz, told.others_hz),
        capacity_hz=_numbers(before.capacity_hz, told.capacity_hz),
    )


def _seat_changes(
    before: Mapping[str, Seat], now: Mapping[str, Seat], position: Mapping[str, int]
) -> SeatChanges | None:
    told = SeatChanges(_new(before, now), _without(before, now))
    # Shares are sums over seats, and sums in another order may differ in their last bit: the order counts.
    if not told.now and not told.gone and list(before) == list(now):
        return None
    in_order = list(_seats(before, told, position)) == list(now)
    return told if in_order else SeatChanges(now, anew=True)


def _seats(before: Mapping[str, Seat], told: SeatChanges, position: Mapping[str, int]) -> Mapping[str, Seat]:
    if told.anew:
        return told.now
    seats = {**before, **told.now}
    for device in told.gone:
        seats.pop(device, None)
    end = len(position)
    return {device: seats[device] for device in sorted(seats, key=lambda d: position.get(d, end))}


def _number_changes(before: Mapping[str, float], now: Mapping[str, float]) -> NumberChanges | None:
    told = NumberChanges(_new(before, now), _without(before, now))
    if list(_numbers(before, told)) != list(now):
        return NumberChanges(now, anew=True)
    return told if told.now or told.gone else None


def _numbers(before: Mapping[str, float], told: NumberChanges | None) -> Mapping[str, float]:
    if told is None:
        return before
    if told.anew:
        return told.now
    numbers = {**before, **told.now}
    for name in told.gone:
        numbers.pop(name, None)
    return numbers
