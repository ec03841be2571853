"""Decision logs of earlier releases."""

from __future__ import annotations

import json

from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.views.replay import replay_log
from tests.control.support.scenes import DATA


def test_a_log_of_the_first_release_is_read_as_it_was_written() -> None:
    file = DATA / "log-0.1.0.jsonl"
    report = replay_log(read_log(file))
    assert report.differences == ()
    assert (report.records, report.recomputed) == (15, 2)
    assert "shared" not in json.loads(file.read_text().splitlines()[13])["event"]["state"]
