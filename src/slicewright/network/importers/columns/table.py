"""CSV tables as spreadsheets save them: encodings, delimiters, decimal commas, headers with units."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.files.text import read_text
from slicewright.network.importers.report import ImportReport, listed
from slicewright.types import FloatArray

MOST_MB = 256
MOST_CELLS = 10_000_000
"""A table of more cells would take gigabytes of memory, and minutes to be read."""
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_UNIT = re.compile(r"^(.*?)\s*[\(\[]\s*([^)\]]*?)\s*[\)\]]\s*$")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_MINUS = str.maketrans(
    {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{NO-BREAK SPACE}": " ", "\N{DEGREE SIGN}": " "}
)


@dataclass
class Table:
    """A table in memory, cells as text.

    Attributes:
        name: of the file, for messages.
        columns: names of the header in lower case without units, words joined by underscores.
        units: of each column, as written in the header; empty where it has none.
        rows: cells of each row that is not blank.
        lines: line of each row in the file.
        encoding, delimiter: as it was read.
        header: its cells as they stand there.
        decimal_commas: whether numbers have commas for points.
        used: columns that were read.
    """

    name: str
    columns: list[str]
    units: list[str]
    rows: list[list[str]]
    lines: list[int]
    encoding: str
    delimiter: str
    header: list[str] = field(default_factory=list)
    decimal_commas: bool = False
    used: set[int] = field(default_factory=set)

    def find(self, names: Sequence[str]) -> int | None:
        """Index of the first column of one of these names."""
        return next((self.columns.index(name) for name in names if name in self.columns), None)

    def column(self, names: Sequence[str]) -> int:
        """The same, where one must be there; the first name is the one asked for.

        Raises:
            InvalidScenarioError: none is.
        """
        found = self.find(names)
        if found is None:
            there = ", ".join(self.columns) or "none"
            raise InvalidScenarioError(self.name, f"has no column {names[0]!r}; its columns are {there}")
        return found

    def cell(self, row: int, column: int) -> str:
        """Text of a cell.

        Raises:
            InvalidScenarioError: it is empty.
        """
        self.used.add(column)
        cells = self.rows[row]
        if column >= len(cells) or not cells[column].strip():
            raise InvalidScenarioError(self.place(row, column), "is missing")
        return cells[column].strip()

    def place(self, row: int, column: int) -> str:
        """File, line and column of a cell, for messages."""
        return f"{self.name} line {self.lines[row]}, {self.columns[column]}"

    def number(self, row: int, column: int, rule: str, holds: Callable[[float], bool]) -> float:
        """A number of a cell, with a point or a comma.

        Raises:
            InvalidScenarioError: the cell is empty or does not hold what the rule says.
        """
        text = self.cell(row, column)
        value = self._value(text)
        if value is None or not holds(value):
            raise InvalidScenarioError(self.place(row, column), f"must be {rule}", value=text)
        return value

    def numbers(self, column: int, rule: str, holds: Callable[[float], bool]) -> FloatArray:
        """(rows,) numbers of a column, see :meth:`number`."""
        return np.array(
            [self.number(row, column, rule, holds) for row in range(len(self.rows))], dtype=np.float64
        )

    def names(self, column: int) -> list[str]:
        """Names of all rows, which must differ.

        Raises:
            InvalidScenarioError: one is missing or comes twice.
        """
        seen: dict[str, int] = {}
        for row in range(len(self.rows)):
            name = self.cell(row, column)
            if name in seen:
                rule = f"is the name of line {seen[name]} too; names must differ"
                raise InvalidScenarioError(self.place(row, column), rule, value=name)
            seen[name] = self.lines[row]
        return list(seen)

    def tell(self, report: ImportReport, what: str) -> None:
        """Note how the table was read, and which columns were not."""
        how = [
            self.encoding,
            _DELIMITERS[self.delimiter],
            *(["decimal commas"] if self.decimal_commas else []),
        ]
        report.note("read", f"{len(self.rows)} {what} from {self.name} ({', '.join(how)})")
        rest = [name for k, name in enumerate(self.columns) if k not in self.used and name]
        if rest:
            report.note("dropped", f"columns of {self.name}: {listed(rest)}")

    def _value(self, text: str) -> float | None:
        plain = text.translate(_MINUS).strip().replace(" ", "")
        if _DECIMAL_COMMA.fullmatch(plain):
            self.decimal_commas = True
            plain = plain.replace(",", ".")
        try:
            return float(plain)
        except ValueError:
            return None


def read_table(file: Path, report: ImportReport, *, known: Sequence[str] = ()) -> Table:
    """Read a table with a header.

    Args:
        file: the file.
        report: where a guessed encoding is noted.
        known: names of columns; the delimiter is the one that finds most of them.

    Raises:
        InvalidScenarioError: the file cannot be taken apart, or has no row.
        FileNotFoundError: no such file.
    """
    text = read_text(
        file, InvalidScenarioError, most_mb=MOST_MB, advice="take a part of its rows", guess=True
    )
    if text.guessed:
        report.note("odd", f"{file.name} is not UTF-8: it was taken for {text.encoding}")
    content = text.content.replace("\r\n", "\n").replace("\r", "\n")
    head = next((line for line in io.StringIO(content) if line.strip()), "").rstrip("\n")
    delimiter = _delimiter(head, known)
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(content), delimiter=delimiter)
    header: list[str] = []
    cells = 0
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = row
                continue
            rows.append(row)
            lines.append(reader.line_num)
            cells += len(row)
            if cells > MOST_CELLS:
                raise InvalidScenarioError(
                    f"{file.name} line {reader.line_num}",
                    f"comes after {MOST_CELLS:,} cells, the most that are read",
                    fix="take a part of its rows or columns",
                )
    except csv.Error as broken:
        raise InvalidScenarioError(
            f"{file.name} line {reader.line_num}", f"cannot be read: {broken}"
        ) from None
    split = [_split_unit(name) for name in header]
    columns = [column_name(name) for name, _ in split]
    twice = next((c for k, c in enumerate(columns) if c in known and c in columns[:k]), None)
    if twice is not None:
        raise InvalidScenarioError(file.name, f"has two columns {twice!r}", fix="rename one")
    units = [unit for _, unit in split]
    return Table(file.name, columns, units, rows, lines, text.encoding, delimiter, header)


def column_name(text: str) -> str:
    """A header as it is compared: ``Site ID`` is ``site_id``."""
    return re.sub(r"[\s\-./]+", "_", text.strip().strip("\N{ZERO WIDTH NO-BREAK SPACE}").lower()).strip("_")


def _split_unit(header: str) -> tuple[str, str]:
    match = _UNIT.match(header.strip())
    return (match.group(1), match.group(2)) if match and match.group(1) else (header, "")


def _delimiter(head: str, known: Sequence[str]) -> str:
    def score(mark: str) -> tuple[int, int]:
        names = [column_name(_split_unit(cell.strip('"'))[0]) for cell in head.split(mark)]
        return sum(name in known for name in names), len(names)

    return max(_DELIMITERS, key=score)


def aliases(names: Mapping[str, Sequence[str]]) -> list[str]:
    """All names of all columns."""
    return [alias for group in names.values() for alias in group]
