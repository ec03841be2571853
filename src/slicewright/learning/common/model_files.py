"""A trained model on disk: its ONNX file and the card that describes it. No torch."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from slicewright.files.documents import write_atomically
from slicewright.models.cards import Card


def write_model(
    folder: Path,
    *,
    name: str,
    kind: str,
    onnx: bytes,
    settings: Mapping[str, Any],
    trained_for: Mapping[str, Any],
    data: Mapping[str, Any],
    training: Mapping[str, Any],
    figures: Mapping[str, Any],
    parameters: int,
    libraries: Sequence[str],
) -> Card:
    """Write ``<name>.onnx`` and ``<name>.json`` into a folder, each atomically.

    Args:
        folder: made if absent.
        name, kind, settings, trained_for, data, training, figures, parameters: see :class:`Card`.
        onnx: content of the model file.
        libraries: distributions whose versions the card records.
    """
    write_atomically(folder / f"{name}.onnx", onnx)
    card = Card(
        name=name,
        kind=kind,
        file=f"{name}.onnx",
        sha256=hashlib.sha256(onnx).hexdigest(),
        settings=settings,
        trained_for=trained_for,
        data=data,
        training=training,
        figures=figures,
        versions={"python": platform.python_version()} | {library: version(library) for library in libraries},
        parameters=parameters,
    )
    card.save(folder)
    return card
