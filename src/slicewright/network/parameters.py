"""Named parameters of families and importers: a dataclass of defaults, some of them replaced and checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from slicewright.errors import InvalidScenarioError, nearest
from slicewright.files.fields import FieldReader

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MOST = 10**8
"""Of whatever is counted: beyond, no array of it could be made."""
Range = tuple[float, float]
_read = FieldReader(InvalidScenarioError)
Parameters = TypeVar("Parameters", bound="DataclassInstance")


def with_parameters(
    defaults: Parameters,
    overrides: Mapping[str, object],
    *,
    owner: str,
    may_be_zero: Collection[str] = (),
    may_be_negative: Collection[str] = (),
) -> Parameters:
    """A copy of a dataclass of parameters with some replaced. The default's type says what is allowed.

    A pair of floats is a range (low, high) to draw from: a single number fixes it. An int is a count, a float a
    positive number, a string a word. ``slices`` is a number of slices or their names.

    Args:
        defaults: a frozen dataclass.
        overrides: new values by field name.
        owner: what the parameters belong to, for messages.
        may_be_zero, may_be_negative: names of numbers that need not be positive.

    Raises:
        InvalidScenarioError: a name that is not known, or a value that breaks its rule.
    """
    values = {f.name: getattr(defaults, f.name) for f in fields(defaults)}
    for key in overrides:
        if key not in values:
            raise InvalidScenarioError(key, f"is not a parameter of {owner}{nearest(key, values)}")
    checked = {
        key: _checked(key, value, values[key], key in may_be_zero, key in may_be_negative)
        for key, value in overrides.items()
    }
    return replace(defaults, **checked)


def _checked(key: str, value: object, default: object, zero: bool, negative: bool) -> Any:
    if key == "slices" and isinstance(value, (list, tuple)):
        return tuple(_read.text(name, key, index=(n,)) for n, name in enumerate(value))
    if isinstance(default, str):
        return _read.text(value, key)
    numbers = _numbers(key, value)
    if isinstance(default, tuple) and not isinstance(default[0], str):
        low, high = numbers[0], numbers[-1]
        if len(numbers) > 2 or not 0 < low <= high:
            raise InvalidScenarioError(key, "must be a range [low, high] with 0 < low <= high", value=value)
        return (low, high)
    if len(numbers) != 1:
        raise InvalidScenarioError(key, "must be a single number", value=value)
    number = numbers[0]
    if not isinstance(default, float):
        least = 0 if zero else 1
        if number != int(number) or number < least:
            raise InvalidScenarioError(key, f"must be a whole number of at least {least}", value=value)
        if number > MOST:
            raise InvalidScenarioError(key, f"must be at most {MOST:,}", value=value)
        return int(number)
    if not (number > 0 or negative or (zero and number == 0)):
        raise InvalidScenarioError(key, "must not be negative" if zero else "must be positive", value=value)
    return number


def _numbers(key: str, value: object) -> list[float]:
    items: Sequence[Any] = value if isinstance(value, (list, tuple)) else [value]
    try:
        numbers = [_read.number(item, key, signed=True, finite=False) for item in items]
    except InvalidScenarioError:
        raise InvalidScenarioError(key, "must be a number or a range [low, high]", value=value) from None
    if not numbers or not np.isfinite(numbers).all():
        raise InvalidScenarioError(key, "must be finite", value=value)
    return numbers
