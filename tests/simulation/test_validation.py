"""The validation itself: theory lies within the intervals, and the command writes its figure and its table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from slicewright.cli.main import app
from slicewright.errors import InvalidOptionError
from slicewright.simulation.validation import CASES, Case, theory, validate


@pytest.mark.parametrize("case", [case for case in CASES if case.exact], ids=lambda case: case.name)
def test_theory_lies_within_the_intervals(case: Case) -> None:
    for row in validate(precision=0.03, loads=(0.2, 0.6), cases=(case,)):
        assert abs(row.mean_s - row.exact_s) <= 2.5 * row.half_width_s + 0.002 * row.exact_s


def test_formulas_agree_where_they_describe_the_same_queue() -> None:
    equal = np.full(4, 2.0), np.full(4, 0.3)
    np.testing.assert_allclose(theory.shared_queue_sojourn_s(*equal), theory.published_sojourn_s(*equal))
    assert theory.mg1_sojourn_s(1.0, 0.7, 1.0) == pytest.approx(theory.mm1_sojourn_s(1.0, 0.7))
    different = np.array([2.0, 8.0]), np.array([0.5, 0.5])
    assert (theory.published_sojourn_s(*different) - theory.shared_queue_sojourn_s(*different))[0] > 0


def test_the_command_draws_and_writes_what_it_prints(tmp_path: Path) -> None:
    picture, table = tmp_path / "queues.png", tmp_path / "queues.json"
    arguments = ["queues", "--precision", "0.1", "--loads", "0.3,0.5"]
    done = CliRunner().invoke(app, [*arguments, "--picture", str(picture), "--json", str(table)])
    assert done.exit_code in (0, 1), done.output
    rows = json.loads(table.read_text())["rows"]
    assert len(rows) == 2 * len(CASES) and picture.stat().st_size > 10_000
    assert all(case.name[:30] in done.stdout for case in CASES)


@pytest.mark.parametrize("wrong", [["--loads", "0.5,1.2"], ["--loads", "half"], ["--picture", "a.gif"]])
def test_the_command_refuses_what_does_not_fit(wrong: list[str]) -> None:
    done = CliRunner().invoke(app, ["queues", *wrong])
    assert isinstance(done.exception, InvalidOptionError)
