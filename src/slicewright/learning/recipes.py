"""From a model's name to its files: data, training, figures, export. One recipe per name and scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.learning.batches import NetworkBatch, NetworkLabel, network_batch, network_key
from slicewright.learning.bipartite import Bipartite, BipartiteDesign, BipartiteLoss
from slicewright.learning.cards import BIPARTITE, PUBLISHED, Card
from slicewright.learning.chained import train_published
from slicewright.learning.export import save_model
from slicewright.learning.features import Network, network
from slicewright.learning.graphs import bipartite_onnx, published_onnx
from slicewright.learning.instances import FIRST_TEST_SEED, LABEL_ROUNDS, Solved, digest, draw, solve
from slicewright.learning.published import DESIGNS, design
from slicewright.learning.scoring import decoded, most_probable, published_choices, score, test_set
from slicewright.learning.training import Schedule, Task, fit

Report = Callable[[str], None]


@dataclass(frozen=True)
class Scale:
    """How much to train.

    Attributes:
        paper, varied: solved scenarios of the published setting and of other networks, for ``bipartite``.
        labels: solved scenarios of the published setting, for the published models.
        folds: of the published models' upstream answers.
        published: schedule of the published models.
        imitate, descend: schedules of ``bipartite``: labels first, then mostly the expected cost.
        tested: scenarios for the figures of the card.
    """

    paper: int
    varied: int
    labels: int
    folds: int
    published: Schedule
    imitate: Schedule
    descend: Schedule
    tested: int


SCALES: Mapping[str, Scale] = {
    "smoke": Scale(
        paper=500,
        varied=100,
        labels=500,
        folds=2,
        published=Schedule(epochs=10),
        imitate=Schedule(epochs=3, learning_rate=5e-3),
        descend=Schedule(epochs=1, learning_rate=1e-3),
        tested=40,
    ),
    "shipped": Scale(
        paper=8000,
        varied=3000,
        labels=5000,
        folds=2,
        published=Schedule(epochs=15, batch_size=32),
        imitate=Schedule(epochs=8, learning_rate=5e-3),
        descend=Schedule(epochs=6, learning_rate=1e-3),
        tested=200,
    ),
    "full": Scale(
        paper=50_000,
        varied=50_000,
        labels=50_000,
        folds=10,
        published=Schedule(epochs=30, batch_size=32, patience=12),
        imitate=Schedule(epochs=20, learning_rate=5e-3),
        descend=Schedule(epochs=20, learning_rate=1e-3),
        tested=1000,
    ),
}
MODELS = (*DESIGNS, "bipartite")
VALIDATION_PART = 0.05


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
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    if scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    chosen = SCALES[scale]
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
    test = test_set(chosen.tested)
    logs = folder / "runs" / f"{name}-{scale}-{data['digest'][:8]}"
    if name == "bipartite":
        schedules = _again(chosen.imitate, seed, epochs, device), _again(chosen.descend, seed, epochs, device)
        size_free = train_bipartite(instances, *schedules, folder=logs, report=report)
        model: torch.nn.Module = size_free
        kind, onnx, settings = BIPARTITE, bipartite_onnx(size_free), size_free.settings()
        figures = {
            "most probable": score(most_probable(size_free), test),
            "decoded once": score(decoded(size_free, 1), test),
            "best of 32 decodings": score(decoded(size_free, 32), test),
        }
        training: dict[str, Any] = {"imitate": asdict(schedules[0]), "descend": asdict(schedules[1])}
    else:
        schedule = _again(chosen.published, seed, epochs, device)
        published = train_published(
            instances, design(name), parts=chosen.folds, schedule=schedule, folder=logs, report=report
        )
        model = published
        kind, onnx, settings = PUBLISHED, published_onnx(published), published.settings()
        figures = {"most probable": score(published_choices(published), test)}
        training = {"folds": chosen.folds, "schedule": asdict(schedule)}
    return save_model(
        model,
        folder,
        name=name,
        kind=kind,
        onnx=onnx,
        settings=settings,
        trained_for=ranges(instances),
        data=data,
        training={"scale": scale, "seed": seed, **training},
        figures={**figures, "scenarios": len(test), "first_seed": FIRST_TEST_SEED},
    )


def _again(schedule: Schedule, seed: int, epochs: int | None, device: str) -> Schedule:
    return replace(schedule, seed=seed, epochs=epochs or schedule.epochs, accelerator=device)


def train_bipartite(
    instances: Sequence[Solved],
    imitate: Schedule,
    descend: Schedule,
    *,
    made: BipartiteDesign | None = None,
    folder: Path | None = None,
    report: Report = lambda line: None,
) -> Bipartite:
    """Labels first, then mostly the expected cost, which needs no labels but a scale (model page 3.4).

    Args:
        instances: solved scenarios of any networks.
        imitate, descend: schedules of the two stages; the seed of the first fixes the weights and the validation part.
        made: widths.
        folder: for logs and checkpoints.
        report: told what is being trained.
    """
    torch.manual_seed(imitate.seed)
    model = Bipartite(made or BipartiteDesign())
    items = [network_item(x) for x in instances]
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(imitate.seed)).tolist()
    held = max(1, int(VALIDATION_PART * len(items)))
    valid, learn = [items[i] for i in order[:held]], [items[i] for i in order[held:]]
    for stage, schedule, loss in (
        ("imitate", imitate, BipartiteLoss(imitation=1.0, cost=0.0)),
        ("descend", descend, BipartiteLoss(imitation=0.05, cost=1.0)),
    ):
        report(f"{stage}: {len(learn)} scenarios, {schedule.epochs} epochs")
        task = Task(model, loss, collate_networks, lambda item: network_key(item[0]))
        where = None if folder is None else folder / f"{stage}-{schedule.epochs}-{schedule.seed}"
        tell = partial(_prefixed, report, stage)
        fit(task, learn, valid, schedule=schedule, folder=where, report=tell)
    return model


def _prefixed(report: Report, prefix: str, line: str) -> None:
    report(f"{prefix}: {line}")


NetworkItem = tuple[Network, NetworkLabel]


def network_item(instance: Solved) -> NetworkItem:
    """A solved scenario as the size-free network learns it."""
    d = instance.decisions
    unit = float(instance.scenario.local_time_s.mean())
    label = NetworkLabel(d.access_point, d.node, d.slice, instance.cost_s / unit)
    return network(instance.scenario), label


def collate_networks(items: list[NetworkItem]) -> NetworkBatch:
    """Pad and stack."""
    return network_batch([x for x, _ in items], [y for _, y in items])


def ranges(instances: Sequence[Solved]) -> dict[str, list[int]]:
    """Smallest and largest counts in the training data."""
    counts = {
        "devices": [x.scenario.n_devices for x in instances],
        "access_points": [x.scenario.n_access_points for x in instances],
        "nodes": [x.scenario.n_nodes for x in instances],
        "slices": [x.scenario.n_slices for x in instances],
    }
    return {name: [min(values), max(values)] for name, values in counts.items()}


def _drawn(name: str, scale: Scale, seed: int) -> tuple[list[Solved], dict[str, Any]]:
    families = (
        {"paper": scale.paper, "varied": scale.varied} if name == "bipartite" else {"paper": scale.labels}
    )
    instances = [x for family, count in families.items() for x in solve(draw(family, count), seed=seed)]
    seeds = {family: [0, count - 1] for family, count in families.items()}
    return instances, {"families": seeds, "rounds": LABEL_ROUNDS, "search_seed": seed}
