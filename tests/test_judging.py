"""What both judges share: the worst place counts, and what is not a number is broken."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from slicewright.judging import BrokenRules, Excess


class TwoRules(BrokenRules):
    meaning: ClassVar[Mapping[str, str]] = {"a": "is kept", "b": "is kept too"}
    units: ClassVar[Mapping[str, str]] = {"a": "s", "b": ""}
    tolerance = 1e-3


def test_the_worst_of_all_places_counts() -> None:
    found = TwoRules.found(
        (
            Excess("a", np.array([[-1.0, 0.5], [2.0, 0.0]]), "cell {}, {}".format),
            Excess("a", np.array([1.0]), "line {}".format),
            Excess("b", np.array([-3.0, -2.0]), "row {}".format),
        )
    )
    assert found.residuals == {"a": 2.0, "b": 0.0}
    assert found.explain() == "a is broken by 2 s at cell 1, 0: is kept"


def test_rounding_breaks_nothing() -> None:
    found = TwoRules.found([Excess("a", np.array([1e-4]), "row {}".format)])
    assert found.feasible
    assert found["a"] == 1e-4
    assert not found.worst


def test_what_is_not_a_number_is_broken_whatever_else_is_found() -> None:
    found = TwoRules.found(
        (
            Excess("a", np.array([1.0, np.nan, np.nan]), "row {}".format),
            Excess("a", np.array([5.0]), "line {}".format),
            Excess("b", np.empty(0), "row {}".format),
        )
    )
    assert np.isnan(found["a"])
    assert found.broken == ("a",)
    assert found.worst == {"a": "row 1"}
