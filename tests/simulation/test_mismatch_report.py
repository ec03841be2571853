"""What learning is for: the committed report follows from its data, and the page has its figures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import _mismatch_report
from benchmarks.mismatch import SCALES
from tests.shared import ROOT

COMMITTED = ROOT / "reproduction" / "mismatch"


def test_the_committed_report_is_what_its_data_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mismatch_report, "_draw", lambda kinds, drift, file: None)
    data = json.loads((COMMITTED / "data.json").read_text(encoding="utf-8"))
    size = SCALES[data["scale"]]
    told = _mismatch_report.write_report(
        data["scale"], data["results"], size.test, size.train, checked=data.get("checked"), folder=tmp_path
    )
    assert told == (COMMITTED / "report.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "data.json").read_text(encoding="utf-8")) == data


def test_the_page_has_no_figure_that_the_report_does_not_have() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    section = page.split("\n## A correction of the formula")[1].split("\n## ")[0]
    figures = set(re.findall(r"\d\.\d{3} ± \d\.\d{3}", " ".join(section.split())))
    known = set(re.findall(r"\d\.\d{3} ± \d\.\d{3}", (COMMITTED / "report.md").read_text(encoding="utf-8")))
    assert len(figures) > 20 and figures <= known
