"""One table of an import: its file, and which of its columns holds what, in which unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.computing import Conversion, is_counted
from slicewright.network.importers.columns.headers import aliases, split_unit, squashed
from slicewright.network.importers.columns.names import (
    AT_SITE,
    CLOCKS,
    COUNTED,
    NAMES,
    meanings_of,
    tables_in,
)
from slicewright.network.importers.columns.quantities import UNITS, to_base
from slicewright.network.importers.columns.table import Table, read_table
from slicewright.network.importers.report import ImportReport
from slicewright.types import FloatArray


class Sheet(NamedTuple):
    """A table and its columns by what they mean: index and unit."""

    table: Table
    meaning: Mapping[str, tuple[int, str]]
    report: ImportReport

    def numbers(
        self,
        what: str,
        dimension: str,
        *,
        signed: bool = False,
        zero: bool = False,
        rows: Sequence[int] | None = None,
    ) -> FloatArray | None:
        """(rows,) numbers in base units, which may be ``signed`` or ``zero``; None where there is no such column."""
        if what not in self.meaning:
            return None
        column, unit = self.meaning[what]
        logarithmic = unit.lower() == "dbm"
        rule = (
            "a number"
            if signed or logarithmic
            else "a number of at least zero"
            if zero
            else "a positive number"
        )
        limit = -1e12 if signed or logarithmic else 0.0
        values = self.table.numbers(
            column, rule, lambda value: limit < value < 1e30 or (zero and value == 0.0), rows=rows
        )
        if not unit:
            self.report.note(
                "odd",
                f"{self.table.name}, {self.table.columns[column]}: no unit, so {dimension} was taken "
                f"({values.min():g} to {values.max():g}); a header such as {self.table.columns[column]} [{dimension}] "
                "tells it",
            )
            return values
        return to_base(values, unit, dimension, f"{self.table.name}, unit of {self.table.columns[column]}")

    def speeds_hz(self, what: str, conversion: Conversion, slices: int = 1) -> FloatArray | None:
        """(rows,) cycle/s of each slice: what the whole node has is divided. None where there is no such column."""
        if what not in self.meaning:
            return None
        if what == "capacity" and {"count", "clock"} <= self.meaning.keys():
            return self._cores_times_clock(slices)
        column, unit = self.meaning[what]
        name = self.table.columns[column]
        counted = unit or ("MIPS" if name == "mips" else "core" if name in COUNTED else "")
        told = f"{self.table.name}, {name}: {conversion.explained(counted or 'Hz')}"
        told += conversion.shared(counted or "Hz", slices)
        factor = conversion.factor(counted) if is_counted(counted) else None
        if factor is None:
            speeds = self.numbers(what, "Hz", zero=what == "capacity")
            if speeds is None or what != "capacity":
                return speeds
            self.report.note("read", told, remember=slices > 1)
            return speeds / slices if conversion.capacity_of == "node" else speeds
        self.report.note("read", told, remember=True)
        least = "at least zero" if what == "capacity" else "more than zero"
        counts = self.table.numbers(
            column, f"a number of {least}", lambda v: 0 <= v < 1e30 and (v > 0 or what == "capacity")
        )
        return counts * factor[0] / slices

    def rates_hz(self) -> FloatArray | None:
        """(rows,) tasks per s, from rates or from the time between two tasks; None where there is neither."""
        if "arrival_rate" in self.meaning or "arrival_interval" not in self.meaning:
            return self.numbers("arrival_rate", "1/s")
        interval_s = self.numbers("arrival_interval", "s")
        return None if interval_s is None else np.asarray(1.0 / interval_s, dtype=np.float64)

    def _cores_times_clock(self, slices: int) -> FloatArray:
        """(rows,) cycle/s of each slice where one column counts cores and another tells how fast each is."""
        (counts, _), (clocks, unit) = self.meaning["count"], self.meaning["clock"]
        names = self.table.columns[counts], self.table.columns[clocks]
        rule = "a number of at least zero"
        cores, speeds = (
            self.table.numbers(column, rule, lambda value: 0.0 <= value < 1e30) for column in (counts, clocks)
        )
        shared = f", divided evenly between {slices} slices" if slices > 1 else ""
        told = f"{self.table.name}, {names[0]} times {names[1]}: what the whole node has{shared}"
        self.report.note("read", told, remember=True)
        hz = to_base(speeds, unit, "Hz", f"{self.table.name}, unit of {names[1]}")
        return np.asarray(cores * hz / slices, dtype=np.float64)

    def names(self, default: str) -> list[str]:
        """Names of the rows, or numbered ones."""
        if "name" in self.meaning:
            return self.table.names(self.meaning["name"][0])
        return [f"{default}{k}" for k in range(len(self.table.rows))]


def read_sheet(folder: Path, what: str, report: ImportReport) -> Sheet | None:
    """The table of ``sites``, ``nodes`` or ``devices`` in a folder; None where there is none.

    Raises:
        InvalidScenarioError: there are several, or it cannot be read or is empty.
    """
    found = tables_in(folder, what)
    if len(found) > 1:
        listed = ", ".join(file.name for file in found)
        raise InvalidScenarioError(folder.name, f"has several tables of {what}: {listed}", fix="keep one")
    if not found:
        return None
    table = read_table(found[0], report, known=[*aliases(NAMES), *AT_SITE])
    if not table.rows:
        raise InvalidScenarioError(table.name, "must have at least one row under its header")
    meaning: dict[str, tuple[int, str]] = {}
    for k, (column, unit) in enumerate(zip(table.columns, table.units, strict=True)):
        header = split_unit(table.header[k])[0]
        meant, told = meanings_of(header, column, unit, what, table.name)
        free = next((m for m in meant if m not in meaning), None)
        if free is not None:
            meaning[free] = k, told
        if what == "nodes" and meant and "capacity" in meant:
            part = _part(column, told)
            if part and part not in meaning:
                meaning[part] = k, told
    if "name" not in meaning and "site" in meaning and _all_differ(table, meaning["site"][0]):
        meaning["name"] = meaning["site"]
    return Sheet(table, meaning, report)


def _part(column: str, unit: str) -> str:
    """``count`` for a column that counts cores, ``clock`` for one with the speed of a core; nothing for others."""
    plain = squashed(column)
    counts = any(plain.startswith(squashed(name)) for name in COUNTED)
    clocks = any(plain.startswith(squashed(name)) for name in CLOCKS)
    if counts and (not unit or unit.lower() in ("core", "cores", "cpus", "vcpus")) and plain != "mips":
        return "count"
    return "clock" if (clocks or counts) and unit in UNITS["Hz"] else ""


def _all_differ(table: Table, column: int) -> bool:
    cells = [row[column].strip() if column < len(row) else "" for row in table.rows]
    return all(cells) and len(set(cells)) == len(cells)
