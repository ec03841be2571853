"""The published decision tree: scikit-learn to train, ONNX to serve. Needs scikit-learn; the export needs onnx."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slicewright.learning.placement.solved_runs import Run
from slicewright.models.placement.features import task_rows
from slicewright.types import IntArray

SMALLEST_LEAF = 5
"""Tasks in a leaf: keeps the tree small enough to ship, and better on new runs than pure leaves."""
OPSET, TREE_OPSET = 18, 3
IR_VERSION = 9


def train_tree(runs: Sequence[Run], *, seed: int = 0, smallest_leaf: int = SMALLEST_LEAF) -> Any:
    """A ``DecisionTreeClassifier`` from the features of single tasks to their canonical labels."""
    from sklearn.tree import DecisionTreeClassifier

    rows, label = stacked(runs)
    return DecisionTreeClassifier(min_samples_leaf=smallest_leaf, random_state=seed).fit(rows, label)


def stacked(runs: Sequence[Run]) -> tuple[NDArray[np.float32], IntArray]:
    """(N, F) float32 rows and (N,) labels of all tasks that have one."""
    rows = np.concatenate([task_rows(run.tasks) for run in runs]).astype(np.float32)
    label: IntArray = np.concatenate([run.target for run in runs])
    return rows[label >= 0], label[label >= 0]


def tree_onnx(tree: Any, classes: int) -> bytes:
    """The tree as a ``TreeEnsembleRegressor`` with one target per class: probabilities, as scikit-learn gives them."""
    from onnx import TensorProto, helper

    nodes = tree.tree_
    count = nodes.node_count
    leaf = nodes.children_left < 0
    inner = np.where(leaf, 0, nodes.children_left), np.where(leaf, 0, nodes.children_right)
    share = nodes.value[:, 0, :] / nodes.value[:, 0, :].sum(axis=1, keepdims=True)
    at, which = np.nonzero(share * leaf[:, None])
    # scikit-learn compares float32 features with float64 thresholds; the next float32 below decides alike.
    threshold = nodes.threshold.astype(np.float32)
    threshold = np.where(threshold > nodes.threshold, np.nextafter(threshold, np.float32(-np.inf)), threshold)
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["rows"],
        ["probability"],
        domain="ai.onnx.ml",
        n_targets=classes,
        nodes_treeids=[0] * count,
        nodes_nodeids=list(range(count)),
        nodes_featureids=np.where(leaf, 0, nodes.feature).tolist(),
        nodes_modes=["LEAF" if x else "BRANCH_LEQ" for x in leaf],
        nodes_values=np.where(leaf, 0.0, threshold).tolist(),
        nodes_truenodeids=inner[0].tolist(),
        nodes_falsenodeids=inner[1].tolist(),
        target_treeids=[0] * at.size,
        target_nodeids=at.tolist(),
        target_ids=tree.classes_[which].tolist(),
        target_weights=share[at, which].tolist(),
    )
    graph = helper.make_graph(
        [node],
        "decision-tree",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["tasks", int(tree.n_features_in_)])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["tasks", classes])],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREE_OPSET)]
    made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString()
    return made
