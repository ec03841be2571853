"""Decision logs of earlier releases."""

from __future__ import annotations

import json
from collections import Counter

from slicewright.control.journal.records import to_line
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.views.replay import replay_log
from tests.control.support.scenes import DATA


def test_a_log_of_the_first_release_is_read_as_it_was_written() -> None:
    file = DATA / "log-0.1.0.jsonl"
    report = replay_log(read_log(file))
    assert report.differences == ()
    assert (report.records, report.recomputed) == (15, 2)
    assert "shared" not in json.loads(file.read_text().splitlines()[13])["event"]["state"]


def test_a_log_of_what_decisions_have_changed_is_read_as_it_was_written() -> None:
    """Written after release 0.2.0, in the form that it writes: differences, lives, keys, now and then a checkpoint."""
    file = DATA / "log-differences.jsonl"
    records = list(read_log(file))
    report = replay_log(records)
    assert report.differences == ()
    assert (report.records, report.recomputed) == (89, 8)
    assert "\n".join(map(to_line, records)) + "\n" == file.read_text(), (
        "what is handed on is what was written"
    )
    kinds = Counter(record.event.kind for record in records)
    assert (kinds["decided"], kinds["decision-changed"], kinds["checkpoint"]) == (1, 7, 5)
