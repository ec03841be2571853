"""From a model's name to its files: runs, training, figures, export. Needs the extra ``train``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from slicewright.errors import UnknownNameError
from slicewright.learning.common.model_files import TrainedModel, write_model
from slicewright.learning.placement.cross_validation import score_predictor
from slicewright.learning.placement.decision_tree import SMALLEST_LEAF, train_tree, tree_onnx
from slicewright.learning.placement.gain_figures import gain_figures
from slicewright.learning.placement.networks.classifier import Classifier, ClassifierDesign
from slicewright.learning.placement.networks.queue import QueueDesign
from slicewright.learning.placement.onnx_graphs import classifier_onnx, queue_onnx
from slicewright.learning.placement.predictors import Predictor, of_classifier, of_queue_network, of_tree
from slicewright.learning.placement.solved_runs import (
    FIRST_TEST_SEED,
    LABEL_ITERATIONS,
    Run,
    digest,
    sizes,
    solved_runs,
)
from slicewright.learning.placement.training import (
    ClassifierSchedule,
    QueueSchedule,
    train_classifier,
    train_queue_network,
)
from slicewright.models.cards import Card
from slicewright.models.placement.features import ALONE
from slicewright.models.placement.model_kinds import GRAPH, QUEUE, ROWS, SHIPPED, TREE

LIBRARIES = ("slicewright", "torch", "scikit-learn", "onnx", "numpy")
Report = Callable[[str], None]
DECODINGS = 8
"""Of the repaired gain on the card."""
Data = Mapping[str, Sequence[Run]]
"""Solved runs by family."""


@dataclass(frozen=True)
class TrainingScale:
    """How much to train.

    Attributes:
        paper, varied: runs of the published setting, and of other networks (for ``queue-network`` only).
        classifier, queue: schedules.
        tested: runs for the figures of the card.
    """

    paper: int
    varied: int
    classifier: ClassifierSchedule
    queue: QueueSchedule
    tested: int


SCALES: Mapping[str, TrainingScale] = {
    "smoke": TrainingScale(24, 16, ClassifierSchedule(epochs=5), QueueSchedule(imitate=1, descend=1), 6),
    "shipped": TrainingScale(800, 320, ClassifierSchedule(), QueueSchedule(), 100),
    "full": TrainingScale(5000, 3200, ClassifierSchedule(), QueueSchedule(imitate=40, descend=20), 400),
}


def train(
    name: str,
    folder: Path,
    *,
    scale: str = "shipped",
    data: Data | None = None,
    seed: int = 0,
    epochs: int | None = None,
    report: Report = lambda line: None,
) -> Card:
    """Train a placement model by name and write ``<name>.onnx`` and its card.

    Args:
        name: ``gnn``, ``mlp``, ``decision-tree`` or ``queue-network``.
        folder: for both files, and logs and checkpoints in ``runs``, from which the same training continues if it was
            interrupted.
        scale: ``smoke`` (a minute), ``shipped`` (what the package ships) or ``full``.
        data: solved runs of the families ``paper`` and, for ``queue-network``, ``varied``; drawn and solved here
            by default.
        seed: of weights and order; the runs are the same for every seed.
        epochs: overrides the scale's (of the first stage).
        report: told what is happening.

    Raises:
        UnknownNameError: no such model or scale.
    """
    if name not in SHIPPED:
        raise UnknownNameError("model", name, SHIPPED)
    if scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    chosen = SCALES[scale]
    torch.set_num_threads(1)
    families = {"paper": chosen.paper} | ({"varied": chosen.varied} if name == "queue-network" else {})
    runs = {
        family: solved_runs(family, range(count), report=report) if data is None else data[family]
        for family, count in families.items()
    }
    labels = digest([run for family in runs.values() for run in family])
    logs = folder / "runs" / f"{name}-{scale}-{labels[:8]}"
    trained, predict = _trained(name, runs, chosen, seed, epochs, logs, report)
    figures: dict[str, Any] = {}
    for family in runs:
        report(f"testing on {chosen.tested} runs of family {family}")
        test = solved_runs(family, range(FIRST_TEST_SEED, FIRST_TEST_SEED + chosen.tested))
        figures[family] = gain_figures(predict, test, decodings=DECODINGS)
        if family == "paper":
            figures[family] |= {k: round(v, 4) for k, v in asdict(score_predictor(predict, test)).items()}
    trained = replace(
        trained,
        data={
            "runs": {family: [0, len(x) - 1] for family, x in runs.items()},
            "labels": "exact up to 40 tasks, else search; canonical tie-break",
            "search_iterations": LABEL_ITERATIONS,
            "test_seeds_from": FIRST_TEST_SEED,
        },
        training={"scale": scale, "seed": seed, **trained.training},
        figures=figures | {"runs": chosen.tested, "decodings": DECODINGS},
    )
    return write_model(trained, folder)


def _trained(
    name: str, data: Data, scale: TrainingScale, seed: int, epochs: int | None, logs: Path, report: Report
) -> tuple[TrainedModel, Predictor]:
    """The model as its files will hold it, and what it predicts before it is exported."""
    paper = data["paper"]
    if name == "queue-network":
        learned = [run for family in data.values() for run in family]
        schedule = replace(scale.queue, seed=seed, imitate=epochs or scale.queue.imitate)
        return trained_queue_network(
            name,
            learned,
            QueueDesign(),
            schedule,
            folder=logs / f"{schedule.imitate}-{schedule.descend}-{schedule.seed}",
            report=report,
        )
    if name == "decision-tree":
        report("growing a tree")
        return trained_tree(name, paper, seed=seed)
    published = published_sizes(paper[0])
    shape = replace(published, graph=ALONE) if name == "mlp" else published
    rate = replace(scale.classifier, seed=seed, epochs=epochs or scale.classifier.epochs)
    return trained_classifier(
        name, paper, shape, rate, folder=logs / f"{rate.epochs}-{rate.batch_size}-{rate.seed}", report=report
    )


def trained_queue_network(
    name: str,
    runs: Sequence[Run],
    design: QueueDesign,
    schedule: QueueSchedule,
    *,
    folder: Path | None = None,
    report: Report = lambda line: None,
) -> tuple[TrainedModel, Predictor]:
    """The size-free network trained and exported under a name, and what it predicts."""
    network = train_queue_network(runs, design, schedule, folder=folder, report=report)
    described = _described(name, runs)
    trained = described(
        QUEUE, queue_onnx(network), asdict(design), training=asdict(schedule), parameters=_count(network)
    )
    return trained, of_queue_network(network)


def trained_tree(name: str, runs: Sequence[Run], *, seed: int = 0) -> tuple[TrainedModel, Predictor]:
    """A decision tree grown and exported under a name, and what it predicts."""
    published, tree = published_sizes(runs[0]), train_tree(runs, seed=seed)
    trained = _described(name, runs)(
        TREE,
        tree_onnx(tree, published.classes),
        {"features": published.features, "classes": published.classes},
        training={"smallest_leaf": SMALLEST_LEAF},
        parameters=int(tree.tree_.node_count),
    )
    return trained, of_tree(tree, published.classes)


def trained_classifier(
    name: str,
    runs: Sequence[Run],
    design: ClassifierDesign,
    schedule: ClassifierSchedule,
    *,
    folder: Path | None = None,
    report: Report = lambda line: None,
) -> tuple[TrainedModel, Predictor]:
    """A classifier trained and exported under a name, and what it predicts."""
    model: Classifier = train_classifier(runs, design, schedule, folder=folder, report=report)
    trained = _described(name, runs)(
        ROWS if design.graph == ALONE else GRAPH,
        classifier_onnx(model),
        asdict(design),
        training=asdict(schedule),
        parameters=_count(model),
    )
    return trained, of_classifier(model)


def _described(name: str, runs: Sequence[Run]) -> Callable[..., TrainedModel]:
    return partial(TrainedModel, name, trained_for=sizes(runs), libraries=LIBRARIES)


def published_sizes(run: Run) -> ClassifierDesign:
    """The published network for the sizes of a run: 27 features and 67 classes with 12 COINs and one MEC server."""
    coins = run.tasks.topology.coins.size
    return ClassifierDesign(features=3 + 2 * coins, classes=run.tasks.options.count)


def _count(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())
