"""Decision logs as files: SQLite journals, their segments, and JSON lines; read in order, chain across them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from slicewright.control.journal.records import BrokenChainError, Record, from_line
from slicewright.control.journal.sqlite.damage import SQLITE_ERRORS, reading, told
from slicewright.control.journal.sqlite.segments import segments
from slicewright.errors import InvalidOptionError

_SQLITE = b"SQLite format 3"
_ENDINGS = (".db", ".sqlite", ".sqlite3", ".jsonl", ".ndjson")


def read_log(*paths: str | Path) -> Iterator[Record]:
    """Records of a log in the order of their numbers, whatever the order of the files.

    Args:
        paths: a journal (its later segments beside it are read too), single segments, files of JSON lines, or
            folders of these.

    Raises:
        FileNotFoundError: no such file.
        BrokenChainError: it is something else.
        InvalidOptionError: a folder holds no log.
    """
    files = {file: None for path in paths for file in _files(Path(path))}
    firsts = [(first.sequence, file) for file in files if (first := next(_records(file), None)) is not None]
    for _, file in sorted(firsts):
        yield from _records(file)


def _files(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return segments(path) or [path]
    found = sorted(file for file in path.iterdir() if file.suffix in _ENDINGS)
    if not found:
        endings = ", ".join(_ENDINGS)
        raise InvalidOptionError("LOG", f"is a folder without a file that ends in {endings}", value=str(path))
    return found


def _records(file: Path) -> Iterator[Record]:
    with file.open("rb") as stream:
        is_sqlite = stream.read(16).startswith(_SQLITE)
    if not is_sqlite:
        try:
            with file.open(encoding="utf-8-sig") as lines:
                yield from (from_line(line) for line in lines if line.strip())
        except UnicodeDecodeError:
            raise BrokenChainError(f"{file} is no journal: neither SQLite nor JSON lines in UTF-8") from None
        return
    try:
        with reading(file) as database:
            for (line,) in database.execute("SELECT line FROM journal ORDER BY sequence"):
                yield from_line(line)
    except SQLITE_ERRORS as error:
        raise BrokenChainError(f"{file} is no journal, or damaged: {told(error)}") from None
