"""Training of the size-free network: decisions by labels and by cost, then prices by the bound that they prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from slicewright.learning.common.batching import similar_sizes
from slicewright.learning.common.training import Schedule, Task, fit
from slicewright.learning.slicing.batches import network_key
from slicewright.learning.slicing.networks.bipartite import Bipartite, BipartiteDesign, BipartiteLoss
from slicewright.learning.slicing.size_free.dual_loss import PricedItem
from slicewright.learning.slicing.size_free.network_items import collate_networks, network_item
from slicewright.learning.slicing.size_free.price_training import MOST_DEVICES, priced_item, train_prices
from slicewright.learning.slicing.solved_scenarios import Solved

Report = Callable[[str], None]
VALIDATION_PART = 0.05
PRICE_WIDTH = 32
"""Of the prices' head."""


def train_bipartite(
    instances: Sequence[Solved],
    imitate: Schedule,
    descend: Schedule,
    *,
    price: Schedule | None = None,
    design: BipartiteDesign | None = None,
    folder: Path | None = None,
    report: Report = lambda line: None,
) -> Bipartite:
    """Labels first, then mostly the expected cost, which needs no labels but a scale (model page 3.4); prices last.

    Args:
        instances: solved scenarios of any networks.
        imitate, descend: schedules of the two stages; the seed of the first fixes the weights and the validation part.
        price: schedule of the prices' head, on the scenarios of few enough devices; without, the network has none.
        design: widths.
        folder: for logs and checkpoints.
        report: told what is being trained.
    """
    torch.manual_seed(imitate.seed)
    design = design or BipartiteDesign()
    model = Bipartite(replace(design, price_width=PRICE_WIDTH) if price is not None else design)
    items = [network_item(x) for x in instances]
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(imitate.seed)).tolist()
    held = max(1, int(VALIDATION_PART * len(items)))
    valid, learn = [items[i] for i in order[:held]], [items[i] for i in order[held:]]
    for stage, schedule, loss in (
        ("imitate", imitate, BipartiteLoss(imitation=1.0, cost=0.0)),
        ("descend", descend, BipartiteLoss(imitation=0.05, cost=1.0)),
    ):
        report(f"{stage}: {len(learn)} scenarios, {schedule.epochs} epochs")
        task = Task(model, loss, collate_networks, similar_sizes(lambda item: network_key(item[0])))
        where = None if folder is None else folder / f"{stage}-{schedule.epochs}-{schedule.seed}"
        fit(task, learn, valid, schedule=schedule, folder=where, report=partial(_prefixed, report, stage))
    if price is not None:
        held_out, taught = _priced(instances, order[:held]), _priced(instances, order[held:])
        report(f"price: {len(taught)} scenarios, {price.epochs} epochs")
        where = None if folder is None else folder / f"price-{price.epochs}-{price.seed}"
        train_prices(
            model, taught, held_out, schedule=price, folder=where, report=partial(_prefixed, report, "price")
        )
    return model


def _priced(instances: Sequence[Solved], chosen: Sequence[int]) -> list[PricedItem]:
    """Those of the chosen instances that prices are learned on."""
    return [priced_item(instances[i]) for i in chosen if instances[i].scenario.n_devices <= MOST_DEVICES]


def _prefixed(report: Report, prefix: str, line: str) -> None:
    report(f"{prefix}: {line}")
