"""Numbers of placement's figures, run by run and seed by seed, and the curves made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from slicewright.evaluation.reproduction.engine.measured import Measured, curve
from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.placement.networks import LABELS, STYLES

Values: TypeAlias = dict[str, list[list[list[float]]]]
"""By method: for every point of the axis, and every seed, one number per run."""


def over_runs(values: Sequence[Sequence[Sequence[float]]], *, factor: float = 1.0) -> list[Estimate]:
    """Of every point: mean over runs, each the mean of its seeds, times a factor."""
    return [estimate(factor * np.mean(np.array(seeds), axis=0)) for seeds in values]


def curves_of(
    axis: Sequence[int], values: Values, names: Sequence[str], *, factor: float = 1.0
) -> list[Measured]:
    """The curve of every named method."""
    return [curve(LABELS[m], STYLES[m], axis, over_runs(values[m], factor=factor)) for m in names]
