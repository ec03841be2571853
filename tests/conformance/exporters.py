"""What every export target promises: files that can be read, that repeat, and a word about what they cannot say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from slicewright.enforcement.export import export_plan, inspect_export, read_back, write_export
from slicewright.enforcement.export.document import ExportOptions, Source
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
        "SHA256SUMS": (folder / "SHA256SUMS").read_text(),
    }
    _check_way_back(target, plan, made.files, options)
    (looked_at,) = inspect_export(folder, plan.scenario)
    assert (looked_at.target, looked_at.files, looked_at.wrong) == (target, len(made.files), ())
    for victim in list(made.files)[:1]:
        text = (folder / victim).read_text(encoding="utf-8")
        (folder / victim).unlink()
        assert any(victim in told for told in inspect_export(folder, plan.scenario)[0].wrong), "it is missed"
        (folder / victim).write_text(text + " ", encoding="utf-8")
        assert any("was changed" in told for told in inspect_export(folder, plan.scenario)[0].wrong)
    assert all(sentence in made.read_me() for sentence in (*made.ignored, *made.remarks, *made.files))
    double = plan.with_(shares=Shares(plan.shares.bandwidth * 2, plan.shares.radio, plan.shares.compute))
    if not double.violations.feasible:
        with pytest.raises(InvalidPlanError):
            export_plan(double, target, options=options)


def _check_way_back(target: str, plan: Plan, files: Mapping[str, str], options: ExportOptions) -> None:
    """Files say what the plan says, up to what the target's units can express."""
    scenario, d = plan.scenario, plan.decisions
    again = read_back(target, files, scenario)
    source = Source(plan, options)
    told = [again.percent, again.slice_rate_bps, again.device_rate_bps, again.device_millicores]
    assert sum(value is not None for value in told) == 1, "one kind of number per target"
    if again.percent is not None:
        # A slice that is used gets at least one percent, which another one gives.
        np.testing.assert_allclose(again.percent / 100, plan.shares.bandwidth, atol=0.01 * scenario.n_slices)
        np.testing.assert_array_equal(again.percent > 0, plan.shares.bandwidth > 0)
    if again.slice_rate_bps is not None:
        wanted = np.zeros((scenario.n_access_points, scenario.n_slices))
        away = ~d.local
        np.add.at(wanted, (d.access_point[away], d.slice[away]), source.rates_bps[away])
        np.testing.assert_allclose(again.slice_rate_bps, wanted, atol=1000)
    if again.device_rate_bps is not None:
        np.testing.assert_allclose(again.device_rate_bps, source.rates_bps, atol=1)
    if again.device_millicores is not None:
        exact = 1000 * source.speeds_hz / options.core_hz
        assert (again.device_millicores >= exact - 1e-6).all() and (
            again.device_millicores <= exact + 1
        ).all()
