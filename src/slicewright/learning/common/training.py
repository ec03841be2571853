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
from lightning.pytorch.callbacks import Callback, Checkpoint, EarlyStopping
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from slicewright.learning.common.batching import Batches, Order

Model = TypeVar("Model", bound=nn.Module)
Item = TypeVar("Item")
Batch = TypeVar("Batch")
CHECKPOINT = Path("checkpoints", "last.ckpt")
TRAIN, VALID = "train_loss", "valid_loss"


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
    """Losses by epoch, and the epoch whose weights were kept; without validation -1, for the last."""

    train: tuple[float, ...] = ()
    valid: tuple[float, ...] = ()
    best_epoch: int = -1


@dataclass(frozen=True)
class Optimiser:
    """What moves the weights.

    Attributes:
        adam: Adam, or a variant of it.
        rate: of the learning rate, if it changes with every step.
    """

    adam: torch.optim.Optimizer
    rate: torch.optim.lr_scheduler.LRScheduler | None = None


def one_cycle(model: nn.Module, learning_rate: float, steps: int) -> Optimiser:
    """AdamW whose learning rate rises to its peak within 15 % of the steps, and falls from there."""
    adam = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=1e-4)
    return Optimiser(
        adam,
        torch.optim.lr_scheduler.OneCycleLR(adam, learning_rate, total_steps=max(steps, 2), pct_start=0.15),
    )


@dataclass
class Task(Generic[Model, Item, Batch]):
    """Something to learn.

    Attributes:
        model: trained in place.
        loss: of a batch.
        collate: items to a batch.
        order: which items make a batch, and in which order, epoch by epoch.
        optimiser: of a model, a learning rate and a number of steps.
        largest_gradient: longer gradients are cut to this norm; None cuts none.
    """

    model: Model
    loss: Callable[[Model, Batch], Tensor]
    collate: Callable[[list[Item]], Batch]
    order: Order[Item]
    optimiser: Callable[[nn.Module, float, int], Optimiser] = one_cycle
    largest_gradient: float | None = 1.0


class _Items(Dataset[Item]):
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Item:
        return self.items[index]


class _InOrder(Sampler[list[int]]):
    """The batches of the epoch that training is at.

    Asks for the epoch when an epoch begins: what Lightning tells samplers comes too late where a run is resumed.
    """

    def __init__(self, batches: Batches, epoch: Callable[[], int]) -> None:
        self.batches, self.epoch, self.count = batches, epoch, len(batches(0))

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[list[int]]:
        return (list(batch) for batch in self.batches(self.epoch()))


class _Learner(lightning.LightningModule):
    def __init__(self, task: Task[Any, Any, Any], learning_rate: float, steps: int) -> None:
        super().__init__()
        self.model, self._task, self._rate, self._steps = task.model, task, learning_rate, steps

    def training_step(self, batch: Any, index: int) -> Tensor:
        loss = self._task.loss(self.model, batch)
        self.log(TRAIN, loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=1)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log(VALID, self._task.loss(self.model, batch), prog_bar=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        optimiser = self._task.optimiser(self.model, self._rate, self._steps)
        if optimiser.rate is None:
            return optimiser.adam
        return {
            "optimizer": optimiser.adam,
            "lr_scheduler": {"scheduler": optimiser.rate, "interval": "step"},
        }


@dataclass
class _History(Callback):
    """Keeps the losses and the weights with the best validation loss, across interruptions too."""

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
        self.train.append(float(trainer.callback_metrics[TRAIN]))

    def state_dict(self) -> dict[str, Any]:
        return {"train": self.train, "valid": self.valid, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)


@dataclass
class _Keep(Checkpoint):
    """Replaces the checkpoint after every epoch, in one step.

    Lightning's own ``ModelCheckpoint`` writes the last epoch only where it also keeps a best one.
    """

    file: Path

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        fresh = self.file.with_suffix(".new")
        trainer.save_checkpoint(fresh)
        fresh.replace(self.file)


@dataclass
class _Tell(Callback):
    """Says how far training is, once per epoch."""

    report: Callable[[str], None]

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        losses = trainer.callback_metrics
        name, loss = ("validation loss", losses[VALID]) if VALID in losses else ("loss", losses[TRAIN])
        self.report(f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}, {name} {float(loss):.4f}")


def fit(
    task: Task[Model, Item, Batch],
    train: Sequence[Item],
    valid: Sequence[Item] = (),
    *,
    schedule: Schedule,
    folder: Path | None = None,
    report: Callable[[str], None] | None = None,
) -> LossHistory:
    """Train a model in place and leave it with its best weights.

    Args:
        task: model, loss, batches and optimiser.
        train: items to learn from.
        valid: items that choose the epoch and end training when they no longer improve; without them every epoch is
            trained and the last weights stay.
        schedule: how long.
        folder: for logs and checkpoints; a run that was interrupted there continues where it stopped.
        report: told of every epoch.
    """
    lightning.seed_everything(schedule.seed, verbose=False)
    history = _History()
    callbacks: list[Callback] = [history]
    if valid:
        callbacks.append(EarlyStopping(VALID, patience=schedule.patience))
    if report is not None:
        callbacks.append(_Tell(report))
    if folder is not None:
        callbacks.append(_Keep(folder / CHECKPOINT))
    last = None if folder is None else folder / CHECKPOINT
    order = task.order(train, schedule.batch_size, schedule.seed)
    steps = len(order(0))
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
            gradient_clip_val=task.largest_gradient,
            num_sanity_val_steps=0,
            log_every_n_steps=max(1, steps),
            deterministic=True,
        )
        learned = _InOrder(order, lambda: len(history.train))
        held = _InOrder(task.order(valid, schedule.batch_size, 0), lambda: 0) if valid else None
        trainer.fit(
            _Learner(task, schedule.learning_rate, steps * schedule.epochs),
            DataLoader(_Items(train), batch_sampler=learned, collate_fn=task.collate),
            held and DataLoader(_Items(valid), batch_sampler=held, collate_fn=task.collate),
            ckpt_path=str(last) if last is not None and last.exists() else None,
            weights_only=True,
        )
    if history.weights:
        task.model.load_state_dict(history.weights)
    task.model.cpu().eval()
    return LossHistory(tuple(history.train), tuple(history.valid), history.epoch)


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
