"""Solved runs of the published setting, kept on disk: every item learns from the same labels, solved once.

Kept by the version of the code that draws, solves and labels, and by the time that a proof may take; each file by a
process of its own, so what is interrupted goes on where it was, here or on the nodes of a cluster.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.errors import InvalidInputError
from slicewright.evaluation.reproduction.engine.code_version import code_version
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.files.documents import read_document, write_document
from slicewright.placement.certificate import search_with_bound

if TYPE_CHECKING:
    from slicewright.learning.placement.solved_runs import Run

MADE_BY = (
    *(
        f"slicewright.placement.{name}"
        for name in ("_kernels", "bound", "branching", "certificate", "exact", "judge", "problem", "search")
    ),
    "slicewright.policies.placement.methods",
    "slicewright.learning.placement.canonical_labels",
    "slicewright.learning.placement.solved_runs",
)
"""Code on which labels depend. Files and reports of placements do not make any; nor do solvers: of what they prove the
canonical label is the same, whichever it was."""
STEPS_PER_TASK = 500
"""Of the search whose bound says how far a label without proof may be from the optimum."""
RUNS_PER_FILE = 6
PROVEN = 1e-4
"""Relative gap up to which a placement counts as proven optimal, as its status has it."""
SCHEMA = "slicewright/reproduction-labels/v1"
GAPS_SCHEMA = "slicewright/reproduction-label-gaps/v1"


class InvalidLabelsError(InvalidInputError):
    """Stored labels cannot be read."""


def training_runs(shop: Workshop) -> list[Run]:
    """Solved runs of the published setting, both deadline ranges in turn."""
    folder = solve_missing(shop)
    return list(stored_runs(folder, shop.scale.placement_runs))


def solve_missing(shop: Workshop) -> Path:
    """Solve what is not there yet, in processes side by side; returns the folder of the labels."""
    proof_s = shop.scale.placement_proof_s
    folder = shop.output / "work" / "labels" / f"{code_version(*MADE_BY)}-{proof_s:g}s"
    missing = [part for part in _parts(shop.scale.placement_runs) if not _file(folder, part).exists()]
    if missing:
        shop.report(f"solving {sum(map(len, missing))} runs")
        shop.separately(_solve, [(folder, part, proof_s) for part in missing])
    return folder


def labels_core_s(scale: Scale) -> float:
    """s of one processor that solving takes, about: a fifth of the runs need all the time that a proof may take."""
    return scale.placement_runs * (1.0 + 0.25 * scale.placement_proof_s)


def proven_labels(shop: Workshop) -> str:
    """Share of the runs that models learn from whose labels are proven optimal, as a line on the protocol says it."""
    return f"{100 * np.mean([run.proven for run in training_runs(shop)]):.0f} %"


def unproven_gaps(shop: Workshop) -> list[float]:
    """How far the label of every run without a proof may be above the optimum, as a part of it.

    The bound is that of a search of fixed length, so it does not depend on what else the machine does.
    """
    labels = solve_missing(shop)
    file = labels / f"gaps-of-{shop.scale.placement_runs}.json"
    if not file.exists():
        shop.report("bounding the labels without a proof")
        runs = [run for run in stored_runs(labels, shop.scale.placement_runs) if not run.proven]
        write_document({"schema": GAPS_SCHEMA, "gaps": shop.each(_gap, runs)}, file)
    document = read_document(file, InvalidLabelsError)
    if document.get("schema") != GAPS_SCHEMA or not isinstance(document.get("gaps"), list):
        raise InvalidLabelsError(str(file), f"must hold gaps, schema {GAPS_SCHEMA}; delete it")
    return [float(gap) for gap in document["gaps"]]


def _gap(run: Run) -> float:
    found = search_with_bound(run.tasks, steps=STEPS_PER_TASK * run.tasks.n_tasks)
    return max(0.0, run.objective_bit_hops / found.lower_bound - 1.0)


@cache
def stored_runs(folder: Path, count: int) -> tuple[Run, ...]:
    """The first runs of a folder, with what follows from their labels.

    Raises:
        FileNotFoundError: some are not solved yet.
        InvalidLabelsError: a file is damaged.
    """
    from slicewright.learning.placement.solved_runs import labelled_run, paper_tasks

    runs = []
    for part in _parts(count):
        file = _file(folder, part)
        document = read_document(file, InvalidLabelsError)
        if document.get("schema") != SCHEMA or len(document.get("runs", ())) != len(part):
            raise InvalidLabelsError(str(file), f"must hold {len(part)} runs of schema {SCHEMA}; delete it")
        runs += [
            labelled_run(
                paper_tasks(seed), np.array(each["choice"], dtype=np.int64), proven=bool(each["proven"])
            )
            for seed, each in zip(part, document["runs"], strict=True)
        ]
    return tuple(runs)


def _parts(count: int) -> list[range]:
    """The seeds of each file."""
    return [range(first, min(first + RUNS_PER_FILE, count)) for first in range(0, count, RUNS_PER_FILE)]


def _file(folder: Path, seeds: range) -> Path:
    return folder / f"{seeds[0]:05d}-{seeds[-1]:05d}.json"


def _solve(folder: Path, seeds: range, proof_s: float) -> None:
    """Solve some runs and keep their labels; runs in a process of its own."""
    from slicewright.learning.placement.solved_runs import paper_tasks, solve_run

    runs = [solve_run(paper_tasks(seed), proof_s=proof_s) for seed in seeds]
    document = {
        "schema": SCHEMA, "proof_s": proof_s,
        "runs": [
            {
                "seed": seed, "proven": run.proven, "objective_bit_hops": run.objective_bit_hops,
                "choice": run.choice.tolist(),
            }
            for seed, run in zip(seeds, runs, strict=True)
        ],
    }  # fmt: skip
    write_document(document, _file(folder, seeds))
