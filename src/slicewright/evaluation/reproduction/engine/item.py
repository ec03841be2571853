"""What is reproduced: an item measures, and judges what it measured against the publication.

Measurements are plain documents with up to three parts: ``panels`` (curves to draw), ``table`` (rows to print) and
``facts`` (numbers to judge). The same document is stored, drawn, printed and judged, so nothing is measured twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from slicewright.evaluation.reproduction.engine.statistics import Estimate

if TYPE_CHECKING:
    import numpy as np

    from slicewright.evaluation.reproduction.engine.scale import Scale
    from slicewright.evaluation.reproduction.engine.workshop import Workshop

Measured: TypeAlias = dict[str, Any]
Holds: TypeAlias = Literal["yes", "no", "partly", "open", "finding"]


@dataclass(frozen=True)
class Verdict:
    """What came out.

    Attributes:
        holds: whether the published claim does; ``open`` where trainings are too small to tell, ``finding`` where the
            publication claims nothing.
        ours: our value in a few words, with its interval where it has one.
        why: at most two sentences.
    """

    holds: Holds
    ours: str
    why: str


@dataclass(frozen=True)
class Item:
    """A table, a figure or a finding.

    Attributes:
        name: for ``--only`` and file names.
        title: heading.
        published: what the publication says, in words.
        measure: the work; may ask the workshop for the data of the items that it ``uses``.
        judge: from the measured document.
        work: core-seconds at a scale, roughly.
        uses: items whose data are needed.
        trained: whether the claim is about trained models: small scales cannot refute it.
        revision: raised when ``measure`` changes, so that stored data of an older one are not taken for its own.
    """

    name: str
    title: str
    published: str
    measure: Callable[[Workshop], Measured]
    judge: Callable[[Measured], Verdict]
    work: Callable[[Scale], float]
    uses: tuple[str, ...] = ()
    trained: bool = False
    revision: int = 1


def holds(conditions: Iterable[bool | np.bool_]) -> Holds:
    """``yes`` if all hold, ``partly`` if some do, else ``no``."""
    each = [bool(c) for c in conditions]
    return "yes" if all(each) else ("partly" if any(each) else "no")


def curve(label: str, style: str, x: Sequence[float], estimates: Sequence[Estimate]) -> Measured:
    """One curve: means with the half width of their confidence interval; None where there is no mean."""
    return {
        "label": label,
        "style": style,
        "x": [float(v) for v in x],
        "mean": [e.mean if isfinite(e.mean) else None for e in estimates],
        "half": [e.half for e in estimates],
        "count": [e.count for e in estimates],
    }


def panel(
    title: str,
    x_label: str,
    y_label: str,
    curves: Sequence[Measured],
    *,
    log: bool = False,
    log_x: bool = False,
    share: bool = False,
) -> Measured:
    """Axes with curves; a ``share`` is in percent, so its axis ends at 0 and 100."""
    return {
        "title": title, "x_label": x_label, "y_label": y_label, "curves": list(curves), "log": log, "log_x": log_x,
        "share": share,
    }  # fmt: skip


def table(columns: Sequence[str], rows: Sequence[Sequence[str | float | None]]) -> Measured:
    """Rows as they are printed; the first column names them."""
    return {"columns": list(columns), "rows": [list(row) for row in rows]}
