"""Placement models and test problems of the figures: trained on runs that no figure shows, kept and served as files.

Every model is trained once per seed and served from its ONNX file, as any user's models are.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.evaluation.reproduction.engine.code_version import code_version
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.folds import CORE_S, trained_folder
from slicewright.evaluation.reproduction.placement.labels import (
    MADE_BY,
    PROVEN,
    InvalidLabelsError,
    solve_missing,
    stored_runs,
)
from slicewright.evaluation.reproduction.placement.networks import design_of, queue_schedule_of, schedule_of
from slicewright.files.documents import read_document, write_document
from slicewright.models.placement.session import PlacementModel
from slicewright.models.session import open_model
from slicewright.placement import Tasks, choice_of, place, placement_preset
from slicewright.types import IntArray

if TYPE_CHECKING:
    from slicewright.learning.common.model_files import TrainedModel
    from slicewright.learning.placement.solved_runs import Run

FIRST_FIGURE_SEED = 70_000
"""Runs of the figures: beyond all test seeds of the shipped models."""
LONG_S, SHORT_S = (0.010, 0.150), (0.050, 0.150)
DEADLINES = {"10-150 ms": LONG_S, "50-150 ms": SHORT_S}
LONG_STEPS_PER_TASK = 500
"""Of the search beside the solver."""
SOLVED_SCHEMA = "slicewright/reproduction-solutions/v1"
LEARNED = ("gnn", "gnn-own", "mlp", "dt", "queue")
"""Models that figures show."""


def figure_tasks(shop: Workshop, tasks: int, **overrides: Any) -> list[Tasks]:
    """Problems of a point of a figure: the same seeds at every point."""
    seeds = range(FIRST_FIGURE_SEED, FIRST_FIGURE_SEED + shop.scale.placement_points)
    return [placement_preset(tasks=tasks, seed=seed, **overrides) for seed in seeds]


def figure_proof_s(scale: Scale) -> float:
    """s by the clock that the solver may take for C_solver of a run of a figure."""
    return min(scale.placement_proof_s, scale.solver_limit_s)


def solved_tasks(shop: Workshop, tasks: int, title: str) -> list[tuple[Run, float]]:
    """Problems of a point of a figure with the best placement known, kept on disk point by point.

    Args:
        shop: scale and folders.
        tasks: how many.
        title: of the deadlines.

    Returns:
        Of every problem its solved run, and how far above the optimum that may be, as a part of it.

    Raises:
        InvalidLabelsError: what is kept is damaged.
    """
    from slicewright.learning.placement.solved_runs import labelled_run

    problems, proof_s = figure_tasks(shop, tasks, deadline_s=DEADLINES[title]), figure_proof_s(shop.scale)
    made_by = f"{code_version(*MADE_BY)}-{proof_s:g}s-{LONG_STEPS_PER_TASK}-steps"
    file = (
        shop.output
        / "work"
        / "solved"
        / made_by
        / f"{title}-{tasks}-of-{len(problems)}.json".replace(" ", "")
    )
    if not file.exists():
        shop.report(f"solving {title}, {tasks} tasks")
        solved = shop.each(partial(_solved, proof_s=proof_s), problems)
        rows = [{"choice": choice.tolist(), "gap": gap} for choice, gap in solved]
        write_document({"schema": SOLVED_SCHEMA, "runs": rows}, file)
    document = read_document(file, InvalidLabelsError)
    if document.get("schema") != SOLVED_SCHEMA or len(document.get("runs", ())) != len(problems):
        raise InvalidLabelsError(
            str(file), f"must hold {len(problems)} runs of schema {SOLVED_SCHEMA}; delete it"
        )
    return [
        (
            labelled_run(
                problem, np.array(row["choice"], dtype=np.int64), proven=float(row["gap"]) <= PROVEN
            ),
            float(row["gap"]),
        )
        for problem, row in zip(problems, document["runs"], strict=True)
    ]


def _solved(tasks: Tasks, *, proof_s: float) -> tuple[IntArray, float]:
    """(K,) the best placement known, and how far above the optimum it may be, as a part of it.

    A search of fixed length beside the solver: on a busy machine seconds by the clock may be worth little.
    """
    from slicewright.learning.placement.canonical_labels import canonical

    each = (
        place(tasks, "exact", budget_s=proof_s),
        place(tasks, iterations=LONG_STEPS_PER_TASK * tasks.n_tasks),
    )
    best = min(each, key=lambda found: found.objective_bit_hops)
    bound = max(found.lower_bound_bit_hops for found in each)
    gap = max(0.0, best.objective_bit_hops / bound - 1.0)
    return canonical(tasks, choice_of(tasks, best.nodes)), gap


def served_models(shop: Workshop) -> dict[str, list[PlacementModel]]:
    """Every model of ``LEARNED``, one per seed."""
    return {name: [_opened(card) for card in cards] for name, cards in model_cards(shop).items()}


def model_cards(shop: Workshop) -> dict[str, list[Path]]:
    """Card of every model of ``LEARNED``, one per seed; trained now, in processes side by side, if it is not there."""
    labels = solve_missing(shop)
    folder = trained_folder(shop, labels) / "models"
    seeds = range(shop.seed, shop.seed + shop.scale.seeds)
    wanted = [(name, seed) for name in LEARNED for seed in seeds]
    missing = [(name, seed) for name, seed in wanted if not _card(folder, name, seed).exists()]
    if missing:
        shop.report(f"training {len(missing)} models of figures")
        shop.separately(_train, [(labels, shop.scale, name, seed, folder) for name, seed in missing])
    return {name: [_card(folder, name, seed) for seed in seeds] for name in LEARNED}


def models_core_s(scale: Scale) -> float:
    """s of one processor that training them takes, about."""
    return CORE_S * len(LEARNED) * scale.seeds * scale.placement_runs * scale.placement_epochs


def _card(folder: Path, name: str, seed: int) -> Path:
    return folder / f"seed-{seed}" / f"{name}.json"


def _opened(card: Path) -> PlacementModel:
    opened = open_model(card.stem, str(card.parent))
    return PlacementModel(opened.card, opened.session)


def _train(labels: Path, scale: Scale, name: str, seed: int, folder: Path) -> None:
    """Train one model and write its files; runs in a process of its own."""
    import torch

    from slicewright.learning.common.model_files import write_model

    torch.set_num_threads(1)
    write_model(_trained(labels, scale, name, seed), _card(folder, name, seed).parent)


def _trained(labels: Path, scale: Scale, name: str, seed: int) -> TrainedModel:
    from slicewright.learning.placement.networks.queue import QueueDesign
    from slicewright.learning.placement.recipes import (
        trained_classifier,
        trained_queue_network,
        trained_tree,
    )

    runs = stored_runs(labels, scale.placement_runs)
    if name == "dt":
        return trained_tree(name, runs, seed=seed)[0]
    if name == "queue":
        return trained_queue_network(name, runs, QueueDesign(), queue_schedule_of(scale, seed))[0]
    return trained_classifier(name, runs, design_of(name, runs[0]), schedule_of(scale, seed))[0]
