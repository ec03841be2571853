"""Numbers, names and words as they come out of files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidInputError
from slicewright.files.fields import FieldReader
from slicewright.files.strict_yaml import parse_yaml

read = FieldReader(InvalidInputError)


def from_yaml(text: str) -> Any:
    document = parse_yaml(text)
    assert isinstance(document, dict)
    return document["v"]


def test_numbers_as_text_are_numbers_alone_and_in_lists() -> None:
    assert read.number("5e2", "f") == 500
    assert read.whole("7", "f") == read.whole(7.0, "f") == 7
    np.testing.assert_array_equal(read.numbers(["5e2", 1, 2.5], "f", (None,)), [500, 1, 2.5])
    assert read.number("inf", "f", finite=False) == np.inf


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([1, True], r"f\[1\] is True but must be a number"),
        ([1, None], r"f\[1\]: must be a number, not null"),
        ([1, 10**400], r"f\[1\]: must be a number below 1.8e308; this one has 401 digits"),
        ([1, "1,5"], r"f\[1\] is '1,5' but must be a number"),
        ([1, "1_44.96"], r"f\[1\] is '1_44.96' but must be a number"),
        ("1_0", "must be a number"),
        ([1, [2]], "must be a number|equal lengths"),
        ([1, "nan"], r"f\[1\] is nan but must be a finite number"),
        ([1, {"a": 1}], r"f\[1\]"),
        ([1, b"2"], r"f\[1\]"),
    ],
)
def test_what_is_no_number_is_named(value: object, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        read.numbers(value, "f", (None,))


@pytest.mark.parametrize("value", [True, None, 1.5, "x", 10**400, "1e400", float("nan"), [1], -1, "-1", 11])
def test_what_is_no_whole_number_within_bounds_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match="must be a whole number from 0 to 10"):
        read.whole(value, "f", most=10)


def test_indices_far_out_of_range_are_refused_without_a_warning() -> None:
    with pytest.raises(InvalidInputError, match="index from 0 to 4"):
        read.indices([1e300], "f", (None,), below=5)


@pytest.mark.parametrize("text", ["v: [a, '7', 7]", "v: [NOx, '0123']", "v: ['~', 'true']"])
def test_names_are_text_as_written(text: str) -> None:
    names = [str(name) for name in from_yaml(text)]
    assert len(set(names)) < len(names) or read.names(from_yaml(text), "f") == tuple(names)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("v: [~]", r"f\[0\]: must be text, not null \(or ~\); quote it"),
        ("v: [a, true]", r"f\[1\]: must be text, not true; quote it"),
        ("v: [1.50]", r"f\[0\]: must be text, not 1.5; quote it"),
        ("v: [0x1F]", r"f\[0\]: must be text, not 0x1F; quote it"),
        ("v: [1_000]", r"f\[0\]: must be text, not 1_000; quote it"),
        ("v: [[a]]", r"f\[0\]: must be text, not \['a'\]; quote it"),
    ],
)
def test_names_that_were_no_text_are_asked_for(text: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        read.names(from_yaml(text), "f")


def test_keys_that_are_the_same_as_text_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="two keys"):
        read.mapping({1: 2, "1": 3}, "f")
