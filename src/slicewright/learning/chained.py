"""SP1, SP2 and SP3 trained in a chain, with out-of-fold upstream answers (model page 3.1).

The optimal shares reveal the decisions, since a share is positive exactly where a device goes. So a model
downstream never sees true upstream answers, nor answers of an upstream model that was trained on the same scenario.
This is stacking: out-of-fold answers for training and for scoring alike.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from slicewright.learning.batches import device_mask, stack_padded
from slicewright.learning.features import Float32Array, rows, targets
from slicewright.learning.heads import Choice, bandwidth_loss, choice_loss, share_loss
from slicewright.learning.instances import Solved, digest, folds, same_network
from slicewright.learning.published import (
    BandwidthModel,
    ChoiceModel,
    Design,
    PublishedModel,
    ShareModel,
    Sizes,
)
from slicewright.learning.training import Schedule, Task, fit
from slicewright.network.documents import write_atomically

Upstream: TypeAlias = Literal["chained", "oracle-inputs", "conditioned"]
UPSTREAM: tuple[Upstream, ...] = ("chained", "oracle-inputs", "conditioned")
"""chained: out-of-fold answers. oracle-inputs: true answers, a leak, for comparison only. conditioned: SP1 and SP2
are given the decisions, as their definitions (14, 15) say; SP3 comes first and sees no upstream answers."""


class Item(NamedTuple):
    """One scenario as one subproblem's model sees it.

    Attributes:
        rows: (I, F) or, for SP1, (N, I, F').
        target: the subproblem's label.
    """

    rows: Float32Array
    target: np.ndarray


class Batch(NamedTuple):
    """Padded items."""

    rows: Tensor
    mask: Tensor
    target: Tensor


def collate(items: Sequence[Item]) -> Batch:
    """Pad and stack (18-20)."""
    counts = [x.rows.shape[-2] for x in items]
    return Batch(
        stack_padded([x.rows for x in items]), device_mask(counts), stack_padded([x.target for x in items])
    )


def sp1_loss(model: nn.Module, batch: Batch) -> Tensor:
    """(36) over all slices."""
    return share_loss(model(batch.rows, batch.mask).flatten(0, 1), batch.target.flatten(0, 1))


def sp2_loss(model: nn.Module, batch: Batch) -> Tensor:
    """(41)."""
    return bandwidth_loss(model(batch.rows, batch.mask), batch.target)


def sp3_loss(model: nn.Module, batch: Batch) -> Tensor:
    """(51)."""
    return choice_loss(model(batch.rows, batch.mask), batch.target, batch.mask)


@dataclass(frozen=True)
class Answers:
    """Answers of all three models for every scenario, each by models that were not trained on it.

    Attributes:
        share: per scenario (N, I, E), SP1.
        bandwidth: per scenario (A, N), SP2.
        choice: per scenario (I,) classes, SP3 by the joint argmax (44).
        offload: per scenario (I,) probability of the binary head (45).
        fold: index of the fold that each scenario was scored in.
    """

    share: list[Float32Array]
    bandwidth: list[Float32Array]
    choice: list[np.ndarray]
    offload: list[Float32Array]
    fold: np.ndarray


def cross_validate(
    instances: Sequence[Solved],
    made: Design,
    *,
    parts: int = 10,
    schedule: Schedule,
    upstream: Upstream = "chained",
    folder: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Answers:
    """Train every subproblem once per fold and answer each scenario with the models that have not seen it.

    Args:
        instances: solved scenarios of one network size.
        made: the design.
        parts: folds; the published protocol has 10.
        schedule: of every training.
        upstream: what SP2 and SP3 see of SP1 and SP2.
        folder: for logs, checkpoints and answers; a run that was interrupted continues there with the fold it was at,
            and rows of one design share what they have in common.
        report: told what is being trained.
    """
    sizes = Sizes(*same_network(instances))
    features = [rows(x.scenario) for x in instances]
    labels = [targets(x.scenario, x.decisions, x.shares) for x in instances]
    split = folds(len(instances), parts, seed=schedule.seed)
    fold = np.empty(len(instances), dtype=np.int64)
    for k, part in enumerate(split):
        fold[part] = k
    where = None if folder is None else folder / f"{digest(instances)[:12]}-{parts}"
    run = _Runner(split, schedule, where, report)
    mark = "" if upstream == "chained" else f"-{upstream}"

    decided = upstream == "conditioned"
    used = [(t.share > 0).astype(np.float32) for t in labels]
    first = [
        Item(np.concatenate([f.slices, u], axis=-1) if decided else f.slices, t.share)
        for f, u, t in zip(features, used, labels, strict=True)
    ]
    own = mark if decided else ""
    share = [a[0] for a in run(f"SP1{own}", lambda width: ShareModel(width, sizes, made), sp1_loss, first)]
    shown = {"chained": share, "oracle-inputs": [t.share for t in labels], "conditioned": used}[upstream]
    second = [
        Item(joined(f.network, s), t.bandwidth) for f, s, t in zip(features, shown, labels, strict=True)
    ]
    answers = run(f"SP2{mark}", lambda width: BandwidthModel(width, sizes, made), sp2_loss, second)
    bandwidth = [a[0] for a in answers]
    told = [t.bandwidth for t in labels] if upstream == "oracle-inputs" else bandwidth
    third = [
        Item(f.network if decided else joined(f.network, s, b), t.choice)
        for f, s, b, t in zip(features, shown, told, labels, strict=True)
    ]
    answers = run(f"SP3{mark}", lambda width: ChoiceModel(width, sizes, made), sp3_loss, third)
    return Answers(share, bandwidth, [a[0] for a in answers], [a[1] for a in answers], fold)


def train_published(
    instances: Sequence[Solved],
    made: Design,
    *,
    parts: int = 5,
    schedule: Schedule,
    folder: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> PublishedModel:
    """One model for serving: downstream models learn from out-of-fold answers, as they will meet unseen scenarios.

    SP1 and SP2 are trained per fold for their out-of-fold answers, then once on everything.

    Args:
        instances: solved scenarios of one network size.
        made: the design.
        parts: folds of the upstream answers.
        schedule: of every training.
        folder: for logs and checkpoints.
        report: told what is being trained.
    """
    sizes = Sizes(*same_network(instances))
    features = [rows(x.scenario) for x in instances]
    labels = [targets(x.scenario, x.decisions, x.shares) for x in instances]
    run = _Runner(folds(len(instances), parts, seed=schedule.seed), schedule, folder, report)
    model = PublishedModel(sizes, made)
    first = [Item(f.slices, t.share) for f, t in zip(features, labels, strict=True)]
    share = [a[0] for a in run("SP1", lambda width: ShareModel(width, sizes, made), sp1_loss, first)]
    second = [
        Item(joined(f.network, s), t.bandwidth) for f, s, t in zip(features, share, labels, strict=True)
    ]
    bandwidth = [a[0] for a in run("SP2", lambda width: BandwidthModel(width, sizes, made), sp2_loss, second)]
    third = [
        Item(joined(f.network, s, b), t.choice)
        for f, s, b, t in zip(features, share, bandwidth, labels, strict=True)
    ]
    model.sp1 = run.on_all("SP1", lambda width: ShareModel(width, sizes, made), sp1_loss, first)
    model.sp2 = run.on_all("SP2", lambda width: BandwidthModel(width, sizes, made), sp2_loss, second)
    model.sp3 = run.on_all("SP3", lambda width: ChoiceModel(width, sizes, made), sp3_loss, third)
    return model.eval()


def joined(network: Float32Array, share: Float32Array, bandwidth: Float32Array | None = None) -> Float32Array:
    """(I, F) rows joined by SP1's answers (N, I, E) and SP2's (A, N): numpy twin of the exported graph's joins."""
    parts = [network, share.transpose(1, 0, 2).reshape(network.shape[0], -1)]
    if bandwidth is not None:
        parts.append(np.broadcast_to(bandwidth.reshape(1, -1), (network.shape[0], bandwidth.size)))
    return np.concatenate(parts, axis=1).astype(np.float32)


Builder: TypeAlias = Callable[[int], nn.Module]
Loss: TypeAlias = Callable[[nn.Module, Batch], Tensor]
VALIDATION_PART = 0.1


@dataclass(frozen=True)
class _Runner:
    """Trains one subproblem's model on every fold's complement and answers the fold."""

    split: list[np.ndarray]
    schedule: Schedule
    folder: Path | None
    report: Callable[[str], None]

    def __call__(self, name: str, build: Builder, loss: Loss, items: Sequence[Item]) -> list[tuple[Any, ...]]:
        answers: list[tuple[Any, ...]] = [()] * len(items)
        for k, part in enumerate(self.split):
            self.report(f"{name}, fold {k + 1} of {len(self.split)}")
            held = [items[i] for i in part]
            logs = self._logs(f"{name}-fold{k}", k)
            kept = None if logs is None else logs / "answers.npz"
            if kept is not None and kept.exists():
                given = _read_answers(kept, len(held))
            else:
                others = np.setdiff1d(np.arange(len(items)), part)
                model = self._train(f"{name}-fold{k}", build, loss, [items[i] for i in others], k)
                given = _answers(model, held)
                if kept is not None:
                    _write_answers(kept, given)
            for i, answer in zip(part, given, strict=True):
                answers[i] = answer
        return answers

    def on_all(self, name: str, build: Builder, loss: Loss, items: Sequence[Item]) -> Any:
        """One model of everything."""
        self.report(f"{name}, all {len(items)} scenarios")
        return self._train(f"{name}-all", build, loss, items, 0)

    def _logs(self, name: str, offset: int) -> Path | None:
        s = self.schedule
        settings = f"{s.epochs}-{s.batch_size}-{s.seed + offset}"
        return None if self.folder is None else self.folder / f"{name}-{settings}"

    def _train(self, name: str, build: Builder, loss: Loss, items: Sequence[Item], offset: int) -> nn.Module:
        seed = self.schedule.seed + offset
        torch.manual_seed(seed)
        order = np.random.default_rng(seed).permutation(len(items))
        held = max(1, int(VALIDATION_PART * len(items)))
        valid, train = [items[i] for i in order[:held]], [items[i] for i in order[held:]]
        model = build(items[0].rows.shape[-1])
        whole = collate(train)
        flat, mask = whole.rows, whole.mask
        if flat.dim() == 4:
            mask = mask.unsqueeze(1).expand(-1, flat.shape[1], -1).flatten(0, 1)
            flat = flat.flatten(0, 1)
        model.encoder.standardise.fit(flat, mask)  # type: ignore[union-attr, operator]
        task = Task(model, loss, collate, lambda item: float(np.log(item.rows.shape[-2])))
        fit(task, train, valid, schedule=replace(self.schedule, seed=seed), folder=self._logs(name, offset))
        return model


@torch.no_grad()
def _answers(model: nn.Module, items: Sequence[Item], batch_size: int = 64) -> list[tuple[Any, ...]]:
    """Answers of a subproblem's model, unpadded: shares, or classes and offload probabilities."""
    out: list[tuple[Any, ...]] = []
    for k in range(0, len(items), batch_size):
        some = items[k : k + batch_size]
        batch = collate(some)
        given = model(batch.rows, batch.mask)
        for b, item in enumerate(some):
            count = item.rows.shape[-2]
            if isinstance(given, Choice):
                out.append(
                    (
                        given.joint[b, :count].argmax(-1).numpy(),
                        torch.sigmoid(given.offload[b, :count]).numpy(),
                    )
                )
            elif given.dim() == 4:  # SP1: (B, N, 1 + I, E)
                out.append((given[b, :, 1 : 1 + count].exp().numpy(),))
            else:
                out.append((given[b, :, 1:].exp().numpy(),))
    return out


def _write_answers(file: Path, answers: Sequence[tuple[Any, ...]]) -> None:
    packed = io.BytesIO()
    arrays = {f"{i}-{part}": array for i, answer in enumerate(answers) for part, array in enumerate(answer)}
    np.savez(packed, **arrays)
    write_atomically(file, packed.getvalue())


def _read_answers(file: Path, count: int) -> list[tuple[Any, ...]]:
    with np.load(file, allow_pickle=False) as arrays:
        parts = len(arrays.files) // count
        return [tuple(arrays[f"{i}-{part}"] for part in range(parts)) for i in range(count)]
