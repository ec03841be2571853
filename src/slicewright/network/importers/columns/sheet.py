"""One table of an import: its file, and which of its columns holds what, in which unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.computing import Conversion, is_counted
from slicewright.network.importers.columns.quantities import split_ending, to_base
from slicewright.network.importers.columns.table import LATITUDES, LONGITUDES, Table, read_table
from slicewright.network.importers.report import ImportReport
from slicewright.types import FloatArray

FILE_NAMES = {
    "sites": (
        "site*.csv",
        "access_points*.csv",
        "access-points*.csv",
        "base_stations*.csv",
        "cells*.csv",
        "aps*.csv",
    ),
    "nodes": ("nodes*.csv", "servers*.csv", "node-*.csv"),
    "devices": ("devices*.csv", "users*.csv", "ues*.csv", "device-*.csv"),
}
"""What files of each table are called."""
COUNTED = ("cpu", "cpus", "cores", "vcpu", "vcpus", "mips")
"""Columns that count cores, or instructions, unless their header has another unit."""
_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "name": (
            "name",
            "id",
            "site_id",
            "node_id",
            "device_id",
            "station_id",
            "cell_id",
            "site_name",
            "cell_name",
            "gnb_id",
            "enb_id",
            "server_id",
            "user_id",
            "ue_id",
            "ap_id",
            "bs_id",
            "site",
            "cell",
            "gnb",
            "enb",
            "ap",
            "bs",
            "server",
            "station",
            "ue",
            "node",
            "device",
            "user",
        ),
        "latitude": LATITUDES,
        "longitude": LONGITUDES,
        "x": ("x", "position_x", "east", "easting"),
        "y": ("y", "position_y", "north", "northing"),
        "kind": ("kind", "type", "role"),
        "bandwidth": ("bandwidth", "bw", "channel_bandwidth"),
        "capacity": ("capacity", "speed", "frequency", "compute", *COUNTED),
        "task_bits": ("task", "task_size", "size", "data", "data_size", "input_size", "task_bits"),
        "local_cycles": ("cycles", "local_cycles", "work", "workload", "task_cycles"),
        "cycles_per_bit": ("cycles_per_bit", "density", "intensity"),
        "local_capacity": (
            "local_capacity",
            "local_cpu",
            "local_speed",
            "device_cpu",
            "capacity",
            "speed",
            *COUNTED,
        ),
        "arrival_rate": ("arrival_rate", "rate", "arrivals", "lambda", "tasks_per_second"),
        "tx_power": ("tx_power", "power", "transmit_power", "txpower"),
    }
)
"""What columns are called, without their units."""


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
    found = sorted(
        file for file in folder.iterdir() if any(fnmatch(file.name.lower(), p) for p in FILE_NAMES[what])
    )
    if len(found) > 1:
        listed = ", ".join(file.name for file in found)
        raise InvalidScenarioError(folder.name, f"has several tables of {what}: {listed}", fix="keep one")
    if not found:
        return None
    aliases = [alias for names in _NAMES.values() for alias in names]
    table = read_table(found[0], report, known=aliases)
    if not table.rows:
        raise InvalidScenarioError(table.name, "must have at least one row under its header")
    meaning: dict[str, tuple[int, str]] = {}
    for k, (column, unit) in enumerate(zip(table.columns, table.units, strict=True)):
        name, ending = (column, unit) if unit or _meaning(column, what) else split_ending(column, table.name)
        meant = _meaning(name, what)
        if meant and meant not in meaning:
            meaning[meant] = (k, ending)
    return Sheet(table, meaning, report)


def _meaning(name: str, what: str) -> str | None:
    skipped = {"devices": ("capacity", "bandwidth"), "nodes": ("local_capacity", "bandwidth"), "sites": ()}[
        what
    ]
    return next((m for m, names in _NAMES.items() if m not in skipped and name in names), None)
