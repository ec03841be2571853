"""Workload traces: arrivals and sizes from columns of a CSV or Parquet file, as rates with their burstiness.

Cluster traces (Alibaba, Google) tell who asked for something when, and perhaps how large it was. The model takes
Poisson arrivals: a rate for every device. How far a trace is from that is reported: burstier arrivals wait longer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError, MissingExtraError
from slicewright.network.importers.columns.quantities import to_base
from slicewright.network.importers.columns.table import Table, column_name, read_table
from slicewright.network.importers.report import ImportReport, listed
from slicewright.network.presets import Family, generate
from slicewright.network.scenario import Scenario
from slicewright.network.workload import with_workload
from slicewright.types import FloatArray, IntArray

COLUMNS = {
    "time": ("time", "timestamp", "time_stamp", "start_time", "arrival_time", "arrival", "submit_time", "create_time"),
    "size": ("size", "task_bits", "bits", "bytes", "data_size", "input_size", "request_size"),
    "source": (
        "device", "user", "source", "client", "app", "app_name", "job_name", "job_id", "collection_id", "container_id",
        "machine_id", "msname", "um",
    ),
}  # fmt: skip
"""What columns are called in public traces."""
MOST = 1e30
"""Times and sizes beyond this are no times and no sizes."""
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class TraceParameters(Family):
    """What a trace does not tell: everything but arrivals and sizes.

    Attributes:
        time, size, source: names of the columns, or their numbers from 0 where the file has no header; by default the
            names of :data:`COLUMNS`. Without a size, sizes are drawn; without a source, arrivals go round all devices.
        time_unit_s: s per unit of the time: 1e-6 for traces in microseconds.
        size_unit_bits: bit per unit of the size: 8 for bytes.
        speed: arrivals come so many times as fast as in the trace.
    """

    time: str = "auto"
    size: str = "auto"
    source: str = "auto"
    time_unit_s: float = 1.0
    size_unit_bits: float = 1.0
    speed: float = 1.0


class Arrivals(NamedTuple):
    """(k,) s, in order; (k,) bit or None; (k,) index of the source; names of the sources."""

    time_s: FloatArray
    size_bits: FloatArray | None
    source: IntArray
    sources: list[str]


def import_trace(file: str | Path, *, seed: int = 0, **parameters: object) -> Scenario:
    """A random scenario whose devices ask as often, and for as much, as the busiest sources of a trace.

    Args:
        file: CSV or Parquet with one row for each arrival.
        seed: of everything that is drawn.
        **parameters: any field of :class:`TraceParameters`; ``devices`` is how many sources, the busiest, are taken.

    Raises:
        InvalidScenarioError: a column or a number is missing or wrong (with file and line), or a parameter.
        MissingExtraError: the file is Parquet and pyarrow is not installed.
        FileNotFoundError: no such file.
    """
    zero = ("hotspots", "coins", "mecs")
    chosen = with_workload(TraceParameters(), parameters, owner="the importer of traces", may_be_zero=zero)
    path, report = Path(file), ImportReport()
    arrivals = _read(path, chosen, report)
    span = float(np.ptp(arrivals.time_s))
    if span <= 0:
        raise InvalidScenarioError(path.name, "must have arrivals at two times at least")
    counts = np.bincount(arrivals.source, minlength=len(arrivals.sources))
    wanted = chosen.devices if "devices" in parameters else min(chosen.devices, len(arrivals.sources))
    busiest = np.argsort(-counts, kind="stable")[:wanted]
    if wanted > len(busiest):
        raise InvalidScenarioError(
            "devices", f"must be at most {len(busiest)}, the sources in {path.name}", value=wanted
        )
    if wanted < len(counts):
        left = int(counts.sum() - counts[busiest].sum())
        report.note(
            "dropped", f"{len(counts) - wanted} sources with the fewest arrivals ({left} of {counts.sum()})"
        )
    rates = counts[busiest] / span * chosen.speed
    _tell_burstiness(arrivals, busiest, span, report)
    family = with_workload(chosen, {"devices": wanted}, owner="the importer of traces", may_be_zero=zero)
    origin = {"importer": "trace", "file": path.name, "not_real": asdict(family), "seed": seed}
    drawn = generate(family, seed, origin=origin)
    changes: dict[str, object] = {"arrival_rate_hz": rates}
    if arrivals.size_bits is not None:
        sums = np.bincount(arrivals.source, weights=arrivals.size_bits, minlength=len(counts))
        bits = sums[busiest] / counts[busiest]
        work = drawn.local_cycles / drawn.task_bits * bits
        slices = drawn.slice_cycles / drawn.local_cycles[:, None] * work[:, None]
        changes |= {"task_bits": bits, "local_cycles": work, "slice_cycles": slices}
    report.note("made_up", "positions, nodes, slices and all else: origin.not_real has the ranges")
    return drawn.with_(**changes, origin={**origin, "report": report.to_dict()})


def _tell_burstiness(arrivals: Arrivals, busiest: IntArray, span: float, report: ImportReport) -> None:
    """How far the arrivals of the busiest sources are from Poisson: variation of gaps, and the busiest hundredth."""
    variations, peaks = [], []
    for source in busiest:
        times = np.sort(arrivals.time_s[arrivals.source == source])
        gaps = np.diff(times)
        if gaps.size >= 2 and gaps.mean() > 0:
            variations.append(float(gaps.var() / gaps.mean() ** 2))
            windows = np.histogram(times, bins=100)[0]
            peaks.append(float(windows.max() / windows.mean()))
    if not variations:
        report.note("odd", "no source has enough arrivals to tell how bursty they are")
        return
    typical, highest = float(np.median(variations)), max(variations)
    report.note(
        "read",
        f"burstiness: squared variation of the gaps {typical:.3g} (median), {highest:.3g} (highest), 1 for Poisson; "
        f"the busiest hundredth of the time has {np.median(peaks):.3g} times the mean rate",
        remember=True,
    )
    if typical > 2:
        report.note(
            "odd",
            "arrivals are burstier than the Poisson arrivals of the model: queues will be longer than planned",
        )


def _read(path: Path, chosen: TraceParameters, report: ImportReport) -> Arrivals:
    columns = _parquet(path, chosen) if path.suffix.lower() in _PARQUET else _csv(path, chosen, report)
    time = columns["time"] * chosen.time_unit_s
    if time is None or not len(time):
        raise InvalidScenarioError(path.name, "must have at least one row under its header")
    size = None if columns.get("size") is None else columns["size"] * chosen.size_unit_bits
    source = columns.get("source")
    if source is None:
        index = np.arange(len(time), dtype=np.int64) % chosen.devices
        names = [f"device-{k}" for k in range(min(chosen.devices, len(time)))]
        report.note(
            "made_up", "who asks: the file names no source, so arrivals go round all devices", remember=True
        )
    else:
        found, index = np.unique(np.asarray(source, dtype=str), return_inverse=True)
        names, index = found.tolist(), index.astype(np.int64)
    if size is None:
        report.note("made_up", "sizes: the file has none", remember=True)
    report.note(
        "read", f"{len(time)} arrivals of {len(names)} sources over {np.ptp(time):.6g} s from {path.name}"
    )
    return Arrivals(time, size, index, names)


def _is_time(value: float) -> bool:
    return abs(value) < MOST


def _is_size(value: float) -> bool:
    return 0.0 < value < MOST


def _csv(path: Path, chosen: TraceParameters, report: ImportReport) -> dict[str, FloatArray]:
    table = read_table(path, report, known=[name for names in COLUMNS.values() for name in names])
    if not table.header:
        raise InvalidScenarioError(
            path.name, "is empty", fix="a trace has a header, and a row for each arrival"
        )
    wanted = {"time": chosen.time, "size": chosen.size, "source": chosen.source}
    if any(word.isdecimal() for word in wanted.values()) and not any(
        c in COLUMNS["time"] for c in table.columns
    ):
        table.units = [""] * len(table.units)
        table.rows.insert(0, table.header)  # numbers instead of names: the first row is an arrival, too
        table.lines.insert(0, 1)
    found = {what: _index(path, what, word, table.columns) for what, word in wanted.items()}
    columns: dict[str, FloatArray] = {}
    for what, column in found.items():
        if column is None:
            continue
        if what == "source":
            columns[what] = np.array([table.cell(row, column) for row in range(len(table.rows))])
            continue
        rule = "a time, as a number" if what == "time" else "a positive size"
        numbers = table.numbers(column, rule, _is_time if what == "time" else _is_size)
        columns[what] = numbers * _unit_of_header(table, column, what, chosen, report)
    rest = [name for k, name in enumerate(table.columns) if k not in found.values() and name]
    if rest:
        report.note("dropped", f"columns of {path.name}: {listed(rest)}")
    return columns


def _unit_of_header(
    table: Table, column: int, what: str, chosen: TraceParameters, report: ImportReport
) -> float:
    """What a number is worth by the unit in its header, such as ``timestamp (us)``; 1 where there is none, or another
    one was asked for."""
    unit = table.units[column]
    if not unit or (chosen.time_unit_s if what == "time" else chosen.size_unit_bits) != 1.0:
        return 1.0
    dimension = "s" if what == "time" else "bit"
    factor = float(to_base(np.ones(1), unit, dimension, f"{table.name}, unit of {table.columns[column]}")[0])
    report.note("read", f"{table.columns[column]} in {unit}, as its header says")
    return factor


def _parquet(path: Path, chosen: TraceParameters) -> dict[str, FloatArray]:
    if find_spec("pyarrow") is None:
        raise MissingExtraError("reading Parquet", "labels")
    import pyarrow as pa
    from pyarrow import parquet

    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    try:
        schema = parquet.read_schema(path)
        names = [column_name(name) for name in schema.names]
        wanted = {"time": chosen.time, "size": chosen.size, "source": chosen.source}
        found = {what: _index(path, what, word, names) for what, word in wanted.items()}
        used = [schema.names[k] for k in found.values() if k is not None]
        read = parquet.read_table(path, columns=used)
        columns = {}
        for what, k in found.items():
            if k is None:
                continue
            column = read.column(schema.names[k])
            if column.null_count:
                raise InvalidScenarioError(
                    f"{path.name}, {names[k]}", f"has {column.null_count} missing values"
                )
            if what == "time" and pa.types.is_timestamp(column.type):
                column = column.cast(pa.timestamp("us")).cast(pa.int64())
                columns[what] = column.to_numpy() / 1e6 / chosen.time_unit_s
            else:
                columns[what] = (
                    column.to_numpy() if what == "source" else column.cast(pa.float64()).to_numpy()
                )
    except (pa.ArrowException, OSError, ValueError) as broken:
        if isinstance(broken, InvalidScenarioError):
            raise
        told = str(broken).splitlines()[0]
        raise InvalidScenarioError(path.name, f"is not Parquet that can be read: {told}") from None
    sizes = columns.get("size")
    if not np.isfinite(columns["time"]).all() or (sizes is not None and not (sizes > 0).all()):
        raise InvalidScenarioError(path.name, "must have finite times and positive sizes in every row")
    return columns


def _index(path: Path, what: str, word: str, columns: list[str]) -> int | None:
    """Index of a column by the name or number that was given, or by a usual name; only the time must be there."""
    if word == "auto":
        found = next((columns.index(name) for name in COLUMNS[what] if name in columns), None)
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
