"""Means with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slicewright.types import FloatArray

CONFIDENCE = 0.9
"""Of all intervals: what the slicing publication uses."""


@dataclass(frozen=True)
class Estimate:
    """A mean, the half width of its confidence interval (0 for a single value) and how many values it is of."""

    mean: float
    half: float
    count: int

    def __format__(self, spec: str) -> str:
        return f"{self.mean:{spec or '.4g'}} ± {self.half:{spec or '.2g'}}"


def estimate(values: Sequence[float] | FloatArray, *, confidence: float = CONFIDENCE) -> Estimate:
    """Mean and Student interval of independent values; values that are not finite are left out."""
    data = np.asarray(values, dtype=np.float64)
    data = data[np.isfinite(data)]
    if data.size == 0:
        return Estimate(math.nan, 0.0, 0)
    if data.size == 1:
        return Estimate(float(data[0]), 0.0, 1)
    from scipy.stats import t

    deviation = float(data.std(ddof=1)) / math.sqrt(data.size)
    return Estimate(
        float(data.mean()), float(t.ppf(0.5 + confidence / 2, data.size - 1)) * deviation, data.size
    )
