"""From a model's name to its files: data, training, figures, export. One recipe per name and scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.learning.cards import PUBLISHED, Card
from slicewright.learning.chained import train_published
from slicewright.learning.export import save_model, to_onnx
from slicewright.learning.features import row_widths
from slicewright.learning.instances import FIRST_TEST_SEED, LABEL_ROUNDS, Solved, draw, solve
from slicewright.learning.published import DESIGNS, PublishedModel, design
from slicewright.learning.training import Schedule

Report = Callable[[str], None]


@dataclass(frozen=True)
class Scale:
    """How much to train.

    Attributes:
        labels: solved scenarios of the published setting.
        folds: of the upstream answers.
        published: schedule of the published models.
    """

    labels: int
    folds: int
    published: Schedule


SCALES: Mapping[str, Scale] = {
    "smoke": Scale(500, 2, Schedule(epochs=10)),
    "shipped": Scale(6000, 4, Schedule(epochs=20)),
    "full": Scale(50_000, 10, Schedule(epochs=60, patience=12)),
}
MODELS = tuple(DESIGNS)


def train(
    name: str,
    folder: Path,
    *,
    scale: str = "shipped",
    instances: Sequence[Solved] | None = None,
    seed: int = 0,
    epochs: int | None = None,
    report: Report = lambda line: None,
) -> Card:
    """Train a model by name and write its files.

    Args:
        name: of the model.
        folder: for ``<name>.onnx``, ``<name>.safetensors`` and ``<name>.json``.
        scale: ``smoke`` (seconds), ``shipped`` (what the package ships) or ``full``.
        instances: solved scenarios; drawn and solved here by default.
        seed: of everything random.
        epochs: overrides the scale's.
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
    schedule = replace(chosen.published, seed=seed, **({} if epochs is None else {"epochs": epochs}))
    torch.set_num_threads(1)
    if instances is None:
        report(f"solving {chosen.labels} scenarios")
        instances = solve(draw("paper", chosen.labels), seed=seed)
        data: dict[str, Any] = {
            "family": "paper",
            "seeds": [0, chosen.labels - 1],
            "rounds": LABEL_ROUNDS,
            "search_seed": seed,
        }
    else:
        data = {"family": "given"}
    data |= {"labels": len(instances), "test_seeds_from": FIRST_TEST_SEED}
    model = train_published(instances, design(name), parts=chosen.folds, schedule=schedule, report=report)
    report("exporting")
    return save_model(
        model,
        folder,
        name=name,
        kind=PUBLISHED,
        onnx=published_onnx(model),
        settings=model.settings(),
        trained_for=ranges(instances),
        data=data,
        training={"scale": scale, "folds": chosen.folds, **asdict(schedule)},
        figures={},
    )


def ranges(instances: Sequence[Solved]) -> dict[str, list[int]]:
    """Smallest and largest counts in the training data."""
    if not instances:
        raise InvalidOptionError("labels", "must hold at least one feasible scenario")
    counts = {
        "devices": [x.scenario.n_devices for x in instances],
        "access_points": [x.scenario.n_access_points for x in instances],
        "nodes": [x.scenario.n_nodes for x in instances],
        "slices": [x.scenario.n_slices for x in instances],
    }
    return {name: [min(values), max(values)] for name, values in counts.items()}


def published_onnx(model: PublishedModel) -> bytes:
    """A published model as ONNX with a free number of devices."""
    orchestrator, manager = row_widths(*model.sizes)
    slices = model.sizes.slices
    example = (torch.randn(2, 5, orchestrator), torch.randn(2, slices, 5, manager), torch.ones(2, 5))
    return to_onnx(
        model,
        example,
        {
            "network": ("batch", "devices", None),
            "slices": ("batch", None, "devices", None),
            "mask": ("batch", "devices"),
        },
        ["decision", "offload", "share", "bandwidth"],
    )
