"""What a file says about how fast nodes compute: cores, millicores, MIPS, YAFS's IPT or cycles per second.

A count of cores or instructions is what the whole node has, and is divided evenly between the slices; a speed in Hz is
what each slice has, as ``capacity_hz`` of a scenario file, unless it is said to be the whole node's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.files.fields import as_number
from slicewright.network.importers.report import ImportReport
from slicewright.types import FloatArray

NAMES = (
    "capacity_hz", "capacity", "cpu", "cpus", "cores", "vcpu", "vcpus", "cpu_cores", "num_cpus", "cpu_capacity",
    "compute_capacity", "mips", "ipt",
)  # fmt: skip
"""Attributes and columns that tell it, the first that is there counts; ``cpu_ghz`` and ``cpu [GHz]`` name the unit."""
UNITS = ("auto", "core", "millicore", "MIPS", "IPT", "Hz", "kHz", "MHz", "GHz")
"""Units that ``cpu_unit`` may name for attributes that do not."""
CAPACITY_OF = ("slice", "node")
"""Whose a speed in Hz may be: that of each slice of a node, or that of all together."""
MOST_CORES = 4096
"""More cores than this in one node are probably something else."""
_HZ = MappingProxyType({"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9, "cycle/s": 1.0, "cycles/s": 1.0})
_SHOWN = MappingProxyType({unit.lower(): unit for unit in ("Hz", "kHz", "MHz", "GHz")})
_COUNTS = MappingProxyType(
    {
        **dict.fromkeys(("core", "cores", "cpu", "cpus", "vcpu", "vcpus"), "core"),
        **dict.fromkeys(("millicore", "millicores", "mcpu"), "millicore"),
        "mips": "MIPS",
        "ipt": "IPT",
    }
)
_HEADER = re.compile(r"(.*?)\s*[\[(]\s*([^\])]*?)\s*[\])]\s*")
_CELL = re.compile(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*([A-Za-z/]*)")
_OPEN = ("capacity", "compute_capacity")
"""Names that could be a number of anything: their unit must be told."""


class Conversion(NamedTuple):
    """What one core and one time unit stand for.

    Attributes:
        core_hz: cycle/s of a core; an export stands by the same figure.
        ipt_s: s of the time unit of YAFS, whose files do not tell it; an instruction is a cycle.
        unit: one of :data:`UNITS`, for what names none.
        capacity_of: one of :data:`CAPACITY_OF`, for speeds in Hz.
    """

    core_hz: float = 1e9
    ipt_s: float = 1e-3
    unit: str = "auto"
    capacity_of: str = "slice"

    def factor(self, unit: str) -> tuple[float, bool] | None:
        """Cycle/s per unit, and whether the slices divide it between them; None for what is no unit."""
        word = unit.strip().lower()
        if word in _HZ:
            return _HZ[word], self.capacity_of == "node"
        counted = _COUNTS.get(word, "")
        each = {"core": self.core_hz, "millicore": self.core_hz / 1000, "MIPS": 1e6, "IPT": 1 / self.ipt_s}
        return (each[counted], True) if counted else None

    def explained(self, unit: str) -> str:
        """The unit and what it was taken for."""
        word = _COUNTS.get(unit.strip().lower(), unit)
        told = {
            "core": f"cores of {self.core_hz:g} cycle/s (core_hz)",
            "millicore": f"thousandths of a core of {self.core_hz:g} cycle/s (core_hz)",
            "MIPS": "MIPS, an instruction taken for a cycle",
            "IPT": f"instructions per time unit of {self.ipt_s:g} s (ipt_s), an instruction taken for a cycle",
        }
        if word in told:
            return told[word]
        whose = (
            "the whole node" if self.capacity_of == "node" else "each slice (capacity_of=node: of all slices)"
        )
        return f"{_SHOWN.get(word.lower(), word)} of {whose}"

    def shared(self, unit: str, slices: int) -> str:
        """What to say behind :meth:`explained` where slices divide it between them; nothing for others."""
        factor = self.factor(unit) or (1.0, self.capacity_of == "node")
        return f", divided evenly between {slices} slices" if factor[1] and slices > 1 else ""

    def checked(self) -> Conversion:
        """The same.

        Raises:
            InvalidScenarioError: no such unit, or a word that is none of :data:`CAPACITY_OF`.
        """
        if self.capacity_of not in CAPACITY_OF:
            rule = f"must be one of {', '.join(CAPACITY_OF)}: whose a speed in Hz is"
            raise InvalidScenarioError("capacity_of", rule, value=self.capacity_of)
        known = {name.lower(): name for name in UNITS}
        if self.unit.lower() not in known:
            raise InvalidScenarioError("cpu_unit", f"must be one of {', '.join(UNITS)}", value=self.unit)
        return self._replace(unit=known[self.unit.lower()])


def told_capacity_hz(
    vertices: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    *,
    slices: int,
    conversion: Conversion,
    report: ImportReport,
) -> tuple[FloatArray, frozenset[str]]:
    """(V, slices) cycle/s by the attributes of vertices, NaN where they say nothing; and which attributes were used.

    Raises:
        InvalidScenarioError: an attribute that counts is no number of at least zero, or has a unit that is not known.
    """
    told = np.full((len(vertices), slices), np.nan)
    used: dict[str, set[str]] = {}
    most_cores, left_open = 0.0, False
    for v, data in enumerate(vertices):
        found = next(((key, *_split(key)) for name in NAMES for key in data if _split(key)[0] == name), None)
        if found is None or data[found[0]] in (None, ""):
            continue
        key, name, unit = found
        number, unit = _quantity(data[key], unit, f"{names[v]!r}", key)
        unit = unit or _usual(name, conversion)
        if not unit:
            left_open = True
            continue
        factor = conversion.factor(unit)
        if factor is None:
            raise InvalidScenarioError(
                key, f"of {names[v]!r} must be in one of {', '.join(UNITS[1:])}", value=unit
            )
        told[v] = number * factor[0] / (slices if factor[1] else 1)
        used.setdefault(key, set()).add(unit)
        if _COUNTS.get(unit.lower()) == "core":
            most_cores = max(most_cores, number)
    _tell(used, most_cores, left_open, conversion, slices, report)
    return told, frozenset(used)


def is_counted(unit: str) -> bool:
    """Whether a unit counts cores or instructions, of which a node has some, instead of a speed in Hz."""
    return unit.strip().lower() in _COUNTS


def _tell(
    used: Mapping[str, set[str]],
    most_cores: float,
    left_open: bool,
    conversion: Conversion,
    slices: int,
    report: ImportReport,
) -> None:
    for key, units in used.items():
        told = " and ".join(sorted({conversion.explained(unit) for unit in units}))
        shared = max(conversion.shared(unit, slices) for unit in units)
        report.note("read", f"speeds of nodes from {key!r}: {told}{shared}", remember=True)
    if most_cores > MOST_CORES:
        report.note(
            "odd",
            f"a node of {most_cores:,.0f} cores: if that is no number of cores, set cpu_unit, such as MHz or MIPS",
        )
    if left_open:
        report.note(
            "odd",
            "the unit of 'capacity' is not told, so it is not used: set cpu_unit, such as core, MIPS or GHz",
        )


def _split(key: str) -> tuple[str, str]:
    """Name and unit of an attribute: ``cpu [GHz]``, ``cpu_ghz``, ``cpu``."""
    plain = key.strip()
    match = _HEADER.fullmatch(plain)
    if match:
        return re.sub(r"[\s\-]+", "_", match.group(1).lower()), match.group(2)
    name = re.sub(r"[\s\-]+", "_", plain.lower())
    head, _, ending = name.rpartition("_")
    if head in NAMES and (ending in _HZ or ending in _COUNTS) and name not in ("cpu_cores",):
        return head, ending
    return name, ""


def _usual(name: str, conversion: Conversion) -> str:
    """The unit of what names none; empty where it could be any."""
    if conversion.unit != "auto":
        return conversion.unit
    if name == "capacity_hz":
        return "Hz"
    if name in _OPEN:
        return ""
    return {"mips": "MIPS", "ipt": "IPT"}.get(name, "core")


def _quantity(value: object, unit: str, owner: str, key: str) -> tuple[float, str]:
    """A number of at least zero, and its unit where the cell has one: ``16``, ``2.5 GHz``, ``500m``."""
    text = value
    if isinstance(value, str):
        match = _CELL.fullmatch(value.strip())
        if match:
            text, inner = match.groups()
            unit = {"m": "millicore"}.get(inner, inner) or unit
    number = as_number(text)
    if number is None or not 0 <= number < 1e30:
        raise InvalidScenarioError(key, f"of {owner} must be a number of at least zero", value=value)
    return number, unit
