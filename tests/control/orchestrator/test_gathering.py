"""How long a turn waits for requests that are about to come."""

from __future__ import annotations

import asyncio

import pytest

from slicewright.control.orchestrator.inbox import MOST_GATHERING_S, Gathering, Inbox
from tests.control.support.simulated_time import simulate


def waited_s(
    *comes_s: float, expected: int, decision_s: float, waiting: int = 0, noise_s: float | None = None
) -> float:
    """How long a turn waits when requests come at these times, the first one at once."""

    async def story() -> float:
        loop, inbox, news, gathering = asyncio.get_running_loop(), Inbox(), asyncio.Event(), Gathering()

        def come() -> None:
            inbox.add(lambda _: (), wait=True)
            news.set()

        for at_s in comes_s:
            if at_s > 0:
                loop.call_later(at_s, come)
            else:
                come()
        if noise_s is not None:
            loop.call_later(noise_s, news.set)
        gathering.answered(expected, decision_s=decision_s)
        began_s = loop.time()
        await gathering.wait(inbox, news, waiting=waiting)
        return loop.time() - began_s

    found = simulate(story)
    assert isinstance(found, float)
    return found


def test_one_caller_does_not_wait_and_nobody_does_for_decisions_that_take_no_time() -> None:
    assert waited_s(0.0, expected=1, decision_s=0.01) == 0.0
    assert waited_s(0.0, expected=0, decision_s=0.01) == 0.0
    assert waited_s(0.0, expected=9, decision_s=0.0) == 0.0
    assert waited_s(expected=9, decision_s=0.01) == 0.0, "nothing is asked for"


def test_a_turn_waits_until_all_have_come_that_were_answered_together() -> None:
    assert waited_s(0.0, 0.002, 0.004, expected=3, decision_s=0.01) == pytest.approx(0.004)
    assert waited_s(0.0, 0.002, 0.004, expected=3, decision_s=0.01, noise_s=0.003) == pytest.approx(0.004)
    assert waited_s(0.0, 0.002, expected=4, decision_s=0.01, waiting=2) == pytest.approx(0.002)


def test_a_turn_waits_no_longer_than_the_decision_took_and_never_long() -> None:
    assert waited_s(0.0, 0.002, expected=3, decision_s=0.01) == pytest.approx(0.01)
    assert waited_s(0.0, expected=3, decision_s=60.0) == pytest.approx(MOST_GATHERING_S)
