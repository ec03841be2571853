"""What learning is for, judged again: the costs of the committed report, by the code as it is now.

Tuning and training are not repeated: margins and weights are those of ``reproduction/mismatch/data.json``. Prints how
many costs are the same to the last bit, and writes into the report at which commit and on which machine that was. Of
the drift, what has no weights is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._mismatch_report import FOLDER, Results, write_report
from benchmarks._mismatch_world import KINDS, Kind, Planner, corrected_for, trusting
from benchmarks.mismatch import DRIFT, SCALES, costs_of, kinds_of_drift, planners_of
from slicewright.errors import InvalidOptionError
from slicewright.evaluation.reproduction.engine.origin import origin
from slicewright.files.documents import read_document


@dataclass(frozen=True)
class Again:
    """Costs that were judged again.

    Attributes:
        costs: how many.
        same: of these, to the last bit.
        off: the largest difference of a mean over networks, relative.
    """

    costs: int
    same: int
    off: float


def main(scale: str) -> None:
    """Judge the first networks of every row, or all of them, and say so in the report."""
    written = dict(read_document(FOLDER / "data.json", InvalidOptionError))
    of_scale, results = str(written["scale"]), dict(written["results"])
    size = SCALES[of_scale]
    networks = size.test if scale == "full" else 2
    told = origin(
        f"python -m benchmarks mismatch_again --scale {scale}", jobs=1
    )  # the checkout may change meanwhile
    found = judged_again(results, networks, size.horizon_s)
    print(_told(found, networks))
    checked = {"origin": told, "networks": networks, **vars(found)}
    write_report(of_scale, results, size.test, size.train, checked=checked)


def smoke() -> None:
    """One network of two rows; no report."""
    results = dict(read_document(FOLDER / "data.json", InvalidOptionError)["results"])
    few = {kind.name: results[kind.name] for kind in KINDS[:2]}
    print(_told(judged_again(few, 1, 700.0), 1))


def judged_again(results: Results, networks: int, horizon_s: float) -> Again:
    """The first ``networks`` of every planner of every row."""
    costs, same, off = 0, 0, 0.0
    for kind, planner, before in _rows(results):
        now, then = costs_of(kind, planner, 0, networks, horizon_s), np.array(before[:networks])
        costs, same = costs + now.size, same + int((now == then).sum())
        off = max(off, abs(float(now.mean() / then.mean()) - 1.0))
    return Again(costs, same, off)


def _rows(results: Results) -> Iterator[tuple[Kind, Planner, list[float]]]:
    """Kind, planner and what its plans cost, for every row that is there."""
    for kind in KINDS:
        if (result := results.get(kind.name)) is not None:
            for name, planner in planners_of(result["margin"], result["weights"]).items():
                yield kind, planner, result["cost_s"][name]
    if (drift := results.get(DRIFT)) is not None:
        yield from _rows_of_drift(drift["cost_s"])


def _rows_of_drift(costs: dict[str, Any]) -> Iterator[tuple[Kind, Planner, list[float]]]:
    kinds = kinds_of_drift()
    for k, kind in enumerate(kinds):
        last = kinds[max(k - 1, 0)]
        yield kind, trusting, costs["trusting"][k]
        yield kind, corrected_for(kinds[0].settings), costs["corrected, as at first"][k]
        yield kind, corrected_for(last.settings), costs["corrected, last period's bursts"][k]


def _told(found: Again, networks: int) -> str:
    return (
        f"{found.costs} costs judged again, on the first {networks} networks of every row: {found.same} the same to "
        f"the last bit; means are {100 * found.off:.2g} % off at most"
    )
