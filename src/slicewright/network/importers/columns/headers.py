"""Headers of tables as people write them: ``Site ID``, ``siteId``, ``geo_lat``, ``bandwidth [MHz]``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_WHOSE = (
    "",
    "geo_",
    "gps_",
    "site_",
    "cell_",
    "station_",
    "user_",
    "device_",
    "node_",
    "server_",
    "ap_",
    "bs_",
)
_IN_DEGREES = ("", "_deg", "_degrees", "_dd", "_wgs84")


def _places(*words: str) -> tuple[str, ...]:
    return tuple(whose + word + unit for unit in _IN_DEGREES for whose in _WHOSE for word in words)


LATITUDES = (
    *_places("latitude", "lat"), "y_lat", "breite", "breitengrad", "geo_breite", "latitud", "latitudine",
)  # fmt: skip
LONGITUDES = (
    *_places("longitude", "lon", "lng", "long"), "x_lon", "laenge", "länge", "längengrad", "geo_laenge", "geo_länge",
    "longitud", "longitudine",
)  # fmt: skip
_UNIT = re.compile(r"^(.*?)\s*[\(\[]\s*([^)\]]*?)\s*[\)\]]\s*$")


def column_name(text: str) -> str:
    """A header as it is compared: ``Site ID`` is ``site_id``."""
    return re.sub(r"[\s\-./]+", "_", text.strip().strip("\N{ZERO WIDTH NO-BREAK SPACE}").lower()).strip("_")


def squashed(name: str) -> str:
    """A name without what stands between its words: ``siteId``, ``site_id`` and ``Site ID`` are one."""
    return re.sub(r"[\W_]+", "", name.lower())


def split_unit(header: str) -> tuple[str, str]:
    """Name and unit of a header such as ``bandwidth [MHz]``; no unit where it has none."""
    match = _UNIT.match(header.strip())
    return (match.group(1), match.group(2)) if match and match.group(1) else (header, "")


def index_of(columns: Sequence[str], names: Sequence[str]) -> int | None:
    """Index of the first column of one of these names, as they stand there or else with their words run together."""
    exact = next((columns.index(name) for name in names if name in columns), None)
    if exact is not None:
        return exact
    wanted = {squashed(name) for name in names}
    return next((k for k, column in enumerate(columns) if squashed(column) in wanted), None)


def aliases(names: Mapping[str, Sequence[str]]) -> list[str]:
    """All names of all columns."""
    return [alias for group in names.values() for alias in group]
