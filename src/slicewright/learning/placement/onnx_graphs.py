"""Placement models as ONNX graphs: which inputs and outputs each kind has. Needs torch."""

from __future__ import annotations

import torch

from slicewright.learning.common.onnx_export import to_onnx
from slicewright.learning.placement.networks.classifier import Alone, Classifier
from slicewright.learning.placement.networks.queue import NODE, PAIR, TASK, QueueNetwork
from slicewright.models.placement.features import ALONE


def classifier_onnx(model: Classifier) -> bytes:
    """A classifier with a free number of tasks; the network's size is fixed by its weights."""
    rows = torch.randn(5, model.design.features)
    axes = {"rows": ("tasks", None)}
    answer = {"logits": ("tasks", None)}
    if model.design.graph == ALONE:
        return to_onnx(Alone(model), (rows,), axes, answer)
    example = (rows, torch.ones(5, 5) - torch.eye(5))
    return to_onnx(model, example, {**axes, "adjacency": ("tasks", "tasks")}, answer)


def queue_onnx(model: QueueNetwork) -> bytes:
    """The size-free network with every axis free: batch, tasks, options, nodes."""
    tasks, options, nodes = 6, 7, 4
    first = torch.eye(nodes)[torch.randint(nodes, (options,))]
    example = (
        torch.rand(2, tasks, options),
        torch.rand(2, tasks, options, 2),
        torch.rand(2, tasks, nodes, PAIR),
        torch.rand(2, tasks, TASK) + 0.5,
        torch.rand(2, nodes, NODE),
        first,
        first.roll(1, dims=0),
        torch.ones(2, tasks),
    )
    axes = {
        "cost": ("batch", "tasks", "options"),
        "limit": ("batch", "tasks", "options", None),
        "pair": ("batch", "tasks", "nodes", None),
        "task": ("batch", "tasks", None),
        "node": ("batch", "nodes", None),
        "first": ("options", "nodes"),
        "second": ("options", "nodes"),
        "mask": ("batch", "tasks"),
    }
    return to_onnx(model, example, axes, {"log_p": ("batch", "tasks", "options")})
