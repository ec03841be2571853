"""Where the rows of several tables are: one plane for all, by x and y or by latitude and longitude."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.sheet import Sheet
from slicewright.network.importers.placing.geography import like_degrees, middle, to_plane_m
from slicewright.network.importers.positions import Positions, has_pair, look_at_places, read_degrees
from slicewright.network.importers.report import ImportReport
from slicewright.types import FloatArray


class TablePlane:
    """One plane for all tables: that of their x and y, or the one that touches the globe at the sites."""

    def __init__(self, sites: Sheet) -> None:
        self.on_globe = {"latitude", "longitude"} <= set(sites.meaning)
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
