"""Figures of the published tables: share errors (Table III) and decision accuracy (Table IV), with fold spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slicewright.types import FloatArray

TOLERANCES_PP = (0.5, 1.0, 2.0)
"""Percentage points of a share (model page 1.7)."""


def share_errors(predicted: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean absolute error in percent, Acc@k, R2, over every entry of every scenario.

    Most SP1 shares are 0, because a device uses one access point and one node of one slice. So the same figures are
    also given over the entries that are used (``used_...``), and Acc@1 of predicting nothing (``nothing_acc@1``).

    Args:
        predicted, true: arrays of equal shapes, one pair per scenario, shares in [0, 1].
    """
    p = np.concatenate([np.ravel(x) for x in predicted]).astype(np.float64)
    t = np.concatenate([np.ravel(x) for x in true]).astype(np.float64)
    out = _errors(p, t)
    out |= {f"used_{name}": value for name, value in _errors(p[t > 0], t[t > 0]).items()}
    return out | {"nothing_acc@1": float((t <= 0.01).mean()), "nothing_mae_%": float(100 * t.mean())}


def _errors(predicted: FloatArray, true: FloatArray) -> dict[str, float]:
    if true.size == 0:
        return {}
    error = np.abs(predicted - true)
    out = {"mae_%": float(100 * error.mean())}
    out |= {f"acc@{k:g}": float((error <= k / 100).mean()) for k in TOLERANCES_PP}
    spread = float(((true - true.mean()) ** 2).sum())
    return out | {"r2": float(1 - (error**2).sum() / spread) if spread > 0 else float("nan")}


def choice_accuracy(predicted: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> dict[str, float]:
    """Accuracy over all classes, and of local against offload; class 0 is local."""
    p, t = np.concatenate([np.ravel(x) for x in predicted]), np.concatenate([np.ravel(x) for x in true])
    return {
        "acc": float((p == t).mean()),
        "acc_bin": float(((p > 0) == (t > 0)).mean()),
        "most_frequent_bin": float(max((t > 0).mean(), (t == 0).mean())),
    }


def averaged_scores(predicted: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> dict[str, float]:
    """Precision, recall and F1 over all classes that occur, macro and weighted by their frequency; needs scikit-learn.

    A weighted recall is the accuracy, which tells the two averages apart in a table that does not say which it has.
    """
    from sklearn.metrics import precision_recall_fscore_support

    p, t = np.concatenate([np.ravel(x) for x in predicted]), np.concatenate([np.ravel(x) for x in true])
    out: dict[str, float] = {}
    for average in ("macro", "weighted"):
        scores = precision_recall_fscore_support(t, p, average=average, zero_division=0.0)[:3]
        out |= {
            f"{average}_{name}": float(x)
            for name, x in zip(("precision", "recall", "f1"), scores, strict=True)
        }
    return out


def over_folds(figures: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation over folds of every figure."""
    return {
        name: (
            float(np.mean([f[name] for f in figures])),
            float(np.std([f[name] for f in figures], ddof=1)) if len(figures) > 1 else 0.0,
        )
        for name in figures[0]
        if all(name in f for f in figures)
    }
