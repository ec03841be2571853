"""Idempotency-Keys stand for their request for a day, and never take more than so much memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from slicewright.control.requests.commands import KeyReusedError, admit
from slicewright.control.state.device import devices_of
from slicewright.control.state.fold import fold
from slicewright.control.state.idempotency import KEY_LIFE_S, MOST_KEYS, MOST_NAMED, Remembered, with_key
from slicewright.control.state.state import OrchestratorState, dump, load
from tests.control.support.scenes import scenario_of, state_with

NOW_S = 1.7e9


def asked(state: OrchestratorState, key: str, digest: str, now_s: float) -> OrchestratorState:
    device = replace(devices_of(scenario_of(1))[0], id=f"device-{now_s:.0f}")
    for event in admit(state, [device], most=100, key=key, digest=digest, now_s=now_s):
        state = fold(state, event)
    return state


def test_a_key_stands_for_its_request_for_a_day() -> None:
    first = asked(state_with(scenario_of(1))[0], "k", "a", NOW_S)
    again = asked(first, "k", "a", NOW_S + KEY_LIFE_S - 1)
    assert again is first
    with pytest.raises(KeyReusedError):
        asked(first, "k", "b", NOW_S + KEY_LIFE_S - 1)
    later = asked(first, "k", "b", NOW_S + KEY_LIFE_S + 1)
    assert later.keys["k"].request_digest == "b"
    assert len(later.devices) == len(first.devices) + 1


def test_old_keys_leave_with_the_next_one() -> None:
    keys: Mapping[str, Remembered] = {}
    for k in range(50):
        keys = with_key(keys, f"k{k}", Remembered("d", ("x",), NOW_S + k * 3600))
    assert list(keys) == [f"k{k}" for k in range(25, 50)], "those of a day"


def test_keys_never_take_more_than_so_much() -> None:
    keys: Mapping[str, Remembered] = {f"k{k}": Remembered("d", ("x",), NOW_S) for k in range(MOST_KEYS - 5)}
    for k in range(10):
        keys = with_key(keys, f"new{k}", Remembered("d", ("x",), NOW_S))
    assert len(keys) == MOST_KEYS
    assert next(iter(keys)) == "k5"
    many = tuple(map(str, range(7000)))
    for k in range(30):
        keys = with_key(keys, f"many{k}", Remembered("d", many, NOW_S + k))
    assert sum(len(known.devices) for known in keys.values()) <= MOST_NAMED
    assert list(keys)[-1] == "many29"
    huge = tuple(map(str, range(2 * MOST_NAMED)))
    assert list(with_key(keys, "huge", Remembered("d", huge, NOW_S + 99))) == ["huge"]


def test_keys_of_logs_before_they_expired_have_a_day_from_now() -> None:
    before = {"old": Remembered("d", ("x",)), "older": Remembered("d", ("y",))}
    keys = with_key(before, "new", Remembered("d", ("z",), NOW_S))
    assert [known.asked_s for known in keys.values()] == [NOW_S] * 3
    keys = with_key(keys, "next", Remembered("d", ("z",), NOW_S + KEY_LIFE_S + 1))
    assert list(keys) == ["next"]


def test_a_checkpoint_keeps_their_times() -> None:
    state = asked(state_with(scenario_of(1))[0], "k", "a", NOW_S)
    assert dump(load(json.loads(json.dumps(dump(state))))) == dump(state)
