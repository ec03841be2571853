"""Reading user input field by field: every failure names the field, the index, the value and the rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from slicewright.errors import InvalidInputError, nearest
from slicewright.types import BoolArray, Document, FloatArray, IntArray

Word = TypeVar("Word", bound=str)


class FieldReader:
    """Checks of one kind of document, all raising the same error type."""

    def __init__(self, error: type[InvalidInputError]) -> None:
        self.error = error

    def mapping(self, value: object, field: str) -> Document:
        """``value`` as a mapping with string keys."""
        if not isinstance(value, Mapping):
            raise self.error(field, "must be a mapping of names to values", value=value)
        return {str(key): item for key, item in value.items()}

    def only(self, document: Document, known: Collection[str], field: str) -> None:
        """Refuse unknown keys and suggest the nearest known one."""
        for key in document:
            if key not in known:
                place = f"{field}.{key}" if field else key
                raise self.error(place, f"is not a known field{nearest(key, known)}")

    def require(self, document: Document, key: str, field: str) -> Any:
        """The value of a key that must be there."""
        if document.get(key) is None:
            place = f"{field}.{key}" if field else key
            raise self.error(place, "is missing")
        return document[key]

    def schema(self, document: Document, wanted: str, *, required: bool = False) -> None:
        """Refuse a document of another schema; one that names none passes unless that is ``required``."""
        found = document.get("schema", None if required else wanted)
        if found != wanted:
            raise self.error("schema", f"must be {wanted}", value=found)

    def numbers(
        self,
        value: object,
        field: str,
        shape: tuple[int | None, ...],
        *,
        positive: bool = False,
        signed: bool = False,
        axes: Sequence[str] = (),
    ) -> FloatArray:
        """A finite float array of the given shape; ``None`` in ``shape`` is any length.

        Numbers must be >= 0, > 0 if ``positive``, or of any sign if ``signed``. ``axes`` names what each axis
        counts, for the message about a wrong shape.
        """
        array = self._floats(value, field, len(shape), axes)
        self._check_shape(array, field, shape, axes)
        self._refuse(~np.isfinite(array), array, field, "must be a finite number")
        if positive:
            self._refuse(array <= 0, array, field, "must be positive")
        elif not signed:
            self._refuse(array < 0, array, field, "must not be negative")
        return array

    def indices(self, value: object, field: str, shape: tuple[int | None, ...], *, below: int) -> IntArray:
        """Whole numbers in ``0..below-1``."""
        array = self.numbers(value, field, shape, signed=True)
        whole = array.astype(np.int64)
        self._refuse(whole != array, array, field, "must be a whole number")
        self._refuse((whole < 0) | (whole >= below), array, field, f"must be an index from 0 to {below - 1}")
        return whole

    def names(
        self, value: object, field: str, *, count: int | None = None, default: str = ""
    ) -> tuple[str, ...]:
        """Distinct names; ``default0, default1, ...`` when the field is absent and ``count`` is known."""
        if value is None and count is not None:
            return tuple(f"{default}{i}" for i in range(count))
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.error(field, "must be a list of names", value=value)
        names = tuple(str(item) for item in value)
        if count is not None and len(names) != count:
            raise self.error(field, f"must have {count} names", value=len(names))
        seen: set[str] = set()
        for i, name in enumerate(names):
            if name in seen:
                raise self.error(field, "appears twice; names must differ", index=(i,), value=name)
            seen.add(name)
        return names

    def choice(
        self, value: object, field: str, known: Collection[Word], *, index: tuple[int, ...] = ()
    ) -> Word:
        """One of the known words."""
        for word in known:
            if word == value:
                return word
        raise self.error(field, f"must be one of {', '.join(known)}", index=index, value=value)

    def choices(
        self, values: Sequence[object], field: str, known: Collection[Word], *, count: int, default: Word
    ) -> tuple[Word, ...]:
        """One of the known words for each of ``count`` things; the default for all when nothing is given."""
        if not values:
            return (default,) * count
        if len(values) != count:
            raise self.error(field, f"must have {count} entries", value=len(values))
        return tuple(self.choice(value, field, known, index=(i,)) for i, value in enumerate(values))

    def _floats(self, value: object, field: str, ndim: int, axes: Sequence[str]) -> FloatArray:
        try:
            return np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            pass
        what = " by ".join(axes) or f"{ndim} dimension(s)"
        _, index, bad = _first_odd(value, ndim, ())
        if isinstance(bad, (list, tuple)):
            raise self.error(field, f"rows must have equal lengths ({what})", index=index, value=len(bad))
        raise self.error(field, "must be a number", index=index, value=bad)

    def _check_shape(
        self, array: FloatArray, field: str, shape: tuple[int | None, ...], axes: Sequence[str]
    ) -> None:
        fits = array.ndim == len(shape) and all(
            want is None or have == want for have, want in zip(array.shape, shape, strict=True)
        )
        if not fits:
            want = " x ".join("any" if n is None else str(n) for n in shape)
            meaning = f" ({' x '.join(axes)})" if axes else ""
            have = " x ".join(map(str, array.shape)) or "a single number"
            raise self.error(field, f"must have shape {want}{meaning}, not {have}")

    def _refuse(self, bad: BoolArray, array: FloatArray, field: str, rule: str) -> None:
        if bad.any():
            index = tuple(int(i) for i in np.argwhere(bad)[0])
            raise self.error(field, rule, index=index, value=float(array[index]))


def _first_odd(value: Any, depth: int, index: tuple[int, ...]) -> tuple[bool, tuple[int, ...], object]:
    """Where a nested list stops being an array of numbers: (found, index, item)."""
    if depth == 0 or not isinstance(value, (list, tuple)):
        try:
            float(value)
        except (TypeError, ValueError):
            return True, index, value
        return depth > 0, index, value
    for i, item in enumerate(value):
        found, where, odd = _first_odd(item, depth - 1, (*index, i))
        if found:
            return found, where, odd
    lengths = [len(item) for item in value if isinstance(item, (list, tuple))]
    for i, item in enumerate(value):
        if isinstance(item, (list, tuple)) and len(item) != lengths[0]:
            return True, (*index, i), item
    return False, index, value
