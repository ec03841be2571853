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
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.report.report import write_report

STUDIES: dict[str, tuple[str, ...]] = {
    "slicing": ("tables", "decision_times", "costs", "findings", "sensitivity"),
    "placement": ("tables", "shares"),
}
"""Modules of each publication's items, in the order of the report."""
SMALL = ("tiny", "smoke")
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


def chosen_items(study: str, only: Sequence[str]) -> list[Item]:
    """The named items with those whose data they use; all if none is named.

    Raises:
        UnknownNameError: no such item.
    """
    items = {item.name: item for item in items_of(study)}
    wanted = set(only) or set(items)
    for name in only:
        if name not in items:
            raise UnknownNameError("item", name, items)
    for item in reversed(items.values()):
        if item.name in wanted:
            wanted |= set(item.uses)
    return [item for item in items.values() if item.name in wanted]


def verdict(item: Item, data: Measured, scale: str) -> Verdict:
    """The item's own judgement, left open where it is against trained models that were hardly trained."""
    judged = item.judge(data)
    if item.trained and scale in SMALL and judged.holds in ("no", "partly"):
        return replace(judged, holds="open")
    return judged


def reproduce(
    study: str,
    shop: Workshop,
    *,
    only: Sequence[str] = (),
    command: str = "",
    on_item: Callable[[Item, bool], None] = lambda item, stored: None,
) -> Path:
    """Measure what is not yet measured and write the report of everything that is.

    Args:
        study: ``slicing`` or ``placement``.
        shop: scale, folders and cores.
        only: names of items; all by default.
        command: what was typed, for the manifest.
        on_item: called before each item, told whether its data are already there.

    Returns:
        The report's HTML page.

    Raises:
        UnknownNameError: no such study or item.
    """
    chosen = {item.name for item in chosen_items(study, only)}
    outcomes = []
    for item in items_of(study):
        data = shop.stored(item.name, item.revision)
        if item.name in chosen:
            on_item(item, data is not None)
            if data is None:
                began = time.perf_counter()
                data = item.measure(shop)
                shop.store(item.name, item.revision, data, time.perf_counter() - began)
        if data is not None:
            outcomes.append(
                Outcome(item, data, verdict(item, data, shop.scale.name), shop.seconds_of(item.name))
            )
    return write_report(study, shop, outcomes, command=command)
