"""How good predicted classes are: against the label, and against any that keeps the optimum. Needs scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slicewright.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class ClassScores:
    """Shares from 0 to 1, over all placed tasks of a test set.

    Attributes:
        accuracy: predicted class = canonical label.
        precision, recall, f1: macro averages over the classes that occur, 0 where undefined.
        tie_aware: predicted class keeps the optimum while the others stay.
    """

    accuracy: float
    precision: float
    recall: float
    f1: float
    tie_aware: float


def class_scores(predicted: IntArray, label: IntArray, keeps: BoolArray) -> ClassScores:
    """Score predictions of N tasks; ``keeps`` is (N, O). Rejected tasks (label -1) have no class and are left out."""
    from sklearn.metrics import precision_recall_fscore_support

    placed = label >= 0
    predicted, label, keeps = predicted[placed], label[placed], keeps[placed]
    precision, recall, f1, _ = precision_recall_fscore_support(
        label, predicted, average="macro", zero_division=0.0
    )
    right = keeps[np.arange(label.size), predicted]
    return ClassScores(
        float((predicted == label).mean()), float(precision), float(recall), float(f1), float(right.mean())
    )


def mean_and_spread(folds: Sequence[ClassScores]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation (of a sample) over the folds, by name."""
    names = ClassScores.__dataclass_fields__
    values: dict[str, FloatArray] = {n: np.array([getattr(fold, n) for fold in folds]) for n in names}
    ddof = 1 if len(folds) > 1 else 0
    return {name: (float(x.mean()), float(x.std(ddof=ddof))) for name, x in values.items()}
