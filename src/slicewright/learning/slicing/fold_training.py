"""One subproblem's model trained fold by fold, so that every scenario is answered by a model that has not seen it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from slicewright.files.documents import write_atomically
from slicewright.learning.common.batching import similar_sizes, stack_padded
from slicewright.learning.common.instances import folds
from slicewright.learning.common.training import Schedule, Task, fit
from slicewright.learning.slicing.batches import device_mask
from slicewright.learning.slicing.networks.heads import Choice, factored_classes
from slicewright.learning.slicing.networks.joint import JointAnswer, JointModel
from slicewright.learning.slicing.networks.published import (
    BandwidthModel,
    ChoiceModel,
    ManagersModel,
    ShareModel,
)
from slicewright.learning.slicing.solved_scenarios import Solved, digest
from slicewright.models.slicing.features import Float32Array

VALIDATION_PART = 0.1
ANSWERED_AT_ONCE = 64
Model = TypeVar("Model", bound=ShareModel | ManagersModel | BandwidthModel | ChoiceModel | JointModel)
FoldAnswer = tuple[Any, ...]
"""Of one scenario, unpadded arrays: shares (SP1, SP2); or classes by the joint argmax (44), offload probabilities (45)
and classes by the rule (47) (SP3); or all of them (joint)."""


class FoldItem(NamedTuple):
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


def collate(items: Sequence[FoldItem]) -> Batch:
    """Pad and stack (18-20)."""
    counts = [x.rows.shape[-2] for x in items]
    return Batch(
        stack_padded([x.rows for x in items]), device_mask(counts), stack_padded([x.target for x in items])
    )


@dataclass(frozen=True)
class Subproblem(Generic[Model]):
    """What is trained.

    Attributes:
        name: SP1, SP2 or SP3, and what is unusual about its inputs.
        build: a fresh model for rows of so many features.
        loss: of a batch.
    """

    name: str
    build: Callable[[int], Model]
    loss: Callable[[Model, Batch], Tensor]


@dataclass(frozen=True)
class FoldTrainer:
    """Trains a subproblem's model on every fold's complement and answers the fold.

    Attributes:
        split: indices of each fold.
        schedule: of every training; its seed is that of the first fold.
        folder: for logs, checkpoints and answers; what is finished there is not done again.
        report: told what is being trained.
    """

    split: list[np.ndarray]
    schedule: Schedule
    folder: Path | None
    report: Callable[[str], None]

    @classmethod
    def of(
        cls,
        instances: Sequence[Solved],
        parts: int,
        schedule: Schedule,
        folder: Path | None,
        report: Callable[[str], None],
    ) -> FoldTrainer:
        """On random folds of solved scenarios, drawn by the schedule's seed.

        Files lie in a folder of their own for these scenarios and this many folds.
        """
        split = folds(len(instances), parts, seed=schedule.seed)
        where = None if folder is None else folder / f"{digest(instances)[:12]}-{parts}"
        return cls(split, schedule, where, report)

    @property
    def fold(self) -> np.ndarray:
        """(scenarios,) index of the fold that each is in."""
        fold = np.empty(sum(map(len, self.split)), dtype=np.int64)
        for k, part in enumerate(self.split):
            fold[part] = k
        return fold

    def answers(self, problem: Subproblem[Model], items: Sequence[FoldItem]) -> list[FoldAnswer]:
        """Out-of-fold answers to all items."""
        answers: list[FoldAnswer] = [()] * len(items)
        for k, part in enumerate(self.split):
            self.report(f"{problem.name}, fold {k + 1} of {len(self.split)}")
            held = [items[i] for i in part]
            logs = self._logs(f"{problem.name}-fold{k}", k)
            kept = None if logs is None else logs / "answers.npz"
            if kept is not None and kept.exists():
                given = _read_answers(kept, len(held))
            else:
                others = np.setdiff1d(np.arange(len(items)), part)
                given = _answers(self._train(problem, f"fold{k}", [items[i] for i in others], k), held)
                if kept is not None:
                    _write_answers(kept, given)
            for i, answer in zip(part, given, strict=True):
                answers[i] = answer
        return answers

    def on_all(self, problem: Subproblem[Model], items: Sequence[FoldItem]) -> Model:
        """One model of everything."""
        self.report(f"{problem.name}, all {len(items)} scenarios")
        return self._train(problem, "all", items, 0)

    def _logs(self, name: str, offset: int) -> Path | None:
        s = self.schedule
        settings = f"{s.epochs}-{s.batch_size}-{s.seed + offset}"
        return None if self.folder is None else self.folder / f"{name}-{settings}"

    def _train(self, problem: Subproblem[Model], what: str, items: Sequence[FoldItem], offset: int) -> Model:
        seed = self.schedule.seed + offset
        torch.manual_seed(seed)
        order = np.random.default_rng(seed).permutation(len(items))
        held = max(1, int(VALIDATION_PART * len(items)))
        valid, train = [items[i] for i in order[:held]], [items[i] for i in order[held:]]
        model = problem.build(items[0].rows.shape[-1])
        seen = collate(train)
        model.standardise(seen.rows, seen.mask)
        task = Task(
            model, problem.loss, collate, similar_sizes(lambda item: float(np.log(item.rows.shape[-2])))
        )
        logs = self._logs(f"{problem.name}-{what}", offset)
        fit(task, train, valid, schedule=replace(self.schedule, seed=seed), folder=logs)
        return model


@torch.no_grad()
def _answers(model: Model, items: Sequence[FoldItem]) -> list[FoldAnswer]:
    out: list[FoldAnswer] = []
    for k in range(0, len(items), ANSWERED_AT_ONCE):
        some = items[k : k + ANSWERED_AT_ONCE]
        batch = collate(some)
        given = model(batch.rows, batch.mask)
        out += [_unpadded(given, b, item.rows.shape[-2]) for b, item in enumerate(some)]
    return out


def _unpadded(given: Any, b: int, count: int) -> FoldAnswer:
    """What a model says of scenario ``b`` of a batch, which has so many devices."""
    if isinstance(given, JointAnswer):
        share = given.share[b, 1 : 1 + count].exp().numpy()
        return share, given.bandwidth[b, :, 1:].exp().numpy(), *_chosen(given.choice, b, count)
    if isinstance(given, Choice):
        return _chosen(given, b, count)
    if given.dim() == 4:  # SP1: (B, N, 1 + I, E)
        return (given[b, :, 1 : 1 + count].exp().numpy(),)
    return (given[b, :, 1:].exp().numpy(),)


def _chosen(choice: Choice, b: int, count: int) -> FoldAnswer:
    classes = choice.joint[b, :count].argmax(-1).numpy()
    factored = factored_classes(choice)[b, :count].numpy()
    return classes, torch.sigmoid(choice.offload[b, :count]).numpy(), factored


def _write_answers(file: Path, answers: Sequence[FoldAnswer]) -> None:
    packed = io.BytesIO()
    arrays = {f"{i}-{part}": array for i, answer in enumerate(answers) for part, array in enumerate(answer)}
    np.savez(packed, **arrays)
    write_atomically(file, packed.getvalue())


def _read_answers(file: Path, count: int) -> list[FoldAnswer]:
    with np.load(file, allow_pickle=False) as arrays:
        parts = len(arrays.files) // count
        return [tuple(arrays[f"{i}-{part}"] for part in range(parts)) for i in range(count)]
