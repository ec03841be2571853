"""SP1, SP2 and SP3 trained in a chain, with out-of-fold upstream answers (model page 3.1).

The optimal shares reveal the decisions, since a share is positive exactly where a device goes. So a model
downstream never sees true upstream answers, nor answers of an upstream model that was trained on the same scenario.
This is stacking: out-of-fold answers for training and for scoring alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from torch import Tensor, nn

from slicewright.learning.common.instances import folds
from slicewright.learning.common.training import Schedule
from slicewright.learning.slicing.fold_training import Batch, FoldItem, FoldTrainer, Subproblem
from slicewright.learning.slicing.networks.heads import bandwidth_loss, choice_loss, share_loss
from slicewright.learning.slicing.networks.published import (
    BandwidthModel,
    ChoiceModel,
    Design,
    PublishedModel,
    ShareModel,
    Sizes,
)
from slicewright.learning.slicing.solved_scenarios import Solved, digest, same_network
from slicewright.models.slicing.features import Float32Array, Rows, Targets, rows, targets

Upstream: TypeAlias = Literal["chained", "oracle-inputs", "conditioned"]
"""chained: out-of-fold answers. oracle-inputs: true answers, a leak, for comparison only. conditioned: SP1 and SP2
are given the decisions, as their definitions (14, 15) say; SP3 comes first and sees no upstream answers."""


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
class OutOfFoldAnswers:
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
    design: Design,
    *,
    parts: int = 10,
    schedule: Schedule,
    upstream: Upstream = "chained",
    folder: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> OutOfFoldAnswers:
    """Train every subproblem once per fold and answer each scenario with the models that have not seen it.

    Args:
        instances: solved scenarios of one network size.
        design: sizes and variant of the networks.
        parts: folds; the published protocol has 10.
        schedule: of every training.
        upstream: what SP2 and SP3 see of SP1 and SP2.
        folder: for logs, checkpoints and answers; a run that was interrupted continues there with the fold it was at,
            and rows of one design share what they have in common.
        report: told what is being trained.
    """
    data = _Data.of(instances)
    split = folds(len(instances), parts, seed=schedule.seed)
    fold = np.empty(len(instances), dtype=np.int64)
    for k, part in enumerate(split):
        fold[part] = k
    where = None if folder is None else folder / f"{digest(instances)[:12]}-{parts}"
    trainer = FoldTrainer(split, schedule, where, report)
    decided = upstream == "conditioned"
    mark = "" if upstream == "chained" else f"-{upstream}"
    sp1, sp2, sp3 = _subproblems(data.sizes, design, marks=(mark if decided else "", mark, mark))

    used = [(t.share > 0).astype(np.float32) for t in data.labels]
    share = [a[0] for a in trainer.answers(sp1, data.sp1_items(used if decided else None))]
    shown = {"chained": share, "oracle-inputs": [t.share for t in data.labels], "conditioned": used}[upstream]
    bandwidth = [a[0] for a in trainer.answers(sp2, data.sp2_items(shown))]
    told = [t.bandwidth for t in data.labels] if upstream == "oracle-inputs" else bandwidth
    answers = trainer.answers(sp3, data.sp3_items() if decided else data.sp3_items(shown, told))
    return OutOfFoldAnswers(share, bandwidth, [a[0] for a in answers], [a[1] for a in answers], fold)


def train_published(
    instances: Sequence[Solved],
    design: Design,
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
        design: sizes and variant of the networks.
        parts: folds of the upstream answers.
        schedule: of every training.
        folder: for logs and checkpoints.
        report: told what is being trained.
    """
    data = _Data.of(instances)
    trainer = FoldTrainer(folds(len(instances), parts, seed=schedule.seed), schedule, folder, report)
    sp1, sp2, sp3 = _subproblems(data.sizes, design)
    model = PublishedModel(data.sizes, design)
    sp1_items = data.sp1_items()
    share = [a[0] for a in trainer.answers(sp1, sp1_items)]
    sp2_items = data.sp2_items(share)
    bandwidth = [a[0] for a in trainer.answers(sp2, sp2_items)]
    model.sp1 = trainer.on_all(sp1, sp1_items)
    model.sp2 = trainer.on_all(sp2, sp2_items)
    model.sp3 = trainer.on_all(sp3, data.sp3_items(share, bandwidth))
    return model.eval()


def joined(network: Float32Array, share: Float32Array, bandwidth: Float32Array | None = None) -> Float32Array:
    """(I, F) rows joined by SP1's answers (N, I, E) and SP2's (A, N): numpy twin of the exported graph's joins."""
    parts = [network, share.transpose(1, 0, 2).reshape(network.shape[0], -1)]
    if bandwidth is not None:
        parts.append(np.broadcast_to(bandwidth.reshape(1, -1), (network.shape[0], bandwidth.size)))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _subproblems(
    sizes: Sizes, design: Design, marks: tuple[str, str, str] = ("", "", "")
) -> tuple[Subproblem[ShareModel], Subproblem[BandwidthModel], Subproblem[ChoiceModel]]:
    """SP1, SP2 and SP3 of a design; ``marks`` keep apart the files of models that see other inputs."""
    return (
        Subproblem(f"SP1{marks[0]}", lambda width: ShareModel(width, sizes, design), sp1_loss),
        Subproblem(f"SP2{marks[1]}", lambda width: BandwidthModel(width, sizes, design), sp2_loss),
        Subproblem(f"SP3{marks[2]}", lambda width: ChoiceModel(width, sizes, design), sp3_loss),
    )


class _Data(NamedTuple):
    """Instances as rows and labels, and the items of each subproblem made of them and upstream answers."""

    sizes: Sizes
    seen: list[Rows]
    labels: list[Targets]

    @classmethod
    def of(cls, instances: Sequence[Solved]) -> _Data:
        return cls(
            Sizes(*same_network(instances)),
            [rows(x.scenario) for x in instances],
            [targets(x.scenario, x.decisions, x.shares) for x in instances],
        )

    def sp1_items(self, used: Sequence[Float32Array] | None = None) -> list[FoldItem]:
        """Items of SP1; with ``used`` (N, I, E) they are told which resources each device uses."""
        if used is None:
            return [FoldItem(s.slices, t.share) for s, t in zip(self.seen, self.labels, strict=True)]
        told = [np.concatenate([s.slices, u], axis=-1) for s, u in zip(self.seen, used, strict=True)]
        return [FoldItem(x, t.share) for x, t in zip(told, self.labels, strict=True)]

    def sp2_items(self, share: Sequence[Float32Array]) -> list[FoldItem]:
        """Items of SP2, which sees what SP1 says."""
        told = [joined(s.network, x) for s, x in zip(self.seen, share, strict=True)]
        return [FoldItem(x, t.bandwidth) for x, t in zip(told, self.labels, strict=True)]

    def sp3_items(
        self, share: Sequence[Float32Array] = (), bandwidth: Sequence[Float32Array] = ()
    ) -> list[FoldItem]:
        """Items of SP3, which sees what SP1 and SP2 say, if they come first."""
        told = [s.network for s in self.seen]
        if share:
            told = [joined(x, s, b) for x, s, b in zip(told, share, bandwidth, strict=True)]
        return [FoldItem(x, t.choice) for x, t in zip(told, self.labels, strict=True)]
