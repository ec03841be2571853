"""Positions in tables: those that are missing, exchanged, or a continent away from all others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.table import Table
from slicewright.network.importers.placing.geography import FAR_M, exchanged, nearest_m, next_m, within
from slicewright.network.importers.report import ImportReport, listed
from slicewright.types import BoolArray, FloatArray

SPREAD_M = 60.0
"""Devices without a position are so far from a random site in each direction."""


_NO_DEGREES = frozenset(
    (
        "rad",
        "radian",
        "radians",
        "mrad",
        "gon",
        "grad",
        "grads",
        "dms",
        "m",
        "km",
        "ft",
        "mi",
        "min",
        "e6",
        "1e6",
        "e7",
        "1e7",
    )
)
"""Units that latitudes and longitudes have elsewhere; other words, such as WGS84, are no units."""


class Positions(NamedTuple):
    """A table, and (k, 2) latitude and longitude in degrees of its rows, NaN where a row has neither."""

    table: Table
    degrees: FloatArray

    @property
    def known(self) -> BoolArray:
        """(k,) whether a row has a position."""
        return ~np.isnan(self.degrees[:, 0])


def has_pair(table: Table, row: int, columns: tuple[int, int]) -> bool:
    """Whether a row has both of two numbers; False where it has neither.

    Raises:
        InvalidScenarioError: it has one of them.
    """
    missing = [column for column in columns if table.is_missing(row, column)]
    if len(missing) == 1:
        raise InvalidScenarioError(table.place(row, missing[0]), "is missing")
    return not missing


def read_degrees(table: Table, latitude: int, longitude: int) -> Positions:
    """Positions of all rows by the columns of latitude and longitude.

    Raises:
        InvalidScenarioError: a number is off the globe, or a row has one of two, or no row has any.
    """
    for column in (latitude, longitude):
        if (unit := table.units[column].strip().lower()) in _NO_DEGREES:
            where = f"{table.name}, unit of {table.columns[column]}"
            raise InvalidScenarioError(where, "must be degrees, as decimal numbers", value=unit)
    degrees = np.full((len(table.rows), 2), np.nan)
    for row in range(len(table.rows)):
        if has_pair(table, row, (latitude, longitude)):
            degrees[row] = _degrees(table, row, (latitude, longitude))
    if len(degrees) and np.isnan(degrees).all():
        raise InvalidScenarioError(table.name, "has no row with a position")
    return Positions(table, degrees)


def _degrees(table: Table, row: int, columns: tuple[int, int]) -> list[float]:
    pair = []
    for column, bound in zip(columns, (90.0, 180.0), strict=True):
        rule = f"a number from {-bound:g} to {bound:g} degrees"
        try:
            pair.append(table.number(row, column, rule, partial(within, bound)))
        except InvalidScenarioError as refused:
            if _is_exchanged(table, row, columns):
                told = "must be at most 90, and the longitude could be one: the two may be exchanged"
                raise InvalidScenarioError(
                    refused.field, told, value=table.cell(row, column), fix="exchange the words in the header"
                ) from None
            raise
    return pair


def _is_exchanged(table: Table, row: int, columns: tuple[int, int]) -> bool:
    try:
        latitude, longitude = (
            table.number(row, column, "a number", partial(within, 180.0)) for column in columns
        )
    except InvalidScenarioError:
        return False
    return abs(latitude) > 90.0 >= abs(longitude)


def placed_among(xy_m: FloatArray, table: Table, what: str, report: ImportReport) -> FloatArray:
    """(k, 2) m with what has no position in the middle of the others, which is noted."""
    missing = np.isnan(xy_m[:, 0])
    if not missing.any():
        return xy_m
    _note(missing, table, f"{what}, placed in the middle of the others", report)
    return np.where(missing[:, None], np.round(xy_m[~missing].mean(axis=0), 2), xy_m)


def placed_around(
    xy_m: FloatArray,
    site_m: FloatArray,
    table: Table,
    report: ImportReport,
    *,
    seed: int,
    spread_m: float = SPREAD_M,
) -> FloatArray:
    """(k, 2) m with devices without a position around random sites, which is noted."""
    missing = np.isnan(xy_m[:, 0])
    if not missing.any():
        return xy_m
    _note(missing, table, "devices, placed around sites", report)
    rng = np.random.default_rng((seed, len(xy_m)))
    placed = xy_m.copy()
    home = site_m[rng.integers(len(site_m), size=int(missing.sum()))]
    placed[missing] = np.round(home + rng.normal(0, spread_m, home.shape), 2)
    return placed


def _note(missing: BoolArray, table: Table, what: str, report: ImportReport) -> None:
    lines = [str(table.lines[int(row)]) for row in np.flatnonzero(missing)]
    report.note(
        "made_up",
        f"positions of {len(lines)} of {missing.size} {what}: {table.name} line {listed(lines)}",
        remember=True,
    )


def look_at_places(sites: Positions, others: Sequence[tuple[str, Positions]], report: ImportReport) -> None:
    """Refuse exchanged columns; note what is a continent away, and positions that nobody meant.

    Args:
        sites: where the access points are.
        others: users and nodes, and what to call them.
        report: where it is noted.

    Raises:
        InvalidScenarioError: latitude and longitude are exchanged in one of the files.
    """
    there = sites.degrees[sites.known]
    for what, positions in others:
        here = positions.degrees[positions.known]
        if len(here):
            _refuse_exchanged(sites, positions, what)
            far = nearest_m(here, there)
            _note_far(far, positions, f"{what}s are more than {FAR_M / 1000:g} km from every site", report)
    if len(there) > 1:
        far = next_m(there)
        _note_far(far, sites, f"sites are more than {FAR_M / 1000:g} km from every other", report)
    for positions in (sites, *(one for _, one in others)):
        nowhere = np.flatnonzero((positions.degrees == 0).all(axis=1))
        if nowhere.size:
            line = positions.table.lines[int(nowhere[0])]
            report.note(
                "odd",
                f"{nowhere.size} positions of {positions.table.name} are 0, 0, the first in line {line}",
            )
    same = len(there) - len(np.unique(there, axis=0))
    if same:
        report.note("odd", f"{same} sites are where another one is")


def _refuse_exchanged(sites: Positions, positions: Positions, what: str) -> None:
    there, here = sites.degrees[sites.known], positions.degrees[positions.known]
    whose = exchanged(there, here)
    if whose:
        names = {"sites": sites.table.name, "users": positions.table.name}
        away = nearest_m(here, there)[0] / 1000
        raise InvalidScenarioError(
            " or ".join(names[side] for side in whose),
            f"has latitude and longitude exchanged: the nearest site of the first {what} is {away:,.0f} km away",
            fix="exchange the two words in its header",
        )


def _note_far(far_m: FloatArray, positions: Positions, told: str, report: ImportReport) -> None:
    away = np.flatnonzero(far_m > FAR_M)
    if away.size:
        worst = int(away[np.argmax(far_m[away])])
        line = positions.table.lines[int(np.flatnonzero(positions.known)[worst])]
        report.note(
            "odd",
            f"{away.size} of {far_m.size} {told}; the nearest site of {positions.table.name} line {line} is "
            f"{far_m[worst] / 1000:,.0f} km away",
        )
