"""How much work a reproduction does: from minutes to the published protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from slicewright.errors import UnknownNameError

if TYPE_CHECKING:
    from slicewright.learning.common.training import Schedule


@dataclass(frozen=True)
class Scale:
    """Counts of runs and sizes of trainings.

    Attributes:
        name: of the scale.
        runs: repetitions of every point of the cost figures (published: 300).
        few: repetitions where a run is slow (solvers, time curves, exhaustive checks).
        devices: numbers of devices on the axes of the slicing figures.
        access_points: axis of slicing Figure 6.
        labels, folds, epochs: cross-validation of the published slicing models (published: 5,000 and 10).
        serving_labels, serving_epochs: training of the models behind the figures, one per network size.
        size_free_labels, size_free_epochs: training of our size-free networks, if none is shipped.
        solver_devices: numbers of devices for which the published solver is timed.
        solver_limit_s: s, its limit per scenario.
        solver_runs: repetitions with the published solver.
        seeds: trainings of every figure model, each with another seed.
        designs: published designs that are trained anew in every regime.
        regime_labels: of each of those trainings.
        question_labels: of the cross-validations that ask why, beyond those of the tables.
        queueing: variants that regimes are asked in.
        label_counts: of labels, where the cost is measured against them.
        unlabelled: scenarios without labels there.
        tasks: axis of the placement figures.
        placement_runs, placement_folds, placement_epochs: cross-validation of the placement classifiers.
        placement_proof_s: s that the proof of a placement label may take.
        placement_points: repetitions of every point of the placement figures.
        batch_size: scenarios per step of the published slicing models (not published); 15 epochs in steps of 32
            reach what 40 epochs in steps of 64 do.
    """

    name: str
    runs: int
    few: int
    devices: tuple[int, ...]
    access_points: tuple[int, ...]
    labels: int
    folds: int
    epochs: int
    serving_labels: int
    serving_epochs: int
    size_free_labels: int
    size_free_epochs: int
    solver_devices: tuple[int, ...]
    solver_limit_s: float
    tasks: tuple[int, ...]
    placement_runs: int
    placement_folds: int
    placement_epochs: int
    placement_points: int
    batch_size: int = 64
    solver_runs: int = 4
    seeds: int = 1
    placement_proof_s: float = 60.0
    designs: tuple[str, ...] = ("deepsets-s",)
    regime_labels: int = 200
    question_labels: int = 200
    queueing: tuple[str, ...] = ("node",)
    label_counts: tuple[int, ...] = (20, 100)
    unlabelled: int = 100

    def schedule(self, seed: int, epochs: int) -> Schedule:
        """Of the published slicing models. Needs torch."""
        from slicewright.learning.common.training import Schedule

        return Schedule(epochs=epochs, batch_size=self.batch_size, patience=epochs, seed=seed)


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "tiny": Scale(
            name="tiny", runs=2, few=1, devices=(5, 8), access_points=(1, 3), labels=12, folds=2, epochs=1,
            serving_labels=8, serving_epochs=1, size_free_labels=12, size_free_epochs=1, solver_devices=(3,),
            solver_limit_s=2.0, solver_runs=1, tasks=(10, 20), placement_runs=6, placement_folds=2, placement_epochs=2,
            placement_points=2, placement_proof_s=0.5, label_counts=(4, 8), unlabelled=8, regime_labels=8,
            question_labels=12,
        ),
        "smoke": Scale(
            name="smoke", runs=5, few=3, devices=(10, 30, 50), access_points=(1, 3, 5), labels=100, folds=2,
            epochs=8, serving_labels=100, serving_epochs=8, size_free_labels=200, size_free_epochs=3,
            solver_devices=(3, 8), solver_limit_s=1.0, solver_runs=2, tasks=(20, 60), placement_runs=12,
            placement_folds=2, placement_epochs=12, placement_points=2, batch_size=8, placement_proof_s=0.3,
        ),
        "quick": Scale(
            name="quick", runs=30, few=8, devices=(5, 10, 20, 30, 40, 50), access_points=(1, 2, 3, 4, 5, 6),
            labels=300, folds=3, epochs=15, serving_labels=400, serving_epochs=12, size_free_labels=1000,
            size_free_epochs=4, solver_devices=(5, 10, 15), solver_limit_s=10.0, tasks=(20, 40, 60, 80, 100, 120),
            placement_runs=300, placement_folds=3, placement_epochs=80, placement_points=10, batch_size=16,
            solver_runs=3, seeds=2, label_counts=(30, 100, 300), unlabelled=500, regime_labels=400,
            question_labels=300,
        ),
        "middle": Scale(
            name="middle", runs=60, few=12, devices=(5, 10, 20, 30, 40, 50), access_points=(1, 2, 3, 4, 5, 6),
            labels=1500, folds=5, epochs=15, serving_labels=1200, serving_epochs=15, size_free_labels=3000,
            size_free_epochs=5, solver_devices=(5, 10, 15, 20), solver_limit_s=30.0, solver_runs=6,
            tasks=(20, 40, 60, 80, 100, 120), placement_runs=300, placement_folds=5, placement_epochs=200,
            placement_points=20, batch_size=32, seeds=3, queueing=("node", "device"), label_counts=(100, 1000, 5000),
            unlabelled=5000, regime_labels=800, question_labels=1000,
        ),
        "full": Scale(
            name="full", runs=300, few=50, devices=(5, 10, 20, 30, 40, 50), access_points=(1, 2, 3, 4, 5, 6),
            labels=5000, folds=10, epochs=15, serving_labels=3000, serving_epochs=15, size_free_labels=20_000,
            size_free_epochs=10, solver_devices=(5, 10, 15, 20), solver_limit_s=30.0, solver_runs=5,
            tasks=(10, 20, 40, 60, 80, 100, 120), placement_runs=300, placement_folds=10, placement_epochs=200,
            placement_points=30, batch_size=32, seeds=5, queueing=("node", "device"),
            designs=("deepsets-s", "set-transformer-4"), regime_labels=1500, question_labels=2000,
            label_counts=(100, 1000, 5000, 20_000), unlabelled=20_000,
        ),
    }
)  # fmt: skip


def scale_of(name: str) -> Scale:
    """A scale by name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in SCALES:
        raise UnknownNameError("scale", name, SCALES)
    return SCALES[name]


def at_least(one: str, other: str) -> bool:
    """Whether the scale named ``one`` does as much work as the other; no scale of ours does not."""
    order = list(SCALES)
    return one in order and order.index(one) >= order.index(other)
