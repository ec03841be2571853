"""Where the rows of several tables are: one plane for all, by x and y or by latitude and longitude."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.sheet import Sheet
from slicewright.network.importers.placing.geography import like_degrees, middle, to_plane_m
from slicewright.network.importers.positions import Positions, has_pair, look_at_places, read_degrees
from slicewright.network.importers.report import ImportReport, listed
from slicewright.types import FloatArray


class TablePlane:
    """One plane for all tables: that of their x and y, or the one that touches the globe at the sites."""

    def __init__(self, sites: Sheet) -> None:
        self.on_globe = {"latitude", "longitude"} <= set(sites.meaning)
        self.site_names = sites.names("site")
        self._read: dict[str, Positions] = {}
        self._measured: dict[str, FloatArray] = {}
        positions = self._positions(sites) if self.on_globe else None
        self.origin = middle(positions.degrees[positions.known]) if positions is not None else None

    def places(self, sheet: Sheet | None) -> FloatArray | None:
        """(rows, 2) m, NaN where a row has none; None where the table has no positions of this kind."""
        if sheet is None:
            return None
        if self.origin is not None and {"latitude", "longitude"} <= set(sheet.meaning):
            return np.round(to_plane_m(self._positions(sheet).degrees, self.origin), 2)
        if self.origin is None and {"x", "y"} <= set(sheet.meaning):
            return self._metres(sheet)
        for pair in (("latitude", "longitude"), ("x", "y")):
            half = [name for name in pair if name in sheet.meaning]
            if len(half) == 1:
                missing = next(name for name in pair if name not in half)
                there = ", ".join(sheet.table.columns)
                rule = f"has a column of {half[0]} and none of {missing}; its columns are {there}"
                raise InvalidScenarioError(sheet.table.name, rule)
        if {"latitude", "longitude", "x", "y"} & set(sheet.meaning):
            wanted = "latitude and longitude" if self.on_globe else "x and y"
            raise InvalidScenarioError(sheet.table.name, f"must have {wanted}, as the sites have")
        return None

    def look(self, sites: Sheet, others: Sequence[tuple[str, Sheet | None]], report: ImportReport) -> None:
        """Refuse or note what looks wrong on the globe, or as metres."""
        if self.on_globe:
            on_globe = [
                (what, self._positions(sheet))
                for what, sheet in others
                if sheet is not None and {"latitude", "longitude"} <= set(sheet.meaning)
            ]
            look_at_places(self._positions(sites), on_globe, report)
        elif {"x", "y"} <= set(sites.meaning):
            places = self._metres(sites)
            if told := like_degrees(places[~np.isnan(places[:, 0])]):
                report.note("odd", f"{sites.table.name}: {told}")

    def _positions(self, sheet: Sheet) -> Positions:
        name, meaning = sheet.table.name, sheet.meaning
        if name not in self._read:
            self._read[name] = read_degrees(sheet.table, meaning["latitude"][0], meaning["longitude"][0])
        return self._read[name]

    def _metres(self, sheet: Sheet) -> FloatArray:
        name = sheet.table.name
        if name not in self._measured:
            self._measured[name] = _metres(sheet)
        return self._measured[name]


def _metres(sheet: Sheet) -> FloatArray:
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


def sites_of(
    sheet: Sheet, site_names: Sequence[str], site_m: FloatArray, report: ImportReport
) -> FloatArray | None:
    """(rows, 2) m of the sites that the rows name, NaN where a row names none; None where the table has no such column.

    Raises:
        InvalidScenarioError: a row names what is no site, in a column where others do.
    """
    if "site" not in sheet.meaning:
        return None
    table, column = sheet.table, sheet.meaning["site"][0]
    index = {name: a for a, name in enumerate(site_names)}
    rows = [row for row in range(len(table.rows)) if not table.is_missing(row, column)]
    known = [row for row in rows if table.cell(row, column) in index]
    if not known:
        if sheet.meaning.get("name", (None, ""))[0] != column:
            report.note("odd", f"{table.name}, {table.columns[column]}: none of it is the name of a site")
            table.used.discard(column)
        return None
    for row in rows:
        if table.cell(row, column) not in index:
            rule = f"must be the name of a site: {listed(list(site_names))}"
            raise InvalidScenarioError(table.place(row, column), rule, value=table.cell(row, column))
    report.note("read", f"{table.name}, {table.columns[column]}: the site that each is at")
    places = np.full((len(table.rows), 2), np.nan)
    places[known] = site_m[[index[table.cell(row, column)] for row in known]]
    return places
