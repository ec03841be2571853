"""Grants and accounts of one access point and one node."""

from __future__ import annotations

from collections.abc import Mapping

from slicewright.control.state.grants import Grant, GrantAccount, Seat

SEAT = Seat("ap0", "coin0", 1e7, 1e7, 1e7, 10.0, 0.1)


def grant(name: str, omega: float, *, seats: Mapping[str, Seat] | None = None, others: float = 0.0) -> Grant:
    return Grant(
        name,
        bandwidth={"ap0": omega},
        seats=seats or {},
        others_hz={"coin0": others},
        capacity_hz={"coin0": 1e9},
    )


def account(name: str, omega: float, target: float) -> GrantAccount:
    return GrantAccount(grant(name, omega), grant(name, target))
