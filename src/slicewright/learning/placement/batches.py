"""Runs stacked for the size-free network: padded over tasks, together only if their networks have one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from slicewright.learning.common.batching import stack_padded
from slicewright.learning.placement.networks.queue import QueueTensors
from slicewright.learning.placement.solved_runs import Run
from slicewright.models.placement.queue_inputs import QueueInputs, queue_inputs

BATCH_SIZE = 16
IMPOSSIBLE = -1e9
"""Added to the log-probability of a wrong option."""


class QueueBatch(NamedTuple):
    """B runs.

    Attributes:
        tensors: what the network reads.
        wrong: (B, K, O) 0 where an option keeps the optimum, else ``IMPOSSIBLE``.
        served: (B, K) 1 for tasks that have a label.
    """

    tensors: QueueTensors
    wrong: Tensor
    served: Tensor


def queue_batches(runs: Sequence[Run], batch_size: int = BATCH_SIZE) -> list[QueueBatch]:
    """Batches of runs with similar numbers of tasks and the same options."""
    groups: dict[bytes, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.tasks.options.nodes.tobytes(), []).append(run)
    batches = []
    for group in groups.values():
        ordered = sorted(group, key=lambda run: run.tasks.n_tasks)
        batches += [stack(ordered[i : i + batch_size]) for i in range(0, len(ordered), batch_size)]
    return batches


def stack(runs: Sequence[Run]) -> QueueBatch:
    """Pad and stack runs whose networks have the same options."""
    seen = [queue_inputs(run.tasks) for run in runs]
    wrong = [np.where(run.keeps, 0.0, IMPOSSIBLE).astype(np.float32) for run in runs]
    served = [(run.target >= 0).astype(np.float32) for run in runs]
    mask = [np.ones(run.tasks.n_tasks, np.float32) for run in runs]
    tensors = QueueTensors(
        **{
            name: stack_padded([getattr(x, name) for x in seen]) for name in ("cost", "limit", "pair", "task")
        },
        node=torch.from_numpy(np.stack([x.node for x in seen])),
        first=torch.from_numpy(seen[0].first),
        second=torch.from_numpy(seen[0].second),
        mask=stack_padded(mask),
    )
    return QueueBatch(tensors, stack_padded(wrong), stack_padded(served))


def as_tensors(inputs: QueueInputs) -> QueueTensors:
    """One problem as the network reads it."""
    names = ("cost", "limit", "pair", "task", "node")
    return QueueTensors(
        **{name: torch.from_numpy(getattr(inputs, name))[None] for name in names},
        first=torch.from_numpy(inputs.first),
        second=torch.from_numpy(inputs.second),
        mask=torch.ones(1, inputs.cost.shape[0]),
    )
