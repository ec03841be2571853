"""Grants: what may be handed out while other slices hold what they may be holding."""

from __future__ import annotations

from dataclasses import replace

from slicewright.control.state.grants import GrantAccount, is_safe, next_grants, release
from tests.control.support.grants import SEAT, account, grant


def test_a_growing_slice_waits_until_the_other_has_shrunk() -> None:
    accounts = {"x": account("x", 0.6, 0.9), "y": account("y", 0.4, 0.1)}
    assert [(g.slice, stage) for g, stage in next_grants(accounts)] == [("y", "target")]
    accounts["y"] = replace(accounts["y"], sent=grant("y", 0.1))
    assert next_grants(accounts) == [], "y may still hold 0.4"
    accounts["y"] = GrantAccount(grant("y", 0.1), grant("y", 0.1))
    assert [(g.slice, stage) for g, stage in next_grants(accounts)] == [("x", "target")]


def test_a_device_changes_slices_by_way_of_local() -> None:
    here, gone = grant("x", 0.5, seats={"d": SEAT}), grant("x", 0.5)
    there = grant("y", 0.5, seats={"d": SEAT})
    accounts = {"x": GrantAccount(here, gone), "y": GrantAccount(grant("y", 0.5), there)}
    assert [g.slice for g, _ in next_grants(accounts)] == ["x"]
    assert not is_safe(there, accounts)


def test_arrivals_never_exceed_what_another_slice_counts_on() -> None:
    counting = grant("x", 0.5, seats={"d": SEAT}, others=0.05)
    accounts = {"x": GrantAccount(counting, counting), "y": GrantAccount(grant("y", 0.5), grant("y", 0.5))}
    assert not is_safe(grant("y", 0.5, seats={"e": SEAT}, others=1.0), accounts)
    assert is_safe(grant("y", 0.5, seats={"e": replace(SEAT, arrival_hz=0.04)}, others=1.0), accounts)


def test_a_release_keeps_only_what_both_have() -> None:
    old = grant("x", 0.7, seats={"a": SEAT, "b": SEAT, "c": SEAT}, others=0.3)
    new = grant("x", 0.5, seats={"a": SEAT, "b": replace(SEAT, node="coin1"), "d": SEAT}, others=0.1)
    kept = release(old, new)
    assert set(kept.seats) == {"a"}
    assert kept.bandwidth == {"ap0": 0.5}
    assert kept.others_hz == {"coin0": 0.3}
