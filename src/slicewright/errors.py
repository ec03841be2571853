"""The exception tree. Everything the library raises on purpose derives from ``SlicewrightError``.

SlicewrightError
├── InvalidInputError (ValueError)      something the user wrote is wrong
│   ├── InvalidScenarioError            a scenario, its file or its preset
│   ├── InvalidPlanError                a plan or its file
│   ├── InvalidTasksError               a placement problem or its file
│   └── InvalidOptionError              an argument of a function or command
├── UnknownNameError (LookupError)      no such method, preset, radio model; suggests the nearest
├── MissingExtraError (ImportError)     an optional dependency is not installed; names the extra
├── SolverError (RuntimeError)          an optimiser could not run or could not answer
├── WorkerError (RuntimeError)          worker processes cannot be started or kept running
└── EnforcementError (RuntimeError)     a kernel, switch or program refused what was asked of it
    └── MissingFeatureError             the machine lacks a right, a program or a kernel feature; names it
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SlicewrightError(Exception):
    """Base of every error that slicewright raises on purpose."""


class InvalidInputError(SlicewrightError, ValueError):
    """Something the user wrote breaks a rule. The message is one sentence; the parts are attributes.

    Attributes:
        field: Name of the offending field, as the user wrote it, e.g. ``devices.task_bits``.
        index: Position inside the field, ``()`` for the whole field.
        value: The offending value.
        rule: What must hold.
        fix: What to do about it, may be empty.
        file: The file that holds the field, empty where it came from no file.
    """

    def __init__(
        self,
        field: str,
        rule: str,
        *,
        index: tuple[int, ...] = (),
        value: object = None,
        fix: str = "",
        file: str = "",
    ) -> None:
        self.field, self.rule, self.index, self.value, self.fix = field, rule, index, value, fix
        self.file = file
        place = field + "".join(f"[{i}]" for i in index)
        shown = "" if value is None else f" is {_short(value)}"
        joint = " but" if value is not None else ":"
        where = f"{file}: " if file else ""
        super().__init__(_one_line(f"{where}{place}{shown}{joint} {rule}" + (f"; {fix}" if fix else "")))

    def in_file(self, file: str) -> InvalidInputError:
        """The same error, whose message begins with the file that holds the field."""
        return _rebuild(type(self), self.field, self.rule, self.index, self.value, self.fix, file)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.field, self.rule, self.index, self.value, self.fix, self.file)


def _rebuild(
    kind: type[InvalidInputError],
    field: str,
    rule: str,
    index: tuple[int, ...],
    value: object,
    fix: str,
    file: str,
) -> InvalidInputError:
    """Unpickle across process pools: the constructor is keyword-only, which pickle cannot guess."""
    return kind(field, rule, index=index, value=value, fix=fix, file=file)


class InvalidScenarioError(InvalidInputError):
    """A scenario, its file or its preset parameters break a rule."""


class InvalidPlanError(InvalidInputError):
    """A plan or plan file cannot be read against its scenario."""


class InvalidTasksError(InvalidInputError):
    """A placement problem or its file breaks a rule."""


class InvalidOptionError(InvalidInputError):
    """An argument of a public function or a command-line option breaks a rule."""


class UnknownNameError(SlicewrightError, LookupError):
    """A method, preset or model that nobody registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        super().__init__(f"there is no {kind} {name!r}{nearest(name, self.known)}")

    def __reduce__(self) -> tuple[object, ...]:
        return UnknownNameError, (self.kind, self.name, self.known)


class MissingExtraError(SlicewrightError, ImportError):
    """A feature needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs the extra {extra!r}: pip install 'slicewright[{extra}]'")

    def __reduce__(self) -> tuple[object, ...]:
        return MissingExtraError, (self.feature, self.extra)


class SolverError(SlicewrightError, RuntimeError):
    """An optimiser could not run or returned no usable answer."""


class EnforcementError(SlicewrightError, RuntimeError):
    """A kernel, switch or program refused what was asked of it; the message carries its own words."""


class MissingFeatureError(EnforcementError):
    """The machine lacks something: a right (root), a program or a kernel feature.

    Attributes:
        purpose: what it is needed for.
        features: names of what is missing.
    """

    def __init__(self, purpose: str, features: Iterable[str]) -> None:
        self.purpose, self.features = purpose, tuple(features)
        super().__init__(f"{purpose} needs {', '.join(self.features)}, which this machine does not offer")

    def __reduce__(self) -> tuple[object, ...]:
        return MissingFeatureError, (self.purpose, self.features)


class WorkerError(SlicewrightError, RuntimeError):
    """Worker processes cannot be started, or keep dying before they have done anything."""


MOST_LISTED = 30
"""A message lists at most so many known names."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The tail of an error sentence: the nearest known name, or all of them when none is near."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    listed = ", ".join(names[:MOST_LISTED]) + (
        f", … ({len(names)} in all)" if len(names) > MOST_LISTED else ""
    )
    return f"; known: {listed}"


def _one_line(text: str) -> str:
    """Names may hold anything; a message is one sentence all the same."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _short(value: object, limit: int = 60) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
