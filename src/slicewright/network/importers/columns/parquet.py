"""Columns of a Parquet file as times, numbers or text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError, MissingExtraError
from slicewright.files.rows import MOST_ROWS

Kind = Literal["time", "number", "text"]
ENDINGS = (".parquet", ".pq")


class ParquetColumn(NamedTuple):
    """(rows,) values: text, or float64 numbers; ``in_seconds`` where the file has dates or durations."""

    values: Any
    in_seconds: bool = False


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet by its name."""
    return path.suffix.lower() in ENDINGS


def parquet_headers(path: Path) -> list[str]:
    """Names of the columns.

    Raises:
        MissingExtraError: pyarrow is not installed.
        FileNotFoundError: no such file.
        InvalidScenarioError: not Parquet, or two columns have one name.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError("reading Parquet", "labels")
    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    with _readable(path):
        from pyarrow import parquet

        headers = [str(name) for name in parquet.read_schema(path).names]
    twice = next((name for k, name in enumerate(headers) if name in headers[:k]), None)
    if twice is not None:
        raise InvalidScenarioError(path.name, f"has two columns {twice!r}", fix="rename one")
    return headers


def parquet_columns(path: Path, wanted: Mapping[str, tuple[int, Kind]]) -> dict[str, ParquetColumn]:
    """Columns by index, under the names of ``wanted``.

    Raises:
        InvalidScenarioError: a value is missing, or no time, number or text; or there are too many rows.
    """
    headers = parquet_headers(path)
    with _readable(path):
        from pyarrow import parquet

        rows = parquet.read_metadata(path).num_rows
        if rows > MOST_ROWS:
            rule = f"has {rows:,} rows, and at most {MOST_ROWS:,} are read"
            raise InvalidScenarioError(path.name, rule, fix="take a part of its rows")
        table = parquet.read_table(path, columns=[headers[k] for k, _ in wanted.values()])
        return {
            what: _column(path, headers[k], table.column(headers[k]), kind)
            for what, (k, kind) in wanted.items()
        }


def _column(path: Path, header: str, column: Any, kind: Kind) -> ParquetColumn:
    import pyarrow as pa

    place = f"{path.name}, {header}"
    if column.null_count:
        raise InvalidScenarioError(place, f"has {column.null_count} missing values")
    types = pa.types
    try:
        if types.is_boolean(column.type):
            raise TypeError
        if kind == "text":
            return ParquetColumn(np.asarray(column.cast(pa.string()).to_numpy(), dtype=str))
        if kind == "time" and (types.is_timestamp(column.type) or types.is_date(column.type)):
            whole = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
            return ParquetColumn(whole.to_numpy() / 1e6, True)
        if kind == "time" and types.is_duration(column.type):
            return ParquetColumn(
                column.cast(pa.duration("us"), safe=False).cast(pa.int64()).to_numpy() / 1e6, True
            )
        return ParquetColumn(column.cast(pa.float64(), safe=False).to_numpy())
    except (pa.ArrowException, ValueError, TypeError):
        what = {"time": "times", "number": "numbers", "text": "words or numbers"}[kind]
        raise InvalidScenarioError(place, f"must hold {what}, and holds {column.type}") from None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as broken:
        if isinstance(broken, InvalidScenarioError):
            raise
        told = str(broken).splitlines()[0]
        raise InvalidScenarioError(path.name, f"is not Parquet that can be read: {told}") from None
