"""Limits kept: what others change is mended and counted, and one place that fails stops no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from slicewright.enforcement.linux import Htb, Keeper, Kept, Limit, Step, remove
from slicewright.enforcement.linux.shell import run
from slicewright.errors import EnforcementError
from tests.enforcement.kernel import NETWORK, needs, pair_of_hosts
from tests.enforcement.test_htb import CELL
from tests.waiting import PATIENCE_S, wait_for

LIMITS = [Limit("a", None, 10, 10), Limit("a/b", "a", 5, 5)]


class Place:
    """Limits in memory."""

    tolerance = 0.0

    def __init__(self) -> None:
        self.held: dict[str, Limit] = {}
        self.broken = False

    def read(self) -> dict[str, Limit]:
        if self.broken:
            raise EnforcementError("no such device")
        return dict(self.held)

    def apply(self, changes: Sequence[Step]) -> None:
        for action, limit in changes:
            if action == "remove":
                del self.held[limit.key]
            else:
                self.held[limit.key] = limit

    def remove(self) -> None:
        self.held.clear()


def test_what_others_change_is_mended_and_counted() -> None:
    place = Place()
    keeper = Keeper(lambda: [Kept("cell", place, LIMITS)])
    assert [keeper.round(), keeper.round()] == [2, 0]
    place.held["a/b"] = Limit("a/b", "a", 7, 7)
    place.held["a/c"] = Limit("a/c", "a", 1, 1)
    assert keeper.round() == 2
    assert place.held == {limit.key: limit for limit in LIMITS}
    assert keeper.repairs == {("cell", "create"): 2, ("cell", "decrease"): 1, ("cell", "remove"): 1}
    assert 'slicewright_enforce_repairs_total{place="cell",action="remove"} 1' in keeper.metrics()
    assert 'slicewright_enforce_open{place="cell"} 0' in keeper.metrics()


def test_a_place_that_fails_stops_no_other() -> None:
    good, bad = Place(), Place()
    bad.broken = True
    keeper = Keeper(lambda: [Kept("bad", bad, LIMITS), Kept('go"od', good, LIMITS)])
    assert keeper.round() == 2
    assert keeper.failures == {"bad": 1}
    bad.broken = False
    assert keeper.round() == 2
    assert keeper.last_error == "bad: no such device"
    assert 'place="go\\"od"' in keeper.metrics()


def test_a_failure_is_said_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    place, why = Place(), [None, "torn", "torn", "gone", None, None]

    def wanted() -> Iterator[Kept]:
        if (text := why.pop(0)) is not None:
            raise OSError(text)
        yield Kept("cell", place, [])

    keeper = Keeper(wanted)
    for _ in range(6):
        keeper.round()
    assert caplog.messages == ["wanted: torn", "wanted: gone", "wanted: works again"]
    assert keeper.failures == {"wanted": 3}


def test_an_unreadable_plan_keeps_the_one_before() -> None:
    place, readable = Place(), [True, False, True]

    def wanted() -> Iterator[Kept]:
        if not readable.pop(0):
            raise OSError("torn")
        yield Kept("cell", place, LIMITS)

    keeper = Keeper(wanted)
    keeper.round()
    place.held.clear()
    assert keeper.round() == 2
    assert keeper.failures == {"wanted": 1}


def test_a_queue_of_the_kernel_is_kept_while_others_change_it() -> None:
    needs(*NETWORK)
    with pair_of_hosts() as (host, _):
        queue, stop = Htb("eth0", netns=host), threading.Event()
        keeper = Keeper(lambda: [Kept("eth0", queue, CELL)])
        thread = threading.Thread(target=keeper.run, args=(stop,), kwargs={"every_s": 0.05}, daemon=True)
        thread.start()
        try:
            wait_for(lambda: keeper.rounds >= 2, "a repair")
            assert not keeper.failures
            change = "class change dev eth0 parent 1:100 classid 1:1001 htb rate 5000kbit ceil 5000kbit"
            run(["tc", *change.split()], netns=host)
            wait_for(lambda: keeper.repairs["eth0", "increase"] >= 1, "a repair")
            run(["tc", "qdisc", "del", "dev", "eth0", "root"], netns=host)
            wait_for(lambda: keeper.repairs["eth0", "create"] >= 2 * len(CELL), "a repair")
        finally:
            stop.set()
            thread.join(PATIENCE_S)
        keeper.round()
        assert sorted(queue.read().values(), key=str) == sorted(CELL, key=str)
        assert keeper.open == {"eth0": 0}
        remove(queue)
