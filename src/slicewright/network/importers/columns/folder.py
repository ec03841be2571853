"""Files of a folder of tables, by name in any case; what is not read is told."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from slicewright.network.importers.report import ImportReport, listed

_NO_DATA = (
    "readme*",
    "license*",
    "licence*",
    "copying*",
    "notice*",
    "citation*",
    "changelog*",
    "*.md",
    "*.py",
    "*.sh",
    "*.pdf",
)
"""Files beside tables that nobody expects to be read."""


def files_like(folder: Path, pattern: str) -> list[Path]:
    """Files of a folder whose names match a pattern; in any case where none does as it is written."""
    found = sorted(folder.glob(pattern))
    return found or sorted(file for file in folder.iterdir() if fnmatch(file.name.lower(), pattern.lower()))


def tell_unread_files(folder: Path, read: Sequence[str], report: ImportReport) -> None:
    """Note what else is in a folder: it may be a table by a name that is not known."""
    rest = [
        file.name
        for file in sorted(folder.iterdir())
        if file.is_file()
        and file.name not in read
        and not file.name.startswith(".")
        and not any(fnmatch(file.name.lower(), pattern) for pattern in _NO_DATA)
    ]
    if rest:
        report.note("dropped", f"files of {folder.name}: {listed(rest)}")
