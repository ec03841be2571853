"""Target 8: tables III and IV of the publication under its own protocol, with the spread over the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import slicewright as sw
from slicewright.evaluation.reproduction.engine import published_numbers as published
from slicewright.models.slicing.features import targets
from slicewright.slicing.search import iterated_search

if TYPE_CHECKING:
    from slicewright.learning.slicing.chained_training import OutOfFoldAnswers, Upstream
    from slicewright.models.slicing.features import Targets


@dataclass(frozen=True)
class Protocol:
    """How much is trained: the published protocol is 5,000 runs in 10 folds."""

    labels: int
    folds: int
    epochs: int
    batch_size: int = 64


class Row(NamedTuple):
    """A line of the table: model and what SP2 and SP3 see upstream."""

    model: str
    upstream: Upstream


ROWS = (
    Row("deepsets-s", "chained"),
    Row("deepsets", "chained"),
    Row("set-transformer-2", "chained"),
    Row("set-transformer-4", "chained"),
    Row("deepsets-s", "oracle-inputs"),
    Row("deepsets-s", "conditioned"),
)
WORK = Path("build/cross-validation")
"""Answers of finished folds: the same command continues where it was interrupted. Remove it after changing a model."""
SHARES = ("mae_%", "acc@0.5", "acc@1", "acc@2", "r2", "used_mae_%", "used_acc@1")


def own_slice_shares(scenario: sw.Scenario, rounds: int = 50) -> np.ndarray:
    """(N, I, A + J) shares of managers that each search alone, as if their slice were the only one.

    What a manager can do without learning with the same partial view as SP1's model.
    """
    out = []
    for n in range(scenario.n_slices):
        alone = scenario.with_(
            slice_cycles=scenario.slice_cycles[:, [n]],
            node_capacity_hz=scenario.node_capacity_hz[:, [n]],
            slices=(scenario.slices[n],),
        )
        out.append(targets(alone, *iterated_search(alone, rounds=rounds)).share[0])
    return np.stack(out)


def print_cross_validation(protocol: Protocol, rows: Sequence[Row] = ROWS) -> None:
    """Train and print every row; figures are mean +- standard deviation over the folds."""
    from slicewright.learning.common.training import Schedule
    from slicewright.learning.slicing.chained_training import cross_validate
    from slicewright.learning.slicing.metrics import share_errors
    from slicewright.learning.slicing.networks.published import DESIGNS
    from slicewright.learning.slicing.solved_scenarios import draw, solve

    instances = solve(draw("paper", protocol.labels))
    labels = [targets(x.scenario, x.decisions, x.shares) for x in instances]

    tables = {}
    for row in rows:
        print(f"  training {row.model}, {row.upstream}", flush=True)
        schedule = Schedule(
            epochs=protocol.epochs, batch_size=protocol.batch_size, patience=max(4, protocol.epochs // 4)
        )
        answers = cross_validate(
            instances,
            DESIGNS[row.model],
            parts=protocol.folds,
            schedule=schedule,
            upstream=row.upstream,
            folder=WORK / row.model,
        )
        tables[row] = _per_fold(answers, labels, protocol.folds)
    first = next(iter(tables.values()))
    print(
        f"\ntables III and IV: {protocol.labels} scenarios, {protocol.folds} folds, {protocol.epochs} epochs"
    )
    for part, names in (("SP1", SHARES), ("SP2", SHARES), ("SP3", ("acc", "acc_bin"))):
        print(f"\n{part}" + " " * 33 + "".join(f"{name:>18s}" for name in names))
        for row, table in tables.items():
            cells = (f"{table[part][n][0]:.4f} ± {table[part][n][1]:.4f}" for n in names)
            leak = " (leak)" if row.upstream == "oracle-inputs" else ""
            print(f"{row.model + ', ' + row.upstream + leak:36s}" + "".join(f"{cell:>18s}" for cell in cells))
        if part == "SP3":
            print(f"always the most frequent: local/offload {first[part]['most_frequent_bin'][0]:.4f}")
        else:
            if part == "SP1":
                alone = share_errors(
                    [own_slice_shares(x.scenario) for x in instances], [t.share for t in labels]
                )
                figures = "".join(f"{alone[n]:18.4f}" for n in names)
                print(f"{'no learning: each slice searched alone':36s}{figures}")
            print(
                f"predicting no share at all: MAE {first[part]['nothing_mae_%'][0]:.4f} %, "
                f"Acc@1 {first[part]['nothing_acc@1'][0]:.4f}; closed form, given the decisions: MAE 0, Acc@k 1"
            )
        print(f"published DeepSets-S: {_published(part)}")
    print("target 8: Acc@1 0.953 (SP1), 0.957 (SP2)")


def _per_fold(
    answers: OutOfFoldAnswers, labels: Sequence[Targets], folds: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean and standard deviation over the folds, by part and figure."""
    from slicewright.learning.slicing.metrics import choice_accuracy, over_folds, share_errors

    out: dict[str, list[dict[str, float]]] = {"SP1": [], "SP2": [], "SP3": []}
    for fold in range(folds):
        of = np.flatnonzero(answers.fold == fold).tolist()
        out["SP1"].append(share_errors([answers.share[i] for i in of], [labels[i].share for i in of]))
        out["SP2"].append(share_errors([answers.bandwidth[i] for i in of], [labels[i].bandwidth for i in of]))
        out["SP3"].append(choice_accuracy([answers.choice[i] for i in of], [labels[i].choice for i in of]))
    return {part: over_folds(figures) for part, figures in out.items()}


def _published(part: str) -> str:
    """Figures of DeepSets-S as printed in tables III and IV."""
    if part == "SP3":
        overall, binary = published.SP3["deepsets-s"]
        return f"{overall:.4f}, local/offload {binary:.4f}"
    rows = published.SP1 if part == "SP1" else published.SP2
    mae, half, one, two, r2 = rows["deepsets-s"]
    return f"MAE {mae:.4f} %, Acc@0.5/1/2 {half:.4f}/{one:.4f}/{two:.4f}, R2 {r2:.4f}"
