"""Slicing models for the figures: one published model per network size, one size-free network for all.

Trained once per scale, kept as ONNX in the work folder, and served from there as any user's models are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.models.slicing.session import FOLDER_VARIABLE
from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario

Overrides = Mapping[str, Any]
FEWEST_DEVICES, MOST_DEVICES = 5, 50
SERVING_FOLDS = 2
PUBLISHED_NAME = "deepsets-s"


def drawn(seed: int, overrides: Overrides) -> Scenario:
    """A training scenario of the published setting with some parameters replaced, 5 to 50 devices."""
    devices = int(np.random.default_rng([seed, 1]).integers(FEWEST_DEVICES, MOST_DEVICES + 1))
    return preset("paper-slicing", devices=devices, seed=seed, **overrides)


def prepare(shop: Workshop, settings: Sequence[Overrides]) -> None:
    """Train the published models that are missing, in processes side by side."""
    missing = [x for x in settings if not _is_there(model_folder(shop, x))]
    if missing:
        shop.report(f"training {len(missing)} models of {PUBLISHED_NAME}")
        shop.separately(_train, [(model_folder(shop, x), dict(x), shop.scale, shop.seed) for x in missing])


def published_model(shop: Workshop, overrides: Overrides) -> Path:
    """Folder of DeepSets-S trained for the setting with these parameters; trained now if it is not there."""
    prepare(shop, [overrides])
    return model_folder(shop, overrides)


def model_folder(shop: Workshop, overrides: Overrides) -> Path:
    """Where the published model for these parameters is kept."""
    if not overrides:
        return shop.work / "models" / "published-setting"
    text = json.dumps(dict(sorted(overrides.items())), sort_keys=True)
    name = "-".join(sorted(overrides)) + "-" + hashlib.sha256(text.encode()).hexdigest()[:8]
    return shop.work / "models" / name


def _is_there(folder: Path) -> bool:
    return (folder / f"{PUBLISHED_NAME}.json").exists()


def _train(folder: Path, overrides: Overrides, scale: Scale, seed: int) -> None:
    import torch

    from slicewright.learning.common.model_files import write_model
    from slicewright.learning.slicing.chained_training import train_published
    from slicewright.learning.slicing.networks.published import published_design
    from slicewright.learning.slicing.recipes import trained_model
    from slicewright.learning.slicing.solved_scenarios import LABEL_ROUNDS, solve

    torch.set_num_threads(1)
    instances = solve([drawn(k, overrides) for k in range(scale.serving_labels)], jobs=1)
    schedule = scale.schedule(seed, scale.serving_epochs)
    network = train_published(
        instances, published_design(PUBLISHED_NAME), parts=SERVING_FOLDS, schedule=schedule
    )
    data = {"labels": len(instances), "rounds": LABEL_ROUNDS, "overrides": dict(overrides)}
    training = {"scale": scale.name, "epochs": scale.serving_epochs, "folds": SERVING_FOLDS, "seed": seed}
    write_model(trained_model(PUBLISHED_NAME, network, instances, data=data, training=training), folder)


def size_free_model(shop: Workshop) -> tuple[Path, str]:
    """Folder of our size-free network and where it comes from: shipped if there is one, else trained now."""
    with resources.as_file(resources.files("slicewright.models") / "weights") as shipped:
        if (shipped / "bipartite.json").exists() and shop.scale.name != "tiny":
            return shipped, "shipped with the package"
    folder = shop.work / "models" / "any"
    source = (
        f"trained here on {shop.scale.size_free_labels} scenarios, {shop.scale.size_free_epochs} + 1 epochs"
    )
    if (folder / "bipartite.json").exists():
        return folder, source
    shop.report("training bipartite")
    import torch

    from slicewright.learning.common.model_files import write_model
    from slicewright.learning.common.training import Schedule
    from slicewright.learning.slicing.recipes import train_bipartite, trained_model
    from slicewright.learning.slicing.solved_scenarios import LABEL_ROUNDS, draw, solve

    torch.set_num_threads(1)
    count = shop.scale.size_free_labels
    half = count // 2
    instances = solve([*draw("paper", count - half), *draw("varied", half)], jobs=shop.jobs)
    imitate = Schedule(epochs=shop.scale.size_free_epochs, learning_rate=5e-3, seed=shop.seed)
    network = train_bipartite(instances, imitate, replace(imitate, epochs=1, learning_rate=1e-3))
    data = {"labels": count, "rounds": LABEL_ROUNDS}
    training = {"scale": shop.scale.name, "epochs": shop.scale.size_free_epochs, "seed": shop.seed}
    write_model(trained_model("bipartite", network, instances, data=data, training=training), folder)
    return folder, source


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """Within it, policies find the models of a folder before the shipped ones."""
    before = os.environ.get(FOLDER_VARIABLE)
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[FOLDER_VARIABLE]
        else:
            os.environ[FOLDER_VARIABLE] = before
