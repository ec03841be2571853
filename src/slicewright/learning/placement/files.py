"""Placement models as files: ONNX and a card. No torch."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from slicewright.learning.cards import Card
from slicewright.network.documents import write_atomically

LIBRARIES = ("slicewright", "torch", "scikit-learn", "onnx", "numpy")


def save_files(
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
) -> Card:
    """Write ``<name>.onnx`` and ``<name>.json`` into a folder, each atomically."""
    folder.mkdir(parents=True, exist_ok=True)
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
        versions={"python": platform.python_version()} | {x: version(x) for x in LIBRARIES},
        parameters=parameters,
    )
    card.save(folder)
    return card
