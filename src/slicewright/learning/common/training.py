"""Training with Lightning: seeds, early stopping, checkpoint and resume, progress, CSV and TensorBoard logs.

Torch and Lightning take seconds to import: import this module inside functions.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from slicewright.learning.common.batching import similar_batches

Model = TypeVar("Model", bound=nn.Module)
Item = TypeVar("Item")
Batch = TypeVar("Batch")
VALID = "valid_loss"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        epochs: at most so many passes.
        batch_size: scenarios per step.
        learning_rate: peak of a one-cycle schedule of Adam.
        patience: epochs without a better validation loss before training stops.
        seed: of weights, batches and everything random.
        accelerator: a Lightning accelerator: ``cpu``, ``gpu``, ``mps``, ``auto``.
    """

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 3e-3
    patience: int = 8
    seed: int = 0
    accelerator: str = "cpu"


@dataclass(frozen=True)
class LossHistory:
    """Losses by epoch, and the epoch whose weights were kept."""

    train: tuple[float, ...] = ()
    valid: tuple[float, ...] = ()
    best_epoch: int = -1


@dataclass
class Task(Generic[Model, Item, Batch]):
    """Something to learn.

    Attributes:
        model: trained in place.
        loss: of a batch.
        collate: items to a batch.
        key: of an item; a batch holds items of similar keys (see ``batching.similar_batches``).
    """

    model: Model
    loss: Callable[[Model, Batch], Tensor]
    collate: Callable[[list[Item]], Batch]
    key: Callable[[Item], float]


class _Items(Dataset[Item]):
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Item:
        return self.items[index]


class _SimilarSizes(Sampler[list[int]]):
    """Batches of similar sizes, another order every epoch, the same for the same seed and epoch."""

    def __init__(self, keys: Sequence[float], batch_size: int, seed: int) -> None:
        self.keys, self.batch_size, self.seed, self.epoch = keys, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch, so that a resumed run continues the same orders."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.keys) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        return similar_batches(self.keys, self.batch_size, seed=self.seed * 1_000_003 + self.epoch)


class _Learner(lightning.LightningModule):
    def __init__(self, task: Task[Any, Any, Any], schedule: Schedule, steps: int) -> None:
        super().__init__()
        self.model, self._loss, self._schedule, self._steps = task.model, task.loss, schedule, steps

    def training_step(self, batch: Any, index: int) -> Tensor:
        loss = self._loss(self.model, batch)
        self.log("train_loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=1)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log(VALID, self._loss(self.model, batch), prog_bar=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self._schedule.learning_rate, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self._schedule.learning_rate, total_steps=max(self._steps, 2), pct_start=0.15
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


@dataclass
class _Best(Callback):
    """Keeps the weights with the best validation loss, across interruptions too."""

    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    epoch: int = -1
    weights: dict[str, Tensor] = field(default_factory=dict)

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        loss = float(trainer.callback_metrics[VALID])
        if trainer.sanity_checking:
            return
        if not self.valid or loss < min(self.valid):
            self.epoch = len(self.valid)
            self.weights = copy.deepcopy(pl_module.model.state_dict())
        self.valid.append(loss)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.train.append(float(trainer.callback_metrics["train_loss"]))

    def state_dict(self) -> dict[str, Any]:
        return {"train": self.train, "valid": self.valid, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)


@dataclass
class _Tell(Callback):
    """Says how far training is, once per epoch."""

    report: Callable[[str], None]

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        loss = float(trainer.callback_metrics[VALID])
        self.report(f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}, validation loss {loss:.4f}")


def fit(
    task: Task[Model, Item, Batch],
    train: Sequence[Item],
    valid: Sequence[Item],
    *,
    schedule: Schedule,
    folder: Path | None = None,
    report: Callable[[str], None] | None = None,
) -> LossHistory:
    """Train a model in place and leave it with its best weights.

    Args:
        task: model, loss and batching.
        train, valid: items; validation chooses the epoch.
        schedule: how long.
        folder: for logs and checkpoints; a run that was interrupted there continues where it stopped.
        report: told of every epoch.
    """
    lightning.seed_everything(schedule.seed, verbose=False)
    sampler = _SimilarSizes([task.key(x) for x in train], schedule.batch_size, schedule.seed)
    steps = len(sampler) * schedule.epochs
    best = _Best()
    callbacks: list[Callback] = [best, EarlyStopping(VALID, patience=schedule.patience)]
    if report is not None:
        callbacks.append(_Tell(report))
    if folder is not None:
        callbacks.append(ModelCheckpoint(folder / "checkpoints", save_last=True, save_top_k=0))
    last = None if folder is None else folder / "checkpoints" / "last.ckpt"
    with _quiet():
        trainer = lightning.Trainer(
            max_epochs=schedule.epochs,
            accelerator=schedule.accelerator,
            devices=1,
            callbacks=callbacks,
            logger=_loggers(folder),
            enable_checkpointing=folder is not None,
            enable_progress_bar=False,
            enable_model_summary=False,
            gradient_clip_val=1.0,
            num_sanity_val_steps=0,
            log_every_n_steps=max(1, len(sampler)),
            deterministic=True,
        )
        trainer.fit(
            _Learner(task, schedule, steps),
            DataLoader(_Items(train), batch_sampler=sampler, collate_fn=task.collate),
            DataLoader(
                _Items(valid),
                batch_sampler=_SimilarSizes([task.key(x) for x in valid], schedule.batch_size, 0),
                collate_fn=task.collate,
            ),
            ckpt_path=str(last) if last is not None and last.exists() else None,
            weights_only=True,
        )
    if best.weights:
        task.model.load_state_dict(best.weights)
    task.model.cpu().eval()
    return LossHistory(tuple(best.train), tuple(best.valid), best.epoch)


def _loggers(folder: Path | None) -> list[Any]:
    if folder is None:
        return []
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    return [
        CSVLogger(folder, name="csv", version=""),
        TensorBoardLogger(folder, name="tensorboard", version=""),
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's advice about workers, loggers and services; its errors still come through."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)
