"""Quantities as people read them. Inside the code there are SI units only; this is for tables and pictures."""

from __future__ import annotations

import math

BITS_PER_GIGABIT = 1e9
_PREFIXES = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """A number with a unit and the prefix that suits it: ``quantity(1.8e7, "Hz")`` is ``18 MHz``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    # Rounding first: 999.96 kHz shown with three digits is 1 MHz.
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = 3 * math.floor(math.log10(abs(rounded)) / 3)
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return f"{rounded / 10.0**exponent:.{digits}g} {_PREFIXES[exponent]}{unit}"


def quantity_range(low: float, high: float, unit: str, digits: int = 3) -> str:
    """Two numbers with units, or one if they read the same."""
    first, last = quantity(low, unit, digits), quantity(high, unit, digits)
    return first if first == last else f"{first} to {last}"
