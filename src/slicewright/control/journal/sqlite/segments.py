"""The files of a rotated SQLite journal: the first has the journal's name, later ones their first record's number.

``journal.db``, ``journal-000000002001.db``, ... Every file begins where the one before ends, and its first record
carries the hash of that one's last. Finished files are sealed and never written again: they may be moved elsewhere.
"""

from __future__ import annotations

import re
from pathlib import Path

_DIGITS = 12


def segments(path: Path) -> list[Path]:
    """The files of a journal that are there, oldest first; ``path`` is the journal's own name."""
    named = re.compile(re.escape(path.stem) + rf"-(\d{{{_DIGITS}}})" + re.escape(path.suffix))
    later = [file for file in path.parent.glob(f"{path.stem}-*{path.suffix}") if named.fullmatch(file.name)]
    first = [path] if path.exists() else []
    return [*first, *sorted(later)]


def segment_for(path: Path, sequence: int) -> Path:
    """The file that begins with a record; the journal's own name for the first one."""
    return path if sequence == 1 else path.with_name(f"{path.stem}-{sequence:0{_DIGITS}d}{path.suffix}")


def before(path: Path, segment: Path) -> int:
    """The number of the record before a file's first."""
    return 0 if segment == path else int(segment.stem[-_DIGITS:]) - 1
