"""Recorded tasks that arrive again: CSV files, and event logs of earlier runs."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidOptionError, MissingExtraError
from slicewright.files.rows import MOST_ROWS, CsvRows
from slicewright.simulation.tasks.demand import Arrivals
from slicewright.types import FloatArray

COLUMNS = ("device", "arrived_s")
OPTIONAL_COLUMNS = ("size", "work")


def load_arrivals(path: str | Path, n_devices: int, *, field: str = "trace") -> Arrivals:
    """Read when tasks arrive, and how large each is if the file says so.

    Args:
        path: CSV or Parquet with the columns ``device`` (index) and ``arrived_s`` (s, above 0), and perhaps ``size``
            and ``work`` over the device's mean. Event logs of runs are such files: they replay what arrived.
        n_devices: of the scenario.
        field: what errors call the file.

    Raises:
        InvalidOptionError: another ending, a missing column, or a value that does not fit; names the row.
        MissingExtraError: Parquet without pyarrow.
    """
    file = Path(path)
    if file.suffix.lower() == ".csv":
        columns = _csv(file, field)
    elif file.suffix.lower() == ".parquet":
        columns = _parquet(file, field)
    else:
        raise InvalidOptionError(field, "must end in .csv or .parquet", value=file.name)
    device, time = columns["device"], columns["arrived_s"]
    if not device.size:
        raise InvalidOptionError(field, "must have at least one task", value=file.name)
    for name, fits, rule in (
        (
            "device",
            (device == np.floor(device)) & (device >= 0) & (device < n_devices),
            f"0 to {n_devices - 1}",
        ),
        ("arrived_s", np.isfinite(time) & (time > 0.0), "s above 0"),
    ):
        if not fits.all():
            row = int(np.argmin(fits))
            raise InvalidOptionError(
                field, f"must have {name} within {rule}", index=(row,), value=float(columns[name][row])
            )
    order = np.lexsort((time, device))
    cuts = np.searchsorted(device[order], np.arange(1, n_devices))
    parts = {name: tuple(np.split(values[order], cuts)) for name, values in columns.items()}
    return Arrivals(
        "traced", trace=parts["arrived_s"], sizes=parts.get("size", ()), works=parts.get("work", ())
    )


def _csv(file: Path, field: str) -> dict[str, FloatArray]:
    rows = CsvRows(file, InvalidOptionError, field=field)
    names = _names(rows.names, field)
    read = {name: array("d") for name in names}
    for row in rows:
        try:
            for name in names:
                read[name].append(rows.number(row, name))
        except ValueError:
            rule = f"must have numbers for {', '.join(names)}"
            raise InvalidOptionError(field, rule, index=(rows.line,)) from None
    return {name: np.array(values, dtype=np.float64) for name, values in read.items()}


def _parquet(file: Path, field: str) -> dict[str, FloatArray]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise MissingExtraError("recorded tasks in Parquet", "simulation") from None
    try:
        shape = parquet.read_metadata(file)
        if shape.num_rows > MOST_ROWS:
            rule = f"has {shape.num_rows:,} tasks, and at most {MOST_ROWS:,} are read"
            raise InvalidOptionError(field, rule, value=file.name, fix="take a part of them")
        names = _names(tuple(shape.schema.to_arrow_schema().names), field)
        table = parquet.read_table(file, columns=names)
        return {name: table[name].to_numpy().astype(np.float64) for name in names}
    except (InvalidOptionError, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (ArrowException, OSError, ValueError, TypeError, KeyError) as broken:
        told = next(iter(str(broken).splitlines()), "") or type(broken).__name__
        raise InvalidOptionError(
            field, f"must be Parquet with numbers that can be read: {told}", value=file.name
        ) from None


def _names(present: tuple[str, ...], field: str) -> list[str]:
    missing = [name for name in COLUMNS if name not in present]
    if missing:
        raise InvalidOptionError(field, f"must have the columns {', '.join(COLUMNS)}", value=missing)
    return [*COLUMNS, *(name for name in OPTIONAL_COLUMNS if name in present)]
