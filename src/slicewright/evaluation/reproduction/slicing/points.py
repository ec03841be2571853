"""One point of a cost figure: every method on the same scenarios, learned ones once per training seed and reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.methods import (
    classical_plans,
    mec_share,
    model_plans,
    optima,
    proven,
    scenarios,
)
from slicewright.evaluation.reproduction.slicing.models import Overrides, training_seeds
from slicewright.evaluation.reproduction.slicing.readings import READING_LABELS, Reading, broken
from slicewright.slicing.plan import Plan
from slicewright.types import FloatArray

PUBLISHED: Mapping[str, Reading] = MappingProxyType(
    {"deepsets-s": "argmax", "deepsets-s-decoded": "decoded", "own": "own"}
)
SIZE_FREE: Mapping[str, Reading] = MappingProxyType({"bipartite": "argmax", "bipartite-decoded": "decoded"})
CLASSICAL = ("erap", "prap", "ours")
DRAWN = ("os", "deepsets-s", "own", "erap", "prap", "ours", "bipartite")
"""Curves of the figures, in this order; the other readings stand in the tables."""
COMPARED = (*PUBLISHED, *SIZE_FREE, *CLASSICAL)

NAMED: Mapping[str, str] = {
    "deepsets-s": "DeepSets-S, argmax",
    "deepsets-s-decoded": f"DeepSets-S, {READING_LABELS['decoded']}",
    "own": "DeepSets-S, argmax with its own shares (as published)",
    "bipartite": "ours (bipartite), argmax",
    "bipartite-decoded": f"ours (bipartite), {READING_LABELS['decoded']}",
    "erap": "ERAP",
    "prap": "PRAP",
    "ours": "ours (auto)",
}
"""How tables call the readings of models and the other methods."""


@dataclass(frozen=True)
class Series:
    """One method at one point.

    Attributes:
        cost_s: (seeds, scenarios) s, infinite where some task never completes.
        excess: (seeds, scenarios) relative to the optimum.
        mec: (seeds, scenarios) part of the offloaded tasks on a MEC server; nan where nobody offloads.
        broken: part of the plans that break 13b, 13c, and in which some task never completes.
    """

    cost_s: FloatArray
    excess: FloatArray
    mec: FloatArray
    broken: Mapping[str, float]

    def ratio(self) -> Estimate:
        """C_OS / C_m: 0 where a task never completes."""
        return estimate((1 / (1 + self.excess)).mean(axis=0))

    def of(self, values: FloatArray) -> Estimate:
        """Mean over scenarios of the mean over seeds, where values are finite."""
        return estimate(finite_mean(values, axis=0))


@dataclass(frozen=True)
class Point:
    """All methods at one point.

    Attributes:
        series: by name: ``os`` and those of ``COMPARED``.
        proven: per scenario, whether the optimum is proven.
    """

    series: Mapping[str, Series]
    proven: Sequence[bool]


def finite_mean(values: FloatArray, axis: int | None = None) -> FloatArray:
    """Mean of the finite values; nan where there are none."""
    finite = np.isfinite(values)
    count = finite.sum(axis=axis)
    total = np.where(finite, values, 0.0).sum(axis=axis)
    out: FloatArray = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
    return out


def measured_point(shop: Workshop, devices: int, overrides: Overrides) -> Point:
    """Ask every method.

    Args:
        shop: scale and folders.
        devices: I.
        overrides: of the published setting; DeepSets-S is trained for it.
    """
    problems = scenarios(shop, devices, overrides)
    best = optima(shop, devices, overrides)
    series = {"os": _series([list(best)], best)}
    for name, reading in PUBLISHED.items():
        made = [
            model_plans(shop, problems, reading, overrides=overrides, seed=seed)
            for seed in training_seeds(shop)
        ]
        series[name] = _series(made, best)
    for name, reading in SIZE_FREE.items():
        series[name] = _series([model_plans(shop, problems, reading)], best)
    for name in CLASSICAL:
        series[name] = _series([classical_plans(shop, name, problems)], best)
    return Point(series, [proven(p) for p in best])


def _series(made: Sequence[Sequence[Plan]], best: Sequence[Plan]) -> Series:
    optimum = np.array([p.cost_s for p in best])
    cost = np.array([[p.cost_s for p in plans] for plans in made])
    each = [broken(p) for plans in made for p in plans]
    return Series(
        cost,
        cost / optimum - 1,
        np.array([mec_share(plans) for plans in made]),
        {rule: float(np.mean([x[rule] for x in each])) for rule in each[0]},
    )
