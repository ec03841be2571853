"""SP1, SP2 and SP3 trained in a chain, with out-of-fold upstream answers (model page 3.1).

The optimal shares reveal the decisions, since a share is positive exactly where a device goes. So a model
downstream never sees true upstream answers, nor answers of an upstream model that was trained on the same scenario.
This is stacking: out-of-fold answers for training and for scoring alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from torch import Tensor, nn

from slicewright.learning.common.instances import folds
from slicewright.learning.common.training import Schedule
from slicewright.learning.slicing.fold_training import Batch, FoldItem, FoldTrainer, Subproblem
from slicewright.learning.slicing.networks.heads import (
    bandwidth_loss,
    choice_loss,
    normalised,
    share_loss,
)
from slicewright.learning.slicing.networks.published import (
    BandwidthModel,
    ChoiceModel,
    Design,
    ManagersModel,
    PublishedModel,
    ShareModel,
    Sizes,
    share_model,
)
from slicewright.learning.slicing.solved_scenarios import Solved, same_network
from slicewright.models.slicing.features import Float32Array, Rows, Targets, rows, targets, transmission_s

Upstream: TypeAlias = Literal["chained", "oracle-inputs", "conditioned"]
"""chained: out-of-fold answers. oracle-inputs: true answers, a leak, for comparison only. conditioned: SP1 and SP2
are given the decisions, as their definitions (14, 15) say; SP3 comes first and sees no upstream answers."""


def sp1_loss(model: nn.Module, batch: Batch, *, normalise: bool = False) -> Tensor:
    """(36) over all slices; with ``normalise`` of labels that sum to 1 on every resource."""
    target = batch.target.flatten(0, 1)
    if normalise:
        slices = batch.rows.shape[1]
        target = normalised(target, batch.mask.unsqueeze(1).expand(-1, slices, -1).flatten(0, 1))
    return share_loss(model(batch.rows, batch.mask).flatten(0, 1), target)


def sp2_loss(model: nn.Module, batch: Batch) -> Tensor:
    """(41)."""
    return bandwidth_loss(model(batch.rows, batch.mask), batch.target)


def sp3_loss(model: nn.Module, batch: Batch, *, binary: float = 1.0, parts: float = 1.0) -> Tensor:
    """(51) with its two weights."""
    return choice_loss(model(batch.rows, batch.mask), batch.target, batch.mask, binary=binary, parts=parts)


@dataclass(frozen=True)
class OutOfFoldAnswers:
    """Answers of all three models for every scenario, each by models that were not trained on it.

    Attributes:
        share: per scenario (N, I, E), SP1.
        bandwidth: per scenario (A, N), SP2.
        choice: per scenario (I,) classes, SP3 by the joint argmax (44).
        offload: per scenario (I,) probability of the binary head (45).
        factored: per scenario (I,) classes, SP3 by the binary and the separate heads (47).
        fold: index of the fold that each scenario was scored in.
    """

    share: list[Float32Array]
    bandwidth: list[Float32Array]
    choice: list[np.ndarray]
    offload: list[Float32Array]
    factored: list[np.ndarray]
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
    trainer = FoldTrainer.of(instances, parts, schedule, folder, report)
    decided = upstream == "conditioned"
    mark = "" if upstream == "chained" else f"-{upstream}"
    sp1, sp2, sp3 = _subproblems(data.sizes, design, marks=(mark if decided else "", mark, mark))

    used = [(t.share > 0).astype(np.float32) for t in data.labels]
    share = [a[0] for a in trainer.answers(sp1, data.sp1_items(used if decided else None))]
    shown = {"chained": share, "oracle-inputs": [t.share for t in data.labels], "conditioned": used}[upstream]
    bandwidth = [a[0] for a in trainer.answers(sp2, data.sp2_items(shown))]
    told = [t.bandwidth for t in data.labels] if upstream == "oracle-inputs" else bandwidth
    answers = trainer.answers(sp3, data.sp3_items() if decided else data.sp3_items(shown, told))
    return OutOfFoldAnswers(
        share, bandwidth, choice=[a[0] for a in answers], offload=[a[1] for a in answers],
        factored=[a[2] for a in answers], fold=trainer.fold,
    )  # fmt: skip


def conditioned_answers(
    problem: Literal["SP1", "SP2"],
    instances: Sequence[Solved],
    design: Design,
    *,
    parts: int = 10,
    schedule: Schedule,
    roots: bool = False,
    folder: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[list[Float32Array], list[np.ndarray]]:
    """Out-of-fold answers of one subproblem that is told the decisions (14, 15), and the indices of every fold.

    Args:
        problem: SP1 answers shares (N, I, E), SP2 (A, N).
        instances: solved scenarios of one network size.
        design: sizes and variant of the networks.
        parts: folds.
        schedule: of every training.
        roots: whether SP2 also sees sqrt(T_ia) of the access point that each device uses: what (15) adds up.
        folder: for logs, checkpoints and answers.
        report: told what is being trained.
    """
    data = _Data.of(instances)
    used = [(t.share > 0).astype(np.float32) for t in data.labels]
    trainer = FoldTrainer.of(instances, parts, schedule, folder, report)
    mark = "-conditioned-roots" if roots else "-conditioned"
    sp1, sp2, _ = _subproblems(data.sizes, design, marks=(mark, mark, mark))
    if problem == "SP1":
        return [a[0] for a in trainer.answers(sp1, data.sp1_items(used))], trainer.split
    shown = [_with_roots(x, u) for x, u in zip(instances, used, strict=True)] if roots else used
    return [a[0] for a in trainer.answers(sp2, data.sp2_items(shown))], trainer.split


def _with_roots(instance: Solved, used: Float32Array) -> Float32Array:
    """(N, I, E + A): which resources a device uses, and sqrt(T_ia) of its access point over the mean of all."""
    root = np.sqrt(transmission_s(instance.scenario))
    scaled = root / max(float(root.mean()), 1e-12)
    return np.concatenate([used, used[:, :, : root.shape[1]] * scaled], axis=-1).astype(np.float32)


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
) -> tuple[Subproblem[ShareModel | ManagersModel], Subproblem[BandwidthModel], Subproblem[ChoiceModel]]:
    """SP1, SP2 and SP3 of a design; ``marks`` keep apart the files of models that see other inputs."""
    weights = {"binary": design.binary, "parts": design.parts}
    ablated = "".join(f"-{name}{value:g}" for name, value in weights.items() if value != 1)
    shares = partial(sp1_loss, normalise=design.normalise)
    return (
        Subproblem(f"SP1{marks[0]}", lambda width: share_model(width, sizes, design), shares),
        Subproblem(f"SP2{marks[1]}", lambda width: BandwidthModel(width, sizes, design), sp2_loss),
        Subproblem(
            f"SP3{marks[2]}{ablated}",
            lambda width: ChoiceModel(width, sizes, design),
            partial(sp3_loss, binary=design.binary, parts=design.parts),
        ),
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
