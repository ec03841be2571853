"""Cross-validation of the joint variant: one encoder for all three subproblems, nothing chained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from slicewright.learning.common.training import Schedule
from slicewright.learning.slicing.chained_training import OutOfFoldAnswers
from slicewright.learning.slicing.fold_training import Batch, FoldItem, FoldTrainer, Subproblem
from slicewright.learning.slicing.networks.joint import JointModel, joint_loss, packed_target
from slicewright.learning.slicing.networks.published import Design, Sizes
from slicewright.learning.slicing.solved_scenarios import Solved, same_network
from slicewright.models.slicing.features import rows, targets


def cross_validate_joint(
    instances: Sequence[Solved],
    design: Design,
    *,
    parts: int = 10,
    schedule: Schedule,
    folder: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> OutOfFoldAnswers:
    """Answer each scenario with the joint model of the fold that has not seen it.

    Args:
        instances: solved scenarios of one network size.
        design: sizes and variant of the networks.
        parts: folds.
        schedule: of every training.
        folder: for logs, checkpoints and answers; an interrupted run continues there.
        report: told what is being trained.
    """
    sizes = Sizes(*same_network(instances))
    trainer = FoldTrainer.of(instances, parts, schedule, folder, report)
    problem = Subproblem("joint", lambda width: JointModel(width, sizes, design), _loss)
    answers = trainer.answers(problem, [_item(x) for x in instances])
    share = [a[0].reshape(len(a[0]), sizes.slices, -1).transpose(1, 0, 2) for a in answers]
    return OutOfFoldAnswers(
        share=share, bandwidth=[a[1] for a in answers], choice=[a[2] for a in answers],
        offload=[a[3] for a in answers], factored=[a[4] for a in answers], fold=trainer.fold,
    )  # fmt: skip


def _loss(model: JointModel, batch: Batch) -> Tensor:
    return joint_loss(model, batch.rows, batch.mask, batch.target)


def _item(instance: Solved) -> FoldItem:
    label = targets(instance.scenario, instance.decisions, instance.shares)
    packed = packed_target(
        *(torch.from_numpy(np.asarray(x)) for x in (label.share, label.bandwidth, label.choice))
    )
    return FoldItem(rows(instance.scenario).network, packed.numpy())
