"""CSV tables of sites, nodes and devices, with units in their headers; what they leave open is drawn from ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.computing import Conversion
from slicewright.network.importers.columns.quantities import split_ending, to_base
from slicewright.network.importers.columns.table import LATITUDES, LONGITUDES, Table, read_table
from slicewright.network.importers.placing.geography import middle, to_plane_m
from slicewright.network.importers.placing.nodes import at_most_a_site_each, place_nodes
from slicewright.network.importers.placing.roles import kind_of
from slicewright.network.importers.positions import (
    Positions,
    has_pair,
    look_at_places,
    placed_among,
    placed_around,
    read_degrees,
)
from slicewright.network.importers.report import ImportReport
from slicewright.network.scenario import Scenario
from slicewright.network.workload import Workload, populate, with_workload
from slicewright.types import FloatArray

_PATTERNS = {
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
            "site",
            "node",
            "device",
            "user",
        ),
        "latitude": LATITUDES,
        "longitude": LONGITUDES,
        "x": ("x", "position_x", "east"),
        "y": ("y", "position_y", "north"),
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


@dataclass(frozen=True)
class TableParameters(Workload):
    """What tables leave open, none of it real.

    Attributes:
        coins: COIN nodes at sites, where there is no table of nodes.
        mecs: MEC servers at sites, where there is no table of nodes.
        device_spread_m: devices without positions are so far from a random site in each direction.
        devices: how many, where there is no table of devices.
        core_hz: cycle/s that one core stands for, where a table counts cores (``cpu``, ``cores``, ``vcpus``).
    """

    coins: int = 2
    mecs: int = 1
    device_spread_m: float = 60.0
    devices: int = 60
    core_hz: float = 1e9


def import_tables(folder: str | Path, *, seed: int = 0, **parameters: object) -> Scenario:
    """A scenario from tables in a folder: sites, and nodes and devices if they are there.

    Args:
        folder: with ``sites*.csv`` and, as far as there are any, ``nodes*.csv`` and ``devices*.csv``.
        seed: of everything that is drawn.
        **parameters: any field of :class:`TableParameters`.

    Raises:
        InvalidScenarioError: a file, a column, a unit or a number is missing or wrong (with file and line).
        FileNotFoundError: no such folder.
    """
    chosen = with_workload(
        TableParameters(), parameters, owner="the importer of tables", may_be_zero=("coins", "mecs")
    )
    home, report = Path(folder), ImportReport()
    if not home.is_dir():
        raise FileNotFoundError(2, "no such folder", str(home))
    sites = _sheet(home, "sites", report)
    if sites is None:
        raise InvalidScenarioError(home.name, f"has no table of sites ({', '.join(_PATTERNS['sites'])})")
    nodes, devices = _sheet(home, "nodes", report), _sheet(home, "devices", report)
    rng = np.random.default_rng(seed)
    plane = _Plane(sites)
    site_m = plane.places(sites)
    if site_m is None:
        there = ", ".join(sites.table.columns)
        raise InvalidScenarioError(
            sites.table.name, f"has no columns x and y, or latitude and longitude; its columns are {there}"
        )
    plane.look(sites, [("device", devices), ("node", nodes)], report)
    site_m = placed_among(site_m, sites.table, "sites", report)
    chosen = at_most_a_site_each(chosen, parameters, len(site_m))
    device_m = _device_places(chosen, plane, devices, site_m, rng, report, seed)
    kinds, node_m, node_names = _nodes(chosen, plane, nodes, site_m, device_m, rng, report)
    drawn = populate(
        chosen,
        rng,
        device_m=device_m,
        access_point_m=site_m,
        node_m=node_m,
        node_kinds=kinds,
        access_points=sites.names("site"),
        nodes=node_names,
        origin={},
    )
    changes = _columns(drawn, sites, nodes, devices, Conversion(chosen.core_hz), report)
    for sheet, what in ((sites, "sites"), (nodes, "nodes"), (devices, "devices")):
        if sheet is not None:
            sheet.table.tell(report, what)
    files = {
        what: s.table.name for s, what in ((sites, "sites"), (nodes, "nodes"), (devices, "devices")) if s
    }
    origin = {
        "importer": "tables", **files, "not_real": asdict(chosen), "seed": seed, "report": report.to_dict()
    }  # fmt: skip
    return drawn.with_(**changes, origin=origin)


class _Sheet(NamedTuple):
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
                "odd", f"{self.table.name}, {self.table.columns[column]}: no unit, so {dimension} was taken"
            )
            return values
        return to_base(values, unit, dimension, f"{self.table.name}, unit of {self.table.columns[column]}")

    def speeds_hz(self, what: str, conversion: Conversion, slices: int = 1) -> FloatArray | None:
        """(rows,) cycle/s; cores and instructions are divided between slices. None where there is no such column."""
        if what not in self.meaning:
            return None
        column, unit = self.meaning[what]
        name = self.table.columns[column]
        counted = unit or ("MIPS" if name == "mips" else "core" if name in COUNTED else "")
        factor = conversion.factor(counted)
        if factor is None or not factor[1]:
            return self.numbers(what, "Hz", zero=what == "capacity")
        shared = f", divided evenly between {slices} slices" if slices > 1 else ""
        told = f"{self.table.name}, {name}: {conversion.explained(counted)}{shared}"
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


def _sheet(home: Path, what: str, report: ImportReport) -> _Sheet | None:
    found = sorted(
        file for file in home.iterdir() if any(fnmatch(file.name.lower(), p) for p in _PATTERNS[what])
    )
    if len(found) > 1:
        listed = ", ".join(file.name for file in found)
        raise InvalidScenarioError(home.name, f"has several tables of {what}: {listed}", fix="keep one")
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
    return _Sheet(table, meaning, report)


def _meaning(name: str, what: str) -> str | None:
    skipped = {"devices": ("capacity", "bandwidth"), "nodes": ("local_capacity", "bandwidth"), "sites": ()}[
        what
    ]
    return next((m for m, names in _NAMES.items() if m not in skipped and name in names), None)


class _Plane:
    """One plane for all tables: that of their x and y, or the one that touches the globe at the sites."""

    def __init__(self, sites: _Sheet) -> None:
        self.on_globe = {"latitude", "longitude"} <= set(sites.meaning)
        self._read: dict[str, Positions] = {}
        positions = self._positions(sites) if self.on_globe else None
        self.origin = middle(positions.degrees[positions.known]) if positions is not None else None

    def places(self, sheet: _Sheet | None) -> FloatArray | None:
        """(rows, 2) m, NaN where a row has none; None where the table has no positions of this kind."""
        if sheet is None:
            return None
        if self.origin is not None and {"latitude", "longitude"} <= set(sheet.meaning):
            return np.round(to_plane_m(self._positions(sheet).degrees, self.origin), 2)
        if self.origin is None and {"x", "y"} <= set(sheet.meaning):
            return _metres(sheet)
        if {"latitude", "longitude", "x", "y"} & set(sheet.meaning):
            wanted = "latitude and longitude" if self.on_globe else "x and y"
            raise InvalidScenarioError(sheet.table.name, f"must have {wanted}, as the sites have")
        return None

    def look(self, sites: _Sheet, others: Sequence[tuple[str, _Sheet | None]], report: ImportReport) -> None:
        """Refuse or note what looks wrong on the globe."""
        if self.on_globe:
            on_globe = [
                (what, self._positions(sheet))
                for what, sheet in others
                if sheet is not None and {"latitude", "longitude"} <= set(sheet.meaning)
            ]
            look_at_places(self._positions(sites), on_globe, report)

    def _positions(self, sheet: _Sheet) -> Positions:
        name, meaning = sheet.table.name, sheet.meaning
        if name not in self._read:
            self._read[name] = read_degrees(sheet.table, meaning["latitude"][0], meaning["longitude"][0])
        return self._read[name]


def _metres(sheet: _Sheet) -> FloatArray:
    """(rows, 2) m by x and y; NaN where a row has neither."""
    pair = sheet.meaning["x"][0], sheet.meaning["y"][0]
    rows = [row for row in range(len(sheet.table.rows)) if has_pair(sheet.table, row, pair)]
    if not rows:
        raise InvalidScenarioError(sheet.table.name, "has no row with a position")
    places = np.full((len(sheet.table.rows), 2), np.nan)
    for axis, name in enumerate(("x", "y")):
        column = sheet.numbers(name, "m", signed=True, rows=rows)
        if column is not None:
            places[rows, axis] = column
    return places


def _device_places(
    chosen: TableParameters,
    plane: _Plane,
    devices: _Sheet | None,
    site_m: FloatArray,
    rng: np.random.Generator,
    report: ImportReport,
    seed: int,
) -> FloatArray:
    found = plane.places(devices)
    if found is not None and devices is not None:
        spread_m = chosen.device_spread_m
        return placed_around(found, site_m, devices.table, report, seed=seed, spread_m=spread_m)
    count = chosen.devices if devices is None else len(devices.table.rows)
    told = f"{count} devices" if devices is None else f"positions of {count} devices"
    report.note("made_up", f"{told}, around sites", remember=True)
    home = site_m[rng.integers(len(site_m), size=count)]
    return np.round(home + rng.normal(0, chosen.device_spread_m, home.shape), 2)


def _nodes(
    chosen: TableParameters,
    plane: _Plane,
    nodes: _Sheet | None,
    site_m: FloatArray,
    device_m: FloatArray,
    rng: np.random.Generator,
    report: ImportReport,
) -> tuple[tuple[str, ...], FloatArray, list[str]]:
    """Kinds, places and names of the nodes."""
    if nodes is None:
        made = place_nodes(
            site_m, device_m, coins=chosen.coins, mecs=chosen.mecs, coin_placement="spread", rng=rng
        )
        report.note(
            "made_up", f"{chosen.coins} COIN nodes and {chosen.mecs} MEC servers at sites", remember=True
        )
        return (
            made.kinds,
            site_m[list(made.sites)],
            [f"{k}-{a}" for k, a in zip(made.kinds, made.sites, strict=True)],
        )
    count = len(nodes.table.rows)
    kinds = ["mec"] * count
    if "kind" in nodes.meaning:
        column = nodes.meaning["kind"][0]
        for row in range(count):
            word = nodes.table.cell(row, column)
            kinds[row] = kind_of(word)
            if kinds[row] not in ("coin", "mec"):
                raise InvalidScenarioError(nodes.table.place(row, column), "must be coin or mec", value=word)
    else:
        report.note("made_up", "kinds of nodes: all are MEC servers", remember=True)
    places = plane.places(nodes)
    if places is None:
        report.note("made_up", "positions of nodes: the middle of all sites")
        places = np.tile(site_m.mean(axis=0), (count, 1))
    places = placed_among(places, nodes.table, "nodes", report)
    return tuple(kinds), places, nodes.names("node")


def _columns(
    drawn: Scenario,
    sites: _Sheet,
    nodes: _Sheet | None,
    devices: _Sheet | None,
    conversion: Conversion,
    report: ImportReport,
) -> dict[str, object]:
    """What tables say instead of what was drawn; the work follows the size where only that is given."""
    changes: dict[str, object] = {}
    bandwidth = sites.numbers("bandwidth", "Hz")
    capacity = None if nodes is None else nodes.speeds_hz("capacity", conversion, drawn.n_slices)
    drawn_names = [
        name for name, value in (("bandwidths", bandwidth), ("speeds of nodes", capacity)) if value is None
    ]
    if capacity is not None:
        changes["node_capacity_hz"] = np.repeat(capacity[:, None], drawn.n_slices, axis=1)
    power = drawn.sites.tx_power_w
    bits, cycles, density = drawn.task_bits, None, None
    if devices is not None:
        given = {
            "task_bits": devices.numbers("task_bits", "bit"),
            "local_cycles": devices.numbers("local_cycles", "cycle"),
            "cycles_per_bit": devices.numbers("cycles_per_bit", "cycle/bit"),
            "local_capacity_hz": devices.speeds_hz("local_capacity", conversion),
            "arrival_rate_hz": devices.numbers("arrival_rate", "1/s"),
            "tx_power_w": devices.numbers("tx_power", "W"),
        }
        changes.update(
            {k: given[k] for k in ("local_capacity_hz", "arrival_rate_hz") if given[k] is not None}
        )
        power = given["tx_power_w"] if given["tx_power_w"] is not None else power
        bits = given["task_bits"] if given["task_bits"] is not None else bits
        cycles, density = given["local_cycles"], given["cycles_per_bit"]
        drawn_names += [name for name, value in given.items() if value is None and name != "cycles_per_bit"]
    ratio = drawn.local_cycles / drawn.task_bits if density is None else density
    work = bits * ratio if cycles is None else cycles
    changes |= {"task_bits": bits, "local_cycles": work}
    changes["slice_cycles"] = work[:, None] * (drawn.slice_cycles / drawn.local_cycles[:, None])
    hz = drawn.bandwidth_hz if bandwidth is None else bandwidth
    place, radio = drawn.sites, drawn.radio
    if (
        radio is not None
        and place.device_m is not None
        and place.access_point_m is not None
        and power is not None
    ):
        changes["rate_bps"] = radio.rates(place.device_m, place.access_point_m, power, hz)
    changes |= {
        "bandwidth_hz": hz,
        "sites": place.__class__(place.access_point_m, place.device_m, power, place.node_m),
    }
    drawn_names += ["work in slices"]
    report.note("made_up", f"{', '.join(drawn_names)}: origin.not_real has the ranges")
    return changes
