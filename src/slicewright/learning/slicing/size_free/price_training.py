"""Training of the prices' head: the rest of the network stays as it is, so that its decisions do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from slicewright.learning.common.batching import similar_sizes
from slicewright.learning.common.training import LossHistory, Schedule, Task, fit
from slicewright.learning.slicing.batches import network_key
from slicewright.learning.slicing.networks.bipartite import Bipartite
from slicewright.learning.slicing.size_free.dual_loss import DualLoss, PricedBatch, PricedItem, collate_priced
from slicewright.learning.slicing.size_free.network_items import network_item
from slicewright.learning.slicing.solved_scenarios import Solved
from slicewright.slicing.exact.dual_function import DualFunction

MOST_DEVICES = 80
"""Prices are learned on scenarios of so many devices: whole sets take too long to look at in larger ones."""


def train_prices(
    model: Bipartite,
    learn: Sequence[PricedItem],
    valid: Sequence[PricedItem],
    *,
    schedule: Schedule,
    folder: Path | None = None,
    report: Callable[[str], None] | None = None,
) -> LossHistory:
    """Train the head on the bound that its prices prove.

    Args:
        model: with a head; trained in place.
        learn, valid: items; validation chooses the epoch.
        schedule: how long.
        folder: for logs and checkpoints.
        report: told of every epoch.
    """
    decisions = [weight for name, weight in model.named_parameters() if not name.startswith("head.")]
    for weight in decisions:
        weight.requires_grad_(False)
    try:
        task: Task[Bipartite, PricedItem, PricedBatch] = Task(
            model, DualLoss(), collate_priced, similar_sizes(lambda item: network_key(item.inputs))
        )
        return fit(task, learn, valid, schedule=schedule, folder=folder, report=report)
    finally:
        for weight in decisions:
            weight.requires_grad_(True)


def priced_item(instance: Solved) -> PricedItem:
    """A solved scenario as prices are learned on it; only its cost counts."""
    return PricedItem(*network_item(instance), DualFunction(instance.scenario))
