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

from slicewright.evaluation.reproduction.engine.code_version import code_version
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.nested_scenarios import setting
from slicewright.models.slicing.session import FOLDER_VARIABLE
from slicewright.network.scenario import Scenario

Overrides = Mapping[str, Any]
FEWEST_DEVICES, MOST_DEVICES = 5, 50
SERVING_FOLDS = 2
PUBLISHED_NAME = "deepsets-s"


def trained_by() -> str:
    """Version of the code that training depends on: models and folds of another are not taken for its own."""
    return code_version("slicewright.learning", "slicewright.models.slicing")


def drawn(seed: int, overrides: Overrides) -> Scenario:
    """A training scenario of the published setting with some parameters replaced, 5 to 50 devices."""
    devices = int(np.random.default_rng([seed, 1]).integers(FEWEST_DEVICES, MOST_DEVICES + 1))
    return setting(devices, seed, overrides)


def training_seeds(shop: Workshop) -> list[int]:
    """Seeds of the trainings behind a figure; their spread is reported."""
    return [shop.seed + 1000 * k for k in range(shop.scale.seeds)]


def prepare(
    shop: Workshop,
    settings: Sequence[Overrides],
    *,
    name: str = PUBLISHED_NAME,
    seeds: Sequence[int] = (),
    labels: int | None = None,
) -> None:
    """Train the published models that are missing, in processes side by side.

    Args:
        shop: scale and folders.
        settings: parameters of the published setting that are replaced.
        name: of the design.
        seeds: of trainings; those of figures by default.
        labels: of every training; those of figures by default.
    """
    wanted = [(x, seed) for x in settings for seed in seeds or training_seeds(shop)]
    missing = [(x, seed) for x, seed in wanted if not _is_there(model_folder(shop, x, seed), name)]
    if missing:
        shop.report(f"training {len(missing)} models of {name}")
        scale = replace(shop.scale, serving_labels=labels or shop.scale.serving_labels)
        jobs = [(name, model_folder(shop, x, seed), dict(x), scale, seed) for x, seed in missing]
        shop.separately(_train, jobs)


def published_model(
    shop: Workshop, overrides: Overrides, seed: int | None = None, *, name: str = PUBLISHED_NAME
) -> Path:
    """Folder of a published design trained for the setting with these parameters; trained now if it is not there."""
    chosen = shop.seed if seed is None else seed
    prepare(shop, [overrides], name=name, seeds=[chosen])
    return model_folder(shop, overrides, chosen)


def model_folder(shop: Workshop, overrides: Overrides, seed: int) -> Path:
    """Where published models for these parameters are kept."""
    name = "published-setting"
    if overrides:
        text = json.dumps(dict(sorted(overrides.items())), sort_keys=True)
        name = "-".join(sorted(overrides)) + "-" + hashlib.sha256(text.encode()).hexdigest()[:8]
    return shop.work / "models" / trained_by() / f"{name}-{seed}"


def _is_there(folder: Path, name: str) -> bool:
    return (folder / f"{name}.json").exists()


def _train(name: str, folder: Path, overrides: Overrides, scale: Scale, seed: int) -> None:
    import torch

    from slicewright.learning.common.model_files import write_model
    from slicewright.learning.slicing.chained_training import train_published
    from slicewright.learning.slicing.networks.published import published_design
    from slicewright.learning.slicing.recipes import trained_model
    from slicewright.learning.slicing.solved_scenarios import LABEL_ROUNDS, solve

    torch.set_num_threads(1)
    instances = solve([drawn(k, overrides) for k in range(scale.serving_labels)], jobs=1)
    schedule = scale.schedule(seed, scale.serving_epochs)
    network = train_published(instances, published_design(name), parts=SERVING_FOLDS, schedule=schedule)
    data = {"labels": len(instances), "rounds": LABEL_ROUNDS, "overrides": dict(overrides)}
    training = {"scale": scale.name, "epochs": scale.serving_epochs, "folds": SERVING_FOLDS, "seed": seed}
    write_model(trained_model(name, network, instances, data=data, training=training), folder)


def size_free_model(shop: Workshop) -> tuple[Path, str]:
    """Folder of our size-free network and where it comes from: shipped if there is one, else trained now."""
    with resources.as_file(resources.files("slicewright.models") / "weights") as shipped:
        if (shipped / "bipartite.json").exists() and shop.scale.name != "tiny":
            return shipped, "shipped with the package"
    folder = shop.work / "models" / trained_by() / "any"
    source = (
        f"trained here on {shop.scale.size_free_labels} scenarios, {shop.scale.size_free_epochs} + 1 epochs"
    )
    if (folder / "bipartite.json").exists():
        return folder, source
    shop.report("training bipartite")
    import torch

    from slicewright.learning.common.model_files import write_model
    from slicewright.learning.common.training import Schedule
    from slicewright.learning.slicing.recipes import trained_model
    from slicewright.learning.slicing.size_free.training import train_bipartite
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


def size_free_for(shop: Workshop, settings: Sequence[Overrides], *, labels: int) -> list[Path]:
    """Folders of size-free networks, each trained for one setting with so many labels."""
    folders = [model_folder(shop, x, shop.seed) for x in settings]
    missing = [k for k, folder in enumerate(folders) if not _is_there(folder, "bipartite")]
    if missing:
        shop.report(f"training {len(missing)} models of bipartite")
        scale = replace(shop.scale, serving_labels=labels)
        jobs = [(folders[k], dict(settings[k]), scale, shop.seed) for k in missing]
        shop.separately(_train_size_free, jobs)
    return folders


def _train_size_free(folder: Path, overrides: Overrides, scale: Scale, seed: int) -> None:
    import torch

    from slicewright.learning.common.model_files import write_model
    from slicewright.learning.common.training import Schedule
    from slicewright.learning.slicing.recipes import trained_model
    from slicewright.learning.slicing.size_free.training import train_bipartite
    from slicewright.learning.slicing.solved_scenarios import LABEL_ROUNDS, solve

    torch.set_num_threads(1)
    instances = solve([drawn(k, overrides) for k in range(scale.serving_labels)], jobs=1)
    imitate = Schedule(epochs=scale.size_free_epochs, batch_size=32, learning_rate=5e-3, seed=seed)
    network = train_bipartite(instances, imitate, replace(imitate, epochs=1, learning_rate=1e-3))
    data = {"labels": len(instances), "rounds": LABEL_ROUNDS, "overrides": dict(overrides)}
    training = {"scale": scale.name, "epochs": scale.size_free_epochs, "seed": seed}
    write_model(trained_model("bipartite", network, instances, data=data, training=training), folder)


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
