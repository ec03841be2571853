"""What an importer did with a file: read, dropped, made up, and what looks odd; kept in a scenario's ``origin``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("read", "dropped", "made_up", "odd")
_TITLES = {"read": "read", "dropped": "dropped", "made_up": "made up", "odd": "odd"}


@dataclass
class ImportReport:
    """Short sentences of each kind, in the order in which they were noted.

    Attributes:
        read: what was taken from the files as it stands there.
        dropped: what the files hold and the scenario does not.
        made_up: what the scenario holds and the files do not.
        odd: what was taken although it looks like a mistake.
        remember: those of all kinds that who plans the scenario should know, too.
    """

    read: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    made_up: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    remember: list[str] = field(default_factory=list)

    def note(self, kind: str, sentence: str, *, remember: bool | None = None) -> None:
        """Add a sentence; unless it is said otherwise, all but what was simply read is to be remembered."""
        getattr(self, kind).append(sentence)
        if remember or (remember is None and kind != "read"):
            self.remember.append(sentence)

    def to_dict(self) -> dict[str, list[str]]:
        """For ``origin``; kinds without a sentence are left out."""
        values = {kind: list(getattr(self, kind)) for kind in (*KINDS, "remember")}
        return {kind: sentences for kind, sentences in values.items() if sentences}


def report_lines(origin: Mapping[str, object]) -> list[tuple[str, str]]:
    """Title and sentence of everything in the report of an imported scenario; none where there is no report."""
    report = origin.get("report")
    if not isinstance(report, Mapping):
        return []
    return [(_TITLES[kind], str(s)) for kind in KINDS for s in _sentences(report, kind)]


def remembered(origin: Mapping[str, object]) -> list[str]:
    """What who plans an imported scenario should know."""
    report = origin.get("report")
    return [str(s) for s in _sentences(report, "remember")] if isinstance(report, Mapping) else []


def remembered_by_kind(origin: Mapping[str, object]) -> list[tuple[str, str]]:
    """What :func:`remembered` tells, as title and text, a pair for each kind: odd, dropped, made up, read."""
    report, told = origin.get("report"), remembered(origin)
    if not isinstance(report, Mapping):
        return []
    kinds: dict[str, list[str]] = {kind: [] for kind in ("odd", "dropped", "made_up", "read")}
    for sentence in told:
        kind = next((k for k in ("odd", "dropped", "made_up") if sentence in _sentences(report, k)), "read")
        kinds[kind].append(sentence)
    return [(_TITLES[kind], "; ".join(sentences)) for kind, sentences in kinds.items() if sentences]


def listed(things: list[str], most: int = 6) -> str:
    """The first few of many names."""
    shown = ", ".join(things[:most])
    return shown if len(things) <= most else f"{shown} and {len(things) - most} more"


def _sentences(report: Mapping[str, object], kind: str) -> list[object]:
    found = report.get(kind)
    return found if isinstance(found, list) else []
