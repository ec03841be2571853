"""Placement models and test runs of the figures: trained once per process, on runs that no figure shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.labels import solve_missing, stored_runs
from slicewright.placement import Tasks, placement_preset

if TYPE_CHECKING:
    from slicewright.learning.placement.predictors import Predictor
    from slicewright.learning.placement.solved_runs import Run

FIRST_FIGURE_SEED = 70_000
"""Runs of the figures: beyond all test seeds of the shipped models."""
LONG_S, SHORT_S = (0.010, 0.150), (0.050, 0.150)
DEADLINES = {"10-150 ms": LONG_S, "50-150 ms": SHORT_S}
LABELS = {
    "gnn": "GNN (same ingress)",
    "mlp": "MLP",
    "dt": "DT",
    "queue": "ours (queue network)",
    "mec-only": "MEC only",
    "auto": "ours (auto)",
}
STYLES = {
    "gnn": "deepsets-s", "mlp": "erap", "dt": "prap", "queue": "bipartite", "mec-only": "other", "auto": "ours",
}  # fmt: skip


def figure_tasks(shop: Workshop, tasks: int, **overrides: Any) -> list[Tasks]:
    """Problems of a point of a figure: the same seeds at every point."""
    seeds = range(FIRST_FIGURE_SEED, FIRST_FIGURE_SEED + shop.scale.placement_points)
    return [placement_preset(tasks=tasks, seed=seed, **overrides) for seed in seeds]


def predictors(shop: Workshop) -> dict[str, Predictor]:
    """GNN, MLP, DT and our queue network, trained on all training runs."""
    return _predictors(solve_missing(shop), shop.scale, shop.seed)


@cache
def _predictors(labels: Path, scale: Scale, seed: int) -> dict[str, Predictor]:
    import torch

    torch.set_num_threads(1)
    runs = stored_runs(labels, scale.placement_runs)
    return {name: make(runs) for name, make in trainers(runs, scale, seed).items() if name in LABELS}


def trainers(runs: Sequence[Run], scale: Scale, seed: int) -> dict[str, Any]:
    """What is trained, by name: published models, the marked leak, ours."""
    from dataclasses import replace

    from slicewright.learning.placement.cross_validation import (
        classifier_trainer,
        queue_trainer,
        tree_trainer,
    )
    from slicewright.learning.placement.networks.queue import QueueDesign
    from slicewright.learning.placement.recipes import published_sizes
    from slicewright.learning.placement.training import ClassifierSchedule, QueueSchedule
    from slicewright.models.placement.features import ALONE, EXECUTOR, SHARED

    design = published_sizes(runs[0])
    schedule = ClassifierSchedule(
        epochs=scale.placement_epochs, batch_size=min(16, 1 + len(runs) // 8), seed=seed
    )
    rounds = QueueSchedule(
        imitate=max(1, scale.placement_epochs // 10), descend=max(1, scale.placement_epochs // 20), seed=seed
    )
    return {
        "gnn": classifier_trainer(design, schedule),
        "mlp": classifier_trainer(replace(design, graph=ALONE), schedule),
        "dt": tree_trainer(design.classes, seed=seed),
        "queue": queue_trainer(QueueDesign(), rounds),
        "gnn, executor graph": classifier_trainer(replace(design, graph=EXECUTOR), schedule),
        "gnn, shared-node graph": classifier_trainer(replace(design, graph=SHARED), schedule),
    }
