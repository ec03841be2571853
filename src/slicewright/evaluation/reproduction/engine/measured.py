"""What an item measured, as a plain document: ``panels`` (curves to draw), ``table`` (rows) and ``facts`` (numbers).

The same document is stored, drawn, printed and judged, so nothing is measured twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, TypeAlias

from slicewright.evaluation.reproduction.engine.statistics import Estimate

Measured: TypeAlias = dict[str, Any]


def curve(
    label: str, style: str, x: Sequence[float], estimates: Sequence[Estimate], *, bounds: Sequence[bool] = ()
) -> Measured:
    """One curve: means with the half width of their confidence interval; None where there is no mean.

    Args:
        label, style: of the method.
        x, estimates: of each point.
        bounds: which points are only lower bounds, because a time limit ended what they measure; drawn open.
    """
    return {
        "label": label,
        "style": style,
        "x": [float(v) for v in x],
        "mean": [e.mean if isfinite(e.mean) else None for e in estimates],
        "half": [e.half for e in estimates],
        "count": [e.count for e in estimates],
    } | ({"bounds": [bool(b) for b in bounds]} if any(bounds) else {})


def published_line(label: str, value: float) -> Measured:
    """A published value, for the ``published`` lines of a panel."""
    return {"label": label, "value": float(value)}


def panel(
    title: str,
    x_label: str,
    y_label: str,
    curves: Sequence[Measured],
    *,
    log: bool = False,
    log_x: bool = False,
    share: bool = False,
    published: Sequence[Measured] = (),
    ticks: Sequence[str] = (),
    apart: bool = False,
) -> Measured:
    """Axes with curves.

    Args:
        title, x_label, y_label: in words, with units.
        curves: of :func:`curve`.
        log, log_x: whether an axis is logarithmic.
        share: whether y is in percent, so that its axis ends at 0 and 100.
        published: horizontal lines of :func:`published_line`.
        ticks: names of the positions 0, 1, ... where x is no number.
        apart: whether curves are drawn a little beside each other, so that equal values and intervals are seen; what
            is stored and printed stays where it is.
    """
    extra: Measured = {}
    if published:
        extra["published"] = list(published)
    if ticks:
        extra["ticks"] = list(ticks)
    if apart:
        extra["apart"] = True
    return {
        "title": title, "x_label": x_label, "y_label": y_label, "curves": list(curves), "log": log, "log_x": log_x,
        "share": share,
    } | extra  # fmt: skip


def table(columns: Sequence[str], rows: Sequence[Sequence[str | float | None]]) -> Measured:
    """Rows as they are printed; the first column names them."""
    return {"columns": list(columns), "rows": [list(row) for row in rows]}


def protocol(**counts: float) -> Measured:
    """What a measurement is made of, for ``data["protocol"]``: runs, labels, folds, epochs, seeds."""
    return dict(counts)


def counts_of(data: Measured) -> Measured:
    """The protocol of a measurement: as it says itself, else how many values the points of its curves are means of."""
    if "protocol" in data:
        return dict(data["protocol"])
    counts = [n for each in data.get("panels") or [] for c in each["curves"] for n in c["count"] if n]
    if not counts:
        return {}
    few, many = min(counts), max(counts)
    return {"values per point": many if few == many else f"{few} to {many}"}
