"""How sets of solved instances are split, and what is said of their sizes."""

from __future__ import annotations

import numpy as np
import pytest

from slicewright.errors import InvalidOptionError
from slicewright.learning.common.instances import folds, ranges


def test_folds_are_disjoint_and_complete() -> None:
    parts = folds(23, 10, seed=3)
    assert sorted(np.concatenate(parts).tolist()) == list(range(23))
    assert {len(part) for part in parts} == {2, 3}
    with pytest.raises(InvalidOptionError, match="folds is 1"):
        folds(5, 1)


def test_ranges_are_whole_numbers() -> None:
    assert ranges({"tasks": [3, 9, 4], "coins": [12]}) == {"tasks": [3, 9], "coins": [12, 12]}
