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
        weighted_precision, weighted_f1: averages weighted by how often each class is the label. The weighted recall
            is the accuracy.
        tie_aware: predicted class keeps the optimum while the others stay.
    """

    accuracy: float
    precision: float
    recall: float
    f1: float
    tie_aware: float
    weighted_precision: float
    weighted_f1: float


def class_scores(predicted: IntArray, label: IntArray, keeps: BoolArray) -> ClassScores:
    """Score predictions of N tasks; ``keeps`` is (N, O). Rejected tasks (label -1) have no class and are left out."""
    from sklearn.metrics import precision_recall_fscore_support

    placed = label >= 0
    predicted, label, keeps = predicted[placed], label[placed], keeps[placed]
    macro, weighted = (
        precision_recall_fscore_support(label, predicted, average=average, zero_division=0.0)
        for average in ("macro", "weighted")
    )
    right = keeps[np.arange(label.size), predicted]
    return ClassScores(
        accuracy=float((predicted == label).mean()),
        precision=float(macro[0]),
        recall=float(macro[1]),
        f1=float(macro[2]),
        tie_aware=float(right.mean()),
        weighted_precision=float(weighted[0]),
        weighted_f1=float(weighted[2]),
    )


SAME_ANSWER = 1e-3
"""Answers whose log-probabilities differ by no more than this are the same: what rounding leaves apart."""


def distinct_answers(scores: FloatArray, group: IntArray) -> dict[int, int]:
    """How many different answers the tasks of each group get.

    Args:
        scores: (K, O) log-probabilities.
        group: (K,) number of each task's group, such as its ingress.

    Returns:
        By number of the group, from 1 to how many tasks it has.
    """
    found = {}
    for number in np.unique(group).tolist():
        different: list[FloatArray] = []
        for row in scores[group == number]:
            if all(np.abs(row - other).max() > SAME_ANSWER for other in different):
                different.append(row)
        found[int(number)] = len(different)
    return found


def mean_and_spread(folds: Sequence[ClassScores]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation (of a sample) over the folds, by name."""
    names = ClassScores.__dataclass_fields__
    values: dict[str, FloatArray] = {n: np.array([getattr(fold, n) for fold in folds]) for n in names}
    ddof = 1 if len(folds) > 1 else 0
    return {name: (float(x.mean()), float(x.std(ddof=ddof))) for name, x in values.items()}
