"""Recorded movement: CSV files and SUMO's floating-car data, which devices follow, come with and leave with."""

from __future__ import annotations

import gzip
import zlib
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, cast
from xml.etree import ElementTree

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.files.rows import MOST_ROWS, CsvRows
from slicewright.network.scenario import Scenario
from slicewright.simulation.movement.mobility import positions
from slicewright.types import BoolArray, FloatArray, IntArray

CSV_COLUMNS = ("time_s", "device", "x_m", "y_m")
_GONE_S = 5.0
"""A device without a record for longer than this left, and joins again with the next."""


class Trace:
    """Positions of devices at recorded times, straight in between. The state is the time alone.

    Attributes:
        names: of the recorded devices, in the order of their first record: the k-th is device k of the scenario.
        until_s: s, the last record.
    """

    def __init__(
        self, time_s: FloatArray, device: IntArray, position_m: FloatArray, names: tuple[str, ...]
    ) -> None:
        """Records in any order.

        Args:
            time_s: (k,) s.
            device: (k,) index into ``names``.
            position_m: (k, 2) m.
            names: of the devices.

        Raises:
            InvalidOptionError: there is no record, or a number is not finite.
        """
        if not time_s.size:
            raise InvalidOptionError("trace", "must have at least one record")
        if not (np.isfinite(time_s).all() and np.isfinite(position_m).all()):
            raise InvalidOptionError("trace", "times and positions must be finite numbers")
        order = np.lexsort((time_s, device))
        self.names = names
        self.until_s = float(time_s.max())
        self._time, self._position = time_s[order], position_m[order]
        self._start = np.searchsorted(device[order], np.arange(len(names) + 1))
        self._span = 2.0 * (self.until_s - float(time_s.min())) + 1.0  # parts the devices in one sorted array
        self._key = self._time + device[order] * self._span

    def at(self, now_s: float) -> tuple[FloatArray, BoolArray]:
        """(devices, 2) m and (devices,) whether each is there."""
        first, last = self._start[:-1], self._start[1:] - 1
        begin, end = self._time[first], self._time[last]
        asked = np.clip(now_s, begin, end)
        after = np.searchsorted(self._key, asked + np.arange(len(self.names)) * self._span, side="right")
        before = np.clip(after - 1, first, last)
        after = np.clip(after, first, last)
        gap = self._time[after] - self._time[before]
        part = np.divide(asked - self._time[before], gap, out=np.zeros(len(gap)), where=gap > 0.0)
        part = np.clip(part, 0.0, 1.0)[:, None]
        position = (1.0 - part) * self._position[before] + part * self._position[after]
        return position, (begin <= now_s) & (now_s <= end) & (gap <= _GONE_S)


class Follower:
    """Devices of a scenario that follow a trace; those beyond its devices are never there."""

    def __init__(self, scenario: Scenario, trace: Trace) -> None:
        """At 0 s.

        Raises:
            InvalidOptionError: the scenario has no positions, or fewer devices than the trace.
        """
        if len(trace.names) > scenario.n_devices:
            raise InvalidOptionError(
                "trace",
                f"must not have more devices than the scenario's {scenario.n_devices}",
                value=len(trace.names),
                fix=f"make a scenario of {len(trace.names)} devices or more",
            )
        self._trace = trace
        self._position = np.array(positions(scenario))
        self._present = np.zeros(scenario.n_devices, dtype=bool)
        self._go(0.0)

    @property
    def position_m(self) -> FloatArray:
        """(I, 2) m."""
        return self._position

    @property
    def present(self) -> BoolArray:
        """(I,) those that have a record around now."""
        return self._present

    def step(self, now_s: float, seconds: float) -> None:
        """To where the trace has them then."""
        self._go(now_s + seconds)

    def state(self) -> dict[str, np.ndarray]:
        """Where everybody is."""
        return {"follower": self._position.copy(), "follower_present": self._present.copy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a saved state."""
        self._position = np.array(state["follower"])
        self._present = np.array(state["follower_present"])

    def _go(self, now_s: float) -> None:
        position, present = self._trace.at(now_s)
        count = len(present)
        self._present[:count] = present
        self._position[:count][present] = position[present]


def load_trace(path: str | Path) -> Trace:
    """Read a trace: CSV with the columns time_s, device, x_m, y_m, or floating-car data of SUMO (.xml, .xml.gz).

    Raises:
        InvalidOptionError: the file is neither, or a record cannot be read; names its line or time.
    """
    file = Path(path)
    name = file.name.lower()
    if name.endswith(".csv"):
        return _of_records(_csv_records(file))
    if name.endswith((".xml", ".xml.gz")):
        return _of_records(_sumo_records(file))
    raise InvalidOptionError("trace", "must end in .csv, .xml or .xml.gz", value=file.name)


def _of_records(records: Iterator[tuple[float, str, float, float]]) -> Trace:
    times, devices, places = array("d"), array("q"), array("d")  # a quarter of what lists of numbers take
    names: dict[str, int] = {}
    for time_s, name, x, y in records:
        if len(times) >= MOST_ROWS:  # whatever a compressed file unfolds into
            rule = f"has more than the {MOST_ROWS:,} records that are read"
            raise InvalidOptionError("trace", rule, fix="take a part of them")
        times.append(time_s)
        devices.append(names.setdefault(name, len(names)))
        places.extend((x, y))
    return Trace(
        np.array(times, dtype=np.float64),
        np.array(devices, dtype=np.int64),
        np.array(places, dtype=np.float64).reshape(-1, 2),
        tuple(names),
    )


def _csv_records(file: Path) -> Iterator[tuple[float, str, float, float]]:
    rows = CsvRows(file, InvalidOptionError, field="trace")
    missing = [name for name in CSV_COLUMNS if name not in rows.names]
    if missing:
        raise InvalidOptionError("trace", f"must have the columns {', '.join(CSV_COLUMNS)}", value=missing)
    for row in rows:
        try:
            time_s, x_m, y_m = (rows.number(row, name) for name in ("time_s", "x_m", "y_m"))
        except ValueError:
            rule = "must have numbers for time_s, x_m and y_m"
            raise InvalidOptionError("trace", rule, index=(rows.line,)) from None
        yield time_s, row.get("device", ""), x_m, y_m


def _sumo_records(file: Path) -> Iterator[tuple[float, str, float, float]]:
    """Vehicles and persons of ``<timestep time=...>`` elements, one time step in memory at a time."""
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
        try:
            for _, element in ElementTree.iterparse(cast(IO[bytes], stream)):
                if element.tag != "timestep":
                    continue
                time_s = float(element.attrib["time"])
                for moving in element:
                    if moving.tag in ("vehicle", "person"):
                        place = moving.attrib
                        yield time_s, place["id"], float(place["x"]), float(place["y"])
                element.clear()
        except (ElementTree.ParseError, KeyError, ValueError, EOFError, OSError, zlib.error) as error:
            raise InvalidOptionError(
                "trace", f"must be floating-car data of SUMO: {error}", value=file.name
            ) from None
