"""Trained models as files: ONNX to serve, safetensors to load again, and their card. Never pickle."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import platform
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from slicewright.learning.cards import Card
from slicewright.network.documents import write_atomically

Axes = tuple[str | None, ...]


def to_onnx(
    model: nn.Module, example: Sequence[Tensor], inputs: Mapping[str, Axes], outputs: Sequence[str]
) -> bytes:
    """Export a model with free axes.

    Args:
        model: takes ``example`` as positional arguments.
        example: tensors whose free axes all differ from 0 and 1, which the exporter would take for constants.
        inputs: name of every input, with the name of each axis that is free, None where fixed.
        outputs: names.

    Returns:
        The ONNX file; weights included.
    """
    free = {name: torch.export.Dim.DYNAMIC for axes in inputs.values() for name in axes if name}
    shapes = tuple({k: free[name] for k, name in enumerate(axes) if name} for axes in inputs.values())
    with warnings.catch_warnings(), _silent_exporter(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model.eval(),
            tuple(example),
            dynamo=True,
            verbose=False,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=shapes,
            optimize=True,
        )
        path = Path(folder) / "model.onnx"
        if program is None:
            raise RuntimeError("the exporter returned no program")
        program.save(path, external_data=False)
        return path.read_bytes()


@contextlib.contextmanager
def _silent_exporter() -> Any:
    """The exporter prints its steps and logs which optional packages it misses."""
    logger = logging.getLogger("torch.onnx")
    before, logger.disabled = logger.level, False
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(before)


def save_model(
    model: nn.Module,
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
) -> Card:
    """Write ``<name>.onnx``, ``<name>.safetensors`` and ``<name>.json`` into a folder, each atomically."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{name}.onnx", onnx)
    write_atomically(folder / f"{name}.safetensors", save(dict(model.state_dict())))
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
        versions=_versions(),
        parameters=sum(p.numel() for p in model.parameters()),
    )
    card.save(folder)
    return card


def load_weights(model: nn.Module, path: Path) -> None:
    """Load ``<name>.safetensors`` into a model of the same settings.

    Raises:
        FileNotFoundError: no such file.
        RuntimeError: the weights are of another network.
    """
    from safetensors.torch import load

    model.load_state_dict(load(path.read_bytes()))


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {
        name: version(name) for name in ("slicewright", "torch", "lightning", "onnx", "onnxruntime", "numpy")
    }
