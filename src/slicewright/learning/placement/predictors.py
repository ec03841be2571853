"""Trained models as functions from a run to scores of its options. Needs torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch

from slicewright.learning.placement.batches import as_tensors
from slicewright.learning.placement.networks.classifier import Classifier
from slicewright.learning.placement.networks.queue import QueueNetwork
from slicewright.learning.placement.solved_runs import Run
from slicewright.models.placement.features import adjacency, task_rows
from slicewright.models.placement.queue_inputs import queue_inputs
from slicewright.types import FloatArray

Predictor: TypeAlias = Callable[[Run], FloatArray]
"""(K, O) log-probabilities. Takes the run for the sake of the ablation, whose graph is made from the label."""
SMALLEST_P = 1e-6


def of_classifier(model: Classifier) -> Predictor:
    """A published classifier under its own graph."""

    @torch.no_grad()
    def predict(run: Run) -> FloatArray:
        rows = torch.tensor(task_rows(run.tasks), dtype=torch.float32)
        joined = adjacency(run.tasks, model.design.graph, run.choice)
        logits = model(rows, torch.tensor(joined, dtype=torch.float32))
        return torch.log_softmax(logits, dim=-1).double().numpy()

    return predict


def of_tree(tree: Any, classes: int) -> Predictor:
    """A decision tree; a class it never saw has no chance."""

    def predict(run: Run) -> FloatArray:
        chance = np.zeros((run.tasks.n_tasks, classes))
        chance[:, tree.classes_] = tree.predict_proba(task_rows(run.tasks).astype(np.float32))
        return np.log(np.maximum(chance, SMALLEST_P))

    return predict


def of_queue_network(model: QueueNetwork) -> Predictor:
    """The size-free network."""

    @torch.no_grad()
    def predict(run: Run) -> FloatArray:
        log_p: FloatArray = model(*as_tensors(queue_inputs(run.tasks)))[0].double().numpy()
        return log_p

    return predict
