"""Units as people write them into headers: ``bandwidth [MHz]``, ``task size (MB)``, ``tx_power_dbm``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.types import FloatArray

_PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def _with_prefixes(*units: tuple[str, float]) -> dict[str, float]:
    return {prefix + unit: factor * value for unit, value in units for prefix, factor in _PREFIXES.items()}


UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "Hz": _with_prefixes(("Hz", 1.0), ("cycle/s", 1.0), ("cycles/s", 1.0), ("cps", 1.0)),
        "bit": {
            **_with_prefixes(("bit", 1.0), ("bits", 1.0), ("b", 1.0), ("B", 8.0), ("byte", 8.0), ("bytes", 8.0)),
            **{f"{p}iB": 8.0 * 1024**k for k, p in enumerate("KMGT", 1)},
        },
        "cycle": _with_prefixes(("cycle", 1.0), ("cycles", 1.0)),
        "1/s": {"1/s": 1.0, "/s": 1.0, "Hz": 1.0, "per s": 1.0, "1/min": 1 / 60, "1/h": 1 / 3600},
        "s": {
            "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0,
            "h": 3600.0, "days": 86400.0,
        },
        "W": {"W": 1.0, "mW": 1e-3, "uW": 1e-6, "µW": 1e-6, "kW": 1e3},
        "m": {"m": 1.0, "km": 1e3, "cm": 1e-2, "ft": 0.3048, "mi": 1609.344},
        "cycle/bit": {"cycle/bit": 1.0, "cycles/bit": 1.0, "cycle/B": 0.125, "cycles/byte": 0.125},
        "degrees": {"degrees": 1.0, "deg": 1.0, "°": 1.0},
    }
)  # fmt: skip
"""Factors to the first unit of each dimension; case counts: Mb is a megabit, MB a megabyte."""
_ENDINGS = {
    "hz": "Hz", "khz": "kHz", "mhz": "MHz", "ghz": "GHz", "bit": "bit", "bits": "bit", "kbit": "kbit", "mbit": "Mbit",
    "gbit": "Gbit", "bytes": "B", "kbyte": "kB", "mbyte": "MB", "gbyte": "GB", "w": "W", "mw": "mW", "dbm": "dBm",
    "m": "m", "km": "km", "cycles": "cycle", "mcycles": "Mcycle", "gcycles": "Gcycle", "deg": "deg",
    "s": "s", "sec": "s", "ms": "ms", "min": "min", "dd": "deg",
    "cores": "cores", "vcpus": "cores", "millicores": "millicores", "mips": "MIPS",
}  # fmt: skip
_AMBIGUOUS = {"kb": "kbit or kbyte", "mb": "mbit or mbyte", "gb": "gbit or gbyte"}
_BYTES = {"kB": "kB", "KB": "kB", "MB": "MB", "GB": "GB"}
_PER = re.compile(r"(.+)_per_(s|sec|second|min|minute|h|hour)")
GLUED: Mapping[str, str] = MappingProxyType(
    {ending: unit for ending, unit in _ENDINGS.items() if len(ending) > 2 or ending in ("hz", "km", "mw", "ms")}
)  # fmt: skip
"""Endings that are seen without anything before them, too: ``bandwidthMHz``."""


def split_ending(column: str, file: str, *, header: str = "") -> tuple[str, str]:
    """Name and unit of a header such as ``bandwidth_mhz`` or ``rate_per_min``; no unit where the last word is none.

    Args:
        column: the header as it is compared.
        file: for messages.
        header: as it stands in the file: among small letters, ``MB`` is a megabyte.

    Raises:
        InvalidScenarioError: the ending may be bits or bytes.
    """
    if per := _PER.fullmatch(column):
        return per.group(1), {"s": "1/s", "m": "1/min", "h": "1/h"}[per.group(2)[0]]
    name, _, ending = column.rpartition("_")
    written = header.strip()[-2:]
    if name and ending in _AMBIGUOUS and written in _BYTES and not header.isupper():
        return name, _BYTES[written]
    if name and ending in _AMBIGUOUS:
        raise InvalidScenarioError(
            file, f"has a column {column!r}, whose unit may be {_AMBIGUOUS[ending]}", fix="write which"
        )
    return (name, _ENDINGS[ending]) if name and ending in _ENDINGS else (column, "")


def stems(column: str) -> tuple[str, ...]:
    """What :func:`split_ending` may leave of a header."""
    per = _PER.fullmatch(column)
    return (column.rpartition("_")[0], *([per.group(1)] if per else []))


def to_base(values: FloatArray, unit: str, dimension: str, where: str) -> FloatArray:
    """Numbers in the base unit of a dimension.

    Raises:
        InvalidScenarioError: the unit is not one of the dimension; names those that are.
    """
    if dimension == "W" and unit.replace(" ", "").lower() == "dbm":
        return np.asarray(10.0 ** ((values - 30.0) / 10.0), dtype=np.float64)
    known = UNITS[dimension]
    factor = known.get(unit.strip())
    if factor is None:
        lowered = {key.lower(): value for key, value in known.items()}
        same = [key for key in known if key.lower() == unit.strip().lower()]
        factor = lowered[same[0].lower()] if len({known[key] for key in same}) == 1 else None
    if factor is None:
        names = ", ".join((*list(known)[:12], *(["dBm"] if dimension == "W" else [])))
        raise InvalidScenarioError(where, f"must be in one of {names}", value=unit)
    return np.asarray(values * factor, dtype=np.float64)
