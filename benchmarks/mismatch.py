"""What learning is for: where the formula is wrong, what beats the planner that trusts it, at equal decision time?

Eight ways to be wrong, and five planners of about equal time, which is printed. One trusts the formula. One has margins
on sizes and arrivals, the best of a grid. One is learned: factors on every device's size and arrivals, functions of its
features whose weights are trained on simulated outcomes by the cross-entropy method, beginning at the best margins. One
corrects the formula by what is known of queues (``slicewright.slicing.correction``), one also by what is known of
the measurements: how wrong or old rates are, which part of the load is seen. Margins and weights are tuned for each,
on the same scenarios; all are held against each other on others. Cost is the sum over devices of their mean completion
time, by Little's law from the tasks inside, so that tasks which never finish count.

Resumable: what is measured stays in ``reproduction/mismatch/work`` and says at which commit and on which machine that
was; table, figure and data are written beside it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import ArrayLike

from benchmarks._mismatch_report import command_of, read_results, result_file, write_report
from benchmarks._mismatch_world import (
    KINDS,
    Kind,
    Planner,
    bursts_of,
    corrected,
    corrected_and_told,
    corrected_for,
    learned,
    measured_cost_s,
    scenario_of,
    trusting,
    with_margins,
)
from slicewright.evaluation.reproduction.engine.origin import origin
from slicewright.files.documents import write_document
from slicewright.types import FloatArray

SIZES, RATES = (1.0, 1.25, 1.5, 2.0, 3.0), (1.0, 1.5, 2.0)
GRID = tuple((size, rate) for size in SIZES for rate in RATES)
"""Margins to choose from."""
DRIFT = "drift"
PERIODS = 6
FIRST_TRAINING_SEED = 1000
N_WEIGHTS = 12
WIDTHS = np.array([0.6, 0.4, 0.3, 0.3, 0.3, 0.3] * 2)
"""Standard deviations of the weights that are tried first."""


@dataclass(frozen=True)
class Scale:
    """How much to run: scenarios to tune on and to judge on, s of each, generations and how many are tried in one."""

    train: int
    test: int
    horizon_s: float
    generations: int
    tried: int


SCALES = {"quick": Scale(8, 40, 700.0, 6, 12), "full": Scale(16, 100, 1800.0, 12, 24)}


def main(scale: str) -> None:
    """Measure what is not measured yet, a kind on each processor; then print the table and write the report."""
    names = [*(kind.name for kind in KINDS), DRIFT]
    # One of those that take longest goes first.
    order = sorted(names, key=lambda name: name != KINDS[4].name)
    missing = [name for name in order if not result_file(scale, name).exists()]
    print(f"{len(names) - len(missing)} of {len(names)} are there from before", flush=True)
    if missing:
        with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, len(missing))) as pool:
            for done in as_completed([pool.submit(_measure, scale, name) for name in missing]):
                print(f"  measured: {done.result()}", flush=True)
    print(write_report(scale, read_results(scale, names), SCALES[scale].test, SCALES[scale].train))


def smoke() -> None:
    """One kind at sizes that say nothing, into a folder that is gone afterwards."""
    size = Scale(1, 2, 200.0, 1, 3)
    found = {KINDS[0].name: _kind(KINDS[0], size)}
    with TemporaryDirectory() as folder:
        print(write_report("smoke", found, size.test, size.train, folder=Path(folder)))


def _measure(scale: str, name: str) -> str:
    """One kind, or the drift, into its file."""
    size = SCALES[scale]
    told = origin(command_of(scale), jobs=1)  # the checkout may change meanwhile
    result = _drift(size) if name == DRIFT else _kind(next(k for k in KINDS if k.name == name), size)
    result["origin"] = told
    result_file(scale, name).parent.mkdir(parents=True, exist_ok=True)
    write_document(result, result_file(scale, name))
    return name


def costs_of(kind: Kind, planner: Planner, first: int, count: int, horizon_s: float) -> FloatArray:
    """(count,) s. Measured costs of the networks from number ``first`` on."""
    return np.array(
        [measured_cost_s(scenario_of(first + k), kind, planner, horizon_s, k) for k in range(count)]
    )


@dataclass(frozen=True, eq=False)
class _Tuning:
    """Networks of one kind that planners are tuned on, and what trusting the formula costs there."""

    kind: Kind
    size: Scale
    base_s: FloatArray

    @classmethod
    def of(cls, kind: Kind, size: Scale) -> _Tuning:
        return cls(kind, size, costs_of(kind, trusting, FIRST_TRAINING_SEED, size.train, size.horizon_s))

    def score(self, planner: Planner) -> float:
        """Mean cost over that of trusting the formula."""
        found = costs_of(self.kind, planner, FIRST_TRAINING_SEED, self.size.train, self.size.horizon_s)
        return float((found / self.base_s).mean())

    def best_margin(self) -> tuple[float, float]:
        """On sizes and on arrivals."""
        return min(GRID, key=lambda pair: self.score(with_margins(*pair)))

    def score_weights(self, weights: FloatArray) -> float:
        return self.score(learned(weights))


def planners_of(margin: Sequence[float], weights: ArrayLike) -> dict[str, Planner]:
    """All that are held against each other, with what was tuned and trained."""
    return {
        "trusting": trusting,
        "margins": with_margins(*margin),
        "learned": learned(np.asarray(weights)),
        "corrected": corrected,
        "corrected, told": corrected_and_told,
    }


def kinds_of_drift() -> list[Kind]:
    """A kind for each period."""
    return [bursts_of(float(factor)) for factor in np.linspace(1.0, 5.0, PERIODS)]


def _kind(kind: Kind, size: Scale) -> dict[str, object]:
    """Tune, train and judge for one way to be wrong."""
    tuning = _Tuning.of(kind, size)
    margin = tuning.best_margin()
    weights, history = _train(tuning.score_weights, margin, size)
    planners = planners_of(margin, weights)
    costs = {name: costs_of(kind, p, 0, size.test, size.horizon_s) for name, p in planners.items()}
    return {
        "kind": kind.name,
        "margin": list(margin),
        "weights": weights.tolist(),
        "training": history,
        "tuned": {name: tuning.score(p) for name, p in planners.items()},
        "cost_s": {name: found.tolist() for name, found in costs.items()},
        "decision_ms": {name: _decision_ms(p, kind) for name, p in planners.items()},
    }


def _train(
    score: Callable[[FloatArray], float], margin: tuple[float, float], size: Scale, *, seed: int = 0
) -> tuple[FloatArray, list[float]]:
    """Cross-entropy method from the best margins: weights, and the best score of every generation."""
    draw = np.random.default_rng(seed)
    mean, width = np.zeros(N_WEIGHTS), WIDTHS.copy()
    mean[0], mean[N_WEIGHTS // 2] = np.log(margin)
    best, best_score, history = mean.copy(), score(mean), []
    for _ in range(size.generations):
        samples = mean + width * draw.standard_normal((size.tried, N_WEIGHTS))
        scores = np.array([score(w) for w in samples])
        elite = samples[np.argsort(scores)[: max(3, size.tried // 4)]]
        mean, width = elite.mean(axis=0), elite.std(axis=0) + 0.03
        if scores.min() < best_score:
            best, best_score = samples[scores.argmin()], float(scores.min())
        history.append(best_score)
    return (mean if score(mean) < best_score else best), history


def _decision_ms(planner: Planner, kind: Kind) -> float:
    """Of processor time, the least of five."""
    spent, scenario = [], scenario_of(0)
    for _ in range(5):
        began = time.process_time()
        planner(scenario, kind)
        spent.append(time.process_time() - began)
    return 1e3 * min(spent)


def _drift(size: Scale) -> dict[str, object]:
    """Arrivals that become burstier from period to period: does a policy that goes on learning follow?

    It may learn from a period only when that is over: one more generation on what was simulated then. Margins are tuned
    again on the same, and the correction may be told the bursts of the period before.
    """
    kinds = kinds_of_drift()
    first_margin = margin = _Tuning.of(kinds[0], size).best_margin()
    first, _ = _train(_Tuning.of(kinds[0], size).score_weights, margin, size)
    draw, mean, width = np.random.default_rng(1), first, 0.6 * WIDTHS
    costs: dict[str, list[list[float]]] = {}
    for k, kind in enumerate(kinds):
        last = max(k - 1, 0)
        if k:
            tuning = _Tuning.of(kinds[last], size)
            samples = np.vstack([mean, mean + width * draw.standard_normal((size.tried, N_WEIGHTS))])
            scores = [tuning.score_weights(w) for w in samples]
            mean = samples[np.argsort(scores)[:3]].mean(axis=0)
            margin = tuning.best_margin()
        planners: dict[str, Planner] = {
            "trusting": trusting,
            "margins, as at first": with_margins(*first_margin),
            "margins, tuned again": with_margins(*margin),
            "learned once": learned(first),
            "learning on": learned(mean),
            "corrected, as at first": corrected_for(kinds[0].settings),
            "corrected, last period's bursts": corrected_for(kinds[last].settings),
        }
        for name, planner in planners.items():
            found = costs_of(kind, planner, 0, size.test, size.horizon_s)
            costs.setdefault(name, []).append(found.tolist())
    return {"kind": DRIFT, "cost_s": costs, "episodes": {
        "learning on": (size.tried + 1) * size.train, "margins, tuned again": len(GRID) * size.train,
    }}  # fmt: skip
