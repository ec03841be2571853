"""Who can be changed now: silent, late and unwilling slices, with times as values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slicewright.control.orchestrator.turn.liveness import Liveness
from slicewright.control.state.grants import Grant, GrantAccount
from slicewright.control.state.options import ControlOptions

OPTIONS = ControlOptions(ack_timeout_s=1.0, away_after_s=3.0, heartbeat_s=1.0, refusal_retry_s=5.0)
IDLE = GrantAccount(Grant("x"), Grant("x"))
SENT = replace(IDLE, sent=Grant("x", revision=1))
REFUSING = replace(IDLE, refusal="no")


def away(liveness: Liveness, account: GrantAccount, now_s: float, heard_s: float) -> bool:
    return bool(liveness.away({"x": account}, {"x": heard_s}, now_s, OPTIONS))


@pytest.mark.parametrize(("heard_s", "silent"), [(97.0, True), (97.5, False), (100.0, False)])
def test_a_silent_slice_is_away(heard_s: float, silent: bool) -> None:
    liveness = Liveness.at_start({"x": IDLE}, 50.0)
    assert away(liveness, IDLE, 100.5, heard_s) == silent


def test_a_term_begins_as_if_everybody_had_just_spoken() -> None:
    liveness = Liveness.at_start({"x": IDLE}, 100.0)
    assert not away(liveness, IDLE, 102.0, heard_s=1.0)
    assert liveness.quiet({"x": 1.0}, 102.5, OPTIONS) == ["x"]


def test_a_slice_that_comes_later_counts_from_then_on() -> None:
    liveness = Liveness.at_start({}, 0.0).seen({"x": IDLE}, 100.0)
    assert not liveness.away({"x": IDLE}, {}, 102.9, OPTIONS)
    assert liveness.away({"x": IDLE}, {}, 103.1, OPTIONS) == {"x"}
    assert liveness.seen({"x": IDLE}, 200.0).known_s == {"x": 100.0}


def test_a_slice_is_late_only_while_a_grant_is_on_its_way() -> None:
    liveness = Liveness.at_start({"x": IDLE}, 0.0).sent(["x"], 100.0)
    assert not away(liveness, SENT, 101.0, 101.0)
    assert away(liveness, SENT, 101.1, 101.0)
    assert not away(liveness, IDLE, 101.1, 101.0)


def test_a_refusal_counts_from_its_beginning_and_is_forgotten_when_over() -> None:
    liveness = Liveness.at_start({"x": IDLE}, 0.0).seen({"x": REFUSING}, 100.0).seen({"x": REFUSING}, 104.0)
    assert away(liveness, REFUSING, 104.9, 104.9)
    assert not away(liveness, REFUSING, 105.0, 105.0)
    again = liveness.seen({"x": IDLE}, 106.0).seen({"x": REFUSING}, 107.0)
    assert away(again, REFUSING, 108.0, 108.0)
