"""Slicing: what labels are worth: cost of plans against their number, with labels, without, and with both."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, curve, panel, protocol, table
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.methods import optima, scenarios
from slicewright.evaluation.reproduction.slicing.models import drawn, serving, trained_by
from slicewright.evaluation.reproduction.slicing.readings import read
from slicewright.models.slicing.session import load_model

Way: TypeAlias = Literal["supervised", "self-supervised", "both"]
DEVICES = (10, 30, 50)
PASSES = 4
"""Every training takes as many steps as this many passes over the unlabelled scenarios."""
MOST_EPOCHS = 60
TITLES: dict[Way, tuple[str, str]] = {
    "supervised": ("labels alone", "bipartite"),
    "self-supervised": ("no labels: the expected cost", "bipartite-free"),
    "both": ("labels, then the expected cost without labels", "bipartite-both"),
}


def _measure(shop: Workshop) -> Measured:
    scale = shop.scale
    jobs: list[tuple[Way, int]] = [("self-supervised", 0)]
    jobs += [(way, n) for n in scale.label_counts for way in ("supervised", "both")]
    shop.report(f"{len(jobs)} trainings")
    root = shop.work / "models" / trained_by() / "label-counts"
    folders = [root / f"{way}-{n}-{shop.seed}" for way, n in jobs]
    shop.separately(
        _train, [(folder, *job, scale, shop.seed) for folder, job in zip(folders, jobs, strict=True)]
    )
    problems = [p for i in DEVICES for p in scenarios(shop, i, {})]
    best = [p.cost_s for i in DEVICES for p in optima(shop, i, {})]
    found: dict[tuple[Way, int], Estimate] = {}
    for job, folder in zip(jobs, folders, strict=True):
        with serving(folder):
            model = load_model("bipartite")
        costs = [read(model, p, "argmax").cost_s for p in problems]
        found[job] = estimate([100 * (c / b - 1) for c, b in zip(costs, best, strict=True)])
    label_s = _label_s(scale)
    none = found["self-supervised", 0]
    curves = [
        curve(TITLES[way][0], TITLES[way][1], scale.label_counts, [found[way, n] for n in scale.label_counts])
        for way in ("supervised", "both")
    ]
    flat = [none] * len(scale.label_counts)
    curves.append(curve(TITLES["self-supervised"][0], TITLES["self-supervised"][1], scale.label_counts, flat))
    panels = [
        panel("size-free network by argmax", "labels", "above the optimum in %", curves, log=True, log_x=True)
    ]
    rows: list[list[str | float | None]] = [
        [TITLES[way][0], n, f"{e.mean:.3f} ± {e.half:.3f}", f"{n * label_s:.1f}"]
        for (way, n), e in sorted(found.items(), key=lambda item: item[0][1])
    ]
    columns = ["trained on", "labels", "above the optimum, %", "labels cost, s of one processor"]
    facts = {f"{way} {n}": e.mean for (way, n), e in found.items()}
    notes = [
        f"Every training takes about as many steps: {PASSES} passes over {scale.unlabelled:,} scenarios, at most "
        f"{MOST_EPOCHS} over the labelled ones. The expected cost is the relaxed cost of soft decisions, which "
        f"needs no "
        f"label. Both: half of the steps on labels, half on the cost. A label takes {1e3 * label_s:.1f} ms of "
        f"one processor."
    ]
    done = protocol(runs=scale.runs, labels=max(scale.label_counts), seeds=1)
    return {
        "panels": panels,
        "table": table(columns, rows),
        "facts": {**facts, "counts": list(scale.label_counts), "label_s": label_s},
        "protocol": {**done, "unlabelled": scale.unlabelled},
        "notes": notes,
    }


def _label_s(scale: Scale) -> float:
    """s of one processor per label."""
    from slicewright.learning.slicing.solved_scenarios import solve

    few = [drawn(k, {}) for k in range(max(4, scale.few))]
    solve(few[:1], jobs=1)
    began = time.process_time()
    solve(few, jobs=1)
    return (time.process_time() - began) / len(few)


def _train(folder: Path, way: Way, labels: int, scale: Scale, seed: int) -> None:
    """One network; runs in a process of its own, and does nothing if it is there."""
    if (folder / "bipartite.json").exists():
        return
    import torch

    from slicewright.learning.common.model_files import write_model
    from slicewright.learning.common.training import Schedule
    from slicewright.learning.slicing.recipes import trained_model
    from slicewright.learning.slicing.size_free.unlabelled import train_on, unlabelled
    from slicewright.learning.slicing.solved_scenarios import solve

    torch.set_num_threads(1)
    steps = PASSES * scale.unlabelled
    taught = steps if way == "supervised" else steps // 2
    schedule = Schedule(epochs=1, batch_size=32, learning_rate=5e-3, seed=seed, patience=MOST_EPOCHS)
    labelled = solve([drawn(k, {}) for k in range(labels)], jobs=1)
    free = [] if way == "supervised" else [unlabelled(drawn(k, {})) for k in range(scale.unlabelled)]
    epochs = int(np.clip(taught // max(labels, 1), 1, MOST_EPOCHS))
    network = train_on(
        labelled,
        free,
        imitate=replace(schedule, epochs=epochs),
        descend=replace(schedule, epochs=PASSES if way == "self-supervised" else PASSES // 2),
    )
    data = {"labels": labels, "unlabelled": len(free)}
    training = {"way": way, "scale": scale.name, "seed": seed}
    write_model(trained_model("bipartite", network, labelled or free, data=data, training=training), folder)


def _judge(data: Measured) -> Verdict:
    facts = data["facts"]
    counts = facts["counts"]
    none, most = facts["self-supervised 0"], counts[-1]
    worth = next((n for n in counts if facts[f"supervised {n}"] <= none), None)
    helped = [n for n in counts if facts[f"both {n}"] < min(none, facts[f"supervised {n}"])]
    return Verdict(
        "finding",
        f"{none:.2g} % above the optimum without any label, {facts[f'supervised {most}']:.2g} % with {most:,} "
        f"labels alone, "
        f"{facts[f'both {most}']:.2g} % with both",
        (
            f"It takes {worth:,} labels, {worth * facts['label_s']:.1f} s of one processor, to be as good as training "
            "without any. "
            if worth
            else f"Training without labels beats {most:,} labels. "
        )
        + f"Labels and the expected cost together beat either alone at {len(helped)} of {len(counts)} numbers of "
        "labels.",
    )


ITEMS = (
    Item(
        "labels-needed",
        "Beyond: cost against the number of labels, with and without",
        "Future work: semi-supervised or self-supervised learning could reduce the need for labels.",
        _measure,
        _judge,
        lambda s: (
            (2 * len(s.label_counts) + 1) * PASSES * s.unlabelled * 0.004
            + 2 * sum(s.label_counts) * 0.006
            + 3 * s.runs * 0.1
        ),
        trained=True,
        least="quick",
    ),
)
