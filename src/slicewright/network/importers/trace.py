"""Workload traces: arrivals and sizes from columns of a CSV or Parquet file, as rates with their burstiness.

Cluster traces (Alibaba, Google) tell who asked for something when, and perhaps how large it was. The model takes
Poisson arrivals: a rate for every device. How far a trace is from that is reported: burstier arrivals wait longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.report import ImportReport
from slicewright.network.importers.trace_columns import TraceUnits, read_trace
from slicewright.network.presets import Family, generate
from slicewright.network.scenario import Scenario
from slicewright.network.workload import with_workload
from slicewright.types import FloatArray, IntArray

YEAR_S = 365.25 * 86400.0
LONG_YEARS = 2.0
"""A trace that is longer is probably not in seconds."""


@dataclass(frozen=True)
class TraceParameters(Family):
    """What a trace does not tell: everything but arrivals and sizes.

    Attributes:
        time: name of the column of arrivals, or its number from 0 where the file has no header; ``auto`` is any name
            of ``trace_columns.COLUMNS``.
        size: the same of sizes; without such a column, sizes are drawn.
        source: the same of who asks; without such a column, arrivals go round all devices.
        time_unit_s: s per unit of the time: 1e-6 for traces in microseconds. Where it is not given, the header's
            unit, or that of dates counted from 1970.
        size_unit_bits: bit per unit of the size: 8 for bytes; where it is not given, the header's unit.
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
    arrivals = _read(path, chosen, report, asked=parameters)
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


def _read(
    path: Path, chosen: TraceParameters, report: ImportReport, *, asked: Mapping[str, object]
) -> Arrivals:
    """What the file holds; a unit that was not asked for may be one that the file tells."""
    time_unit_s = chosen.time_unit_s if "time_unit_s" in asked else None
    size_unit_bits = chosen.size_unit_bits if "size_unit_bits" in asked else None
    units = TraceUnits(chosen.time, chosen.size, chosen.source, time_unit_s, size_unit_bits)
    time, size, source = read_trace(path, units, report)
    if not len(time):
        raise InvalidScenarioError(path.name, "must have at least one row under its header")
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
    span = float(np.ptp(time))
    report.note("read", f"{len(time)} arrivals of {len(names)} sources over {span:.6g} s from {path.name}")
    if span > LONG_YEARS * YEAR_S:
        told = f"the trace is {span / YEAR_S:,.3g} years long: if its times are no seconds, set time_unit_s"
        report.note("odd", told)
    return Arrivals(time, size, index, names)
