"""Cross-validation of the published classifiers, split by run or by task. Needs torch and scikit-learn.

By run, tasks that compete for the same queues are never on both sides. By task, as a plain k-fold of all samples
divides them, they are: a task that is asked for has neighbours whose labels were learned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

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
from slicewright.types import BoolArray

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
    return [fold_by_run(runs, train, held, parts=parts, seed=seed).scores() for held in range(parts)]


class HeldOut(NamedTuple):
    """A model and what it did not learn.

    Attributes:
        predict: the model.
        runs: with labels, of one network size.
        only: (K,) of each run, which tasks count.
    """

    predict: Predictor
    runs: Sequence[Run]
    only: Sequence[BoolArray]

    def scores(self) -> ClassScores:
        """Of the most probable classes."""
        return score_predictor(self.predict, self.runs, only=self.only)


def score_predictor(
    predict: Predictor, runs: Sequence[Run], *, only: Sequence[BoolArray] | None = None
) -> ClassScores:
    """Scores of the most probable classes on some runs of one network size.

    Args:
        predict: the model.
        runs: with labels.
        only: (K,) of each run, which tasks count; all by default.
    """
    asked = np.concatenate(_everybody(runs) if only is None else only)
    predicted = np.concatenate([predict(run).argmax(axis=1) for run in runs])
    label = np.concatenate([run.choice for run in runs])
    keeps = np.concatenate([run.keeps for run in runs])
    return class_scores(predicted[asked], label[asked], keeps[asked])


def _everybody(runs: Sequence[Run]) -> list[BoolArray]:
    return [np.ones(run.tasks.n_tasks, dtype=bool) for run in runs]


def fold_by_run(runs: Sequence[Run], train: Trainer, held: int, *, parts: int, seed: int = 0) -> HeldOut:
    """A model trained on all runs but those of one fold.

    Args:
        runs: all.
        train: of the model.
        held: number of the fold, from 0.
        parts: how many folds.
        seed: of the folds.
    """
    asked = folds(len(runs), parts, seed=seed)[held]
    outside = np.setdiff1d(np.arange(len(runs)), asked)
    inside = [runs[i] for i in asked]
    return HeldOut(train([runs[i] for i in outside]), inside, _everybody(inside))


def fold_by_task(runs: Sequence[Run], train: Trainer, held: int, *, parts: int, seed: int = 0) -> HeldOut:
    """Likewise of a fold of tasks: every run is there in training, without the labels of that fold."""
    counts = [run.tasks.n_tasks for run in runs]
    asked = np.zeros(sum(counts), dtype=bool)
    asked[folds(asked.size, parts, seed=seed)[held]] = True
    only = np.split(asked, np.cumsum(counts)[:-1])
    predict = train([replace(run, learned=~held_out) for run, held_out in zip(runs, only, strict=True)])
    return HeldOut(predict, runs, only)
