"""Slicing: readings of DeepSets-S that the publication's text allows, and its parts taken away one by one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, protocol, table
from slicewright.evaluation.reproduction.engine.statistics import estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.folds import (
    Trial,
    cross_validated,
    fold_s,
    solved_instances,
)

BASE = "as published: one SP1 model for all slices, chained, slack"
TRIALS: Mapping[str, Trial] = MappingProxyType(
    {
        BASE: Trial("deepsets-s"),
        "one SP1 model per slice manager": Trial("deepsets-s", changes={"per_slice": True}),
        "one shared encoder, trained jointly, nothing chained": Trial("deepsets-s", joint=True),
        "no slack": Trial("deepsets"),
        "no slack, labels normalised": Trial("deepsets", changes={"normalise": True}),
        "without the binary head (lambda_bin = 0)": Trial("deepsets-s", changes={"binary": 0.0}),
        "without the heads n, a, j (lambda_fac = 0)": Trial("deepsets-s", changes={"parts": 0.0}),
        "joint head alone": Trial("deepsets-s", changes={"binary": 0.0, "parts": 0.0}),
        "heads n, a, j three times as heavy": Trial("deepsets-s", changes={"parts": 3.0}),
    }
)
SHOWN = (
    ("sp1", "mae_%", "SP1 MAE %"), ("sp1", "acc@1", "SP1 Acc@1"), ("sp1", "used_mae_%", "SP1 MAE % where used"),
    ("sp2", "acc@1", "SP2 Acc@1"), ("sp2", "r2", "SP2 R²"), ("heads", "acc", "SP3 accuracy (44)"),
    ("heads", "acc_rule", "SP3 accuracy (47)"), ("heads", "bin_joint", "local or offload (44)"),
    ("heads", "bin_head", "local or offload (45)"),
)  # fmt: skip


def _measure(shop: Workshop) -> Measured:
    instances = solved_instances(shop, count=shop.scale.question_labels)
    shop.report(f"{len(TRIALS)} variants, {shop.scale.folds} folds")
    cross_validated(shop, [TRIALS[BASE]], instances)  # what variants of the loss share with it
    found = dict(zip(TRIALS, cross_validated(shop, list(TRIALS.values()), instances), strict=True))
    rows: list[list[str | float | None]] = []
    for name, figures in found.items():
        cells = [estimate(figures[problem][figure]) for problem, figure, _ in SHOWN]
        rows.append([name, *(f"{e.mean:.4f} ± {e.half:.4f}" for e in cells)])
    facts = {
        name: {f"{problem} {figure}": figures[problem][figure] for problem, figure, _ in SHOWN}
        for name, figures in found.items()
    }
    scale = shop.scale
    done = protocol(labels=scale.question_labels, folds=scale.folds, epochs=scale.epochs, seeds=1)
    notes = [
        "All variants on the same scenarios and folds. Labels normalised: a resource that nobody uses is shared "
        "equally in "
        "the labels of training, never in those of scoring. A shared encoder cannot see the answers of its own "
        "decoders, so "
        "that variant reads requests and network state only. Variants of the loss share SP1 and SP2 with the first row."
    ]
    columns = ["variant", *(title for _, _, title in SHOWN)]
    return {"table": table(columns, rows), "facts": facts, "protocol": done, "notes": notes}


def _judge(data: Measured) -> Verdict:
    facts: Mapping[str, Mapping[str, list[float]]] = data["facts"]
    base = facts[BASE]
    changes = {
        name: {figure: estimate(np.subtract(values[figure], base[figure])) for figure in base}
        for name, values in facts.items()
        if name != BASE
    }
    real = {
        (name, figure): e
        for name, figures in changes.items()
        for figure, e in figures.items()
        if abs(e.mean) > e.half and e.half > 0 and figure.endswith(("acc", "acc@1", "acc_rule"))
    }
    largest = sorted(real, key=lambda key: -abs(real[key].mean))[:3]
    told = "; ".join(f"{name}: {figure} {real[name, figure].mean:+.3f}" for name, figure in largest)
    best = max(facts, key=lambda name: float(np.mean(facts[name]["heads acc"])))
    return Verdict(
        "finding",
        f"SP3 accuracy {np.mean(base['heads acc']):.4f} as published here, "
        f"{np.mean(facts[best]['heads acc']):.4f} at best "
        f"({best})",
        f"Changes beyond their 90 % interval, fold by fold, largest first: {told or 'none'}. "
        f"{len(real)} of {3 * len(changes)} accuracies change at all.",
    )


ITEMS = (
    Item(
        "variants",
        "Variants of DeepSets-S: per-slice models, shared encoder, normalised labels, heads taken away",
        "One SP1 model per slice manager; a shared encoder; a no-slack variant that applies normalization on "
        "the data; loss "
        "weights of 1. None of it is ablated but the slack.",
        _measure,
        _judge,
        lambda s: fold_s(s, 6, labels=s.question_labels),
        trained=True,
        least="quick",
    ),
)
