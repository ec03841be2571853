"""Records count as they are written: what a later version adds is kept, and what anybody alters is found."""

from __future__ import annotations

import hashlib
import json

import pytest

from slicewright.control.journal.records import (
    GENESIS,
    BrokenChainError,
    Position,
    chained,
    from_line,
    to_line,
    verify,
)
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, Event
from slicewright.control.state.state import OrchestratorState
from slicewright.control.views.replay import replay_log
from tests.control.support.scenes import DATA, scenario_of

EVENTS: list[Event] = [
    DevicesAdmitted(devices_of(scenario_of(3, 1)), key="é 😀"),
    DevicesRemoved(("device-1",)),
]


def line_of_a_later_version(previous: str, sequence: int, event: str) -> str:
    """As a version that knows more fields would write it."""
    digest = hashlib.sha256(f"{previous} {sequence} 1.5 {event}".encode()).hexdigest()
    head = f'{{"sequence": {sequence}, "time_s": 1.5, "event": {event}'
    return f'{head}, "previous": "{previous}", "hash": "{digest}"}}'


def test_lines_come_back_as_they_were_written() -> None:
    records = chained(GENESIS, 0, 1.5, EVENTS)
    lines = [to_line(record) for record in records]
    assert [from_line(line) for line in lines] == records
    golden = (DATA / "log-0.1.0.jsonl").read_text().splitlines()
    read = [from_line(line) for line in golden]
    assert [to_line(record) for record in read] == golden
    assert len(list(verify(read))) == len(golden)


def test_what_a_later_version_wrote_is_kept_and_handed_on() -> None:
    before = chained(GENESIS, 0, 1.5, EVENTS)
    event = '{"devices": ["device-0"], "asked_by":{"token":"ops"},"kind":"devices-removed", "fee":1e2}'
    line = line_of_a_later_version(before[-1].hash, 3, event)
    record = from_line(line)
    assert to_line(record) == line
    here = Position(OrchestratorState()).after([*before, record])
    assert list(here.state.devices) == ["device-2"]
    assert replay_log([*before, record]).differences == ()


def test_any_altered_character_is_found() -> None:
    records = chained(GENESIS, 0, 1.5, EVENTS)
    for old, new in (('"device-1"', '"device-2"'), ('"kind":', '"fee":1,"kind":'), ("1.5", "1.6")):
        altered = from_line(to_line(records[1]).replace(old, new))
        with pytest.raises(BrokenChainError, match="record 2"):
            list(verify([records[0], altered]))


def test_a_line_that_a_tool_has_written_anew_still_counts() -> None:
    records = chained(GENESIS, 0, 1.5, EVENTS)
    lines = [json.dumps(json.loads(to_line(r)), separators=(",", ":"), sort_keys=True) for r in records]
    assert [from_line(line).hash for line in lines] == [r.hash for r in records]
    assert len(list(verify(from_line(line) for line in lines))) == 2


def test_what_is_no_record_is_refused() -> None:
    good = to_line(chained(GENESIS, 0, 1.5, EVENTS)[1])
    for line in (
        "",
        "{}",
        "[]",
        "null",
        good[:-1],
        good[1:],
        good.replace("devices-removed", "no-such-kind"),
    ):
        with pytest.raises(BrokenChainError):
            from_line(line)
