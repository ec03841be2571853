"""Placement's half of the reproduction: labels on disk, and what reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slicewright.evaluation.reproduction.engine.code_version import code_version
from slicewright.evaluation.reproduction.engine.scale import SCALES
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.labels import (
    InvalidLabelsError,
    solve_missing,
    stored_runs,
    training_runs,
)

FEW = replace(SCALES["tiny"], placement_runs=2)


def test_labels_are_solved_once_and_read_again(tmp_path: Path) -> None:
    shop = Workshop(FEW, tmp_path, jobs=1)
    first = training_runs(shop)
    (file,) = solve_missing(shop).glob("*.json")
    written = file.stat().st_mtime_ns
    stored_runs.cache_clear()
    again = training_runs(shop)
    assert file.stat().st_mtime_ns == written
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.choice, other.choice)
        assert np.array_equal(one.keeps, other.keeps)
        assert one.proven == other.proven


def test_damaged_labels_say_which_file(tmp_path: Path) -> None:
    (tmp_path / "00000-00001.json").write_text('{"schema": "x", "runs": []}', encoding="utf-8")
    with pytest.raises(InvalidLabelsError, match=r"00000-00001\.json"):
        stored_runs(tmp_path, 2)


def test_a_code_version_is_that_of_its_sources() -> None:
    one, other = code_version("slicewright.types"), code_version("slicewright.types", "slicewright.errors")
    assert one != other
    assert other == code_version("slicewright.errors", "slicewright.types")
    assert code_version("slicewright.placement") != code_version("slicewright.placement.judge")
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        code_version("slicewright.no_such")
