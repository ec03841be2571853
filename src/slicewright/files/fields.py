"""Reading user input field by field: every failure names the field, the index, the value and the rule."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from slicewright.errors import InvalidInputError, nearest
from slicewright.types import BoolArray, Document, FloatArray, IntArray

Word = TypeVar("Word", bound=str)


_KINDS = {f"slicewright/{kind}/v1": f"{kind} file" for kind in ("scenario", "plan", "tasks", "placement")}


def _what_it_is(found: object, wanted: str) -> str:
    """Advice to who named one of our files where another one belongs."""
    if found not in _KINDS or wanted not in _KINDS:
        return ""
    return f"this is a {_KINDS[str(found)]}, and a {_KINDS[wanted]} is asked for"


class FieldReader:
    """Checks of one kind of document, all raising the same error type."""

    def __init__(self, error: type[InvalidInputError]) -> None:
        self.error = error

    def mapping(self, value: object, field: str) -> Document:
        """``value`` as a mapping with string keys."""
        if not isinstance(value, Mapping):
            raise self.error(field, "must be a mapping of names to values", value=value)
        document = {str(key): item for key, item in value.items()}
        if len(document) < len(value):
            raise self.error(field, "has two keys that are the same as text", value=list(value))
        return document

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
            raise self.error("schema", f"must be {wanted}", value=found, fix=_what_it_is(found, wanted))

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
        if array.size and _within(float(array.min()), float(array.max()), positive=positive, signed=signed):
            return array  # nearly always: two passes instead of a table of marks for each rule
        self._refuse(~np.isfinite(array), array, field, "must be a finite number")
        if positive:
            self._refuse(array <= 0, array, field, "must be positive")
        elif not signed:
            self._refuse(array < 0, array, field, "must not be negative")
        return array

    def indices(self, value: object, field: str, shape: tuple[int | None, ...], *, below: int) -> IntArray:
        """Whole numbers in ``0..below-1``."""
        array = self.numbers(value, field, shape, signed=True)
        self._refuse(np.floor(array) != array, array, field, "must be a whole number")
        self._refuse((array < 0) | (array >= below), array, field, f"must be an index from 0 to {below - 1}")
        return array.astype(np.int64)

    def number(
        self, value: object, field: str, *, positive: bool = False, signed: bool = False, finite: bool = True
    ) -> float:
        """One number, also as text (``5e2``); >= 0 unless ``signed``, > 0 if ``positive``."""
        if not finite and as_number(value) in (np.inf, -np.inf):
            return float(as_number(value) or 0.0)
        return float(self.numbers(value, field, (), positive=positive, signed=signed))

    def whole(self, value: object, field: str, *, least: int = 0, most: int | None = None) -> int:
        """One whole number within bounds, also as text or with a point (``7.0``)."""
        number = as_number(value)
        exact = value if isinstance(value, int) and number is not None else number
        if exact is None or exact != exact or exact in (np.inf, -np.inf) or exact != int(exact):
            exact = None
        if exact is None or exact < least or (most is not None and exact > most):
            span = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise self.error(field, f"must be a whole number {span}", value=value)
        return int(exact)

    def text(self, value: object, field: str, *, index: tuple[int, ...] = ()) -> str:
        """Text as it was written. A whole number will do where nothing else can have been meant (7, not 07).

        Raises:
            InvalidInputError: a number with a point, true, false or null: quoted they would be names.
        """
        if isinstance(value, str):
            name = value
        elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            name = str(value)
            value = getattr(value, "written", value)
        else:
            name = ""
        if value is None or not isinstance(value, (str, int, np.integer)) or str(value) != name:
            shown = (
                "null (or ~)" if value is None else str(value).lower() if isinstance(value, bool) else value
            )
            raise self.error(field, f"must be text, not {shown}", index=index, fix="quote it")
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            raise self.error(field, "must be text without half characters", index=index, value=name) from None
        return name

    def names(
        self, value: object, field: str, *, count: int | None = None, default: str = ""
    ) -> tuple[str, ...]:
        """Distinct names; ``default0, default1, ...`` when the field is absent and ``count`` is known."""
        if value is None and count is not None:
            return tuple(f"{default}{i}" for i in range(count))
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.error(field, "must be a list of names", value=value)
        names = tuple(self.text(item, field, index=(i,)) for i, item in enumerate(value))
        if count is not None and len(names) != count:
            raise self.error(field, f"must have {count} names", value=len(names))
        seen: set[str] = set()
        for i, name in enumerate(names):
            if name in seen:
                raise self.error(field, "appears twice; names must differ", index=(i,), value=name)
            seen.add(name)
        return names

    def words(self, value: object, field: str) -> tuple[str, ...]:
        """Words of a list that may be absent; whether they are known and as many as needed is asked later."""
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.error(field, "must be a list of words", value=value)
        return tuple(self.text(item, field, index=(i,)) for i, item in enumerate(value))

    def choice(
        self, value: object, field: str, known: Collection[Word], *, index: tuple[int, ...] = ()
    ) -> Word:
        """One of the known words."""
        for word in known:
            if isinstance(value, str) and word == value:
                return word
        shown = "null" if value is None else value
        raise self.error(field, f"must be one of {', '.join(known)}", index=index, value=shown)

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
        if not isinstance(value, np.ndarray) and (odd := _first_no_number(value, ())) is not None:
            index, bad = odd
            if bad is None:
                raise self.error(field, "must be a number, not null", index=index)
            raise self.error(field, "must be a number", index=index, value=bad)
        try:
            return np.array(value, dtype=np.float64, order="C")  # kernels are compiled for one order
        except (TypeError, ValueError, OverflowError):
            pass
        what = " by ".join(axes) or f"{ndim} dimension(s)"
        _, index, bad = _first_odd(value, ndim, ())
        if isinstance(bad, (list, tuple)):
            raise self.error(field, f"rows must have equal lengths ({what})", index=index, value=len(bad))
        if isinstance(bad, int):
            digits = len(str(abs(bad)))
            raise self.error(
                field, f"must be a number below 1.8e308; this one has {digits} digits", index=index
            )
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
        if as_number(value) is None:
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


def _within(least: float, most: float, *, positive: bool, signed: bool) -> bool:
    """Whether numbers between these two keep the rules of :meth:`FieldReader.numbers`; NaN is never within."""
    above = least > -math.inf if signed else (least > 0 if positive else least >= 0)
    return above and most < math.inf


def as_number(value: object) -> float | None:
    """A number, or a text that is one, as a float; None for anything else and for what a float cannot hold."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, str, np.number)):
        return None
    if isinstance(value, str) and "_" in value:  # Python would read 1_44.96 as 144.96
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


_NUMBERS = frozenset((int, float, str))


def _first_no_number(value: object, index: tuple[int, ...]) -> tuple[tuple[int, ...], object] | None:
    """Where NumPy would take for a number what is none: true as 1, null as not-a-number. None if nowhere."""
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))
        if _NUMBERS.issuperset(kinds) and (str not in kinds or not any(map(_is_joined, value))):
            return None
        for i, item in enumerate(value):
            found = _first_no_number(item, (*index, i))
            if found is not None:
                return found
        return None
    if value is None or isinstance(value, (bool, bytes, set)) or _is_joined(value):
        return index, value
    return None


def _is_joined(value: object) -> bool:
    """Text that Python would take for a number, and hardly anybody else."""
    return isinstance(value, str) and "_" in value
