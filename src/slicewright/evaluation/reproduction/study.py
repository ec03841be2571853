"""Runs items, skips what is done, and writes the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from slicewright.errors import UnknownNameError
from slicewright.evaluation.reproduction.engine.item import Item, Outcome, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.scale import SCALES, at_least
from slicewright.evaluation.reproduction.engine.workshop import Record, Workshop
from slicewright.evaluation.reproduction.report.report import write_report

STUDIES: dict[str, tuple[str, ...]] = {
    "slicing": (
        "tables", "head_readings", "decision_times", "costs", "findings", "sensitivity", "why.variants", "why.shares",
        "why.decisions", "why.mec", "beyond.regimes", "beyond.label_costs", "beyond.footprint",
    ),
    "placement": ("tables", "decision_times", "gain_figures", "shares", "usage", "small_node", "graphs"),
}  # fmt: skip
"""Modules of each publication's items, in the order of the report."""
SMALL = ("tiny", "smoke", "quick")
"""Scales whose trainings cannot refute a claim about trained models."""


def items_of(study: str) -> list[Item]:
    """The items of a publication, in the order of the report.

    Raises:
        UnknownNameError: no such study.
    """
    if study not in STUDIES:
        raise UnknownNameError("study", study, STUDIES)
    room = f"slicewright.evaluation.reproduction.{study}"
    return [item for module in STUDIES[study] for item in import_module(f"{room}.{module}").ITEMS]


def chosen_items(study: str, only: Sequence[str], *, scale: str | None = None) -> list[Item]:
    """The named items with those whose data they use; all that a scale includes if none is named.

    Raises:
        UnknownNameError: no such item.
    """
    items = {item.name: item for item in items_of(study)}
    included = {name for name, item in items.items() if scale is None or at_least(scale, item.least)}
    wanted = set(only) or included
    for name in only:
        if name not in items:
            raise UnknownNameError("item", name, items)
    for item in reversed(items.values()):
        if item.name in wanted:
            wanted |= set(item.uses)
    return [item for item in items.values() if item.name in wanted]


def verdict(item: Item, data: Measured, scale: str) -> Verdict:
    """The item's own judgement, left open where it is against trained models that were hardly trained.

    Unless a bound settles it, whatever the training.
    """
    judged = item.judge(data)
    if item.trained and scale in SMALL and judged.holds in ("no", "partly") and not judged.settled:
        return replace(judged, holds="open")
    return judged


def record_of(item: Item, shop: Workshop, *, smaller: bool = False) -> Record | None:
    """What is stored of an item; nothing if the data that it was made of have been measured at another scale since.

    Args:
        item: the item.
        shop: where it is stored.
        smaller: take what was measured at a smaller scale than the workshop's, too.
    """
    found = shop.record(item.name, item.revision, smaller=smaller)
    if found is None or not item.uses:
        return found
    return found if found.scale == _scale_of_sources(item, shop) else None


def _scale_of_sources(item: Item, shop: Workshop) -> str:
    """The smallest scale among the data that an item is made of; the workshop's own without any."""
    scales = [shop.scale_of(name) for name in item.uses]
    return min(scales, key=list(SCALES).index) if scales else shop.scale.name


def expected_core_s(item: Item, shop: Workshop) -> float:
    """s of one processor that an item will take: as measured here at whatever scale, else as its author measured.

    What was measured at another scale is scaled by the ratio of the author's figures.
    """
    expected = item.work(shop.scale)
    measured = shop.measured_core_s(item.name)
    if measured is None:
        return expected
    scale, core_s = measured
    return core_s * expected / max(item.work(SCALES[scale]), 1e-9)


def reproduce(
    study: str,
    shop: Workshop,
    *,
    only: Sequence[str] = (),
    on_item: Callable[[Item, bool], None] = lambda item, stored: None,
) -> Path:
    """Measure what is not yet measured and write the report of everything that is.

    Args:
        study: ``slicing`` or ``placement``.
        shop: scale, folders and cores.
        only: names of items; all by default.
        on_item: called before each item, told whether its data are already there.

    Returns:
        The report's HTML page.

    Raises:
        UnknownNameError: no such study or item.
    """
    chosen = {item.name for item in chosen_items(study, only, scale=shop.scale.name)}
    outcomes = []
    fresh: set[str] = set()
    for item in items_of(study):
        asked = item.name in chosen
        found = record_of(item, shop, smaller=not asked) if fresh.isdisjoint(item.uses) else None
        if asked:
            on_item(item, found is not None)
            if found is None:
                _measure(item, shop)
                fresh.add(item.name)
                found = record_of(item, shop)
        if found is not None:
            outcomes.append(Outcome(item, found, verdict(item, found.data, found.scale)))
    return write_report(study, shop, outcomes)


def _measure(item: Item, shop: Workshop) -> None:
    """Measure an item and store what came out."""
    began = time.perf_counter()
    shop.spent.start()
    data = item.measure(shop)
    shop.store(
        item.name, item.revision, data, time.perf_counter() - began, scale=_scale_of_sources(item, shop)
    )
