"""Cross-validation of the published classifiers, split by run. Needs torch and scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from slicewright.learning.common.instances import folds
from slicewright.learning.placement.decision_tree import train_tree
from slicewright.learning.placement.metrics import ClassScores, class_scores
from slicewright.learning.placement.networks.classifier import ClassifierDesign
from slicewright.learning.placement.networks.queue import QueueDesign
from slicewright.learning.placement.predictors import Predictor, of_classifier, of_queue_network, of_tree
from slicewright.learning.placement.solved_runs import Run
from slicewright.learning.placement.training import (
    ClassifierSchedule,
    QueueSchedule,
    train_classifier,
    train_queue_network,
)
from slicewright.models.placement.features import ALONE, EXECUTOR, SHARED

Trainer = Callable[[Sequence[Run]], Predictor]


def classifier_trainer(design: ClassifierDesign, schedule: ClassifierSchedule) -> Trainer:
    """Trains a published classifier."""
    return lambda runs: of_classifier(train_classifier(runs, design, schedule))


def tree_trainer(classes: int, *, seed: int = 0) -> Trainer:
    """Trains a decision tree."""
    return lambda runs: of_tree(train_tree(runs, seed=seed), classes)


def queue_trainer(design: QueueDesign, schedule: QueueSchedule) -> Trainer:
    """Trains the size-free network."""
    return lambda runs: of_queue_network(train_queue_network(runs, design, schedule))


def published_trainers(design: ClassifierDesign, schedule: ClassifierSchedule) -> dict[str, Trainer]:
    """What the publication compares, the reading of its convolution without self-loops, and the marked ablation."""
    return {
        "gnn (same ingress)": classifier_trainer(design, schedule),
        "gnn, no self-loops (same ingress)": classifier_trainer(replace(design, self_loops=False), schedule),
        "mlp": classifier_trainer(replace(design, graph=ALONE), schedule),
        "decision tree": tree_trainer(design.classes, seed=schedule.seed),
        f"ABLATION gnn ({EXECUTOR})": classifier_trainer(replace(design, graph=EXECUTOR), schedule),
        f"ABLATION gnn ({SHARED})": classifier_trainer(replace(design, graph=SHARED), schedule),
    }


def cross_validate(
    runs: Sequence[Run], train: Trainer, *, parts: int = 10, seed: int = 0
) -> list[ClassScores]:
    """Scores on each of ``parts`` sets of runs by models trained on the others; no run is on both sides."""
    scores = []
    for held in folds(len(runs), parts, seed=seed):
        outside = np.setdiff1d(np.arange(len(runs)), held)
        predict = train([runs[i] for i in outside])
        scores.append(score_predictor(predict, [runs[i] for i in held]))
    return scores


def score_predictor(predict: Predictor, runs: Sequence[Run]) -> ClassScores:
    """Scores of the most probable classes on some runs of one network size."""
    predicted = np.concatenate([predict(run).argmax(axis=1) for run in runs])
    label = np.concatenate([run.choice for run in runs])
    return class_scores(predicted, label, np.concatenate([run.keeps for run in runs]))
