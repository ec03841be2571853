"""Placement, Table III, and how far its figures depend on ties among labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import Measured, protocol, table
from slicewright.evaluation.reproduction.engine.published_numbers import NAMES, PLACEMENT, PLACEMENT_COLUMNS
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.folds import (
    Wanted,
    cross_validated,
    cross_validation_core_s,
    over_folds,
    over_seeds,
)
from slicewright.evaluation.reproduction.placement.labels import (
    labels_core_s,
    proven_labels,
    training_runs,
    unproven_gaps,
)
from slicewright.evaluation.reproduction.placement.networks import label_of

if TYPE_CHECKING:
    from slicewright.learning.placement.solved_runs import Run

COMPARED = ("gnn", "gnn-own", "mlp", "dt", "queue")
ONE = 1.005
"""Different answers per ingress below which a model counts as one that gives one answer."""
NEAR = 0.02
"""Accuracy below the published one that still counts as reached."""


def wanted(scale: Scale) -> list[Wanted]:
    """What the table compares, every seed."""
    return [Wanted(name, seeds=scale.seeds) for name in COMPARED]


def labels_note(runs: list[Run], gaps: Sequence[float]) -> str:
    """How good the labels are that were learned; ``gaps`` of those without a proof, as parts of the optimum."""
    proven = [run.proven for run in runs]
    tasks = [run.tasks.n_tasks for run in runs]
    unproven = [count for count, sure in zip(tasks, proven, strict=True) if not sure]
    return (
        f"{len(runs)} runs of {min(tasks)} to {max(tasks)} tasks, {sum(tasks):,} tasks. Labels are proven optimal in "
        f"{100 * np.mean(proven):.0f} % of the runs"
        + (
            f"; the others, of {min(unproven)} tasks and more, are the best placement known when the time for the "
            f"proof was over, at most {100 * np.mean(gaps):.2f} % above the optimum on average and "
            f"{100 * max(gaps):.2f} % at worst"
            if unproven
            else ""
        )
        + ". Equally good labels are made one by a fixed rule."
    )


def protocol_of(shop: Workshop, runs: list[Run]) -> Measured:
    """What was done, for the report's line of every item that trains."""
    scale = shop.scale
    return protocol(
        runs=len(runs),
        tasks=sum(run.tasks.n_tasks for run in runs),
        folds=scale.placement_folds,
        epochs=scale.placement_epochs,
        seeds=scale.seeds,
    ) | {"labels proven": proven_labels(shop)}


def _measure(shop: Workshop) -> Measured:
    runs = training_runs(shop)
    facts: Measured = {
        **cross_validated(shop, wanted(shop.scale)),
        "ceiling": one_answer_ceiling(runs),
    }
    rows: list[list[str | float | None]] = []
    for name in COMPARED:
        if name in PLACEMENT:
            accuracy, precision, recall, f1 = PLACEMENT[name]
            rows.append(
                [f"{NAMES[name]}, published", accuracy, None, precision, recall, f1, None, None, None]
            )
        scores = facts[Wanted(name).key]
        low, high = over_seeds(scores, "accuracy")
        macro, weighted = PLACEMENT_COLUMNS[1:], ("weighted_precision", "weighted_f1")
        rows.append(
            [
                label_of(name),
                cell(scores, "accuracy"),
                f"{low:.3f} to {high:.3f}",
                *(cell(scores, figure) for figure in (*macro, *weighted, "tie_aware")),
            ]
        )
    columns = [
        "model", "accuracy", "of seeds", "macro precision", "macro recall", "macro F1", "weighted precision",
        "weighted F1", "tie-aware accuracy",
    ]  # fmt: skip
    notes = [labels_note(runs, unproven_gaps(shop)), _averages_note()]
    return {
        "table": table(columns, rows), "facts": facts, "notes": notes, "protocol": protocol_of(shop, runs),
    }  # fmt: skip


def one_answer_ceiling(runs: Sequence[Run]) -> float:
    """Share of tasks with the label that is most frequent at their ingress in their run."""
    right = placed = 0
    for run in runs:
        for ingress in np.unique(run.tasks.access_point):
            labels = run.choice[(run.tasks.access_point == ingress) & (run.choice >= 0)]
            placed += labels.size
            right += int(np.bincount(labels).max()) if labels.size else 0
    return right / placed


def _averages_note() -> str:
    same = [NAMES[name] for name, row in PLACEMENT.items() if row[2] == row[0]]
    return (
        "Ours: mean over folds and seeds, ± half a 90 % interval over folds; macro averages over the classes that "
        f"occur. The publication's macro recall equals its accuracy for {', '.join(same)}: that is an identity of the "
        "weighted average, so its columns are to be compared with the weighted ones, whose recall is the accuracy."
    )


def _judge(data: Measured) -> Verdict:
    facts = data["facts"]
    mean = {name: over_folds(facts[Wanted(name).key], "accuracy").mean for name in COMPARED}
    order = [mean["gnn"] > mean["mlp"], mean["mlp"] > mean["dt"]]
    reached = [mean[name] >= PLACEMENT[name][0] - NEAR for name in PLACEMENT]
    scores = facts[Wanted("gnn").key]
    answers, ingresses = (float(np.sum(scores[name])) for name in ("answers", "ingresses"))
    each, ceiling = answers / ingresses, facts["ceiling"]
    bounded = each < ONE and ceiling < PLACEMENT["gnn"][0] - NEAR
    return Verdict(
        holds([*order, *reached]),
        ", ".join(f"{NAMES[name]} {cell(facts[Wanted(name).key], 'accuracy')}" for name in PLACEMENT)
        + f" (published {', '.join(f'{row[0]:.4f}' for row in PLACEMENT.values())}); "
        f"{label_of('gnn-own')} {cell(facts[Wanted('gnn-own').key], 'accuracy')}",
        f"As published the GNN gives the tasks of an ingress {each:.2f} different answers on average and is "
        f"{_beside(mean['gnn'], mean['mlp'])} the MLP; with a transform of a task's own features it is "
        f"{_beside(mean['gnn-own'], mean['mlp'])} it."
        + (
            f" One answer per ingress can be right for {100 * ceiling:.1f} % of the tasks at most, so that no training "
            f"of it reaches {PLACEMENT['gnn'][0]:.4f}."
            if bounded
            else ""
        ),
        settled=bounded,
    )


def _beside(one: float, other: float) -> str:
    return f"{100 * abs(one - other):.1f} points {'above' if one >= other else 'below'}"


def _measure_ties(shop: Workshop) -> Measured:
    facts = shop.data_of("table3")["facts"]
    names = COMPARED
    rows: list[list[str | float | None]] = [
        [label_of(name), *(cell(facts[Wanted(name).key], f) for f in ("accuracy", "tie_aware"))]
        for name in names
    ]
    runs = training_runs(shop)
    equal = np.concatenate([run.keeps.sum(axis=1)[run.choice >= 0] for run in runs])
    kept = {name: facts[Wanted(name).key] for name in names}
    return {
        "table": table(["model", "accuracy against the label", "any class that keeps the optimum"], rows),
        "facts": {"scores": kept, "tied": float((equal > 1).mean()), "classes": float(equal.mean())},
        "notes": [labels_note(runs, unproven_gaps(shop))],
        "protocol": protocol_of(shop, runs),
    }


def _judge_ties(data: Measured) -> Verdict:
    f = data["facts"]
    gain = {
        name: over_folds(scores, "tie_aware").mean - over_folds(scores, "accuracy").mean
        for name, scores in f["scores"].items()
    }
    least, most = min(gain, key=lambda n: gain[n]), max(gain, key=lambda n: gain[n])
    return Verdict(
        "finding",
        f"{100 * f['tied']:.0f} % of tasks have several optimal classes, {f['classes']:.1f} on average; "
        f"counting any of "
        f"them as right adds {100 * gain[least]:.1f} points ({label_of(least)}) to {100 * gain[most]:.1f} "
        f"({label_of(most)})",
        "Hop counts tie, so a solver's label is one of many and depends on the solver. Accuracy needs a "
        "stated tie-break or a tie-aware count; the publication has neither.",
    )


def cell(scores: Mapping[str, list[list[float]]], figure: str) -> str:
    """A figure as tables print it: mean and half a 90 % interval over folds."""
    e = over_folds(scores, figure)
    return f"{e.mean:.4f} ± {e.half:.4f}"


ITEMS = (
    Item(
        "table3",
        "Table III: accuracy of the placement models",
        "GNN 0.9244, MLP 0.7625, DT 0.7016; the GNN leads on accuracy, precision, recall and F1.",
        _measure,
        _judge,
        lambda s: labels_core_s(s) + cross_validation_core_s(s, wanted(s)),
        trained=True,
        revision=4,
    ),
)
TIES = Item(
    "ties",
    "Finding: accuracy against ties",
    "Accuracy against the solver's label.",
    _measure_ties,
    _judge_ties,
    lambda s: 0.01 * s.placement_runs,
    uses=("table3",),
    revision=3,
)
