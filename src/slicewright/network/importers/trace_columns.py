"""Arrival times, sizes and sources of a trace: which columns they are, and what their numbers are worth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.headers import column_name, index_of, split_unit
from slicewright.network.importers.columns.parquet import Kind, is_parquet, parquet_columns, parquet_headers
from slicewright.network.importers.columns.quantities import to_base
from slicewright.network.importers.columns.table import Table, read_table
from slicewright.network.importers.report import ImportReport, listed
from slicewright.types import BoolArray, FloatArray

COLUMNS = {
    "time": ("time", "timestamp", "time_stamp", "start_time", "arrival_time", "arrival", "submit_time", "create_time",
             "event_time", "request_time", "datetime", "ts"),
    "size": ("size", "task_bits", "bits", "bytes", "data_size", "input_size", "request_size", "task_size", "payload",
             "payload_size", "packet_size"),
    "source": (
        "device", "user", "source", "client", "app", "app_name", "job_name", "job_id", "collection_id", "container_id",
        "machine_id", "msname", "um", "device_id", "user_id", "client_id", "source_id", "ue_id", "ue", "device_name",
    ),
}  # fmt: skip
"""What columns are called in public traces."""
_UNIT_OF_NAME = {"bytes": "B", "bits": "bit", "task_bits": "bit"}
_ENDINGS = {
    "time": {"s": "s", "sec": "s", "ms": "ms", "us": "us", "ns": "ns"},
    "size": {"bits": "bit", "bytes": "B", "kbit": "kbit", "mbit": "Mbit", "kbyte": "kB", "mbyte": "MB"},
    "source": {},
}
_ZONE = re.compile(r"\s*(?:UTC|GMT)$")
"""As BigQuery ends its times."""
MOST = 1e30
"""Times and sizes beyond this are no times and no sizes."""
NEVER = float(2**63 - 1)
"""Google's word for the time of what happens after a trace."""
FEW_GAPS = 20
"""Times of 0 are told of where so few gaps of their length make the trace."""
FIRST_TIME = 6e8
"""Times of Google's traces begin ten minutes after 0, in us: 0 is what was there before."""
_DATES = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_YEARS = (datetime(2005, 1, 1, tzinfo=UTC).timestamp(), datetime(2045, 1, 1, tzinfo=UTC).timestamp())
"""Numbers that are dates of these years in one of these units are taken for them where nothing names a unit."""


class TraceUnits(NamedTuple):
    """Names of the columns or ``auto``; what their numbers are worth, or None where that was not asked for."""

    time: str
    size: str
    source: str
    time_unit_s: float | None
    size_unit_bits: float | None


class TraceColumns(NamedTuple):
    """(k,) s; (k,) bit, or None; (k,) names of sources as text, or None."""

    time_s: FloatArray
    size_bits: FloatArray | None
    source: Any


class _Column(NamedTuple):
    """Where a column is, its name and its unit as far as the header tells one."""

    place: int
    name: str
    unit: str


def read_trace(path: Path, units: TraceUnits, report: ImportReport) -> TraceColumns:
    """Columns of a CSV or Parquet file.

    Raises:
        InvalidScenarioError: a column is missing, or a number is none (with file and line).
        MissingExtraError: the file is Parquet and pyarrow is not installed.
        FileNotFoundError: no such file.
    """
    read = _parquet(path, units, report) if is_parquet(path) else _csv(path, units, report)
    raw = read.pop("raw_time")
    no_times = {
        "is the largest number there is": _never(raw),
        "is 0: before the trace, or unknown": _before(raw),
    }
    for told, rows in no_times.items():
        if rows.any():
            report.note("dropped", f"{int(rows.sum())} rows of {path.name} whose time {told}")
    _tell_zeros(path, raw, no_times.values(), report)
    keep = ~np.logical_or.reduce(list(no_times.values()))
    read = {what: values[keep] for what, values in read.items()}
    return TraceColumns(read["time"], read.get("size"), read.get("source"))


def _tell_zeros(path: Path, times: FloatArray, dropped: Iterable[BoolArray], report: ImportReport) -> None:
    """Several times of 0 that were kept, and a long time until the next: they may stand for no time."""
    others = times[(times != 0.0) & ~_never(times)]
    zeros = int((times == 0.0).sum())
    if zeros < 2 or not others.size or any(rows.any() for rows in dropped) or others.min() <= 0:
        return
    if others.min() > np.ptp(others) / FEW_GAPS:
        report.note(
            "odd",
            f"{zeros} rows of {path.name} are at time 0, and the next is at {others.min():g}: if 0 "
            "stands for an unknown time, take them out",
        )


def _never(times: FloatArray) -> BoolArray:
    """(rows,) which times, as they are written, mean that something never happened."""
    never: BoolArray = np.abs(times) >= NEVER * (1 - 1e-15)
    return never


def _before(times: FloatArray) -> BoolArray:
    """(rows,) which times, as they are written, are 0 and stand for no time.

    They are several and all else is far from them, as in Google's traces, or one and all else is far away and close
    together, as dates are. A single 0 with a first gap behind it is where a trace begins.
    """
    zero: BoolArray = times == 0.0
    others = times[~zero & ~_never(times)]
    if not zero.any() or not others.size or others.min() < FIRST_TIME:
        return np.zeros_like(zero)
    close = 0.0 < np.ptp(others) < others.min() / 10
    return zero if close or zero.sum() > 1 else np.zeros_like(zero)


def _columns(
    path: Path, headers: Sequence[str], units: TraceUnits, *, named: bool = True
) -> dict[str, _Column]:
    """Columns by what they mean; a header may have a unit: ``timestamp (us)``, ``time_ms``, ``bytes``."""
    split = [split_unit(header) if named else (header, "") for header in headers]
    names, found_units = [column_name(name) for name, _ in split], [unit for _, unit in split]
    for k, name in enumerate(names):
        base, _, ending = name.rpartition("_")
        for what, endings in _ENDINGS.items():
            if named and base in COLUMNS[what] and name not in COLUMNS[what] and ending in endings:
                names[k], found_units[k] = base, endings[ending]
    wanted = {"time": units.time, "size": units.size, "source": units.source}
    found = {what: _index(path, what, word, names) for what, word in wanted.items()}
    return {
        what: _Column(k, names[k], found_units[k] or _UNIT_OF_NAME.get(names[k], ""))
        for what, k in found.items()
        if k is not None
    }


def _csv(path: Path, units: TraceUnits, report: ImportReport) -> dict[str, Any]:
    table = read_table(path, report, known=[name for names in COLUMNS.values() for name in names])
    if not table.header:
        raise InvalidScenarioError(
            path.name, "is empty", fix="a trace has a header, and a row for each arrival"
        )
    numbered = any(word.isdecimal() for word in (units.time, units.size, units.source))
    named = not numbered or any(c in COLUMNS["time"] for c in table.columns)
    if not named:
        table.rows.insert(0, table.header)  # numbers instead of names: the first row is an arrival, too
        table.lines.insert(0, 1)
    found = _columns(path, table.header, units, named=named)
    read: dict[str, Any] = {}
    for what, column in found.items():
        if what == "source":
            read[what] = np.array([table.cell(row, column.place) for row in range(len(table.rows))])
        elif what == "time":
            read["raw_time"], in_seconds = _times(table, column.place)
            worth = _worth(path, column, what, units, report, times=read["raw_time"], in_seconds=in_seconds)
            read[what] = read["raw_time"] * worth
        else:
            sizes = table.numbers(column.place, "a positive size", lambda value: 0.0 < value < MOST)
            read[what] = sizes * _worth(path, column, what, units, report)
    _tell_the_rest(path, table.columns, found, report)
    return read


def _times(table: Table, column: int) -> tuple[FloatArray, bool]:
    """(rows,) times as they are written, or in s since 1970 where they are dates."""
    told = [_time(table, row, column) for row in range(len(table.rows))]
    odd = next((row for row, (_, is_date) in enumerate(told) if is_date != told[0][1]), None)
    if odd is not None:
        rule = "must be a date and time, or a number, as in the first row"
        raise InvalidScenarioError(table.place(odd, column), rule, value=table.cell(odd, column))
    return np.array([value for value, _ in told], dtype=np.float64), bool(told) and told[0][1]


def _time(table: Table, row: int, column: int) -> tuple[float, bool]:
    """A time as a number, or that of a date in s since 1970, in UTC where it names no zone; and which it is."""
    text = table.cell(row, column)
    if ":" in text and ("-" in text[1:] or "/" in text):
        try:
            moment = datetime.fromisoformat(_ZONE.sub("+00:00", text).replace("/", "-"))
        except ValueError:
            pass
        else:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), True
    rule = "a time, as a number or as 2024-12-31 23:59:59"
    return table.number(row, column, rule, lambda value: abs(value) < MOST), False


def _parquet(path: Path, units: TraceUnits, report: ImportReport) -> dict[str, Any]:
    headers = parquet_headers(path)
    found = _columns(path, headers, units)
    kinds: dict[str, Kind] = {"time": "time", "size": "number", "source": "text"}
    read: dict[str, Any] = {}
    columns = parquet_columns(path, {what: (column.place, kinds[what]) for what, column in found.items()})
    for what, (values, in_seconds) in columns.items():
        if what == "source":
            read[what] = values
            continue
        holds = np.isfinite(values) & (np.abs(values) < MOST) & ((values > 0) | (what == "time"))
        if not holds.all():
            rule = "must be a finite time" if what == "time" else "must be a positive size"
            row = int(np.argmin(holds))
            raise InvalidScenarioError(
                f"{path.name}, {found[what].name}", rule, index=(row,), value=float(values[row])
            )
        if what == "time":
            read["raw_time"] = values
        read[what] = values * _worth(
            path, found[what], what, units, report, times=values, in_seconds=in_seconds
        )
    _tell_the_rest(path, [column_name(header) for header in headers], found, report)
    return read


def _worth(
    path: Path,
    column: _Column,
    what: str,
    units: TraceUnits,
    report: ImportReport,
    *,
    times: FloatArray | None = None,
    in_seconds: bool = False,
) -> float:
    """s or bit per number of a column: as was asked for, as its header or dates since 1970 say, or one."""
    asked, base = (units.time_unit_s, "s") if what == "time" else (units.size_unit_bits, "bit")
    if in_seconds:
        return 1.0
    if asked is not None:
        return asked
    if what == "time" and times is not None and _is_written_out(times):
        rule = f"has times such as {times[0]:.0f}, which are written-out dates and no numbers of seconds"
        raise InvalidScenarioError(
            f"{path.name}, {column.name}", rule, fix="write them as 2024-12-31 23:59:59"
        )
    if not column.unit:
        parameter, hint = ("time_unit_s", "; Google's traces have 1e-6, those of Alibaba's services 1e-3")
        parameter, hint = (parameter, hint) if what == "time" else ("size_unit_bits", "")
        if what == "time" and times is not None and (date := _since_1970(times)) is not None:
            unit, day = date
            report.note(
                "odd",
                f"{column.name} has no unit; its numbers are dates in {unit} since 1970, the first of {day}, so "
                f"{unit} was taken; {parameter} sets another{hint}",
            )
            return 1.0 / _DATES[unit]
        report.note("odd", f"{column.name} has no unit, so {base} was taken; {parameter} sets another{hint}")
        return 1.0
    factor = float(to_base(np.ones(1), column.unit, base, f"{path.name}, unit of {column.name}")[0])
    report.note("read", f"{column.name} in {column.unit}, as its header says")
    return factor


def _is_written_out(times: FloatArray) -> bool:
    """Whether all times are digits such as 20241231235959: year, month, day, hour, minute, second."""
    known = times[~_never(times) & (times != 0.0)]
    if not known.size or not ((known >= 19000101000000) & (known < 21000101000000)).all():
        return False
    rest = known % 1e10
    ranges = (
        (rest // 1e8, 1, 12),
        (rest // 1e6 % 100, 1, 31),
        (rest // 1e4 % 100, 0, 23),
        (rest // 100 % 100, 0, 59),
    )
    return all(bool(((part >= low) & (part <= high)).all()) for part, low, high in ranges)


def _since_1970(times: FloatArray) -> tuple[str, str] | None:
    """Unit and first day if all times, as they are written, are dates of our years counted from 1970."""
    known = times[~_never(times) & (times != 0.0)]
    for unit, per_second in _DATES.items():
        if known.size and _YEARS[0] <= known.min() / per_second and known.max() / per_second < _YEARS[1]:
            return unit, f"{datetime.fromtimestamp(float(known.min()) / per_second, UTC):%Y-%m-%d}"
    return None


def _tell_the_rest(
    path: Path, columns: Sequence[str], found: Mapping[str, _Column], report: ImportReport
) -> None:
    used = {column.place for column in found.values()}
    rest = [name for k, name in enumerate(columns) if k not in used and name]
    if rest:
        report.note("dropped", f"columns of {path.name}: {listed(rest)}")


def _index(path: Path, what: str, word: str, columns: list[str]) -> int | None:
    """Index of a column by the name or number that was given, or by a usual name; only the time must be there."""
    if word == "auto":
        found = index_of(columns, COLUMNS[what])
        if found is None and what == "time":
            raise InvalidScenarioError(
                path.name,
                f"has no column of arrival times; its columns are {', '.join(columns) or 'none'}",
                fix="if it is a workload trace, name it: --set time=COLUMN; tables of sites and devices are imported "
                "by the name of their folder",
            )
        return found
    if word in ("", "none") and what != "time":
        return None
    if word.isdecimal() and column_name(word) not in columns:
        if int(word) >= len(columns):
            raise InvalidScenarioError(
                what, f"must be a column of {path.name}, 0 to {len(columns) - 1}", value=word
            )
        return int(word)
    if column_name(word) not in columns:
        raise InvalidScenarioError(what, f"must be a column of {path.name}: {', '.join(columns)}", value=word)
    return columns.index(column_name(word))
