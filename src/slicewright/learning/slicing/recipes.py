"""From a model's name to its files: data, training, figures, export. One recipe per name and scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.learning.common.model_files import TrainedModel, write_model
from slicewright.learning.common.onnx_export import with_weights
from slicewright.learning.common.training import Schedule
from slicewright.learning.slicing.chained_training import train_published
from slicewright.learning.slicing.networks.bipartite import Bipartite
from slicewright.learning.slicing.networks.published import DESIGNS, PublishedModel, published_design
from slicewright.learning.slicing.onnx_graphs import bipartite_onnx, published_onnx
from slicewright.learning.slicing.scoring import decoded, most_probable, published_choices, score, test_set
from slicewright.learning.slicing.size_free.training import train_bipartite
from slicewright.learning.slicing.solved_scenarios import (
    FIRST_TEST_SEED,
    LABEL_ROUNDS,
    Solved,
    digest,
    draw,
    sizes,
    solve,
)
from slicewright.models.cards import BIPARTITE, PUBLISHED, Card

Report = Callable[[str], None]


@dataclass(frozen=True)
class TrainingScale:
    """How much to train.

    Attributes:
        paper, varied, regimes: solved scenarios of the published setting, of other networks and of every regime, for
            ``bipartite``.
        labels: solved scenarios of the published setting, for the published models.
        folds: of the published models' upstream answers.
        published: schedule of the published models.
        imitate, descend, price: schedules of ``bipartite``: labels first, then mostly the expected cost; its prices
            last, on the bound that they prove.
        tested: scenarios for the figures of the card.
    """

    paper: int
    varied: int
    regimes: int
    labels: int
    folds: int
    published: Schedule
    imitate: Schedule
    descend: Schedule
    price: Schedule
    tested: int


@dataclass(frozen=True)
class Schedules:
    """Those of the size-free network, one after the other."""

    imitate: Schedule
    descend: Schedule
    price: Schedule


def _imitation(epochs: int) -> Schedule:
    return Schedule(epochs=epochs, learning_rate=5e-3)


def _descent(epochs: int) -> Schedule:
    return Schedule(epochs=epochs, learning_rate=1e-3)


def _pricing(epochs: int) -> Schedule:
    return Schedule(epochs=epochs, learning_rate=5e-3, batch_size=32)


SCALES: Mapping[str, TrainingScale] = {
    "smoke": TrainingScale(
        paper=500, varied=100, regimes=100, labels=500, folds=2, tested=40,
        published=Schedule(epochs=10), imitate=_imitation(3), descend=_descent(1), price=_pricing(1),
    ),
    "shipped": TrainingScale(
        paper=8000, varied=3000, regimes=8000, labels=5000, folds=2, tested=200,
        published=Schedule(epochs=15, batch_size=32), imitate=_imitation(8), descend=_descent(6), price=_pricing(8),
    ),
    "full": TrainingScale(
        paper=50_000, varied=50_000, regimes=50_000, labels=50_000, folds=10, tested=1000,
        published=Schedule(epochs=30, batch_size=32, patience=12), imitate=_imitation(20), descend=_descent(20),
        price=_pricing(20),
    ),
}  # fmt: skip
MODELS = (*DESIGNS, "bipartite")


def train(
    name: str,
    folder: Path,
    *,
    scale: str = "shipped",
    instances: Sequence[Solved] | None = None,
    seed: int = 0,
    epochs: int | None = None,
    device: str = "cpu",
    report: Report = lambda line: None,
) -> Card:
    """Train a model by name and write its files.

    Args:
        name: of the model.
        folder: for ``<name>.onnx``, ``<name>.safetensors``, ``<name>.json``, and logs and checkpoints in ``runs``, from
            which the same training continues if it was interrupted.
        scale: ``smoke`` (a minute), ``shipped`` (what the package ships) or ``full``.
        instances: solved scenarios; drawn and solved here by default.
        seed: of everything random.
        epochs: overrides the scale's.
        device: a Lightning accelerator: ``cpu``, ``gpu``, ``mps`` or ``auto``.
        report: told what is happening.

    Raises:
        UnknownNameError: no such model or scale.
        InvalidOptionError: instances unfit for the model.
    """
    chosen = _scale(name, scale)
    torch.set_num_threads(1)
    data: dict[str, Any] = {"family": "given"}
    if instances is None:
        report("solving scenarios")
        instances, data = _drawn(name, chosen, seed)
    if len(instances) < 2 * chosen.folds:
        raise InvalidOptionError(
            "labels", f"must hold at least {2 * chosen.folds} feasible scenarios", value=len(instances)
        )
    data |= {"labels": len(instances), "digest": digest(instances), "test_seeds_from": FIRST_TEST_SEED}
    logs = folder / "runs" / f"{name}-{scale}-{data['digest'][:8]}"
    adapted = partial(_adapted, seed=seed, epochs=epochs, device=device)
    test = test_set(chosen.tested)
    if name == "bipartite":
        schedules = Schedules(*map(adapted, (chosen.imitate, chosen.descend, chosen.price)))
        trained = _bipartite(instances, schedules, test=test, folder=logs, report=report)
    else:
        schedule = adapted(chosen.published)
        trained = _published(
            name, instances, schedule, folds=chosen.folds, test=test, folder=logs, report=report
        )
    trained = replace(
        trained,
        data=data,
        training={"scale": scale, "seed": seed, **trained.training},
        figures={**trained.figures, "scenarios": len(test), "first_seed": FIRST_TEST_SEED},
    )
    return write_model(trained, folder)


def _scale(name: str, scale: str) -> TrainingScale:
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    if scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    return SCALES[scale]


def trained_model(
    name: str,
    network: PublishedModel | Bipartite,
    instances: Sequence[Solved],
    *,
    training: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> TrainedModel:
    """A trained network of problem one as its files will hold it.

    Args:
        name: of the files.
        network: what was trained.
        instances: what it was trained on.
        training, data, figures: of the card.
    """
    if isinstance(network, Bipartite):
        kind, onnx = BIPARTITE, bipartite_onnx(network)
    else:
        kind, onnx = PUBLISHED, published_onnx(network)
    trained = TrainedModel(
        name,
        kind,
        onnx,
        network.settings(),
        sizes(instances),
        data=data or {},
        training=training,
        figures=figures or {},
    )
    return with_weights(trained, network)


def _bipartite(
    instances: Sequence[Solved],
    schedules: Schedules,
    *,
    test: Sequence[Solved],
    folder: Path,
    report: Report,
) -> TrainedModel:
    network = train_bipartite(
        instances, schedules.imitate, schedules.descend, price=schedules.price, folder=folder, report=report
    )
    figures = {
        "most probable": score(most_probable(network), test),
        "decoded once": score(decoded(network, 1), test),
        "best of 32 decodings": score(decoded(network, 32), test),
    }
    training = asdict(schedules)
    return trained_model("bipartite", network, instances, training=training, figures=figures)


def _published(
    name: str,
    instances: Sequence[Solved],
    schedule: Schedule,
    *,
    folds: int,
    test: Sequence[Solved],
    folder: Path,
    report: Report,
) -> TrainedModel:
    network = train_published(
        instances, published_design(name), parts=folds, schedule=schedule, folder=folder, report=report
    )
    figures = {"most probable": score(published_choices(network), test)}
    training = {"folds": folds, "schedule": asdict(schedule)}
    return trained_model(name, network, instances, training=training, figures=figures)


def _adapted(schedule: Schedule, *, seed: int, epochs: int | None, device: str) -> Schedule:
    """A scale's schedule as the user asked for it."""
    return replace(schedule, seed=seed, epochs=epochs or schedule.epochs, accelerator=device)


def _drawn(name: str, scale: TrainingScale, seed: int) -> tuple[list[Solved], dict[str, Any]]:
    families = (
        {"paper": scale.paper, "varied": scale.varied, "regimes": scale.regimes}
        if name == "bipartite"
        else {"paper": scale.labels}
    )
    instances = [x for family, count in families.items() for x in solve(draw(family, count), seed=seed)]
    seeds = {family: [0, count - 1] for family, count in families.items()}
    return instances, {"families": seeds, "rounds": LABEL_ROUNDS, "search_seed": seed}
