"""Cross-validated networks: every fold is trained once, kept on disk, and shared by all items that need it.

Kept by the labels, by the version of the code that trains, and by what was asked of it. Folds are independent, so they
run side by side, here or on a cluster, and what is interrupted goes on with those that are missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from slicewright.errors import InvalidInputError
from slicewright.evaluation.reproduction.engine.code_version import code_version
from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.labels import solve_missing, stored_runs
from slicewright.evaluation.reproduction.placement.networks import trainer
from slicewright.files.documents import read_document, write_document

if TYPE_CHECKING:
    from slicewright.learning.placement.cross_validation import HeldOut

MADE_BY = (
    "slicewright.evaluation.reproduction.placement.networks",
    "slicewright.learning.common",
    "slicewright.learning.placement",
    "slicewright.models.placement",
)
"""Code on which trained networks depend, beside their labels'."""
SCHEMA = "slicewright/reproduction-fold/v1"
RUN, TASK = "run", "task"
"""What folds hold out: whole runs, or single tasks of every run."""
CORE_S = 4e-4
"""s of one processor that a classifier takes per run and epoch."""


class InvalidFoldError(InvalidInputError):
    """A stored fold cannot be read."""


class Wanted(NamedTuple):
    """A network to cross-validate.

    Attributes:
        model: its name.
        by: ``run`` or ``task``.
        seeds: trainings of every fold, each with another seed.
    """

    model: str
    by: str = RUN
    seeds: int = 1

    @property
    def key(self) -> str:
        """Name among the facts of an item."""
        return f"{self.model} by {self.by}"


@dataclass(frozen=True)
class Fold:
    """One training.

    Attributes:
        model, by: see :class:`Wanted`.
        number, parts: which fold of how many.
        seed: of weights and order.
        split: seed of the folds.
    """

    model: str
    by: str
    number: int
    parts: int
    seed: int
    split: int

    @property
    def file_name(self) -> str:
        """Of what it scored."""
        return f"{self.model}-by-{self.by}-{self.number}-of-{self.parts}-seed-{self.seed}-split-{self.split}.json"


def cross_validated(shop: Workshop, wanted: Iterable[Wanted]) -> dict[str, Measured]:
    """Scores of networks on what they did not learn, by :attr:`Wanted.key`.

    Returns:
        Of each network every figure of :class:`ClassScores` as a list over seeds of lists over folds; of folds by run
        also ``answers``, ``tasks`` and ``ingresses``: how many different answers the held-out tasks got, how many tasks
        these were, and at how many access points of how many runs.
    """
    labels, parts = solve_missing(shop), shop.scale.placement_folds
    folder = trained_folder(shop, labels) / "folds"
    asked = list(wanted)
    folds = {
        each: [
            [Fold(each.model, each.by, k, parts, shop.seed + s, shop.seed) for k in range(parts)]
            for s in range(each.seeds)
        ]
        for each in asked
    }
    every = dict.fromkeys(fold for lists in folds.values() for row in lists for fold in row)
    missing = [fold for fold in every if not (folder / fold.file_name).exists()]
    if missing:
        shop.report(f"training {len(missing)} of {len(every)} folds")
        shop.separately(_train, [(labels, shop.scale, fold, folder) for fold in missing])
    scored = {fold: _read(folder / fold.file_name) for fold in every}
    return {each.key: _gathered([[scored[fold] for fold in row] for row in folds[each]]) for each in asked}


def trained_folder(shop: Workshop, labels: Path) -> Path:
    """Where what was trained on these labels by this code at this scale is kept."""
    from slicewright.learning.placement.solved_runs import digest

    scale = shop.scale
    data = digest(stored_runs(labels, scale.placement_runs))[:8]
    protocol = f"{scale.placement_runs}-runs-{scale.placement_epochs}-epochs"
    return shop.output / "work" / "trained" / f"{protocol}-{data}-{code_version(*MADE_BY)}"


def cross_validation_core_s(scale: Scale, wanted: Sequence[Wanted]) -> float:
    """s of one processor, about."""
    count = sum(each.seeds for each in wanted) * scale.placement_folds
    return CORE_S * count * scale.placement_runs * scale.placement_epochs


def over_folds(scores: Mapping[str, Sequence[Sequence[float]]], figure: str) -> Estimate:
    """Mean with its interval over the folds, each the mean of its seeds."""
    return estimate(np.mean(np.array(scores[figure], dtype=np.float64), axis=0))


def over_seeds(scores: Mapping[str, Sequence[Sequence[float]]], figure: str) -> tuple[float, float]:
    """Lowest and highest mean of a seed."""
    means = np.mean(np.array(scores[figure], dtype=np.float64), axis=1)
    return float(means.min()), float(means.max())


def _train(labels: Path, scale: Scale, fold: Fold, folder: Path) -> None:
    """Train and score one fold; runs in a process of its own."""
    import torch

    from slicewright.learning.placement.cross_validation import fold_by_run, fold_by_task

    torch.set_num_threads(1)
    runs = stored_runs(labels, scale.placement_runs)
    began = time.process_time()
    hold_out = fold_by_run if fold.by == RUN else fold_by_task
    held = hold_out(
        runs, trainer(fold.model, runs[0], scale, fold.seed), fold.number, parts=fold.parts, seed=fold.split
    )
    document = {
        "schema": SCHEMA,
        "fold": asdict(fold),
        "core_seconds": round(time.process_time() - began, 2),
        "scores": asdict(held.scores()) | (_answers(held) if fold.by == RUN else {}),
    }
    write_document(document, folder / fold.file_name)


def _answers(held: HeldOut) -> dict[str, float]:
    """How many different answers held-out tasks of one ingress get."""
    from slicewright.learning.placement.metrics import distinct_answers

    found = [distinct_answers(held.predict(run), run.tasks.access_point) for run in held.runs]
    return {
        "answers": float(sum(sum(each.values()) for each in found)),
        "tasks": float(sum(run.tasks.n_tasks for run in held.runs)),
        "ingresses": float(sum(map(len, found))),
    }


def _read(file: Path) -> dict[str, float]:
    document = read_document(file, InvalidFoldError)
    if document.get("schema") != SCHEMA or not isinstance(document.get("scores"), dict):
        raise InvalidFoldError(str(file), f"must hold the scores of a fold, schema {SCHEMA}; delete it")
    return {name: float(value) for name, value in document["scores"].items()}


def _gathered(scored: Sequence[Sequence[Mapping[str, float]]]) -> Measured:
    return {name: [[fold[name] for fold in row] for row in scored] for name in scored[0][0]}
