"""Training loops of the placement models. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from slicewright.learning.placement.batches import QueueBatch, queue_batches
from slicewright.learning.placement.networks.classifier import Classifier, ClassifierDesign, mixing
from slicewright.learning.placement.networks.queue import QueueDesign, QueueNetwork
from slicewright.learning.placement.solved_runs import Run
from slicewright.models.placement.features import ALONE, adjacency, task_rows

Report = Callable[[str], None]
IGNORED = -100
"""The class of a rejected task: torch leaves it out of the loss."""


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


def train_classifier(
    runs: Sequence[Run],
    design: ClassifierDesign,
    schedule: ClassifierSchedule,
    *,
    report: Report = lambda line: None,
) -> Classifier:
    """Train a published classifier: cross-entropy against the canonical label (16)."""
    torch.manual_seed(schedule.seed)
    model = Classifier(design)
    rows = [torch.tensor(task_rows(x.tasks), dtype=torch.float32) for x in runs]
    model.standardise(torch.cat(rows))
    target = [torch.tensor(np.where(x.choice < 0, IGNORED, x.choice)) for x in runs]
    mix = [run_mixing(x, design) for x in runs]
    optimizer = torch.optim.Adam(model.parameters(), lr=schedule.learning_rate)
    shuffle = torch.Generator().manual_seed(schedule.seed)
    for epoch in range(schedule.epochs):
        total = 0.0
        for batch in torch.split(torch.randperm(len(runs), generator=shuffle), schedule.batch_size):
            chosen = batch.tolist()
            logits = model.mixed(
                torch.cat([rows[i] for i in chosen]),
                None if design.graph == ALONE else _diagonal([mix[i] for i in chosen]),
            )
            loss = cross_entropy(logits, torch.cat([target[i] for i in chosen]), ignore_index=IGNORED)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item() * len(chosen)
        report(f"epoch {epoch + 1} of {schedule.epochs}, loss {total / len(runs):.3f}")
    return model.eval()


def run_mixing(run: Run, design: ClassifierDesign) -> Tensor:
    """(K, K) sparse mixing matrix of a run under a design's graph."""
    joined = torch.tensor(adjacency(run.tasks, design.graph, run.choice), dtype=torch.float32)
    return mixing(joined, self_loops=design.self_loops).to_sparse()


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


def train_queue_network(
    runs: Sequence[Run],
    design: QueueDesign,
    schedule: QueueSchedule,
    *,
    report: Report = lambda line: None,
) -> QueueNetwork:
    """Train the size-free network on runs of any networks."""
    torch.manual_seed(schedule.seed)
    model = QueueNetwork(design)
    batches = queue_batches(runs)
    order = np.random.default_rng(schedule.seed)
    stages = (
        ("imitate", schedule.imitate, schedule.learning_rate, 1.0, 0.0),
        ("descend", schedule.descend, schedule.learning_rate / 3, 0.1, 1.0),
    )
    for name, epochs, rate, imitation, cost in stages:
        if epochs == 0:
            continue
        optimizer = torch.optim.Adam(model.parameters(), lr=rate)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * len(batches) + 1)
        for epoch in range(epochs):
            total = 0.0
            for i in order.permutation(len(batches)):
                loss = queue_loss(model, batches[i], imitation, cost, schedule.penalty)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                cycle.step()
                total += loss.item()
            report(f"{name}: epoch {epoch + 1} of {epochs}, loss {total / len(batches):.4f}")
    return model.eval()


def queue_loss(
    model: QueueNetwork, batch: QueueBatch, imitation: float, cost: float, penalty: float
) -> Tensor:
    """Cross-entropy against any option that keeps the optimum, and the expected cost with its broken limits.

    Later rounds count more, so that the first ones may be rough.
    """
    answers = model.trace(*batch.inputs)
    total = torch.zeros(())
    weight = 0.0
    mask = batch.mask
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
    cost, limit, _, task, _, first, second, mask = batch.inputs
    use = p @ (first + second)
    nodes, count = first.shape[1], mask.sum(dim=1)
    load = torch.einsum("bk,bkj->bj", task[:, :, 3] * mask, use) * (nodes / (2.0 * count))[:, None]
    room = torch.minimum(
        limit[..., 0] - (load @ first.T)[:, None], limit[..., 1] - (load @ second.T)[:, None]
    )
    allowed = cost.clamp(max=2.0 * float(cost[cost < 1e3].max()))
    paid = (p * (allowed + penalty * torch.relu(-room))).sum(dim=(1, 2))
    return (paid / count).mean()
