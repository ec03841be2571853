"""CSV tables as spreadsheets save them: encodings, delimiters, decimal commas, headers with units."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.files.text import read_text
from slicewright.network.importers.columns.headers import column_name, index_of, split_unit, squashed
from slicewright.network.importers.report import ImportReport, listed
from slicewright.types import FloatArray

MOST_MB = 256
MOST_CELLS = 10_000_000
"""A table of more cells would take gigabytes of memory, and minutes to be read."""
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ONE = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:(?:,\d{3})+(?:\.\d*)?|(?:\.\d{3})+(?:,\d*)?|(?:'\d{3})+(?:[.,]\d*)?)")
"""Thousands set apart. With one comma or one point, three digits behind it, it may also be a fraction."""
_WITH_UNIT = re.compile(r"[-+]?[\d.,]+\s*[A-Za-zµ%][A-Za-z/%]*")
_NOTHING = frozenset(("", "nan", "na", "n/a", "#n/a", "null", "none", "nil", "-", "--", "?"))
"""What programs and people write where there is no number."""
_TOTALS = frozenset(
    (
        "total",
        "totals",
        "sum",
        "summe",
        "gesamt",
        "average",
        "mean",
        "mittelwert",
        "durchschnitt",
        "grand total",
    )
)
"""How a spreadsheet's last row begins that is none of its things."""
_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)
_HEADER_WITHIN, _LIKE_A_HEADER = 20, 2
"""Lines in which a header is looked for where the first is none, and known names that it must have."""
_MINUS = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{DEGREE SIGN}": " ",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{THIN SPACE}": " ",
    }
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
        pointed: the first number such as ``1.234``, which is another one among decimal commas: place and doubt.
        above, empty: lines above the header, and rows of nothing but delimiters; both are left out.
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
    above: int = 0
    empty: int = 0
    pointed: tuple[str, str] | None = None
    used: set[int] = field(default_factory=set)

    def find(self, names: Sequence[str]) -> int | None:
        """Index of the first column of one of these names, whatever stands between their words."""
        return index_of(self.columns, names)

    def column(self, names: Sequence[str]) -> int:
        """The same, where one must be there; the first name is the one asked for.

        Raises:
            InvalidScenarioError: none is.
        """
        found = self.find(names)
        if found is None:
            there = ", ".join(self.columns) or "none"
            alone = "separate columns by commas, semicolons or tabs" if len(self.columns) == 1 else ""
            raise InvalidScenarioError(
                self.name, f"has no column {names[0]!r}; its columns are {there}", fix=alone
            )
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

    def is_missing(self, row: int, column: int) -> bool:
        """Whether a cell holds nothing, or one of the words for it."""
        self.used.add(column)
        cells = self.rows[row]
        return column >= len(cells) or cells[column].strip().lower() in _NOTHING

    def place(self, row: int, column: int) -> str:
        """File, line and column of a cell, for messages."""
        return f"{self.name} line {self.lines[row]}, {self.columns[column]}"

    def number(self, row: int, column: int, rule: str, holds: Callable[[float], bool]) -> float:
        """A number of a cell, with a point or a comma; thousands may be set apart where that cannot be a fraction.

        Raises:
            InvalidScenarioError: the cell is empty, does not hold what the rule says, or may be one of two numbers.
        """
        text = self.cell(row, column)
        value = self._value(text)
        if value is None or not holds(value):
            fix = (
                "write its unit into the header, such as bandwidth [MHz]"
                if _WITH_UNIT.fullmatch(text)
                else ""
            )
            raise InvalidScenarioError(self.place(row, column), f"must be {rule}", value=text, fix=fix)
        if text[-4:-3] in (",", "."):
            self._note_thousands(row, column, text, value, holds)
        if self.pointed and self.decimal_commas:
            raise InvalidScenarioError(*self.pointed, fix="write it without a separator of thousands")
        return value

    def numbers(
        self, column: int, rule: str, holds: Callable[[float], bool], *, rows: Sequence[int] | None = None
    ) -> FloatArray:
        """(rows,) numbers of a column, of all rows or of some, see :meth:`number`."""
        chosen = range(len(self.rows)) if rows is None else rows
        return np.array([self.number(row, column, rule, holds) for row in chosen], dtype=np.float64)

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
        if self.above:
            report.note("dropped", f"{self.above} lines of {self.name} above its header")
        if self.empty:
            report.note("dropped", f"{self.empty} rows of {self.name} without any value")
        rest = [name for k, name in enumerate(self.columns) if k not in self.used and name]
        if rest:
            report.note("dropped", f"columns of {self.name}: {listed(rest)}")

    def _value(self, text: str) -> float | None:
        plain = _plain(text)
        if _DECIMAL_COMMA.fullmatch(plain):
            self.decimal_commas = True
            plain = plain.replace(",", ".")
        elif _GROUPED.fullmatch(plain) and (_marks(plain) > 1 or "'" in plain):
            fraction = re.search(r"[.,](\d*)$", plain)  # the last mark, unless it comes several times
            groups = fraction is None or plain.count(fraction.group()[0]) > 1
            whole, behind = (
                (plain, "") if groups or fraction is None else (plain[: fraction.start()], fraction[1])
            )
            plain = re.sub(r"[.,']", "", whole) + (f".{behind}" if behind else "")
        try:
            return None if "_" in plain else float(plain)
        except ValueError:
            return None

    def _note_thousands(
        self, row: int, column: int, text: str, value: float, holds: Callable[[float], bool]
    ) -> None:
        """Refuse ``1,234`` between commas; remember ``1.234``, which is two numbers if others have decimal commas."""
        plain = _plain(text)
        if _marks(plain) != 1 or not _GROUPED.fullmatch(plain) or plain.lstrip("-+").startswith("0"):
            return
        other = float(re.sub("[.,]", "", plain))
        if not holds(other):
            return
        doubt = self.place(row, column), f"is {text!r}, which may be {value:g} or {other:g}"
        if "." in plain:
            self.pointed = self.pointed or doubt
        elif self.delimiter == ",":
            raise InvalidScenarioError(*doubt, fix="write it without a separator of thousands")


def _plain(text: str) -> str:
    return text.translate(_MINUS).strip().replace(" ", "")


def _marks(text: str) -> int:
    return sum(text.count(mark) for mark in ",.'")


def read_table(file: Path, report: ImportReport, *, known: Sequence[str] = ()) -> Table:
    """Read a table with a header, which may have a title above it.

    Args:
        file: the file.
        report: where a guessed encoding is noted.
        known: names of columns; the delimiter is the one that finds most of them.

    Raises:
        InvalidScenarioError: the file cannot be taken apart, or a row has more cells than the header.
        FileNotFoundError: no such file.
    """
    text = read_text(
        file, InvalidScenarioError, most_mb=MOST_MB, advice="take a part of its rows", guess=True
    )
    if text.guessed:
        report.note("odd", f"{file.name} is not UTF-8: it was taken for {text.encoding}")
    content = text.content.replace("\r\n", "\n").replace("\r", "\n")
    start, delimiter = _header(content, known)
    above = content.count("\n", 0, start)
    table = Table(file.name, [], [], [], [], text.encoding, delimiter)
    _fill(table, io.StringIO(content[start:]), above)
    _refuse_totals(table)
    split = [split_unit(name) for name in table.header]
    table.columns = [column_name(name) for name, _ in split]
    table.units = [unit for _, unit in split]
    table.above = sum(
        bool(line.strip()) for line in content[:start].splitlines() if not _SEPARATOR.fullmatch(line)
    )
    columns = table.columns
    twice = next((c for k, c in enumerate(columns) if c in known and c in columns[:k]), None)
    if twice is not None:
        raise InvalidScenarioError(file.name, f"has two columns {twice!r}", fix="rename one")
    return table


def _header(content: str, known: Sequence[str]) -> tuple[int, str]:
    """Where the header begins, and the delimiter: in the first line, or below a title or ``sep=;``."""
    first: tuple[int, str] | None = None
    start = 0
    told = ""
    for k, line in enumerate(io.StringIO(content)):
        if k >= _HEADER_WITHIN:
            break
        bare = line.strip()
        named = _SEPARATOR.fullmatch(bare)
        if named and first is None:
            told = named.group(1)
        elif bare:
            delimiter = told or _delimiter(line.rstrip("\n"), known)
            found = _names_found(line.rstrip("\n"), delimiter, known)
            if first is None:
                first = start, delimiter
                if found:
                    return first
            elif found >= _LIKE_A_HEADER:
                return start, delimiter
        start += len(line)
    return first or (0, ",")


def _fill(table: Table, text: io.StringIO, above: int) -> None:
    """Header and rows of a table, from its text that begins so many lines below the file's."""
    reader = csv.reader(
        text, delimiter=table.delimiter, strict=True
    )  # a quote that nobody closes takes all behind it
    cells = 0
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                table.empty += len(row) > 1
                continue
            line = above + reader.line_num
            if not table.header:
                table.header = row
                continue
            if any(cell.strip() for cell in row[len(table.header) :]):
                raise InvalidScenarioError(
                    f"{table.name} line {line}",
                    f"has {len(row)} cells, and the header {len(table.header)}",
                    fix=f"put quotes around a cell that holds {_ONE[table.delimiter]}",
                )
            table.rows.append(row)
            table.lines.append(line)
            cells += len(row)
            if cells > MOST_CELLS:
                raise InvalidScenarioError(
                    f"{table.name} line {line}",
                    f"comes after {MOST_CELLS:,} cells, the most that are read",
                    fix="take a part of its rows or columns",
                )
    except csv.Error as broken:
        told = "a quote before it is never closed" if "unexpected end" in str(broken) else str(broken)
        raise InvalidScenarioError(
            f"{table.name} line {above + reader.line_num}", f"cannot be read: {told}"
        ) from None


def _refuse_totals(table: Table) -> None:
    """A last row that sums up the others is no site, device or arrival."""
    first = next((cell.strip() for cell in table.rows[-1] if cell.strip()), "") if table.rows else ""
    if first.lower().rstrip(":") in _TOTALS:
        raise InvalidScenarioError(
            f"{table.name} line {table.lines[-1]}",
            "sums up the other rows, it seems",
            value=first,
            fix="take it out",
        )


def _names_found(head: str, mark: str, known: Sequence[str]) -> int:
    names = [column_name(split_unit(cell.strip('"'))[0]) for cell in head.split(mark)]
    wanted = {squashed(name) for name in known}
    return sum(squashed(name) in wanted for name in names if name)


def _delimiter(head: str, known: Sequence[str]) -> str:
    return max(_DELIMITERS, key=lambda mark: (_names_found(head, mark, known), head.count(mark)))
