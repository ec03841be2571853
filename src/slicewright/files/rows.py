"""Tables read row by row, up to a length that memory holds: CSV as programs and spreadsheets save it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from slicewright.errors import InvalidInputError
from slicewright.files.text import encoding_of

MOST_ROWS = 20_000_000
"""More rows than these would take gigabytes of memory once they are numbers."""
TOO_MANY = f"is one row more than the {MOST_ROWS:,} that are read"
_DELIMITERS = (",", ";", "\t")
_HEAD = 4096


class CsvRows:
    """The rows of a CSV file with a header; what separates columns is seen by the header.

    Args:
        path: the file, in UTF-8 or with a byte order mark.
        error: raised about what is no text, names the line.
        field: what the file is to whoever gave it, for the message.

    Attributes:
        names: of the columns.
        line: of the row that was read last.
    """

    def __init__(self, path: Path, error: type[InvalidInputError], *, field: str) -> None:
        self._path, self._error, self._field = path, error, field
        with path.open("rb") as stream:
            self._encoding = encoding_of(stream.read(_HEAD), str(path), error)
        header = next(self._lines(), "")
        self._delimiter = max(_DELIMITERS, key=header.count)
        self.line = 1
        self.names = tuple(name.strip() for name in next(csv.reader([header], delimiter=self._delimiter), []))

    def __iter__(self) -> Iterator[Mapping[str, str]]:
        lines = self._lines()
        next(lines, "")
        rows = csv.reader(lines, delimiter=self._delimiter)
        try:
            for count, cells in enumerate(rows):
                self.line = rows.line_num + 1
                if count >= MOST_ROWS:
                    raise self._error(self._field, TOO_MANY, index=(self.line,), fix="take a part of them")
                if len(cells) > len(self.names):
                    rule = f"has {len(cells)} cells, and the header {len(self.names)}"
                    raise self._error(self._field, rule, index=(self.line,))
                if any(map(str.strip, cells)):
                    yield dict(zip(self.names, cells, strict=False))
        except csv.Error as broken:
            raise self._error(self._field, f"cannot be read: {broken}", index=(self.line,)) from None

    def number(self, row: Mapping[str, str], name: str) -> float:
        """A number of a row; with a decimal comma where commas separate nothing.

        Raises:
            ValueError: there is none.
        """
        text = row.get(name, "").strip()
        if self._delimiter != "," and "." not in text:
            text = text.replace(",", ".")
        if "_" in text:
            raise ValueError(text)
        return float(text)

    def _lines(self) -> Iterator[str]:
        read = 0
        try:
            with self._path.open(encoding=self._encoding, newline="") as stream:
                for line in stream:
                    read += 1
                    yield line
        except UnicodeError:
            rule = f"is no text in {self._encoding.upper().removesuffix('-SIG')} after line {read}"
            raise self._error(self._field, rule, value=self._path.name, fix="save it as UTF-8") from None
