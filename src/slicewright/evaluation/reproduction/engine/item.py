"""What is reproduced: an item measures, and judges what it measured against the publication."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Record, Workshop

if TYPE_CHECKING:
    import numpy as np

Holds: TypeAlias = Literal["yes", "no", "partly", "open", "finding"]


@dataclass(frozen=True)
class Verdict:
    """What came out.

    Attributes:
        holds: whether the published claim does; ``open`` where trainings are too small to tell, ``finding`` where the
            publication claims nothing.
        ours: our value in a few words, with its interval where it has one.
        why: a few sentences.
        settled: whether a bound shows it that larger trainings cannot change.
    """

    holds: Holds
    ours: str
    why: str
    settled: bool = False


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
        least: smallest scale that includes the item; named by itself it is measured at any.
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
    least: str = "tiny"
    revision: int = 1


def holds(conditions: Iterable[bool | np.bool_]) -> Holds:
    """``yes`` if all hold, ``partly`` if some do, else ``no``."""
    each = [bool(c) for c in conditions]
    return "yes" if all(each) else ("partly" if any(each) else "no")


@dataclass(frozen=True)
class Outcome:
    """An item with what was measured.

    Attributes:
        item: what it is.
        record: the measurement and where it comes from.
        verdict: ours beside the publication.
    """

    item: Item
    record: Record
    verdict: Verdict

    @property
    def data(self) -> Measured:
        """Measured document."""
        return self.record.data
