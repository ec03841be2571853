"""What every export target promises: files that can be read, that repeat, and a word about what they cannot say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from slicewright.enforcement.export import export_plan, write_export
from slicewright.enforcement.export.document import ExportOptions
from slicewright.errors import InvalidPlanError
from slicewright.slicing import Plan, Shares

READERS: dict[str, Callable[[str], object]] = {
    ".json": json.loads,
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
}


def check_exporter(target: str, plan: Plan, options: ExportOptions, folder: Path) -> None:
    """Fail with the first promise that the target breaks for a plan.

    Args:
        target: its name.
        plan: a feasible one.
        options: of the export.
        folder: empty, for the files.
    """
    before = json.dumps(plan.to_dict())
    made = export_plan(plan, target, options=options)
    assert json.dumps(plan.to_dict()) == before, "the plan stays as it is"
    assert made == export_plan(plan, target, options=options), "it repeats itself"
    assert made.target == target
    assert made.ignored
    assert made.files or plan.decisions.local.all(), "only where nobody offloads there may be nothing to say"
    for name, text in made.files.items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name), f"{name!r} is a plain file name"
        assert text.endswith("\n") and "\r" not in text
        assert "NaN" not in text and "Infinity" not in text
        READERS[Path(name).suffix](text)
    written = write_export(made, folder)
    assert {path.name: path.read_text(encoding="utf-8") for path in written} == {
        **made.files,
        "README.md": made.read_me(),
    }
    assert all(sentence in made.read_me() for sentence in (*made.ignored, *made.remarks, *made.files))
    double = plan.with_(shares=Shares(plan.shares.bandwidth * 2, plan.shares.radio, plan.shares.compute))
    if not double.violations.feasible:
        with pytest.raises(InvalidPlanError):
            export_plan(double, target, options=options)
