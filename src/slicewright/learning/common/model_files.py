"""A trained model on disk: its ONNX file, its weights, and the card that describes it. No torch."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slicewright.files.documents import write_atomically
from slicewright.models.cards import Card
from slicewright.version import version_of

TORCH_LIBRARIES = ("slicewright", "torch", "lightning", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What training ends with: everything that a model's files and its card say.

    Attributes:
        name, kind, settings, trained_for, data, training, figures, parameters: see :class:`Card`.
        onnx: content of the model file.
        weights: content of the safetensors file from which the network can be trained on; None writes none.
        libraries: distributions whose versions the card records.
    """

    name: str
    kind: str
    onnx: bytes
    settings: Mapping[str, Any]
    trained_for: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    parameters: int = 0
    weights: bytes | None = None
    libraries: tuple[str, ...] = TORCH_LIBRARIES


def write_model(model: TrainedModel, folder: Path) -> Card:
    """Write ``<name>.onnx``, ``<name>.json`` and, of a model with weights, ``<name>.safetensors``, each atomically.

    Args:
        model: what was trained.
        folder: made if absent.
    """
    if model.weights is not None:
        write_atomically(folder / f"{model.name}.safetensors", model.weights)
    write_atomically(folder / f"{model.name}.onnx", model.onnx)
    card = Card(
        name=model.name,
        kind=model.kind,
        file=f"{model.name}.onnx",
        sha256=hashlib.sha256(model.onnx).hexdigest(),
        settings=model.settings,
        trained_for=model.trained_for,
        data=model.data,
        training=model.training,
        figures=model.figures,
        versions={"python": platform.python_version()} | {name: version_of(name) for name in model.libraries},
        parameters=model.parameters,
    )
    card.save(folder)
    return card
