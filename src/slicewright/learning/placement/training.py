"""What the placement models learn from, by which loss, and how fast. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from slicewright.learning.common.batching import Batches, replayed, shuffled
from slicewright.learning.common.training import Optimiser, Schedule, Task, fit
from slicewright.learning.placement.batches import QueueBatch, queue_batches
from slicewright.learning.placement.networks.classifier import Classifier, ClassifierDesign, mixing
from slicewright.learning.placement.networks.queue import QueueDesign, QueueNetwork
from slicewright.learning.placement.solved_runs import Run
from slicewright.models.placement.features import ALONE, adjacency, task_rows

Report = Callable[[str], None]
IGNORED = -100
"""The class of a task without a label: torch leaves it out of the loss."""


@dataclass(frozen=True)
class ClassifierSchedule:
    """As published: Adam, 0.01, 200 epochs. ``batch_size`` (runs per step) is not published."""

    epochs: int = 200
    learning_rate: float = 0.01
    batch_size: int = 16
    seed: int = 0


@dataclass(frozen=True)
class QueueSchedule:
    """Imitation first, then mostly the expected cost with a penalty on broken limits.

    Attributes:
        imitate, descend: epochs of both stages.
        learning_rate: peak of a one-cycle schedule of Adam in each stage; a third of it in the second.
        penalty: of a broken limit, in mean costs per even load.
        seed: of weights and order.
    """

    imitate: int = 10
    descend: int = 20
    learning_rate: float = 5e-3
    penalty: float = 4.0
    seed: int = 0


class LabelledTasks(NamedTuple):
    """The tasks of one run, or of several runs of which none mixes with another.

    Attributes:
        rows: (K, F) features.
        mix: (K, K) sparse mixing matrix; None where every task is alone.
        target: (K,) classes, ``IGNORED`` for rejected tasks.
    """

    rows: Tensor
    mix: Tensor | None
    target: Tensor


def train_classifier(
    runs: Sequence[Run],
    design: ClassifierDesign,
    schedule: ClassifierSchedule,
    *,
    folder: Path | None = None,
    report: Report = lambda line: None,
) -> Classifier:
    """Train a published classifier: cross-entropy against the canonical label (16).

    Args:
        runs: solved, of one network size.
        design: sizes and graph.
        schedule: how long and how fast.
        folder: for logs and checkpoints; the same training continues there if it was interrupted.
        report: told of every epoch.
    """
    torch.manual_seed(schedule.seed)
    model = Classifier(design)
    items = [_labelled(run, design) for run in runs]
    model.standardise(torch.cat([x.rows for x in items]))
    task = Task(model, classifier_loss, _side_by_side, shuffled, _adam, largest_gradient=None)
    pace = Schedule(
        epochs=schedule.epochs,
        batch_size=schedule.batch_size,
        learning_rate=schedule.learning_rate,
        seed=schedule.seed,
    )
    fit(task, items, schedule=pace, folder=folder, report=report)
    return model


def _labelled(run: Run, design: ClassifierDesign) -> LabelledTasks:
    return LabelledTasks(
        torch.tensor(task_rows(run.tasks), dtype=torch.float32),
        None if design.graph == ALONE else run_mixing(run, design),
        torch.tensor(np.where(run.target < 0, IGNORED, run.target)),
    )


def run_mixing(run: Run, design: ClassifierDesign) -> Tensor:
    """(K, K) sparse mixing matrix of a run under a design's graph."""
    joined = torch.tensor(adjacency(run.tasks, design.graph, run.choice), dtype=torch.float32)
    return mixing(joined, self_loops=design.self_loops).to_sparse()


def _side_by_side(runs: Sequence[LabelledTasks]) -> LabelledTasks:
    mixes = [run.mix for run in runs if run.mix is not None]
    return LabelledTasks(
        torch.cat([run.rows for run in runs]),
        _diagonal(mixes) if mixes else None,
        torch.cat([run.target for run in runs]),
    )


def _diagonal(blocks: Sequence[Tensor]) -> Tensor:
    """One sparse matrix with the given sparse ones on its diagonal."""
    offset, index, value = 0, [], []
    for block in blocks:
        index.append(block.indices() + offset)
        value.append(block.values())
        offset += block.shape[0]
    return torch.sparse_coo_tensor(
        torch.cat(index, dim=1), torch.cat(value), (offset, offset), is_coalesced=True, check_invariants=False
    )


def classifier_loss(model: Classifier, batch: LabelledTasks) -> Tensor:
    """Cross-entropy against the label (16), over the tasks that it places."""
    return cross_entropy(model.mixed(batch.rows, batch.mix), batch.target, ignore_index=IGNORED)


def _adam(model: nn.Module, learning_rate: float, steps: int) -> Optimiser:
    return Optimiser(torch.optim.Adam(model.parameters(), lr=learning_rate))


def train_queue_network(
    runs: Sequence[Run],
    design: QueueDesign,
    schedule: QueueSchedule,
    *,
    folder: Path | None = None,
    report: Report = lambda line: None,
) -> QueueNetwork:
    """Train the size-free network on runs of any networks.

    Args:
        runs: solved.
        design: widths.
        schedule: of both stages.
        folder: for logs and checkpoints; the same training continues there if it was interrupted.
        report: told of every epoch.
    """
    torch.manual_seed(schedule.seed)
    model = QueueNetwork(design)
    batches = queue_batches(runs)
    begun = 0
    for stage, epochs, rate, imitation, cost in (
        ("imitate", schedule.imitate, schedule.learning_rate, 1.0, 0.0),
        ("descend", schedule.descend, schedule.learning_rate / 3, 0.1, 1.0),
    ):
        if epochs == 0:
            continue
        fit(
            Task(
                model,
                partial(queue_loss, imitation=imitation, cost=cost, penalty=schedule.penalty),
                lambda one: one[0],
                partial(_one_by_one, begun=begun),
                _one_cycle_adam,
            ),
            batches,
            schedule=Schedule(epochs=epochs, batch_size=1, learning_rate=rate, seed=schedule.seed),
            folder=None if folder is None else folder / stage,
            report=partial(_prefixed, report, stage),
        )
        begun += epochs
    return model


def _prefixed(report: Report, stage: str, line: str) -> None:
    report(f"{stage}: {line}")


def _one_by_one(items: Sequence[Any], batch_size: int, seed: int, *, begun: int) -> Batches:
    """Batches that were stacked before, in random order; the second stage goes on with the orders of the first."""

    def orders() -> Iterator[list[list[int]]]:
        rng = np.random.default_rng(seed)
        while True:
            yield [[i] for i in rng.permutation(len(items)).tolist()]

    return lambda epoch: replayed(orders, begun + epoch)


def _one_cycle_adam(model: nn.Module, learning_rate: float, steps: int) -> Optimiser:
    adam = torch.optim.Adam(model.parameters(), lr=learning_rate)
    return Optimiser(adam, torch.optim.lr_scheduler.OneCycleLR(adam, learning_rate, total_steps=steps + 1))


def queue_loss(
    model: QueueNetwork, batch: QueueBatch, *, imitation: float, cost: float, penalty: float
) -> Tensor:
    """Cross-entropy against any option that keeps the optimum, and the expected cost with its broken limits.

    Later rounds count more, so that the first ones may be rough.
    """
    answers = model.trace(batch.tensors)
    total = torch.zeros(())
    weight = 0.0
    mask = batch.tensors.mask
    for number, logits in enumerate(answers):
        log_p = torch.log_softmax(logits, dim=-1)
        share = 0.5 ** (len(answers) - 1 - number)
        weight += share
        right = torch.logsumexp(log_p + batch.wrong, dim=-1)
        entropy = -(right * batch.served).sum() / batch.served.sum()
        total = total + share * imitation * entropy
        if cost > 0.0:
            p = torch.exp(log_p) * mask[..., None]
            total = total + share * cost * _relaxed(batch, p, penalty)
    return total / weight


def _relaxed(batch: QueueBatch, p: Tensor, penalty: float) -> Tensor:
    """Mean over tasks of expected cost and of how far the expected queues break the limits of used options."""
    cost, limit, _, task, _, first, second, mask = batch.tensors
    use = p @ (first + second)
    nodes, count = first.shape[1], mask.sum(dim=1)
    load = torch.einsum("bk,bkj->bj", task[:, :, 3] * mask, use) * (nodes / (2.0 * count))[:, None]
    room = torch.minimum(
        limit[..., 0] - (load @ first.T)[:, None], limit[..., 1] - (load @ second.T)[:, None]
    )
    allowed = cost.clamp(max=2.0 * float(cost[cost < 1e3].max()))
    paid = (p * (allowed + penalty * torch.relu(-room))).sum(dim=(1, 2))
    return (paid / count).mean()
